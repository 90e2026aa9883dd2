//! `Mutex<[VecDeque; N]>` and a word of non-empty bands under the same lock: the strongest simple
//! peer.

use std::collections::VecDeque;
use std::ops::Range;

use parking_lot::Mutex;

use crate::queue::{Kind, Peer, Queue};

#[derive(Debug)]
struct Deques {
    /// Bit `b` is set while band `b` holds something.
    occupied: u64,
    bands: Box<[VecDeque<u64>]>,
}

impl Deques {
    #[inline]
    fn push(&mut self, band: u8, item: u64) {
        self.bands[usize::from(band)].push_back(item);
        self.occupied |= 1 << band;
    }

    #[inline]
    fn pop(&mut self) -> Option<u64> {
        if self.occupied == 0 {
            return None;
        }
        let band = self.occupied.trailing_zeros() as usize;
        let deque = &mut self.bands[band];
        let item = deque.pop_front();
        if deque.is_empty() {
            self.occupied &= !(1 << band);
        }
        item
    }
}

/// A deque a band behind one lock.
#[derive(Debug)]
pub struct MutexDeques(Mutex<Deques>);

impl Queue for MutexDeques {
    const PEER: Peer = Peer::new("Mutex<[VecDeque; N]>", Kind::Priority);
    type Scratch = ();

    fn new(bands: usize) -> Self {
        MutexDeques(Mutex::new(Deques {
            occupied: 0,
            bands: (0..bands).map(|_| VecDeque::new()).collect(),
        }))
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
        if !items.is_empty() {
            let mut deques = self.0.lock();
            deques.bands[usize::from(band)].extend(items);
            deques.occupied |= 1 << band;
        }
    }

    #[inline]
    fn pop_many(&self, (): &mut (), limit: usize, mut take: impl FnMut(u64)) -> usize {
        let mut deques = self.0.lock();
        for taken in 0..limit {
            match deques.pop() {
                Some(item) => take(item),
                None => return taken,
            }
        }
        limit
    }
}
