//! One `SegQueue` a band and an atomic word of non-empty bands: the naive lock-free version.
//!
//! A consumer that leaves a band empty clears its bit and then looks again, so that an item pushed
//! meanwhile is not stranded. A producer always sets the bit with a read-modify-write: it needs no
//! fence, and whichever of the two comes second sees the other.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_queue::SegQueue;
use crossbeam_utils::CachePadded;

use crate::queue::{Kind, Peer, Queue};

/// Lock-free queues under a bitmap.
#[derive(Debug)]
pub struct SegQueues {
    occupied: CachePadded<AtomicU64>,
    bands: Box<[SegQueue<u64>]>,
}

impl Queue for SegQueues {
    const PEER: Peer = Peer::new("N SegQueue + bitmap", Kind::Priority);
    type Scratch = ();

    fn new(bands: usize) -> Self {
        SegQueues {
            occupied: CachePadded::default(),
            bands: (0..bands).map(|_| SegQueue::new()).collect(),
        }
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        self.bands[usize::from(band)].push(item);
        self.occupied.fetch_or(1 << band, Ordering::AcqRel);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        loop {
            let occupied = self.occupied.load(Ordering::Acquire);
            if occupied == 0 {
                return None;
            }
            let bit = occupied & occupied.wrapping_neg();
            let band = &self.bands[bit.trailing_zeros() as usize];
            let item = band.pop();
            if band.is_empty() {
                self.occupied.fetch_and(!bit, Ordering::AcqRel);
                if !band.is_empty() {
                    self.occupied.fetch_or(bit, Ordering::AcqRel);
                }
            }
            if item.is_some() {
                return item;
            }
        }
    }
}
