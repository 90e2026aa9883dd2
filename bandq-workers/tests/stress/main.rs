//! Pools of random shape, whose handlers end in random ways, and which end in random ways
//! themselves: every item is somewhere, once.
//!
//! ```text
//! BANDQ_WORKERS_ROUNDS=1000     so many pools on each runtime (60)
//! BANDQ_WORKERS_JOBS=100000000  so many jobs on all together, a quarter on each, of which few take
//!                               long; the more of them, the longer a pool lives
//! ```

#[path = "../support/mod.rs"]
mod support;

use crate::support::{LONG, Runtime, Watchdog, sleep, spawn};
use bandq::{Band, Receiver, Sender};
use bandq_workers::{Control, DeadLetter, Job, Outcome, Report, Retry, Workers};
use std::{
    env,
    future::{Future, pending},
    panic::resume_unwind,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// What became of each item, told by themselves.
#[derive(Default)]
struct Ledger {
    alive: AtomicUsize,
    dead: AtomicUsize,
    taken: AtomicUsize,
}

struct Item {
    ledger: Arc<Ledger>,
    /// How it goes with this one; never the same twice.
    turns: AtomicU32,
}

impl Drop for Item {
    fn drop(&mut self) {
        self.ledger.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// So many jobs on each runtime, if it is asked for.
fn jobs() -> Option<u64> {
    static JOBS: OnceLock<Option<u64>> = OnceLock::new();
    *JOBS.get_or_init(|| Some(number("BANDQ_WORKERS_JOBS")?.div_ceil(4)))
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// How a handler ends, in hundredths; those of the last fifth take long.
fn draw() -> u32 {
    let is_short = jobs().is_some() && fastrand::u8(0..200) != 0;
    fastrand::u32(0..if is_short { 82 } else { 100 })
}

async fn handler(job: Job<Item>) -> Outcome<&'static str> {
    job.turns.fetch_add(1, Ordering::Relaxed);
    match draw() {
        0..50 => Outcome::Done,
        50..60 => Outcome::Retry("error"),
        60..64 => Outcome::RetryAfter(Duration::from_micros(fastrand::u64(0..500)), "error"),
        64..68 => Outcome::Snooze(Duration::from_micros(fastrand::u64(0..500))),
        68..72 => Outcome::Snooze(Duration::ZERO),
        72..76 => Outcome::Requeue,
        76..79 => Outcome::Dead("error"),
        79..82 => resume_unwind(Box::new("a panic")),
        82..84 => pending().await,
        84..87 => {
            let ledger = Arc::clone(&job.ledger);
            let item = job.take();
            ledger.taken.fetch_add(1, Ordering::SeqCst);
            smol::future::yield_now().await;
            drop(item);
            Outcome::Retry("whatever it says")
        }
        87..90 => {
            job.requeue();
            Outcome::Done
        }
        90..95 => {
            job.cancelled().await; // or over its time limit
            Outcome::Done
        }
        _ => {
            smol::future::yield_now().await;
            sleep(Duration::from_micros(fastrand::u64(0..300))).await;
            Outcome::Done
        }
    }
}

fn produce(sender: &Sender<Item>, ledger: &Arc<Ledger>, items: u64) -> u64 {
    for sent in 0..items {
        let item = Item {
            ledger: Arc::clone(ledger),
            turns: AtomicU32::new(0),
        };
        ledger.alive.fetch_add(1, Ordering::SeqCst);
        let band = Band::new(fastrand::u8(0..4));
        if sender.send_blocking(band, item).is_err() {
            return sent;
        }
    }
    items
}

async fn end(control: &Control<Item>) -> Option<Report<Item>> {
    let longest = if jobs().is_some() { 500_000 } else { 20_000 };
    sleep(Duration::from_micros(fastrand::u64(0..longest))).await;
    let time = Duration::from_micros(fastrand::u64(0..10_000));
    match fastrand::u8(0..6) {
        0 => Some(control.drain(time).await),
        1 => Some(control.stop(time).await),
        2 => {
            let drain = control.drain(LONG);
            drop(control.stop(time));
            Some(drain.await)
        }
        3 => {
            drop(control.stop(time));
            None
        }
        4 => {
            control.pause();
            sleep(time).await;
            control.resume();
            control.join().await;
            Some(control.drain(LONG).await)
        }
        _ => None, // it ends with its channel
    }
}

fn pool(receiver: Receiver<Item>, ledger: &Arc<Ledger>) -> Workers<Item, &'static str> {
    let retry = Retry::exponential(Duration::from_micros(200)).attempts(3);
    let retry = match fastrand::u8(0..3) {
        0 => retry.band(Band::new(3)),
        1 => retry.budget(0.1, 5),
        _ => retry,
    };
    let ledger = Arc::clone(ledger);
    let workers = Workers::new(receiver)
        .concurrency(fastrand::usize(1..9))
        .time_limit(Duration::from_millis(1))
        .retry(retry)
        .dead_letter(move |_letter: DeadLetter<Item, &str>| {
            ledger.dead.fetch_add(1, Ordering::SeqCst);
            if fastrand::u8(0..10) == 0 {
                resume_unwind(Box::new("a panic"));
            }
        });
    match fastrand::u8(0..3) {
        0 => workers.reserved(Band::URGENT..=Band::new(1), 2),
        1 => workers.band_concurrency(Band::new(2), 1),
        _ => workers,
    }
}

/// Until what it returns is dropped: says how a pool stands that takes long. The watchdog cannot.
fn tell_if_slow(control: &Control<Item>) -> mpsc::Sender<()> {
    let control = control.clone();
    let (alive, ended) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..3 {
            if ended.recv_timeout(Duration::from_secs(30)) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            eprintln!("it takes long: {:?}", control.report());
        }
    });
    alive
}

/// The number of its jobs.
async fn round(rt: impl Runtime) -> u64 {
    let ledger = Arc::new(Ledger::default());
    let room = fastrand::usize(1..200);
    let (sender, receiver) = bandq::bounded(4, room);
    let workers = pool(receiver, &ledger);
    let control = workers.control();
    let _alive = tell_if_slow(&control);
    let books = Arc::clone(&ledger);
    // Where one item that waits to be tried again keeps all of the room, nothing else goes on.
    let items = if jobs().is_some() {
        room as u64 * 500
    } else {
        2000
    };
    let producer = thread::spawn(move || produce(&sender, &books, items));
    let task = if fastrand::bool() {
        Box::pin(spawn(rt, workers.run(handler))) as Pin<Box<dyn Future<Output = Report<Item>>>>
    } else {
        Box::pin(spawn(rt, workers.run_on(move |task| rt.go(task), handler)))
    };
    let report = end(&control).await;
    let last = task.await;
    let sent = producer.join().unwrap();
    for report in report.iter().chain([&last]) {
        support::check(report, sent);
    }
    // None blocks its thread, but on a busy machine one may be late.
    support::until(|| control.report().stuck.is_empty()).await;
    let end = control.report();
    support::check(&end, sent);
    assert_eq!(end.dead, ledger.dead.load(Ordering::SeqCst) as u64);
    assert_eq!(end.taken, ledger.taken.load(Ordering::SeqCst) as u64);
    let late = control.take_returned();
    let returned = report.as_ref().map_or(0, |report| report.returned.len());
    let returned = returned + last.returned.len() + late.len();
    assert_eq!(returned as u64, end.total.returned);
    assert_eq!(ledger.alive.load(Ordering::SeqCst), returned);
    drop((report, last, late));
    assert_eq!(ledger.alive.load(Ordering::SeqCst), 0);
    sent
}

fn rounds(name: &'static str, rt: impl Runtime) {
    let rounds = number("BANDQ_WORKERS_ROUNDS").unwrap_or(60);
    let (mut round_number, mut here) = (0, 0);
    while match jobs() {
        Some(jobs) => here < jobs,
        None => round_number < rounds,
    } {
        let _watchdog = Watchdog::new(name);
        here += rt.block_on(round(rt));
        round_number += 1;
    }
    println!("{name}: {here} jobs of {round_number} pools");
}

#[test]
fn every_account_adds_up_on_tokio() {
    rounds("tokio", support::Tokio);
}

#[test]
fn every_account_adds_up_on_smol() {
    rounds("smol", support::Smol);
}

#[test]
fn every_account_adds_up_on_async_std() {
    rounds("async-std", support::AsyncStd);
}

#[test]
fn every_account_adds_up_on_threads() {
    rounds("threads", support::Threads);
}
