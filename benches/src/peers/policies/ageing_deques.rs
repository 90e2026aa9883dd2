//! A deque a band behind one lock: the head that is due first is next. The clock is read before
//! the lock is taken, so that nobody waits for it.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::{Clock, IDLE, due, first};
use crate::peers::MutexDeques;
use crate::queue::{Peer, Queue};

#[derive(Debug)]
struct Deques {
    /// When the heads are due, next to each other.
    turns: Box<[u64]>,
    /// When an item is due, and the item.
    bands: Box<[VecDeque<(u64, u64)>]>,
}

impl Deques {
    #[inline]
    fn push(&mut self, band: usize, due: u64, item: u64) {
        let items = &mut self.bands[band];
        if items.is_empty() {
            self.turns[band] = due;
        }
        items.push_back((due, item));
    }

    #[inline]
    fn pop(&mut self) -> Option<u64> {
        let band = first(&self.turns)?;
        let items = &mut self.bands[band];
        let (_, item) = items.pop_front()?;
        self.turns[band] = items.front().map_or(IDLE, |(due, _)| *due);
        Some(item)
    }
}

/// A deque a band behind one lock, by ageing.
#[derive(Debug)]
pub struct AgeingDeques {
    clock: Clock,
    deques: Mutex<Deques>,
}

impl AgeingDeques {
    #[inline]
    pub(super) fn push_sent(&self, band: u8, sent: u64, item: u64) {
        self.deques.lock().push(band.into(), due(band, sent), item);
    }
}

impl Queue for AgeingDeques {
    const PEER: Peer = MutexDeques::PEER;
    type Scratch = ();

    fn new(bands: usize) -> Self {
        AgeingDeques {
            clock: Clock::new(),
            deques: Mutex::new(Deques {
                turns: vec![IDLE; bands].into(),
                bands: (0..bands).map(|_| VecDeque::new()).collect(),
            }),
        }
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        self.push_sent(band, self.clock.now(), item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.deques.lock().pop()
    }
}
