//! One operation's latency with far more threads than cores, so that some are stopped in the middle
//! of an operation and it shows whom that stops. The figure is the 99.99th percentile over all
//! pushes and all pops that found something, in microseconds; two reads of the clock are in it for
//! every peer alike.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use super::crew::{self, Shape};
use super::{Bands, Tally, histogram};
use crate::queue::Queue;

/// Microseconds, p99.99.
pub fn worst<Q: Queue>(shape: Shape) -> f64 {
    let queue = Q::new(shape.bands);
    let outcome = crew::run(
        shape,
        |number, items| {
            let mut band = Bands::new(shape.bands, number);
            let mut times = histogram();
            for item in items {
                let band = black_box(band.pick());
                let begun = Instant::now();
                queue.push(band, black_box(item));
                times.saturating_record(begun.elapsed().as_nanos() as u64);
            }
            times
        },
        |_, producing| {
            let mut tally = Tally::default();
            let mut times = histogram();
            let mut is_over = false;
            loop {
                let begun = Instant::now();
                let item = black_box(queue.pop());
                let taken = begun.elapsed();
                match item {
                    Some(item) => {
                        tally.add(item);
                        times.saturating_record(taken.as_nanos() as u64);
                    }
                    None if is_over => return (tally, times),
                    None => {
                        // Asked before the next look, so that the last look comes after the last
                        // push.
                        is_over = producing.is_over();
                        thread::yield_now();
                    }
                }
            }
        },
    );

    let (tallies, popped): (Vec<_>, Vec<_>) = outcome.consumers.into_iter().unzip();
    tallies
        .into_iter()
        .fold(Tally::default(), Tally::merge)
        .expect(shape.items);
    let mut all = histogram();
    for times in outcome.producers.iter().chain(&popped) {
        all.add(times).expect("their bounds are the same");
    }
    all.value_at_quantile(0.9999) as f64 / 1e3
}
