//! `crossbeam-skiplist`, keyed by band and a sequence number.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_skiplist::SkipMap;
use crossbeam_utils::CachePadded;

use crate::queue::{Kind, Peer, Queue};

/// A lock-free ordered map.
#[derive(Debug)]
pub struct SkipMapQueue {
    items: SkipMap<(u8, u64), u64>,
    next: CachePadded<AtomicU64>,
}

impl Queue for SkipMapQueue {
    const PEER: Peer = Peer::new("crossbeam-skiplist", Kind::Priority);
    type Scratch = ();

    fn new(_: usize) -> Self {
        SkipMapQueue {
            items: SkipMap::new(),
            next: CachePadded::default(),
        }
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        let sequence = self.next.fetch_add(1, Ordering::Relaxed);
        self.items.insert((band, sequence), item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.items.pop_front().map(|entry| *entry.value())
    }
}
