//! One operation's latency with far more threads than cores, so that some are stopped in the middle of an
//! operation and it shows whom that stops. The figure is the 99.99th percentile over all pushes and all pops that
//! found something, in microseconds; two reads of the clock are in it for every peer alike.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;
use hdrhistogram::Histogram;

use super::threads::Shape;
use super::{Bands, Tally, shares};
use crate::queue::Queue;

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("3 digits are allowed")
}

/// Microseconds, p99.99.
pub fn worst<Q: Queue>(shape: Shape) -> f64 {
    let queue = &Q::new(shape.bands);
    let producing = &CachePadded::new(AtomicUsize::new(shape.producers));
    let barrier = &Barrier::new(shape.producers + shape.consumers);

    let (tally, times) = thread::scope(|scope| {
        let producers: Vec<_> = shares(shape.items, shape.producers)
            .enumerate()
            .map(|(seed, items)| {
                scope.spawn(move || {
                    let mut band = Bands::new(shape.bands, seed);
                    let mut times = histogram();
                    barrier.wait();
                    for item in items {
                        let band = black_box(band.pick());
                        let begun = Instant::now();
                        queue.push(band, black_box(item));
                        times.saturating_record(begun.elapsed().as_nanos() as u64);
                    }
                    producing.fetch_sub(1, Ordering::Release);
                    (Tally::default(), times)
                })
            })
            .collect();
        let consumers: Vec<_> = (0..shape.consumers)
            .map(|_| {
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    let mut times = histogram();
                    let mut all_pushed = false;
                    barrier.wait();
                    loop {
                        let begun = Instant::now();
                        let item = black_box(queue.pop());
                        let taken = begun.elapsed();
                        match item {
                            Some(item) => {
                                tally.add(item);
                                times.saturating_record(taken.as_nanos() as u64);
                            }
                            None if all_pushed => return (tally, times),
                            None => {
                                // Read before the next look, so that the last look comes after the last push.
                                all_pushed = producing.load(Ordering::Acquire) == 0;
                                thread::yield_now();
                            }
                        }
                    }
                })
            })
            .collect();
        producers
            .into_iter()
            .chain(consumers)
            .map(|thread| thread.join().expect("a thread ends"))
            .fold(
                (Tally::default(), histogram()),
                |(tally, mut all), (other, times)| {
                    all.add(times).expect("it resizes itself");
                    (tally.merge(other), all)
                },
            )
    });

    tally.expect(shape.items);
    times.value_at_quantile(0.9999) as f64 / 1e3
}
