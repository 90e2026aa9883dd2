//! A heap behind a lock, by virtual finish times: an item finishes one stride of its band after the
//! one before it in the band, or after now if that is later, and now is when the item last taken
//! finished. Its key is fixed when it is pushed, so weights could not change for what waits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use parking_lot::Mutex;

use super::strides;
use crate::peers::MutexHeap;
use crate::queue::{Peer, Queue};

#[derive(Debug)]
struct Band {
    /// When its last item finishes.
    finish: u64,
    stride: u64,
}

#[derive(Debug)]
struct Heap<const STRICT: usize> {
    items: BinaryHeap<Reverse<(u64, u64, u64)>>,
    /// Keeps items of one key in order.
    next: u64,
    now: u64,
    bands: Box<[Band]>,
}

impl<const STRICT: usize> Heap<STRICT> {
    fn new(bands: usize) -> Self {
        let band = |stride| Band { finish: 0, stride };
        Heap {
            items: BinaryHeap::new(),
            next: 0,
            now: 0,
            bands: strides(bands, STRICT).map(band).collect(),
        }
    }

    fn push(&mut self, band: usize, item: u64) {
        let key = if band < STRICT {
            band as u64 // below every finish
        } else {
            let band = &mut self.bands[band];
            band.finish = band.finish.max(self.now) + band.stride;
            band.finish
        };
        self.items.push(Reverse((key, self.next, item)));
        self.next += 1;
    }

    fn pop(&mut self) -> Option<u64> {
        let Reverse((key, _, item)) = self.items.pop()?;
        // The keys of strict bands are below, and the others come in order.
        self.now = self.now.max(key);
        Some(item)
    }
}

/// A heap behind a lock: the first `STRICT` bands strictly, the others by their weights.
#[derive(Debug)]
pub struct WeightedHeap<const STRICT: usize>(Mutex<Heap<STRICT>>);

impl<const STRICT: usize> Queue for WeightedHeap<STRICT> {
    const PEER: Peer = MutexHeap::PEER;
    type Scratch = ();

    fn new(bands: usize) -> Self {
        WeightedHeap(Mutex::new(Heap::new(bands)))
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        self.0.lock().push(band.into(), item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.0.lock().pop()
    }
}
