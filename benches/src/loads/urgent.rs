//! An urgent item behind 20,000 others: how long until somebody starts on it.
//!
//! Two workers handle items of 5 µs each. Each item of the least urgent band is put back after it
//! was handled, so that there are always as many. From outside, on a thread that sleeps in between,
//! comes an urgent item now and then; it carries the time at which it was sent. The figure is the
//! 99th percentile of the waiting times, in microseconds; no peer can be better than the rest of a
//! handler's 5 µs and what the operating system adds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::yield_now;

use super::histogram;
use super::tasks::{STRIDE, runtime};
use crate::queue::{AsyncQueue, Queue};

/// Items in the least urgent band.
const LOW: u64 = 20_000;

/// What an item of the least urgent band carries, instead of a time.
const NO_TIME: u64 = u64::MAX;

/// How long handling an item takes.
const HANDLING: Duration = Duration::from_micros(5);

/// Between two urgent items.
const PAUSE: Duration = Duration::from_micros(500);

const WORKERS: usize = 2;

/// What the workers and the outside share.
struct Watch {
    start: Instant,
    /// Urgent items that were begun with.
    served: AtomicU64,
    stop: AtomicBool,
}

impl Watch {
    fn new() -> Self {
        Watch {
            start: Instant::now(),
            served: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Handles one item; true if it was an urgent one.
    fn handle(&self, item: u64, waited: &mut Histogram<u64>) -> bool {
        let begun = Instant::now();
        let urgent = item != NO_TIME;
        if urgent {
            waited.saturating_record(self.now() - item);
            self.served.fetch_add(1, Ordering::Relaxed);
        }
        while begun.elapsed() < HANDLING {}
        urgent
    }

    /// Sends the urgent items, then waits until they are served and stops the workers.
    fn outside(&self, urgent: u64, send: impl Fn(u64)) {
        thread::sleep(20 * PAUSE);
        for _ in 0..urgent {
            thread::sleep(PAUSE);
            send(self.now());
        }
        while self.served.load(Ordering::Relaxed) < urgent {
            thread::sleep(PAUSE);
        }
        self.stop.store(true, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn p99(histograms: impl Iterator<Item = Histogram<u64>>, urgent: u64) -> f64 {
    let mut all = histogram();
    histograms.for_each(|one| all.add(one).expect("their bounds are the same"));
    assert_eq!(all.len(), urgent, "each urgent item is served once");
    all.value_at_quantile(0.99) as f64 / 1e3
}

/// Workers that are threads and poll.
pub fn on_threads<Q: Queue>(bands: usize, urgent: u64) -> f64 {
    let least_urgent = bands as u8 - 1;
    let queue = &Q::new(bands);
    let watch = &Watch::new();
    (0..LOW).for_each(|_| queue.push(least_urgent, NO_TIME));

    let waited = thread::scope(|scope| {
        let workers = [(); WORKERS].map(|()| {
            scope.spawn(move || {
                let mut waited = histogram();
                while !watch.stopped() {
                    match queue.pop() {
                        Some(item) if watch.handle(item, &mut waited) => {}
                        Some(item) => queue.push(least_urgent, item),
                        None => thread::yield_now(),
                    }
                }
                waited
            })
        });
        watch.outside(urgent, |now| queue.push(0, now));
        workers.map(|worker| worker.join().expect("a worker ends"))
    });

    let left = std::iter::from_fn(|| queue.pop()).count();
    assert_eq!(left as u64, LOW, "items were lost or doubled");
    p99(waited.into_iter(), urgent)
}

/// Workers that are tasks and wait; one on each worker of the runtime.
pub fn on_tasks<Q: AsyncQueue>(bands: usize, urgent: u64) -> f64 {
    let least_urgent = bands as u8 - 1;
    let runtime = runtime();
    let (sender, receiver) = Q::channel(bands, None);
    let watch = Arc::new(Watch::new());
    runtime.block_on(async {
        for _ in 0..LOW {
            Q::send(&sender, least_urgent, NO_TIME).await;
        }
    });

    let workers = [(); WORKERS].map(|()| {
        let (sender, receiver) = (sender.clone(), receiver.clone());
        let watch = Arc::clone(&watch);
        runtime.spawn(async move {
            let mut waited = histogram();
            let mut handled = 0u64;
            while !watch.stopped() {
                let item = Q::recv(&receiver).await.expect("the channel is open");
                if !watch.handle(item, &mut waited) {
                    Q::send(&sender, least_urgent, item).await;
                }
                handled += 1;
                if handled.is_multiple_of(STRIDE) {
                    yield_now().await;
                }
            }
            waited
        })
    });
    watch.outside(urgent, |now| runtime.block_on(Q::send(&sender, 0, now)));
    drop(sender);
    runtime.block_on(async {
        let mut waited = Vec::new();
        for worker in workers {
            waited.push(worker.await.expect("a worker ends"));
        }
        let mut left = 0;
        while Q::recv(&receiver).await.is_some() {
            left += 1;
        }
        assert_eq!(left, LOW, "items were lost or doubled");
        p99(waited.into_iter(), urgent)
    })
}
