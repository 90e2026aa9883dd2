//! Four programs as they are written with `asyncio.PriorityQueue`, each beside its port: what they
//! take, and what they lose when SIGTERM ends them in the middle. See `README.md`.
//!
//! ```text
//! cargo run --release -p bandq-demos --example asyncio
//! ```
//!
//! | file | idea |
//! |---|---|
//! | `payload` | what is worked on: the same as in `payloads.py` |
//! | `run` | what the ports share: options, and what a run counts; as in `payloads.py` |
//! | `worker_pool`, `retries`, `shutdown`, `monitoring` | the ports, each of the `.py` of its name |
//! | `program` | which programs there are, and how each is started |
//! | `race` | starts them, measures, and sends SIGTERM |
//! | `table` | what was found out, for people |

mod monitoring;
mod payload;
mod program;
mod race;
mod retries;
mod run;
mod shutdown;
mod table;
mod worker_pool;

use crate::{
    program::Program,
    race::Race,
    run::{Options, Run},
};
use clap::Parser;
use std::{error::Error, process::ExitCode};

/// Runs four asyncio programs and their ports on bandq, and compares them; or one port alone.
#[derive(Parser)]
#[command(name = "asyncio", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    race: Race,
    #[command(subcommand)]
    port: Option<Port>,
}

/// One port alone, as the race starts it.
#[derive(clap::Subcommand)]
enum Port {
    #[command(name = "worker_pool")]
    WorkerPool(Options),
    #[command(name = "retries")]
    Retries(Options),
    #[command(name = "shutdown")]
    Shutdown(Options),
    #[command(name = "monitoring")]
    Monitoring(Options),
}

/// A port lost a payload, or two programs did not do the same.
const BROKEN: u8 = 1;
/// The command line or the machine does not allow a run.
const CANNOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let done = match Args::parse() {
        Args {
            port: Some(port), ..
        } => run_port(port).map(|()| true),
        Args { race, .. } => compare(&race),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(error) => {
            eprintln!("asyncio: {error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

/// One thread, as asyncio has one.
fn run_port(port: Port) -> Result<(), Box<dyn Error>> {
    let (program, options) = match port {
        Port::WorkerPool(options) => (Program::WorkerPool, options),
        Port::Retries(options) => (Program::Retries, options),
        Port::Shutdown(options) => (Program::Shutdown, options),
        Port::Monitoring(options) => (Program::Monitoring, options),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let run = Run::new(options)?;
    runtime.block_on(async {
        match program {
            Program::WorkerPool => worker_pool::run(&run).await,
            Program::Retries => retries::run(&run).await,
            Program::Shutdown => shutdown::run(&run).await,
            Program::Monitoring => monitoring::run(&run).await,
        }
    })?;
    println!("{}", serde_json::to_string(&run.summary())?);
    Ok(())
}

/// Whether all was as promised.
fn compare(race: &Race) -> Result<bool, Box<dyn Error>> {
    let found = race.run()?;
    print!("{}", table::text(&found));
    let complaints = found.complaints();
    for complaint in &complaints {
        eprintln!("asyncio: {complaint}");
    }
    Ok(complaints.is_empty())
}
