//! `Mutex<BinaryHeap>`: what most people write first. A sequence number keeps items of one band in
//! order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use parking_lot::Mutex;

use crate::queue::{Kind, Peer, Queue};

#[derive(Debug, Default)]
struct Heap {
    items: BinaryHeap<Reverse<(u8, u64, u64)>>,
    next: u64,
}

impl Heap {
    fn push(&mut self, band: u8, item: u64) {
        self.items.push(Reverse((band, self.next, item)));
        self.next += 1;
    }

    fn pop(&mut self) -> Option<u64> {
        self.items.pop().map(|Reverse((_, _, item))| item)
    }
}

/// A heap behind a lock.
#[derive(Debug)]
pub struct MutexHeap(Mutex<Heap>);

impl Queue for MutexHeap {
    const PEER: Peer = Peer::new("Mutex<BinaryHeap>", Kind::Priority);
    type Scratch = ();

    fn new(_: usize) -> Self {
        MutexHeap(Mutex::default())
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        self.0.lock().push(band, item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.0.lock().pop()
    }

    #[inline]
    fn push_many(&self, band: u8, items: Range<u64>) {
        let mut heap = self.0.lock();
        for item in items {
            heap.push(band, item);
        }
    }

    #[inline]
    fn pop_many(&self, (): &mut (), limit: usize, mut take: impl FnMut(u64)) -> usize {
        let mut heap = self.0.lock();
        for taken in 0..limit {
            match heap.pop() {
                Some(item) => take(item),
                None => return taken,
            }
        }
        limit
    }
}
