//! The shapes of work. Each is generic over the peer, does its work once, checks that every item
//! came out once, and returns one figure.
//!
//! The items of a run are 0, 1, 2, …, shared out among its producers. A producer picks the band of
//! each item with a xorshift generator; a consumer that finds nothing calls `yield_now`.

use std::ops::Range;

use hdrhistogram::Histogram;

pub mod backlog;
pub mod busy;
pub mod clock;
pub mod crew;
pub mod jobs;
pub mod latency;
pub mod line;
pub mod memory;
pub mod single;
pub mod tasks;
pub mod threads;
pub mod urgent;

/// The size of a batch wherever there are batches.
pub const BATCH: usize = 32;

/// An endless row of pseudo-random bands.
#[derive(Debug)]
pub struct Bands {
    state: u64,
    bands: u64,
}

impl Bands {
    /// Each producer brings a seed of its own.
    pub fn new(bands: usize, seed: usize) -> Self {
        Bands {
            state: (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            bands: bands as u64,
        }
    }

    /// The next band.
    #[inline]
    pub fn pick(&mut self) -> u8 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        // The upper half of the state, scaled down to the number of bands: no division.
        (((self.state >> 32) * self.bands) >> 32) as u8
    }
}

/// What came out: how many items, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    count: u64,
    sum: u64,
}

impl Tally {
    /// Counts one item.
    #[inline]
    pub fn add(&mut self, item: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(item);
    }

    /// Adds another's items to these.
    pub fn merge(self, other: Tally) -> Tally {
        Tally {
            count: self.count + other.count,
            sum: self.sum.wrapping_add(other.sum),
        }
    }

    /// How many items came out.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Panics unless it was exactly the items `0..items`, as far as count and sum tell.
    pub fn expect(self, items: u64) {
        let expected = Tally {
            count: items,
            sum: (0..items).fold(0, u64::wrapping_add),
        };
        assert_eq!(self, expected, "items were lost or doubled");
    }
}

/// `0..items` in as many nearly equal parts.
fn shares(items: u64, parts: usize) -> impl Iterator<Item = Range<u64>> {
    let parts = parts as u64;
    (0..parts).map(move |part| items * part / parts..items * (part + 1) / parts)
}

/// For nanoseconds, up to a minute.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order")
}
