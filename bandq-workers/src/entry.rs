//! An item that waits inside the pool, and where it waits.

use crate::{
    clock::Moment,
    past::Past,
    slab::{Key, Slab},
};
use bandq::Band;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    num::NonZeroU64,
};

/// What is known of an item beside itself. It stays the same over all attempts, but for the band
/// and the failed attempts.
#[derive(Clone, Copy)]
pub(crate) struct Meta {
    /// No other item of the pool has it.
    pub(crate) id: NonZeroU64,
    /// Its position in its first band, from 1; 0 if nobody counted, since nobody joined then.
    pub(crate) number: u64,
    pub(crate) since: Moment,
    /// Its failures, if they are kept.
    pub(crate) history: Option<Past>,
    /// Failed attempts.
    pub(crate) attempts: u32,
    /// Whether a handler has had it before.
    pub(crate) has_begun: bool,
    /// The band in which it is worked on.
    pub(crate) band: Band,
    /// The band in which it was sent.
    pub(crate) origin: Band,
}

impl Meta {
    /// Of an item of that band which was received now.
    pub(crate) fn new(id: NonZeroU64, number: u64, band: Band, now: Moment) -> Self {
        Self {
            id,
            number,
            since: now,
            history: None,
            attempts: 0,
            has_begun: false,
            band,
            origin: band,
        }
    }
}

pub(crate) struct Entry<T> {
    pub(crate) item: T,
    pub(crate) meta: Meta,
    /// How much room of the channel it keeps.
    pub(crate) units: usize,
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
/// What is sorted is sixteen bytes an item, the items stay where they are.
pub(crate) struct Store<T> {
    entries: Slab<Entry<T>>,
    later: BinaryHeap<Reverse<(Moment, Key)>>,
    due: Vec<Line>,
    /// The bands in which some are due, a bit a band.
    mask: u64,
}

/// Those that are due in one band.
#[derive(Default)]
struct Line {
    /// With the number of the item of the channel behind which it comes.
    queue: VecDeque<(u64, Key)>,
    /// So many of them were put first.
    first: usize,
}

/// No queue of fewer is worth shrinking.
const FEW: usize = 1024;

/// To what a queue that has so many is to be shrunk, if it has much more room.
fn less_room(len: usize, capacity: usize) -> Option<usize> {
    (capacity > FEW && len < capacity / 4).then_some(capacity / 2)
}

impl<T> Store<T> {
    pub(crate) fn new(bands: usize) -> Self {
        Self {
            entries: Slab::default(),
            later: BinaryHeap::new(),
            due: (0..bands).map(|_| Line::default()).collect(),
            mask: 0,
        }
    }

    /// To be had at once: behind those of its band here, and behind the item of the channel that
    /// has that number.
    pub(crate) fn put(&mut self, behind: u64, entry: Entry<T>) {
        let band = entry.meta.band.index();
        let key = self.entries.add(entry);
        self.due[band].queue.push_back((behind, key));
        self.mask |= 1 << band;
    }

    /// To be had before all others of its band, but for those that were put first and came earlier.
    pub(crate) fn put_first(&mut self, entry: Entry<T>) {
        let band = entry.meta.band.index();
        let coming = |meta: &Meta| (meta.since, meta.id);
        let comes = coming(&entry.meta);
        let entries = &self.entries;
        let is_before = |&&(_, key): &&(u64, Key)| {
            let other = entries.get(key);
            other.is_some_and(|other| coming(&other.meta) < comes)
        };
        let line = &mut self.due[band];
        let first = line.queue.iter().take(line.first);
        let place = first.take_while(is_before).count();
        let key = self.entries.add(entry);
        line.queue.insert(place, (0, key));
        line.first += 1;
        self.mask |= 1 << band;
    }

    /// To be had from then on.
    pub(crate) fn put_later(&mut self, at: Moment, entry: Entry<T>) {
        let key = self.entries.add(entry);
        self.later.push(Reverse((at, key)));
    }

    /// Puts the next one whose time has come among those that are due, behind the item of the
    /// channel whose number `behind` tells for its band. Whether there was one.
    pub(crate) fn ripen(&mut self, now: Moment, behind: impl FnOnce(Band) -> u64) -> bool {
        if self.next_at().is_none_or(|at| at > now) {
            return false;
        }
        let Some(Reverse((_, key))) = self.later.pop() else {
            return false;
        };
        if let Some(room) = less_room(self.later.len(), self.later.capacity()) {
            self.later.shrink_to(room);
        }
        if let Some(entry) = self.entries.get(key) {
            let band = entry.meta.band;
            let line = &mut self.due[band.index()];
            line.queue.push_back((behind(band), key));
            self.mask |= 1 << band.index();
        }
        true
    }

    /// When the next one is due that is not.
    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.later.peek().map(|Reverse((at, _))| *at)
    }

    /// The first of the most urgent of those bands in which something is due.
    pub(crate) fn first(&self, mask: u64, received: &[u64]) -> Option<Due> {
        let bands = self.mask & mask;
        if bands == 0 {
            return None;
        }
        let band = bands.trailing_zeros() as usize;
        let (behind, _) = self.due.get(band)?.queue.front()?;
        Some(Due {
            band: Band::new(band as u8),
            is_next: *behind <= received[band],
        })
    }

    pub(crate) fn take(&mut self, band: Band) -> Option<Entry<T>> {
        let Line { queue, first } = &mut self.due[band.index()];
        let entry = queue.pop_front();
        *first = first.saturating_sub(1);
        if queue.is_empty() {
            self.mask &= !(1 << band.index());
        }
        if let Some(room) = less_room(queue.len(), queue.capacity()) {
            queue.shrink_to(room);
        }
        self.entries.take(entry?.1)
    }

    pub(crate) fn due_len(&self) -> usize {
        self.due.iter().map(|line| line.queue.len()).sum()
    }

    pub(crate) fn nothing_is_due(&self) -> bool {
        self.mask == 0
    }

    /// All of them.
    pub(crate) fn drain(&mut self) -> Vec<Entry<T>> {
        self.mask = 0;
        let later = std::mem::take(&mut self.later).into_vec();
        let due = self.due.iter_mut().map(std::mem::take);
        let keys = due.flat_map(|line| line.queue).map(|(_, key)| key);
        let keys = keys.chain(later.into_iter().map(|Reverse((_, key))| key));
        keys.filter_map(|key| self.entries.take(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use std::time::Duration;

    #[test]
    fn what_is_put_first_goes_by_the_time_when_it_came() {
        let now = Clock::new().now();
        let entry = |item: u32| Entry {
            item,
            meta: Meta::new(
                NonZeroU64::MIN.saturating_add(item.into()),
                0,
                Band::URGENT,
                now,
            ),
            units: 0,
        };
        let mut store = Store::new(1);
        store.put(7, entry(0)); // a retry, in its place
        for item in [2, 1, 4, 3] {
            store.put_first(entry(item));
        }
        let items = std::iter::from_fn(|| Some(store.take(Band::URGENT)?.item));
        assert_eq!(items.collect::<Vec<_>>(), [1, 2, 3, 4, 0]);
    }

    #[test]
    fn what_waits_ripens_by_time_and_is_had_by_band() {
        let clock = Clock::new();
        let start = clock.now();
        let at = |millis| start.after(Duration::from_millis(millis));
        let mut store = Store::new(2);
        let mut times: Vec<u64> = (1..=5000).collect();
        fastrand::Rng::with_seed(3).shuffle(&mut times);
        for (n, time) in times.iter().enumerate() {
            let band = Band::new((time % 2) as u8);
            let meta = Meta {
                id: NonZeroU64::MIN.saturating_add(n as u64),
                number: 1,
                since: at(0),
                history: None,
                attempts: 1,
                has_begun: true,
                band,
                origin: band,
            };
            let item = *time;
            let units = 0;
            store.put_later(at(item), Entry { item, meta, units });
        }
        for now in 1..=5000 {
            assert_eq!(store.next_at(), Some(at(now)));
            assert!(store.ripen(at(now), |_| 0));
            assert!(!store.ripen(at(now), |_| 0));
        }
        let mut had = |band| -> Vec<u64> {
            std::iter::from_fn(|| store.take(band).map(|entry| entry.item)).collect()
        };
        assert!(had(Band::new(1)).into_iter().eq((1..=5000).step_by(2)));
        assert!(had(Band::new(0)).into_iter().eq((2..=5000).step_by(2)));
        assert!(store.nothing_is_due() && store.first(u64::MAX, &[0, 0]).is_none());
        let room = store.later.capacity() + store.due[0].queue.capacity();
        assert!(room <= 4 * FEW, "it has shrunk: {room}");
    }

    #[test]
    fn an_item_that_waits_costs_little_beyond_itself() {
        // With at most as much again of the sixteen that are sorted.
        assert_eq!(size_of::<Option<Entry<u64>>>() - size_of::<u64>(), 48);
        assert_eq!(size_of::<Reverse<(Moment, Key)>>(), 16);
    }
}
