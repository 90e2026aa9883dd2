//! A channel under load, with an endpoint for Prometheus.
//!
//! ```text
//! cargo run --release --example serve -- --help
//! curl http://127.0.0.1:9898/metrics
//! ```
//!
//! | file | idea |
//! |---|---|
//! | `args` | the command line |
//! | `load` | who sends what, how often; who works; what happens then |
//! | `ledger` | what the program counts itself, to compare with what bandq exports |
//! | `http` | the endpoint |

mod args;
mod http;
mod ledger;
mod load;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use bandq::observe::prometheus::Collector;
use clap::Parser;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::args::Args;
use crate::load::Load;

/// The command line or the machine does not allow a run; as for clap.
const CANNOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serve: {error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

fn serve(args: &Args) -> Result<(), Box<dyn Error>> {
    let stop = Arc::new(Notify::new());
    let pressed = Arc::clone(&stop);
    ctrlc::set_handler(move || pressed.notify_one())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(|error| format!("{}: {error}", args.listen))?;
        let load = Load::start(args.rate, args.seconds)?;
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Collector::new("jobs", load.receiver())));
        println!("serving http://{}", listener.local_addr()?);
        let endpoint = http::endpoint(registry, load.ledger());
        tokio::select! {
            ended = axum::serve(listener, endpoint) => ended?,
            () = stop.notified() => {}
        }
        println!("{}", load.stop());
        Ok(())
    })
}
