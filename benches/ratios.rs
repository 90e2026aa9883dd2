//! Measures every group, lets the peers take turns, and writes the table, the figures and the
//! plots.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, process};

use bandq_benches::groups::{self, Effort};
use bandq_benches::report::{machine, plot, store, table};
use bandq_benches::results::Results;
use clap::Parser;

/// bandq against its peers, in turns, as ratios.
#[derive(Parser)]
#[command(name = "cargo bench -p bandq-benches --bench ratios --")]
struct Options {
    /// A twentieth of the work and 3 rounds, written to the target directory: a trial, not a
    /// measurement
    #[arg(long)]
    quick: bool,

    /// Only this group (may be given several times); the others' results stay as they are
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,

    /// How often each peer has its turn [default: 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,

    /// Where the results go [default: benches/results]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Measure nothing, only write tables and plots again from the figures that are there
    #[arg(long)]
    redraw: bool,

    /// Say which groups there are
    #[arg(long)]
    list: bool,

    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    if let Err(error) = run(&Options::parse()) {
        eprintln!("error: {error}");
        process::exit(1);
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let groups = groups::all(&Effort {
        quick: options.quick,
        memory: env!("CARGO_BIN_EXE_memory"),
    });
    let names: Vec<_> = groups.iter().map(|group| group.name).collect();
    if options.list {
        for group in &groups {
            println!("{:18}{}", group.name, group.title);
        }
        return Ok(());
    }
    if let Some(unknown) = options
        .group
        .iter()
        .find(|name| !names.contains(&name.as_str()))
    {
        return Err(format!("no group {unknown}; there are {}", names.join(", ")).into());
    }
    let rounds = options.rounds.unwrap_or(if options.quick { 3 } else { 7 });
    let out = match (&options.out, options.quick) {
        (Some(out), _) => out.clone(),
        (None, true) => Path::new(env!("CARGO_TARGET_TMPDIR")).join("quick"),
        (None, false) => Path::new(env!("CARGO_MANIFEST_DIR")).join("results"),
    };
    fs::create_dir_all(&out)?;
    let file = out.join("ratios.json");

    let mut measured = Vec::new();
    for group in &groups {
        let wanted =
            options.group.is_empty() || options.group.iter().any(|name| name == group.name);
        if wanted && !options.redraw {
            let begun = Instant::now();
            eprint!("{:18}", group.name);
            measured.push(group.run(rounds.into()));
            eprintln!("{:6.1} s", begun.elapsed().as_secs_f64());
        }
    }

    let old = store::read(&file)?;
    let machine = match &old {
        Some(old) if options.redraw => old.machine.clone(),
        None if options.redraw => return Err("there are no figures to draw".into()),
        _ => machine::machine(),
    };
    let new = Results {
        machine,
        groups: measured,
    };
    let results = store::merge(old, new, &names);
    if !options.redraw {
        store::write(&results, &file)?;
    }
    for group in &results.groups {
        plot::draw(group, &out.join(format!("{}.svg", group.name)))?;
    }
    let markdown = table::markdown(&results);
    fs::write(out.join("ratios.md"), &markdown)?;
    println!("{markdown}");
    eprintln!("written to {}", out.display());
    Ok(())
}
