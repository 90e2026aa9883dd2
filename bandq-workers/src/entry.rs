//! An item that waits inside the pool, and where it waits.

use bandq::Band;
use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, VecDeque},
    time::Instant,
};

/// What is known of an item beside itself. It stays the same over all attempts, but for the band
/// and the number of failed attempts.
#[derive(Clone, Copy)]
pub(crate) struct Meta {
    /// The how many-th of the pool.
    pub(crate) id: u64,
    /// The band in which it is worked on.
    pub(crate) band: Band,
    /// The band in which it was sent.
    pub(crate) origin: Band,
    /// The how many-th of that band.
    pub(crate) number: u64,
    pub(crate) since: Instant,
    /// Failed attempts.
    pub(crate) attempts: u32,
}

pub(crate) struct Entry<T> {
    pub(crate) item: T,
    pub(crate) meta: Meta,
}

struct Later<T> {
    at: Instant,
    entry: Entry<T>,
}

impl<T> Later<T> {
    fn key(&self) -> Reverse<(Instant, u64)> {
        Reverse((self.at, self.entry.meta.id))
    }
}

impl<T> PartialEq for Later<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Later<T> {}

impl<T> PartialOrd for Later<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Later<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// Where something is due.
#[derive(Clone, Copy)]
pub(crate) struct Due {
    pub(crate) band: Band,
    /// Nothing of its band in the channel comes before it.
    pub(crate) is_next: bool,
}

impl Due {
    /// The bands of the channel that come first, a bit a band.
    pub(crate) fn above(self) -> u64 {
        let more_urgent = !(u64::MAX << self.band.index());
        let same = if self.is_next {
            0
        } else {
            1 << self.band.index()
        };
        more_urgent | same
    }
}

/// Items inside the pool that nobody works on: by time those that are not due, by band the others.
pub(crate) struct Store<T> {
    later: BinaryHeap<Later<T>>,
    /// With the number of the item of the channel behind which it comes.
    due: Vec<VecDeque<(u64, Entry<T>)>>,
    /// The bands in which some are due, a bit a band.
    mask: u64,
}

impl<T> Store<T> {
    pub(crate) fn new(bands: usize) -> Self {
        Self {
            later: BinaryHeap::new(),
            due: (0..bands).map(|_| VecDeque::new()).collect(),
            mask: 0,
        }
    }

    /// To be had at once: behind those of its band here, and behind the item of the channel that
    /// has that number.
    pub(crate) fn put(&mut self, behind: u64, entry: Entry<T>) {
        let band = entry.meta.band.index();
        self.due[band].push_back((behind, entry));
        self.mask |= 1 << band;
    }

    /// To be had before all others of its band.
    pub(crate) fn put_first(&mut self, entry: Entry<T>) {
        let band = entry.meta.band.index();
        self.due[band].push_front((0, entry));
        self.mask |= 1 << band;
    }

    /// To be had from then on.
    pub(crate) fn put_later(&mut self, at: Instant, entry: Entry<T>) {
        self.later.push(Later { at, entry });
    }

    /// One whose time has come, to be put among those that are due.
    pub(crate) fn take_later(&mut self, now: Instant) -> Option<Entry<T>> {
        let is_due = self.later.peek().is_some_and(|later| later.at <= now);
        is_due
            .then(|| self.later.pop())
            .flatten()
            .map(|later| later.entry)
    }

    /// When the next one is due that is not.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.later.peek().map(|later| later.at)
    }

    /// The first of the most urgent of those bands in which something is due.
    pub(crate) fn first(&self, mask: u64, received: &[u64]) -> Option<Due> {
        let band = (self.mask & mask).trailing_zeros() as usize;
        let (behind, _) = self.due.get(band)?.front()?;
        Some(Due {
            band: Band::new(band as u8),
            is_next: *behind <= received[band],
        })
    }

    pub(crate) fn take(&mut self, band: Band) -> Option<Entry<T>> {
        let queue = &mut self.due[band.index()];
        let entry = queue.pop_front().map(|(_, entry)| entry);
        if queue.is_empty() {
            self.mask &= !(1 << band.index());
        }
        entry
    }

    pub(crate) fn nothing_is_due(&self) -> bool {
        self.mask == 0
    }

    /// All of them.
    pub(crate) fn drain(&mut self) -> Vec<Entry<T>> {
        self.mask = 0;
        let later = std::mem::take(&mut self.later).into_vec();
        self.due
            .iter_mut()
            .flat_map(std::mem::take)
            .map(|(_, entry)| entry)
            .chain(later.into_iter().map(|later| later.entry))
            .collect()
    }
}
