//! Mutants of bandq's orderings: each is weakened or removed, one at a time, in a copy of the
//! source, and some model must notice.
//!
//! `check` compares the source with `table.md`, beside this package's manifest. `run` runs the
//! models on the mutants. What the table's columns mean is said in it.

mod run;
mod sites;
mod table;

use clap::{Parser, Subcommand};
use run::{Outcome, Runner};
use sites::Mutant;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};
use table::{Table, Verdict};

/// Weakens and removes orderings, fences and re-checks, and says which model notices.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fail if a site is missing in the table or gone from the source; say how many have no
    /// verdict.
    Check {
        /// Fail, too, if one has no verdict.
        #[arg(long)]
        settled: bool,
        /// Add and remove rows so that the table has every site; new ones without a verdict.
        #[arg(long)]
        fix: bool,
    },
    /// Print every mutant's name.
    List {
        /// Print the changed lines too.
        #[arg(long)]
        diff: bool,
        #[command(flatten)]
        choice: Choice,
    },
    /// Run the models on the mutants.
    Run(RunArgs),
}

#[derive(Debug, clap::Args)]
struct Choice {
    /// Only mutants whose name has all these words; may be given more than once.
    #[arg(long, value_name = "PATTERN")]
    site: Vec<String>,
    /// Only mutants without a settled verdict.
    #[arg(long)]
    open: bool,
    /// Only mutants that survived or have no verdict.
    #[arg(long)]
    alive: bool,
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    #[command(flatten)]
    choice: Choice,
    /// Only this many, drawn from those that a model of the plain loom build kills.
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// What the sample is drawn with.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Seconds for a mutant, all its models and builds together.
    #[arg(long, default_value_t = 900)]
    limit: u64,
    /// Run the long models too (`cargo loom-full`).
    #[arg(long)]
    full: bool,
    /// Only models of the file's own topic.
    #[arg(long)]
    own: bool,
    /// The copy of the tree in `target/ordering-mutants`; a run that is not the only one needs its
    /// own.
    #[arg(long, default_value = "tree")]
    tree: String,
    /// Write the verdicts into the table.
    #[arg(long)]
    update: bool,
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let done = match Args::parse().command {
        Command::Check { fix, settled } => check(&root, fix, settled),
        Command::List { diff, choice } => list(&root, diff, &choice),
        Command::Run(args) => run(&root, &args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn table_path(root: &Path) -> PathBuf {
    root.join("ordering-mutants/table.md")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn load(root: &Path) -> Result<(Table, Vec<Mutant>), String> {
    let table = Table::parse(&read(&table_path(root))?)?;
    let files = sites::files(root)?;
    if let Some(listed) = table
        .listed
        .iter()
        .find(|listed| !files.contains(&listed.file))
    {
        return Err(format!(
            "the table lists code in `{}`, which is not searched",
            listed.file
        ));
    }
    let mut mutants = Vec::new();
    for file in files {
        let source = read(&root.join("src").join(&file))?;
        mutants.extend(sites::find(&file, &source, &table.listed)?);
    }
    Ok((table, mutants))
}

fn check(root: &Path, fix: bool, settled: bool) -> Result<bool, String> {
    let (mut table, mutants) = load(root)?;
    let mut complaints = table.differences(&mutants);
    if fix {
        for difference in complaints {
            println!("to fix: {difference}");
        }
        table.adopt(&mutants);
        complaints = table.differences(&mutants); // what only a person can mend
        write(&table_path(root), &table.render())?;
    } else if complaints.is_empty() && table.render() != read(&table_path(root))? {
        complaints.push("the table is not as `check --fix` writes it".into());
    }
    let open: Vec<_> = table.unsettled();
    let unsettled = open.len();
    if settled {
        complaints.extend(open);
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!(
        "{} mutants, {unsettled} of them without a settled verdict, {} complaints",
        mutants.len(),
        complaints.len()
    );
    Ok(complaints.is_empty())
}

/// The mutants of a choice.
fn chosen(table: &mut Table, mutants: Vec<Mutant>, choice: &Choice) -> Vec<Mutant> {
    let mut chosen = mutants;
    chosen.retain(|mutant| {
        let name = table::name(mutant);
        let verdict = table.verdict(mutant).cloned().unwrap_or(Verdict::Unknown);
        let named = |pattern: &String| pattern.split_whitespace().all(|word| name.contains(word));
        (choice.site.is_empty() || choice.site.iter().any(named))
            && (!choice.open || !verdict.is_settled())
            && (!choice.alive || !matches!(verdict, Verdict::Killed(_)))
    });
    chosen
}

fn list(root: &Path, diff: bool, choice: &Choice) -> Result<bool, String> {
    let (mut table, mutants) = load(root)?;
    for mutant in chosen(&mut table, mutants, choice) {
        println!("{}", table::name(&mutant));
        if diff {
            let source = read(&root.join("src").join(&mutant.file))?;
            for (sign, lines) in changed_lines(&source, &mutant.apply(&source)) {
                lines
                    .iter()
                    .for_each(|line| println!("    {sign} {}", line.trim()));
            }
        }
    }
    Ok(true)
}

/// The lines that differ, without what is the same before and behind them.
fn changed_lines<'s>(old: &'s str, new: &'s str) -> [(char, Vec<&'s str>); 2] {
    let (mut old, mut new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    while old.last().is_some() && old.last() == new.last() {
        old.pop();
        new.pop();
    }
    let same = old
        .iter()
        .zip(&new)
        .take_while(|(old, new)| old == new)
        .count();
    [('-', old.split_off(same)), ('+', new.split_off(same))]
}

fn run(root: &Path, args: &RunArgs) -> Result<bool, String> {
    // From the copy, so that what is edited meanwhile does not matter.
    let tree = run::copy_of(root, &args.tree);
    run::copy(root, &tree).map_err(|error| format!("copying the tree: {error}"))?;
    let (mut table, mutants) = load(&tree)?;
    if let Some(difference) = table.differences(&mutants).first() {
        return Err(format!("{difference}; `check --fix` mends the table"));
    }
    let mut mutants = chosen(&mut table, mutants, &args.choice);
    if let Some(count) = args.sample {
        mutants.retain(|mutant| {
            matches!(table.verdict(mutant), Some(Verdict::Killed(model)) if !run::is_epoch(model))
        });
        draw(&mut mutants, count, args.seed);
    }
    if mutants.is_empty() {
        return Err("no such mutant".into());
    }

    let mut runner = Runner::new(&tree, args.full)?;
    let (mut killed, mut as_expected) = (0, true);
    for (nth, mutant) in mutants.iter().enumerate() {
        let old = table.verdict(mutant).cloned().unwrap_or(Verdict::Unknown);
        let known = match &old {
            Verdict::Killed(model) => Some(model.as_str()),
            _ => None,
        };
        let began = Instant::now();
        let outcome = runner.run(mutant, known, args.own, Duration::from_secs(args.limit))?;
        println!(
            "[{}/{}] {}: {outcome} ({} s)",
            nth + 1,
            mutants.len(),
            table::name(mutant),
            began.elapsed().as_secs()
        );
        let verdict = match outcome {
            Outcome::Killed { model, .. } => {
                killed += 1;
                Verdict::Killed(model)
            }
            Outcome::Survived { .. } => match old.clone() {
                Verdict::Survives(reason) => Verdict::Survives(reason),
                _ => Verdict::Survives("?".into()),
            },
            Outcome::TimedOut { model } => match old.clone() {
                Verdict::Survives(reason) => Verdict::Survives(reason),
                _ => Verdict::TimedOut(model),
            },
            Outcome::Error { .. } => {
                as_expected = false;
                continue;
            }
        };
        as_expected &= verdict.is_settled();
        if args.update {
            // Read afresh: reasons may have been written meanwhile.
            let path = table_path(root);
            let mut current = Table::parse(&read(&path)?)?;
            if let Some(row) = current.verdict(mutant) {
                *row = verdict;
                write(&path, &current.render())?;
            }
        }
    }
    println!("{killed} of {} killed", mutants.len());
    Ok(as_expected)
}

/// Keeps `count` of them, drawn with this seed.
fn draw(mutants: &mut Vec<Mutant>, count: usize, seed: u64) {
    println!("a sample of {count} with seed {seed}");
    let mut state = seed;
    let mut drawn = Vec::new();
    while drawn.len() < count && !mutants.is_empty() {
        // A step of an LCG (Knuth's MMIX); its high bits are good enough to draw a few.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let nth = (state >> 33) as usize % mutants.len();
        drawn.push(mutants.swap_remove(nth));
    }
    *mutants = drawn;
}
