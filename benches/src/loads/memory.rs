//! How many bytes a queue holds, full and after it was drained. Needs to be told how many bytes are
//! allocated, so it runs in the binary `memory`, whose allocator counts.

use super::single::drain;
use super::{Bands, Tally};
use crate::queue::Queue;

/// Bytes allocated by a queue.
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// While it held all the items.
    pub full: i64,
    /// After they were all taken.
    pub drained: i64,
}

/// Pushes `items` items, then takes them all.
pub fn bytes<Q: Queue>(bands: usize, items: u64, allocated: impl Fn() -> i64) -> Bytes {
    let before = allocated();
    let queue = Q::new(bands);
    let mut band = Bands::new(bands, 0);
    for item in 0..items {
        queue.push(band.pick(), item);
    }
    let full = allocated() - before;
    let mut tally = Tally::default();
    drain(&queue, &mut tally);
    let drained = allocated() - before;
    tally.expect(items);
    Bytes { full, drained }
}
