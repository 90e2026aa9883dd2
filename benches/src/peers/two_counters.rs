//! Two counters and no slots: one read-modify-write to push, one to pop. Nothing that counts its
//! items can be faster, so this is the upper bound of the others.
//!
//! What is popped is the number of the item: right as long as the items are 0, 1, 2, … in any
//! order.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::queue::{Kind, Peer, Queue};

/// No queue at all.
#[derive(Debug)]
pub struct TwoCounters {
    pushed: CachePadded<AtomicU64>,
    popped: CachePadded<AtomicU64>,
}

impl Queue for TwoCounters {
    const PEER: Peer = Peer::new("two counters", Kind::Bound);
    type Scratch = ();

    fn new(_: usize) -> Self {
        TwoCounters {
            pushed: CachePadded::default(),
            popped: CachePadded::default(),
        }
    }

    #[inline]
    fn push(&self, _: u8, _: u64) {
        self.pushed.fetch_add(1, Ordering::AcqRel);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        let mut popped = self.popped.load(Ordering::Acquire);
        while popped < self.pushed.load(Ordering::Acquire) {
            match self.popped.compare_exchange_weak(
                popped,
                popped + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(popped),
                Err(now) => popped = now,
            }
        }
        None
    }
}
