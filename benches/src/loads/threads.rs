//! Producers and consumers on threads of their own, nobody waits: million items a second from the
//! first push to the last pop.

use std::hint::black_box;
use std::ops::Range;
use std::thread;

use super::crew::{self, Producing, Shape};
use super::{BATCH, Bands, Tally};
use crate::queue::Queue;

/// Items one by one.
pub fn throughput<Q: Queue>(shape: Shape) -> f64 {
    let queue = Q::new(shape.bands);
    let outcome = crew::run(
        shape,
        |number, items| {
            let mut band = Bands::new(shape.bands, number);
            for item in items {
                queue.push(black_box(band.pick()), black_box(item));
            }
        },
        |_, producing| {
            consume(producing, |tally| match queue.pop() {
                Some(item) => {
                    tally.add(black_box(item));
                    true
                }
                None => false,
            })
        },
    );
    rate(shape, outcome)
}

/// Items in batches, a band a batch.
pub fn batched<Q: Queue>(shape: Shape) -> f64 {
    let queue = Q::new(shape.bands);
    let outcome = crew::run(
        shape,
        |number, items| {
            let mut band = Bands::new(shape.bands, number);
            for batch in batches(items) {
                queue.push_many(black_box(band.pick()), black_box(batch));
            }
        },
        |_, producing| {
            let mut scratch = Q::Scratch::default();
            consume(producing, |tally| {
                queue.pop_many(&mut scratch, BATCH, |item| tally.add(black_box(item))) > 0
            })
        },
    );
    rate(shape, outcome)
}

fn batches(items: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = items.end;
    items
        .step_by(BATCH)
        .map(move |first| first..end.min(first + BATCH as u64))
}

/// Takes as long as there is something; `take` says whether there was.
fn consume(producing: &Producing, mut take: impl FnMut(&mut Tally) -> bool) -> Tally {
    let mut tally = Tally::default();
    let mut is_over = false;
    loop {
        if take(&mut tally) {
            continue;
        }
        if is_over {
            return tally;
        }
        // Asked before the next look, so that the last look comes after the last push.
        is_over = producing.is_over();
        if !is_over {
            thread::yield_now();
        }
    }
}

fn rate(shape: Shape, outcome: crew::Outcome<(), Tally>) -> f64 {
    let tallies = outcome.consumers.into_iter();
    tallies
        .fold(Tally::default(), Tally::merge)
        .expect(shape.items);
    shape.items as f64 / outcome.seconds / 1e6
}
