//! Producers and consumers on threads over a backlog that stays: the queue is never near empty.
//!
//! Whoever is too far ahead yields, so that the backlog stays between half and one and a half of
//! its size. For this each thread publishes its own count every 64 items, with a plain store, and
//! reads the others'.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crossbeam_utils::CachePadded;

use super::crew::{self, Shape};
use super::single::drain;
use super::{Bands, Tally};
use crate::queue::Queue;

/// Items between two looks at the others' counts.
const STRIDE: u64 = 64;

/// How far everybody is. Counts are published late, so they are right to within a few strides.
struct Progress {
    pushed: Counts,
    popped: Counts,
}

impl Progress {
    /// How much the backlog has grown.
    fn growth(&self) -> i64 {
        self.pushed.sum() as i64 - self.popped.sum() as i64
    }
}

/// A count a thread.
struct Counts(Vec<CachePadded<AtomicU64>>);

impl Counts {
    fn new(threads: usize) -> Self {
        Counts((0..threads).map(|_| CachePadded::default()).collect())
    }

    fn publish(&self, thread: usize, count: u64) {
        self.0[thread].store(count, Ordering::Relaxed);
    }

    fn sum(&self) -> u64 {
        let counts = self.0.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// Million items a second, with `backlog` items in the queue from beginning to end.
pub fn throughput<Q: Queue>(shape: Shape, backlog: u64) -> f64 {
    let queue = Q::new(shape.bands);
    let progress = Progress {
        pushed: Counts::new(shape.producers),
        popped: Counts::new(shape.consumers),
    };
    let margin = backlog as i64 / 2;
    let mut band = Bands::new(shape.bands, shape.producers);
    for item in shape.items..shape.items + backlog {
        queue.push(band.pick(), item);
    }

    let outcome = crew::run(
        shape,
        |number, items| {
            let mut band = Bands::new(shape.bands, number);
            for (pushed, item) in (1..).zip(items.clone()) {
                queue.push(black_box(band.pick()), black_box(item));
                if pushed % STRIDE == 0 {
                    progress.pushed.publish(number, pushed);
                    while progress.growth() > margin {
                        thread::yield_now();
                    }
                }
            }
            progress.pushed.publish(number, items.end - items.start);
        },
        |number, _| {
            let mut tally = Tally::default();
            while progress.popped.sum() < shape.items {
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
                progress.popped.publish(number, tally.count());
            }
            tally
        },
    );

    let tallies = outcome.consumers.into_iter();
    let mut tally = tallies.fold(Tally::default(), Tally::merge);
    let moved = tally.count();
    drain(&queue, &mut tally);
    tally.expect(shape.items + backlog);
    moved as f64 / outcome.seconds / 1e6
}
