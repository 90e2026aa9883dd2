//! A small service over one observed channel, and a live picture of it in the terminal: what waits
//! in each band, for how long, and what became of the rest. Keys add load, take workers away, and
//! change the policy and the capacity while it runs.
//!
//! ```text
//! cargo run --release --example top -- --help
//! ```
//!
//! One file, one idea:
//!
//! | file | idea |
//! |---|---|
//! | `args` | the command line |
//! | `load` | a producer for each band |
//! | `service` | the channel, its workers, and what can be changed while it runs |
//! | `rates` | items a second, from two snapshots |
//! | `text` | numbers and times in five characters |
//! | `picture` | a snapshot as 80 columns and 24 lines: pure, and tested without a terminal |
//! | `keys` | what a key means, and the line that says so |
//! | `screen` | takes the terminal, and gives it back whatever happens |
//! | `live` | the loop: a key, a snapshot, a picture |

mod args;
mod keys;
mod live;
mod load;
mod picture;
mod rates;
mod screen;
mod service;
mod text;

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::thread;

use clap::Parser;

use crate::args::Args;
use crate::live::End;
use crate::service::Service;

/// The command line or the terminal does not allow a run.
const CANNOT_RUN: u8 = 2;
/// What shells use for a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let args = Args::parse();
    match top(&args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("top: {error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

fn top(args: &Args) -> Result<u8, Box<dyn Error>> {
    if args.once {
        once(args)?;
        return Ok(0);
    }
    if !io::stdout().is_terminal() {
        return Err("stdout is no terminal; --once prints one table anywhere".into());
    }
    Ok(match live::run(args)? {
        End::Quit => 0,
        End::Interrupted => INTERRUPTED,
    })
}

/// Runs the service for a while, without a picture, and prints what is seen then.
fn once(args: &Args) -> Result<(), Box<dyn Error>> {
    let service = Service::start(args.bands, args.workers)?;
    thread::sleep(args.time().unwrap_or(args::ONCE));
    let table = format!("{}\n", service.snapshot());
    // A reader that has gone away, as in `top --once | head -1`, is no error.
    match io::stdout().lock().write_all(table.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
