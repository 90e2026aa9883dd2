//! Replays a trace of jobs through a bandq channel to a pool of workers, twice: first come, first
//! served, and by class; or under policies. Then it shows how long each class waited.
//!
//! ```text
//! cargo run --release --example replay -- --help
//! ```
//!
//! One file, one idea. A run goes through them in this order:
//!
//! | file | idea |
//! |---|---|
//! | `args` | the command line |
//! | `job` | what a job is, and the four classes |
//! | `trace`, `workload` | where jobs come from: a CSV file, or a seeded generator |
//! | `plan` | what is replayed: compressed time, capped run times, the number of workers |
//! | `runtime` | the runtimes, and what their timers can do |
//! | `run` | one producer, one channel, many workers: one discipline from start to end |
//! | `shared`, `loops`, `pool` | the producer, and the workers: as loops, or as a pool of handlers |
//! | `stop`, `progress` | Ctrl-C, and the live bars |
//! | `check` | was every job run once, and in order |
//! | `contest` | with `--policy`: who got how much where several classes waited |
//! | `report` | what was found out, and the shape of the JSON |
//! | `text`, `policies`, `plot` | the same for people: heading, tables and bars, and the picture |

mod args;
mod check;
mod contest;
mod discipline;
mod job;
mod loops;
mod plan;
mod plot;
mod policies;
mod pool;
mod progress;
mod report;
mod run;
mod runtime;
mod shared;
mod stop;
mod text;
mod trace;
mod workload;

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::args::Args;
use crate::plan::Plan;
use crate::report::Report;
use crate::stop::Stop;

/// The self-check failed: a job was lost, doubled or out of order.
const BROKEN: u8 = 1;
/// The command line, the trace or the machine does not allow a run.
const CANNOT_RUN: u8 = 2;
/// What shells use for a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let args = Args::parse();
    match replay(&args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

fn replay(args: &Args) -> Result<u8, Box<dyn Error>> {
    let stop = Stop::install()?;
    let jobs = match &args.trace {
        Some(file) => trace::read(file)?,
        None => workload::generate(args.seed),
    };
    let plan = Arc::new(Plan::new(&jobs, args));
    if let Some(file) = &args.svg {
        ensure_writable(file)?;
    }
    let mut report = Report::new(&jobs, (args.pool, args.runtime), &plan);

    let heading = text::heading(&jobs, args, &plan);
    if args.json {
        eprint!("{heading}"); // stdout is for the one JSON object
    } else {
        print(&heading)?;
    }

    for &discipline in args.disciplines() {
        if !stop.requested() {
            let policy = args.policy_of(discipline);
            let outcome = run::run((args.pool, args.runtime), discipline, policy, &plan, &stop)?;
            report.add(discipline, &plan, &outcome);
        }
    }

    if args.json {
        print(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        print(&text::table(&report))?;
    }
    if let Some(file) = &args.svg {
        let svg = plot::draw(&report)?;
        std::fs::write(file, svg).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    for complaint in report.complaints() {
        eprintln!("replay: self-check failed: {complaint}");
    }
    if stop.requested() {
        eprintln!(
            "replay: interrupted: {}",
            text::left(&report, args.disciplines())
        );
    }
    Ok(if !report.passed() {
        BROKEN
    } else if stop.requested() {
        INTERRUPTED
    } else {
        0
    })
}

/// Better to learn that a picture cannot be written before the run than after it.
fn ensure_writable(file: &Path) -> Result<(), String> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .map(drop)
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// Writes to stdout. A reader that has gone away, as in `replay | head`, is no error.
fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("stdout: {error}")),
        _ => Ok(()),
    }
}
