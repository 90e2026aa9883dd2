//! What a job costs over a bare `recv` loop, in time and allocations, and what an item costs that
//! waits for its retry, in bytes. Each is measured in turns; of the rounds' times the least and the
//! median are said. On a machine that is busy with other things, the least of many short rounds is
//! what it costs.
//!
//! ```text
//! cargo bench -p bandq-workers -- [rounds] [jobs a round] [only this load]
//! ```

use bandq::{Band, Receiver};
use bandq_workers::{Job, Retry, Workers};
use futures_lite::future::block_on;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    env,
    future::{Future, ready},
    hint::black_box,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// Counts all of the process.
struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller says.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn calls() -> usize {
    CALLS.load(Ordering::Relaxed)
}

fn bytes() -> usize {
    BYTES.load(Ordering::Relaxed)
}

const BANDS: usize = 8;

/// A channel with so many items, over all bands.
fn channel(jobs: usize) -> Receiver<u64> {
    let (sender, receiver) = bandq::unbounded(BANDS);
    for n in 0..jobs {
        let band = Band::new((n % BANDS) as u8);
        sender.try_send(band, n as u64).expect("it is open");
    }
    receiver
}

async fn work(item: u64) {
    black_box(item);
}

fn bare(receiver: Receiver<u64>) {
    block_on(async {
        while let Ok((_, item)) = receiver.recv().await {
            work(item).await;
        }
    });
}

fn pool(receiver: Receiver<u64>) {
    let pool = Workers::new(receiver).concurrency(4);
    let report = block_on(pool.run(|job: Job<u64>| async move { work(*job).await }));
    assert!(report.done > 0);
}

fn pool_of_one(receiver: Receiver<u64>) {
    let report = block_on(Workers::new(receiver).run(|job: Job<u64>| async move {
        work(*job).await;
    }));
    assert!(report.done > 0);
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let builder = builder.worker_threads(threads).enable_time();
    builder.build().expect("a runtime")
}

/// Each handler is a task, of one that has nothing else.
fn bare_spawning(receiver: Receiver<u64>) {
    runtime(1).block_on(async {
        while let Ok((_, item)) = receiver.recv().await {
            let task = tokio::spawn(work(item));
            task.await.expect("no panic");
        }
    });
}

fn pool_spawning(receiver: Receiver<u64>) {
    let pool = Workers::new(receiver).concurrency(4);
    let pool = pool.run_on(tokio::spawn, |job: Job<u64>| async move {
        work(*job).await;
    });
    assert!(runtime(1).block_on(pool).done > 0);
}

type Load = (&'static str, fn(Receiver<u64>));

const LOADS: [Load; 5] = [
    ("bare", bare),
    ("run, 4 workers", pool),
    ("run, 1 worker", pool_of_one),
    ("bare, tokio::spawn", bare_spawning),
    ("run_on tokio::spawn, 4 workers", pool_spawning),
];

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// So many failed items wait for their retry: bytes beyond the item, and the time of one that comes
/// in, for each. With a hook for dead letters its failure is kept.
fn waiting(items: usize, has_hook: bool) -> (f64, f64) {
    let (sender, receiver) = bandq::unbounded(1);
    let retry = Retry::exponential(Duration::from_secs(100_000))
        .factor(1.0)
        .cap(Duration::from_secs(100_000));
    let mut workers = Workers::new(receiver).retry(retry);
    if has_hook {
        workers = workers.dead_letter(drop);
    }
    let mut pool = pin!(workers.run(|_job: Job<u64>| ready(Err::<(), ()>(()))));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pool.as_mut().poll(&mut context).is_pending());
    let before = bytes();
    let mut spent = Duration::ZERO;
    for _ in 0..items / 1000 {
        sender
            .try_send_many(Band::URGENT, 0..1000)
            .expect("it is open");
        let began = Instant::now();
        while !sender.is_empty() {
            assert!(matches!(pool.as_mut().poll(&mut context), Poll::Pending));
        }
        spent += began.elapsed();
    }
    let each = |all: f64| all / items as f64;
    let beyond = each((bytes() - before) as f64) - size_of::<u64>() as f64;
    (beyond, each(spent.as_nanos() as f64))
}

fn main() {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let mut number = |default| {
        let argument = arguments.next();
        argument.map_or(default, |n| n.parse().expect("a number"))
    };
    let (rounds, jobs) = (number(400), number(5000));
    let only = arguments.next();
    let loads = LOADS.iter().filter(|load| match &only {
        Some(name) => load.0 == name,
        None => true,
    });
    let loads: Vec<_> = loads.collect();
    let mut times = vec![Vec::new(); loads.len()];
    let mut allocations = vec![0.0; loads.len()];
    for _ in 0..rounds {
        for (n, (_, load)) in loads.iter().enumerate() {
            let receiver = channel(jobs);
            let (before, began) = (calls(), Instant::now());
            load(receiver);
            times[n].push(began.elapsed().as_nanos() as f64 / jobs as f64);
            allocations[n] = (calls() - before) as f64 / jobs as f64;
        }
    }
    for (n, (name, _)) in loads.iter().enumerate() {
        let least = times[n].iter().copied().fold(f64::INFINITY, f64::min);
        let (median, allocations) = (median(times[n].clone()), allocations[n]);
        println!("{name:32} {least:8.1} {median:8.1} ns {allocations:7.2} allocations");
    }
    let counts = match only.as_deref() {
        None => [10_000, 100_000, 1_000_000].as_slice(),
        Some("waiting") => &[100_000],
        Some(_) => &[],
    };
    for (items, has_hook) in counts.iter().flat_map(|n| [(*n, false), (*n, true)]) {
        let (bytes, time) = waiting(items, has_hook);
        let hook = if has_hook { "with a hook" } else { "" };
        println!("{items:9} waiting {hook:11} {bytes:6.1} bytes beyond the item, {time:7.1} ns");
    }
}
