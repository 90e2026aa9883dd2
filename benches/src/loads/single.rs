//! One thread: push and pop by turns, with a given number of items lying in the queue.
//!
//! The items that lie there at first are spread evenly over the bands. As under any strict
//! priority, the urgent bands then run dry and what lies there settles in the least urgent band: at
//! once where it is little, hardly at all where it is much. So a row of depths shows both.

use std::hint::black_box;
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::{BATCH, Bands, Tally};
use crate::queue::{AsyncQueue, Queue};

/// Pairs before the clock starts.
const WARM_UP: u64 = 10_000;

/// Nanoseconds for a push and a pop, with `depth` items in the queue.
pub fn pairs<Q: Queue>(bands: usize, depth: u64, pairs: u64) -> f64 {
    let queue = Q::new(bands);
    let mut band = Bands::new(bands, 0);
    let mut tally = Tally::default();
    let start = depth + WARM_UP;
    let end = start + pairs;

    for item in 0..depth {
        queue.push(band.pick(), item);
    }
    push_and_pop(&queue, &mut band, &mut tally, depth..start);
    let begun = Instant::now();
    push_and_pop(&queue, &mut band, &mut tally, start..end);
    let taken = begun.elapsed();

    drain(&queue, &mut tally);
    tally.expect(end);
    taken.as_nanos() as f64 / pairs as f64
}

fn push_and_pop<Q: Queue>(queue: &Q, band: &mut Bands, tally: &mut Tally, items: Range<u64>) {
    for item in items {
        queue.push(black_box(band.pick()), black_box(item));
        tally.add(black_box(queue.pop()).expect("the queue is not empty"));
    }
}

/// Million items a second, pushed and popped in batches, in a queue that is empty between.
pub fn batches<Q: Queue>(bands: usize, items: u64) -> f64 {
    let queue = Q::new(bands);
    let mut band = Bands::new(bands, 0);
    let mut tally = Tally::default();
    let mut scratch = Q::Scratch::default();
    let batch = BATCH as u64;
    let batches = items / batch;
    let mut begun = Instant::now();
    for number in 0..WARM_UP / batch + batches {
        if number == WARM_UP / batch {
            begun = Instant::now();
        }
        let first = black_box(number * batch);
        queue.push_many(black_box(band.pick()), first..first + batch);
        let taken = queue.pop_many(&mut scratch, BATCH, |item| tally.add(black_box(item)));
        assert_eq!(taken, BATCH, "what was pushed is there");
    }
    let taken = begun.elapsed();
    tally.expect((WARM_UP / batch + batches) * batch);
    (batches * batch) as f64 / taken.as_secs_f64() / 1e6
}

/// Nanoseconds for a pop that finds nothing, in a queue whose bands have all been used.
pub fn empty_looks<Q: Queue>(bands: usize, looks: u64) -> f64 {
    let queue = Q::new(bands);
    let mut band = Bands::new(bands, 0);
    let mut tally = Tally::default();
    push_and_pop(&queue, &mut band, &mut tally, 0..WARM_UP);
    let begun = Instant::now();
    for _ in 0..looks {
        assert!(black_box(&queue).pop().is_none(), "nothing is there");
    }
    let taken = begun.elapsed();
    tally.expect(WARM_UP);
    taken.as_nanos() as f64 / looks as f64
}

/// Nanoseconds for a queue that lives for one item: made, pushed to, popped from, dropped.
pub fn short_lived<Q: Queue>(bands: usize, lives: u64) -> f64 {
    let mut tally = Tally::default();
    lived(lives, |item| {
        let queue = Q::new(bands);
        queue.push(0, item);
        tally.add(queue.pop().expect("it was pushed"));
    })
}

/// The same for a channel.
pub fn short_lived_channel<Q: AsyncQueue>(bands: usize, lives: u64) -> f64 {
    let mut tally = Tally::default();
    lived(lives, |item| {
        let (sender, receiver) = Q::channel(bands, None);
        at_once(Q::send(&sender, 0, item));
        tally.add(at_once(Q::recv(&receiver)).expect("it was sent"));
    })
}

fn lived(lives: u64, mut live: impl FnMut(u64)) -> f64 {
    let mut begun = Instant::now();
    for item in 0..WARM_UP + lives {
        if item == WARM_UP {
            begun = Instant::now();
        }
        live(black_box(item));
    }
    begun.elapsed().as_nanos() as f64 / lives as f64
}

/// What a future that has nothing to wait for is ready with.
fn at_once<R>(future: impl Future<Output = R>) -> R {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// Takes what is left.
pub fn drain<Q: Queue>(queue: &Q, tally: &mut Tally) {
    while let Some(item) = queue.pop() {
        tally.add(item);
    }
}
