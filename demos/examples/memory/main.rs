//! Counts the memory that a queue takes under load, and what is left of it afterwards, for several
//! item types and several queues.
//!
//! ```text
//! cargo run --release --example memory -- --help
//! ```
//!
//! One file, one idea. A run goes through them in this order:
//!
//! | file | idea |
//! |---|---|
//! | `args` | the command line |
//! | `item` | what is queued: the item types, a line each |
//! | `peer`, `peers` | what holds them: a trait, the list, and an implementation each |
//! | `ledger` | the counting allocator |
//! | `profile` | one measurement: fill, pass, drain, and a little more |
//! | `report` | all of them, a process each; the shape of the JSON |
//! | `text`, `plot` | the same for people: tables, and the picture |
//!
//! # Your own items
//!
//! A line in `item::items`: a name, what it is, and how the n-th is made. What making and dropping
//! it allocates and frees is counted apart, as its payload.
//!
//! ```ignore
//! ItemType::new("job", "a boxed closure", |n| -> Job { Box::new(move || println!("{n}")) }),
//! ```
//!
//! # Your own queue
//!
//! A file in `peers` with an implementation of `peer::Peer`, and a line in `peers::peers`: a name,
//! what it is, and how an empty one is made. It goes into a `Box`, so that what it holds inline is
//! counted as well.
//!
//! ```ignore
//! pub(crate) struct Mpsc<T>(mpsc::Sender<T>, mpsc::Receiver<T>);
//!
//! impl<T> Peer<T> for Mpsc<T> {
//!     fn push(&self, _: u8, item: T) {
//!         self.0.send(item).expect("the receiver is there");
//!     }
//!
//!     fn pop(&self) -> Option<T> {
//!         self.1.try_recv().ok()
//!     }
//! }
//! ```

mod args;
mod item;
mod ledger;
mod peer;
mod peers;
mod plot;
mod profile;
mod report;
mod text;

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::report::Report;

/// The self-check failed: a peer lost an item, or kept what an item owns.
const BROKEN: u8 = 1;
/// The command line or the machine does not allow a run.
const CANNOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    match memory(&args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("memory: {error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

fn memory(args: &Args) -> Result<u8, Box<dyn Error>> {
    if let Some(file) = &args.picture {
        ensure_writable(file)?;
    }
    let report = Report::measure(args)?;
    if args.json {
        print(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        print(&text::tables(&report))?;
    }
    if let Some(file) = &args.picture {
        let svg = plot::draw(&report)?;
        std::fs::write(file, svg).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let broken = report.rows.iter().filter(|row| row.figures.lost != 0);
    let mut code = 0;
    for row in broken {
        eprintln!(
            "memory: self-check failed: {} has lost some of {} {}",
            row.peer, row.items, row.item
        );
        code = BROKEN;
    }
    Ok(code)
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

/// Writes to stdout. A reader that has gone away, as in `memory | head`, is no error.
fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("stdout: {error}")),
        _ => Ok(()),
    }
}
