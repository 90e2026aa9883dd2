//! Producers and consumers on threads of their own, nobody waits: million items a second from the first push to
//! the last pop.

use std::hint::black_box;
use std::ops::Range;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::{BATCH, Bands, Tally, shares};
use crate::queue::Queue;

/// How many threads do what.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Threads that push.
    pub producers: usize,
    /// Threads that pop.
    pub consumers: usize,
    /// Bands to pick from.
    pub bands: usize,
    /// Items in all.
    pub items: u64,
}

/// Items one by one.
pub fn throughput<Q: Queue>(shape: Shape) -> f64 {
    run(
        shape,
        |queue: &Q, band, items| {
            for item in items {
                queue.push(black_box(band.pick()), black_box(item));
            }
        },
        |queue, (), tally| match queue.pop() {
            Some(item) => {
                tally.add(black_box(item));
                true
            }
            None => false,
        },
    )
}

/// Items in batches, a band a batch.
pub fn batched<Q: Queue>(shape: Shape) -> f64 {
    run(
        shape,
        |queue: &Q, band, items| {
            let end = items.end;
            for first in items.step_by(BATCH) {
                let batch = black_box(first)..end.min(first + BATCH as u64);
                queue.push_many(black_box(band.pick()), batch);
            }
        },
        |queue, scratch: &mut Q::Scratch, tally| {
            queue.pop_many(scratch, BATCH, |item| tally.add(black_box(item))) > 0
        },
    )
}

/// `produce` pushes its share of the items; `consume` says whether there was anything, `State` is its own.
fn run<Q: Queue, State: Default>(
    shape: Shape,
    produce: impl Fn(&Q, &mut Bands, Range<u64>) + Sync,
    consume: impl Fn(&Q, &mut State, &mut Tally) -> bool + Sync,
) -> f64 {
    let queue = Q::new(shape.bands);
    let producing = CachePadded::new(AtomicUsize::new(shape.producers));
    let barrier = Barrier::new(shape.producers + shape.consumers);
    let (queue, producing, barrier) = (&queue, &producing, &barrier);
    let (produce, consume) = (&produce, &consume);

    let (begun, ended, tally) = thread::scope(|scope| {
        let producers: Vec<_> = shares(shape.items, shape.producers)
            .enumerate()
            .map(|(seed, items)| {
                scope.spawn(move || {
                    let mut band = Bands::new(shape.bands, seed);
                    barrier.wait();
                    let begun = Instant::now();
                    produce(queue, &mut band, items);
                    producing.fetch_sub(1, Ordering::Release);
                    begun
                })
            })
            .collect();
        let consumers: Vec<_> = (0..shape.consumers)
            .map(|_| {
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    let mut state = State::default();
                    let mut all_pushed = false;
                    barrier.wait();
                    loop {
                        if consume(queue, &mut state, &mut tally) {
                            continue;
                        }
                        if all_pushed {
                            return (Instant::now(), tally);
                        }
                        // Read before the next look, so that the last look comes after the last push.
                        all_pushed = producing.load(Ordering::Acquire) == 0;
                        if !all_pushed {
                            thread::yield_now();
                        }
                    }
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

    tally.expect(shape.items);
    shape.items as f64 / (ended - begun).as_secs_f64() / 1e6
}
