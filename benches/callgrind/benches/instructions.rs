//! Instructions per operation, counted by callgrind: the same on every run, so a rise is a rise.
//! Counted beside them are "bus events": locked instructions, which is to say atomic
//! read-modify-writes and full fences.
//!
//! Each benchmark does its operation [`TIMES`] times on one thread, bands in a fixed pseudo-random
//! order; in batches an item counts as one operation. Making, filling and dropping the queue is not
//! counted.

// gungraun's macros make public modules without documentation.
#![allow(missing_docs)]

use std::hint::black_box;

use bandq::{Band, BandQueue, Receiver, Sender};
use bandq_callgrind::TIMES;
use gungraun::Callgrind;
use gungraun::prelude::*;

/// Items in a batch.
const BATCH: u64 = 32;

/// Pseudo-random bands.
struct Bands {
    state: u64,
    bands: u64,
}

impl Bands {
    fn pick(&mut self) -> Band {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        Band::new((((self.state >> 32) * self.bands) >> 32) as u8)
    }
}

fn bands(bands: usize) -> Bands {
    Bands {
        state: 0x9E37_79B9_7F4A_7C15,
        bands: bands as u64,
    }
}

type Filled = (BandQueue<u64>, Bands);

/// A queue that was used a little, so that what is allocated once is there, and then filled to
/// `depth`.
fn queue(count: usize, depth: u64) -> Filled {
    let queue = BandQueue::new(count);
    let mut bands = bands(count);
    for item in 0..TIMES {
        queue.push(bands.pick(), item).unwrap();
        queue.pop().unwrap();
    }
    for item in 0..depth {
        queue.push(bands.pick(), item).unwrap();
    }
    (queue, bands)
}

#[library_benchmark(setup = queue)]
#[bench::empty_1_band(1, 0)]
#[bench::empty_8_bands(8, 0)]
#[bench::empty_64_bands(64, 0)]
#[bench::depth_1e5_8_bands(8, 100_000)]
fn push_pop((queue, mut bands): Filled) -> Filled {
    for item in 0..TIMES {
        black_box(queue.push(black_box(bands.pick()), black_box(item))).unwrap();
        black_box(queue.pop()).unwrap();
    }
    (queue, bands)
}

#[library_benchmark(setup = queue)]
#[bench::empty_8_bands(8, 0)]
fn pop_nothing((queue, bands): Filled) -> Filled {
    for _ in 0..TIMES {
        assert!(black_box(&queue).pop().is_none());
    }
    (queue, bands)
}

#[library_benchmark(setup = queue)]
#[bench::empty_8_bands(8, 0)]
#[bench::depth_1e5_8_bands(8, 100_000)]
fn batches_of_32((queue, mut bands): Filled) -> Filled {
    let mut taken = Vec::with_capacity(BATCH as usize);
    for first in 0..TIMES / BATCH {
        black_box(queue.push_many(black_box(bands.pick()), black_box(first..first + BATCH)))
            .unwrap();
        assert_eq!(
            queue.pop_many(black_box(&mut taken), BATCH as usize),
            BATCH as usize
        );
        taken.clear();
    }
    (queue, bands)
}

type Channel = (Sender<u64>, Receiver<u64>, Bands);

fn channel(count: usize, capacity: Option<usize>) -> Channel {
    let (sender, receiver) = match capacity {
        Some(capacity) => bandq::bounded(count, capacity),
        None => bandq::unbounded(count),
    };
    let mut bands = bands(count);
    for item in 0..TIMES {
        sender.try_send(bands.pick(), item).unwrap();
        receiver.try_recv().unwrap();
    }
    (sender, receiver, bands)
}

#[library_benchmark(setup = channel)]
#[bench::unbounded_8_bands(8, None)]
#[bench::bounded_8_bands(8, Some(1024))]
fn try_send_try_recv((sender, receiver, mut bands): Channel) -> Channel {
    for item in 0..TIMES {
        black_box(sender.try_send(black_box(bands.pick()), black_box(item))).unwrap();
        black_box(receiver.try_recv()).unwrap();
    }
    (sender, receiver, bands)
}

library_benchmark_group!(
    name = operations,
    benchmarks = [push_pop, pop_nothing, batches_of_32, try_send_try_recv]
);
main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--collect-bus=yes"])),
    library_benchmark_groups = operations
);
