//! A heap behind a lock: the item that is due first is next. The clock is read before the lock is
//! taken, so that nobody waits for it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use parking_lot::Mutex;

use super::{Clock, due};
use crate::peers::MutexHeap;
use crate::queue::{Peer, Queue};

#[derive(Debug, Default)]
struct Heap {
    items: BinaryHeap<Reverse<(u64, u64, u64)>>,
    /// Keeps items that are due at once in order.
    next: u64,
}

impl Heap {
    fn push(&mut self, due: u64, item: u64) {
        self.items.push(Reverse((due, self.next, item)));
        self.next += 1;
    }

    fn pop(&mut self) -> Option<u64> {
        self.items.pop().map(|Reverse((_, _, item))| item)
    }
}

/// A heap behind a lock, by ageing.
#[derive(Debug)]
pub struct AgeingHeap {
    clock: Clock,
    heap: Mutex<Heap>,
}

impl AgeingHeap {
    #[inline]
    pub(super) fn push_sent(&self, band: u8, sent: u64, item: u64) {
        self.heap.lock().push(due(band, sent), item);
    }
}

impl Queue for AgeingHeap {
    const PEER: Peer = MutexHeap::PEER;
    type Scratch = ();

    fn new(_: usize) -> Self {
        AgeingHeap {
            clock: Clock::new(),
            heap: Mutex::default(),
        }
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        self.push_sent(band, self.clock.now(), item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.heap.lock().pop()
    }
}
