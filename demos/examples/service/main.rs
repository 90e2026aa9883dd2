//! A service that ends in good order. SIGTERM (or Ctrl-C) closes its channel and works off what is
//! in it; a second one ends it at once. Either way it accounts for every job.
//!
//! ```text
//! cargo run --release --example service          # and in another terminal:
//! kill -TERM $(pgrep -x service)
//! ```
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | every job is done or dead |
//! | 1 | some were given back, or are stuck: they are listed |
//! | 2 | it could not run |
//! | 3 | a job is missing: a bug |

use bandq::{Band, Sender};
use bandq_workers::{Control, Job, Report, Retry, Workers};
use clap::Parser;
use std::{
    error::Error,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// Works on jobs of four bands until it is told to end by SIGTERM; a second one ends it at once.
#[derive(Parser)]
struct Args {
    /// Jobs to begin with; half as many come per second afterwards.
    #[arg(long, default_value_t = 1000)]
    jobs: u32,
    /// How long each takes.
    #[arg(long, default_value_t = 2)]
    job_ms: u64,
    /// Workers.
    #[arg(long, default_value_t = 8)]
    workers: usize,
    /// How long it may go on after SIGTERM.
    #[arg(long, default_value_t = 10_000)]
    deadline_ms: u64,
    /// The first job never ends, and blocks its thread.
    #[arg(long)]
    stubborn: bool,
}

const GIVEN_BACK: u8 = 1;
const CANNOT_RUN: u8 = 2;
const BROKEN: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    match serve(&args) {
        Ok((report, sent)) => tell(&report, sent),
        Err(error) => {
            eprintln!("service: {error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

/// Runs until it is told to end. Returns what became of the jobs, and how many were sent.
fn serve(args: &Args) -> Result<(Report<u32>, u64), Box<dyn Error>> {
    let (sender, receiver) = bandq::unbounded(4);
    let workers = Workers::new(receiver)
        .concurrency(args.workers)
        .retry(Retry::exponential(Duration::from_millis(5)).attempts(3))
        .named(|number| format!("number {number}"));
    let control = workers.control();
    end_on_signals(control.clone(), Duration::from_millis(args.deadline_ms))?;
    let (jobs, work) = (args.jobs, Duration::from_millis(args.job_ms));
    // Those to begin with are there before it says that it is ready.
    let at_once = (0..jobs).take_while(|number| sender.try_send(band(*number), *number).is_ok());
    let at_once = at_once.count() as u64;
    let producer = thread::spawn(move || at_once + produce(&sender, jobs));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()?;
    let is_stubborn = args.stubborn;
    let pool = workers.run_on(tokio::spawn, move |job: Job<u32>| async move {
        if *job == 0 {
            eprintln!("at work");
        }
        if is_stubborn && *job == 0 {
            loop {
                thread::park();
            }
        }
        tokio::time::sleep(work).await;
        match (*job % 10, job.attempt()) {
            (7, 1) => Err("no answer"),
            _ => Ok(()),
        }
    });
    println!("ready");
    let mut report = runtime.block_on(pool);
    // Items are left for whoever asked for the end, if that was still there: the signal's thread.
    report.returned.extend(control.take_returned());
    runtime.shutdown_background(); // a stubborn handler does not hold us
    let sent = producer.join().map_err(|_| "the producer panicked")?;
    Ok((report, sent))
}

/// The first signal drains, a further one stops at once.
fn end_on_signals(control: Control<u32>, deadline: Duration) -> Result<(), ctrlc::Error> {
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            eprintln!("stopping");
            drop(control.stop(Duration::ZERO));
        } else {
            eprintln!("draining");
            drop(control.drain(deadline)); // the pool's own future has the report
        }
    })
}

fn band(number: u32) -> Band {
    Band::new((number % 4) as u8)
}

/// Sends half as many a second as there were at first, from that number on, until the channel is
/// closed; how many were accepted.
fn produce(sender: &Sender<u32>, first: u32) -> u64 {
    let mut sent = 0;
    for number in first.. {
        thread::sleep(Duration::from_secs(2) / first.max(1));
        if sender.send_blocking(band(number), number).is_err() {
            break;
        }
        sent += 1;
    }
    sent
}

fn tell(report: &Report<u32>, sent: u64) -> ExitCode {
    println!("{sent} sent, {report}");
    for item in &report.returned {
        let how = if item.interrupted {
            "interrupted"
        } else {
            "not done"
        };
        println!("{how}: number {} of band {}", item.item, item.band);
    }
    if sent != report.accepted || !report.adds_up() {
        ExitCode::from(BROKEN)
    } else if report.total.returned > 0 || !report.stuck.is_empty() {
        ExitCode::from(GIVEN_BACK)
    } else {
        ExitCode::SUCCESS
    }
}
