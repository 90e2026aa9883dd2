//! Producers and consumers on threads over a backlog that stays: the queue is never near empty.
//!
//! Whoever is too far ahead yields, so that the backlog stays between half and one and a half of its size. For
//! this each thread publishes its own count every 64 items, with a plain store, and reads the others'.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::single::drain;
use super::threads::Shape;
use super::{Bands, Tally, shares};
use crate::queue::Queue;

/// Items between two looks at the others' counts.
const STRIDE: u64 = 64;

/// How far everybody is.
struct Progress {
    pushed: Vec<CachePadded<AtomicU64>>,
    popped: Vec<CachePadded<AtomicU64>>,
}

impl Progress {
    fn new(shape: Shape) -> Self {
        let counts = |threads| (0..threads).map(|_| CachePadded::default()).collect();
        Progress {
            pushed: counts(shape.producers),
            popped: counts(shape.consumers),
        }
    }

    fn popped(&self) -> u64 {
        sum(&self.popped)
    }

    /// How much the backlog has grown. Counts are published late, so this is right to within a few strides.
    fn growth(&self) -> i64 {
        sum(&self.pushed) as i64 - sum(&self.popped) as i64
    }
}

fn sum(counts: &[CachePadded<AtomicU64>]) -> u64 {
    counts
        .iter()
        .map(|count| count.load(Ordering::Relaxed))
        .sum()
}

/// Million items a second, with `backlog` items in the queue from beginning to end.
pub fn throughput<Q: Queue>(shape: Shape, backlog: u64) -> f64 {
    let queue = &Q::new(shape.bands);
    let barrier = &Barrier::new(shape.producers + shape.consumers);
    let progress = &Progress::new(shape);
    let margin = backlog as i64 / 2;

    let mut band = Bands::new(shape.bands, shape.producers);
    for item in shape.items..shape.items + backlog {
        queue.push(band.pick(), item);
    }

    let (begun, ended, tally) = thread::scope(|scope| {
        let producers: Vec<_> = shares(shape.items, shape.producers)
            .enumerate()
            .map(|(number, items)| {
                scope.spawn(move || {
                    let mut band = Bands::new(shape.bands, number);
                    let own = &progress.pushed[number];
                    let first = items.start;
                    let count = items.end - items.start;
                    barrier.wait();
                    let begun = Instant::now();
                    for item in items {
                        queue.push(black_box(band.pick()), black_box(item));
                        let pushed = item - first + 1;
                        if pushed % STRIDE == 0 {
                            own.store(pushed, Ordering::Relaxed);
                            while progress.growth() > margin {
                                thread::yield_now();
                            }
                        }
                    }
                    own.store(count, Ordering::Relaxed);
                    begun
                })
            })
            .collect();
        let consumers: Vec<_> = (0..shape.consumers)
            .map(|number| {
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    let own = &progress.popped[number];
                    barrier.wait();
                    while progress.popped() < shape.items {
                        if progress.growth() < -margin {
                            thread::yield_now();
                            continue;
                        }
                        for _ in 0..STRIDE {
                            match queue.pop() {
                                Some(item) => tally.add(black_box(item)),
                                None => break,
                            }
                        }
                        own.store(tally.count(), Ordering::Relaxed);
                    }
                    (Instant::now(), tally)
                })
            })
            .collect();
        let begun = producers
            .into_iter()
            .map(|producer| producer.join().expect("a producer ends"))
            .min();
        let (ended, tally) = consumers
            .into_iter()
            .map(|consumer| consumer.join().expect("a consumer ends"))
            .reduce(|(end, tally), (other_end, other)| (end.max(other_end), tally.merge(other)))
            .expect("there is a consumer");
        (begun.expect("there is a producer"), ended, tally)
    });

    let moved = tally.count();
    let mut tally = tally;
    drain(queue, &mut tally);
    tally.expect(shape.items + backlog);
    moved as f64 / (ended - begun).as_secs_f64() / 1e6
}
