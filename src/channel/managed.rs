//! What a channel has once more is asked of it than strict priority: an order of its own, and
//! entries instead of bare items.
//!
//! A plain channel has none of it, and every operation asks first, by one load. It appears with the
//! channel, if the builder asks for it, or later, with the first call that needs it, and stays.
//!
//! # From bare items to entries
//!
//! Whether slots hold bare items or entries is settled where a queue is made. A channel that holds
//! bare items and is then asked to know their age (by ageing as a new policy, or by a handle whose
//! items expire) gets a second queue, of entries:
//!
//! ```text
//! bare ──(M1 entries is set, SeqCst)──▶ moving ──(M2 each bare band is closed)──▶ entries
//! ```
//!
//! *Nothing is lost.* A push that finds its bare band closed finds M1 (the mark is a release), and
//! goes to the entries.
//!
//! *A band is a FIFO.* A push goes to the entries only once it has found its bare band closed; so
//! what is in the entries of a band was sent after all that is bare in it. A receive takes
//! what is bare in a band before its entries; slots that are claimed and not published are poisoned
//! then, and their pushes, which have not returned, go to the entries.
//!
//! *Empty is true.* A bare band that is closed and empty stays so, hence a receive that finds all
//! bare bands empty and then finds the entries empty at one time is right for that time. A receive
//! that began before M1, and found the bare queue empty, looks for M1 before it says so.
//!
//! *Closed is final.* A sender that has found the entries asks whether the close has begun, by a
//! `SeqCst` load, and pushes only if not. A close begins (CL1) before it looks for the entries. If
//! it does not see M1, then CL1 comes before M1 in the order of `SeqCst` operations, and the sender
//! that saw M1 sees CL1.

use super::pace::Pace;
use crate::{
    band::Band,
    clock::{Clock, NEVER},
    entry::{About, Entry, Origin, Sending},
    once::OnceBox,
    parcel::Parcel,
    policy::ageing::UNKNOWN,
    queue::{Order, Queue, StampedQueue},
    record::Record,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{any::Any, sync::Arc};

/// The order, and the entries if there are any.
pub(super) struct Managed<T> {
    pub(super) order: Order,
    entries: OnceBox<Entries<T>>,
}

/// What was taken, beside the item in the parcel.
pub(super) struct Taken {
    pub(super) band: Band,
    pub(super) about: About,
}

impl<T> Managed<T> {
    pub(super) fn new(bands: usize) -> Self {
        Self {
            order: Order::new(bands),
            entries: OnceBox::new(),
        }
    }

    pub(super) fn entries(&self) -> Option<&Entries<T>> {
        self.entries.get()
    }

    /// The same, after a `SeqCst` operation.
    pub(super) fn entries_late(&self) -> Option<&Entries<T>> {
        self.entries.get_late()
    }

    /// The entries, from now on: M1 and M2.
    pub(super) fn move_to_entries(&self, bare: &Queue<T>, terms: Terms<T>) -> &Entries<T> {
        let entries = self
            .entries
            .get_or_init(|| Entries::new(bare.bands(), terms));
        bare.close(); // M2
        entries
    }

    /// Takes the next item of the bands in `mask`, a bit a band.
    pub(super) fn pop(&self, bare: &Queue<T>, mask: u64, parcel: &mut Parcel<T>) -> Option<Taken> {
        match self.entries() {
            None => {
                let band = bare.pop_under(&self.order, mask, parcel)?;
                Some(Taken::bare(band))
            }
            Some(entries) => entries.pop(&self.order, bare, mask, parcel),
        }
    }

    /// The pop of a closed channel: its `None` is for ever.
    pub(super) fn pop_closed(
        &self,
        bare: &Queue<T>,
        mask: u64,
        parcel: &mut Parcel<T>,
    ) -> Option<Taken> {
        if let Some(band) = bare.pop_closed_of(mask, parcel) {
            return Some(Taken::bare(band));
        }
        let mut entry = Parcel::empty();
        let band = self.entries()?.queue.pop_closed_of(mask, &mut entry)?;
        Some(Taken::unpack(band, &mut entry, parcel))
    }
}

/// Called with each item that has expired.
pub(super) type OnExpired<T> = Arc<dyn Fn(Band, T) + Send + Sync>;

/// What the entries of a channel are made by.
pub(super) struct Terms<T> {
    /// The life of an item, by band; `NEVER` without an end.
    pub(super) ttl: Box<[u64]>,
    pub(super) weigher: Option<fn(&T) -> usize>,
    pub(super) on_expired: Option<OnExpired<T>>,
    pub(super) refuses_late: bool,
    /// Whether it is observed.
    pub(super) is_observed: bool,
}

impl<T> Terms<T> {
    /// Where lives are limited, the clock is read at each receive anyway.
    fn needs_pace(&self) -> bool {
        self.refuses_late || self.ttl.iter().any(|ttl| *ttl != NEVER)
    }

    /// None.
    pub(super) fn new(bands: usize) -> Self {
        Self {
            ttl: vec![NEVER; bands].into(),
            weigher: None,
            on_expired: None,
            refuses_late: false,
            is_observed: false,
        }
    }
}

/// A queue of entries, and what they are made by.
pub(super) struct Entries<T> {
    pub(super) queue: StampedQueue<T>,
    pub(super) clock: Clock,
    pub(super) terms: Terms<T>,
    /// If it is measured.
    pub(super) pace: Option<Pace>,
    /// If it is observed.
    pub(super) record: Option<Record>,
    /// Bare bands that are empty for ever, or do not exist, a bit a band.
    drained: AtomicU64,
    /// When it began; what is bare was sent before.
    began: u64,
}

impl<T> Entries<T> {
    fn new(bands: usize, terms: Terms<T>) -> Self {
        let clock = Clock::new();
        let queue = StampedQueue::new(bands);
        Self {
            record: terms
                .is_observed
                .then(|| Record::new(bands, clock, queue.fronts().clone())),
            queue,
            clock,
            pace: terms.needs_pace().then(|| Pace::new(bands)),
            terms,
            drained: AtomicU64::new(!(u64::MAX >> (64 - bands))),
            began: clock.now(),
        }
    }

    /// Appends the item in the parcel, which takes `units`; leaves it, and says `false`, if the
    /// entries are closed. The caller has found the band's bare items closed.
    pub(super) fn push(
        &self,
        band: Band,
        units: usize,
        sending: Sending,
        parcel: &mut Parcel<T>,
    ) -> bool {
        let sent = self.clock.now();
        let life = self.life(band, sending.ttl);
        let about = About {
            sent,
            expires: sent.saturating_add(life),
            units,
            origin: self.origin(band, sending),
        };
        let item = parcel.unwrap();
        let mut entry = Parcel::new(Entry { about, item });
        let pushed = self.queue.push(band.index(), &mut entry);
        if !pushed {
            parcel.put(entry.unwrap().item);
        } else if let Some(record) = &self.record {
            record.sent(band, sending.has_waited);
        }
        pushed
    }

    #[cfg(not(feature = "tracing"))]
    fn origin(&self, _: Band, sending: Sending) -> Origin {
        sending.origin()
    }

    /// With the span of the send, if the channel is observed.
    #[cfg(feature = "tracing")]
    fn origin(&self, band: Band, sending: Sending) -> Origin {
        Origin {
            span: self.record.as_ref().and_then(|record| record.span(band)),
            ..sending.origin()
        }
    }

    /// The life of an item of a band that is sent by a handle with this one.
    pub(super) fn life(&self, band: Band, ttl: u64) -> u64 {
        self.terms.ttl[band.index()].min(ttl)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.queue().len()
    }

    pub(super) fn band_len(&self, band: Band) -> usize {
        self.queue.queue().band_len(band.index())
    }

    pub(super) fn has_published(&self, band: Band) -> bool {
        self.queue.queue().has_published(band.index())
    }

    pub(super) fn listed(&self, mask: u64) -> u64 {
        self.queue.queue().listed(mask)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.queue().is_empty()
    }

    pub(super) fn close(&self) {
        self.queue.queue().close();
    }

    /// As [`Queue::drop_items`].
    pub(super) fn drop_items(&self) -> Result<(), Box<dyn Any + Send>> {
        self.queue.drop_items(|band| {
            if let Some(record) = &self.record {
                record.dropped(band);
            }
        })
    }

    fn is_drained(&self, band: usize) -> bool {
        self.drained.load(Ordering::Relaxed) & (1 << band) != 0 // set once it is so for ever
    }

    fn pop(
        &self,
        order: &Order,
        bare: &Queue<T>,
        mask: u64,
        parcel: &mut Parcel<T>,
    ) -> Option<Taken> {
        // Relaxed: as in `is_drained`.
        let left = mask & !self.drained.load(Ordering::Relaxed);
        if left != 0 {
            if let Some(taken) = self.pop_moving(order, bare, mask, left, parcel) {
                return Some(taken);
            }
        }
        self.pop_entry(order, mask, parcel)
    }

    /// Whether nothing is bare any more.
    #[inline(always)]
    pub(super) fn has_moved(&self) -> bool {
        self.drained.load(Ordering::Relaxed) == u64::MAX // as in `is_drained`
    }

    /// The pop where nothing is bare any more.
    #[inline(always)]
    pub(super) fn pop_entry(
        &self,
        order: &Order,
        mask: u64,
        parcel: &mut Parcel<T>,
    ) -> Option<Taken> {
        let mut entry = Parcel::empty();
        let band = self.queue.pop(order, mask, &mut entry)?;
        Some(Taken::unpack(band, &mut entry, parcel))
    }

    /// The pop while there may be something bare in the bands of `left`. `None` once there is not,
    /// but for what the entries have.
    #[cold]
    fn pop_moving(
        &self,
        order: &Order,
        bare: &Queue<T>,
        mask: u64,
        left: u64,
        parcel: &mut Parcel<T>,
    ) -> Option<Taken> {
        let mut in_bare = 0;
        for band in (0..bare.bands()).filter(|band| left & (1 << band) != 0) {
            bare.close_band(band); // M2, if nobody came here yet
            if bare.is_drained(band) {
                // Relaxed: what it says stays true.
                self.drained.fetch_or(1 << band, Ordering::Relaxed);
            } else {
                in_bare |= 1 << band;
            }
        }
        let busy = in_bare | (self.queue.queue().listed(mask));
        let sent = |band: usize| match in_bare & (1 << band) {
            0 => self.queue.front(band).unwrap_or(UNKNOWN),
            _ => self.began,
        };
        let mut taken = None;
        let band = order.walk(
            busy,
            |bands| bands.map(sent),
            |band| {
                let of = Band::from_index(band);
                if in_bare & (1 << band) != 0 && bare.pop_closed_band(band, parcel) {
                    taken = Some(Taken::bare(of));
                    return true;
                }
                let mut entry = Parcel::empty();
                if self.queue.pop_one_of(band, &mut entry) {
                    taken = Some(Taken::unpack(of, &mut entry, parcel));
                }
                taken.is_some()
            },
        );
        band.and(taken)
    }

    /// Takes the oldest item of one band.
    pub(super) fn pop_band(
        &self,
        bare: &Queue<T>,
        band: Band,
        parcel: &mut Parcel<T>,
    ) -> Option<Taken> {
        if !self.is_drained(band.index()) {
            bare.close_band(band.index());
            if bare.pop_closed_band(band.index(), parcel) {
                return Some(Taken::bare(band));
            }
        }
        let mut entry = Parcel::empty();
        self.queue
            .pop_one_of(band.index(), &mut entry)
            .then(|| Taken::unpack(band, &mut entry, parcel))
    }

    /// Takes the oldest item of a band, if it has expired.
    pub(super) fn pop_expired(
        &self,
        band: Band,
        now: u64,
        parcel: &mut Parcel<T>,
    ) -> Option<Taken> {
        let (place, (_, expires)) = self.queue.peek(band.index())?;
        if expires > now {
            return None;
        }
        let mut entry = Parcel::empty();
        self.queue
            .pop_at(band.index(), place, &mut entry)
            .then(|| Taken::unpack(band, &mut entry, parcel))
    }
}

impl Taken {
    /// What was sent before anything was known about it.
    pub(super) fn bare(band: Band) -> Self {
        let about = About {
            sent: 0,
            expires: NEVER,
            units: 1,
            origin: Origin::here(),
        };
        Self { band, about }
    }

    #[inline(always)]
    fn unpack<T>(band: Band, entry: &mut Parcel<Entry<T>>, parcel: &mut Parcel<T>) -> Self {
        let Entry { about, item } = entry.unwrap();
        parcel.put(item);
        Self { band, about }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An item in band 0, and a move that has come to M1 and no further.
    fn moving() -> (Queue<u32>, Managed<u32>) {
        let (bare, managed) = (Queue::new(2), Managed::new(2));
        assert!(bare.push(0, &mut Parcel::new(1)));
        managed
            .entries
            .get_or_init(|| Entries::new(2, Terms::new(2)));
        (bare, managed)
    }

    #[test]
    fn a_receive_between_m1_and_m2_closes_what_it_looks_at() {
        let (bare, managed) = moving();
        let mut parcel = Parcel::empty();
        let taken = managed.pop(&bare, 0b11, &mut parcel).unwrap();
        assert_eq!((taken.band, parcel.take()), (Band::URGENT, Some(1)));
        for band in 0..2 {
            assert!(!bare.push(band, &mut Parcel::new(2)), "band {band}");
        }
    }

    #[test]
    fn a_receive_of_one_band_between_m1_and_m2_closes_that_one() {
        let (bare, managed) = moving();
        let mut parcel = Parcel::empty();
        let entries = managed.entries().unwrap();
        let taken = entries.pop_band(&bare, Band::URGENT, &mut parcel).unwrap();
        assert_eq!((taken.band, parcel.take()), (Band::URGENT, Some(1)));
        assert!(!bare.push(0, &mut Parcel::new(2)));
        assert!(bare.push(1, &mut Parcel::new(2)));
    }
    fn push(entries: &Entries<u32>, band: Band, item: u32) -> bool {
        entries.push(band, 1, Sending::here(NEVER), &mut Parcel::new(item))
    }

    #[test]
    fn what_a_closed_channel_holds_of_both_kinds_is_taken() {
        let (bare, managed) = moving();
        let entries = managed.entries().unwrap();
        bare.close();
        assert!(push(entries, Band::URGENT, 2) && push(entries, Band::new(1), 3));
        entries.close();
        assert!(!push(entries, Band::URGENT, 4));
        let mut parcel = Parcel::empty();
        let mut pop = |mask| {
            let taken = managed.pop_closed(&bare, mask, &mut parcel)?;
            Some((taken.band.index(), parcel.unwrap()))
        };
        assert_eq!(
            [pop(0b01), pop(0b01), pop(0b01)],
            [Some((0, 1)), Some((0, 2)), None]
        );
        assert_eq!([pop(0b11), pop(0b11)], [Some((1, 3)), None]);
    }
}
