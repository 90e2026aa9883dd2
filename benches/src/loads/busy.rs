//! One thread, and no band ever gets empty, whatever the policy: where an item was taken the next
//! one goes, to the end of the same band. An item carries its band in its lowest bits.

use std::hint::black_box;
use std::ops::Range;
use std::time::Instant;

use super::Tally;
use crate::queue::Queue;

/// Pairs before the clock starts.
const WARM_UP: u64 = 10_000;

const BAND_BITS: u32 = 6;

/// Million items a second, with `depth` items in the queue.
pub fn throughput<Q: Queue>(bands: usize, depth: u64, items: u64) -> f64 {
    let queue = Q::new(bands);
    let mut tally = Tally::default();
    let start = depth + WARM_UP;
    let end = start + items;

    for number in 0..depth {
        push(&queue, number % bands as u64, number);
    }
    pop_and_push(&queue, &mut tally, depth..start);
    let begun = Instant::now();
    pop_and_push(&queue, &mut tally, start..end);
    let taken = begun.elapsed();

    while let Some((_, number)) = pop(&queue) {
        tally.add(number);
    }
    tally.expect(end);
    items as f64 / taken.as_secs_f64() / 1e6
}

fn pop_and_push<Q: Queue>(queue: &Q, tally: &mut Tally, numbers: Range<u64>) {
    for number in numbers {
        let (band, taken) = pop(queue).expect("the queue is not empty");
        tally.add(taken);
        push(queue, band, number);
    }
}

#[inline]
fn push<Q: Queue>(queue: &Q, band: u64, number: u64) {
    queue.push(black_box(band as u8), black_box(number << BAND_BITS | band));
}

#[inline]
fn pop<Q: Queue>(queue: &Q) -> Option<(u64, u64)> {
    let item = black_box(queue.pop())?;
    Some((item & ((1 << BAND_BITS) - 1), item >> BAND_BITS))
}
