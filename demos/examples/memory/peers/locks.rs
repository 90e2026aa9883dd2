//! The standard library's collections behind a lock.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::peer::Peer;
use crate::profile::{BANDS, Load};

/// A heap; a number keeps the items of a band in order.
pub(crate) struct MutexHeap<T>(Mutex<(u64, BinaryHeap<Reverse<Ranked<T>>>)>);

struct Ranked<T> {
    rank: (u8, u64),
    item: T,
}

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl<T> Eq for Ranked<T> {}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl<T> MutexHeap<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new((0, BinaryHeap::new())))
    }
}

impl<T> Peer<T> for MutexHeap<T> {
    fn push(&self, band: u8, item: T) {
        let (next, heap) = &mut *lock(&self.0);
        let rank = (band, *next);
        *next += 1;
        heap.push(Reverse(Ranked { rank, item }));
    }

    fn pop(&self) -> Option<T> {
        let Reverse(ranked) = lock(&self.0).1.pop()?;
        Some(ranked.item)
    }
}

/// A deque a band.
pub(crate) struct MutexDeques<T>(Mutex<[VecDeque<T>; BANDS]>);

impl<T> MutexDeques<T> {
    pub(crate) fn new(_: Load) -> Self {
        Self(Mutex::new([const { VecDeque::new() }; BANDS]))
    }
}

impl<T> Peer<T> for MutexDeques<T> {
    fn push(&self, band: u8, item: T) {
        lock(&self.0)[usize::from(band)].push_back(item);
    }

    fn pop(&self) -> Option<T> {
        lock(&self.0).iter_mut().find_map(VecDeque::pop_front)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
