//! Room: who may enter.
//!
//! # What is counted
//!
//! A unit is taken before the push, and given back after the take. A permit is a unit without an
//! item. Two counters that only grow count them: `taken`, which senders write, and `given`, which
//! receivers write (and whoever drops a permit). In use is `taken − given`.
//!
//! One counter that both sides write would be a cache line that travels twice for each item. Here
//! `taken` and `given` lie in lines of their own, and the senders keep beside `taken` what they
//! last saw of `given`: `given_seen` (the cached indices of Lamport's queue for one producer and
//! one consumer). They look at the receivers' line only when, as far as they know, there is no
//! room.
//!
//! ```text
//! senders' line:    taken, given_seen, limit        receivers' line:  given
//!
//!  take    T = taken, S = given_seen, L = limit       give back    given += units
//!          does T + units − S exceed L?
//!            G = given; does T + units − G exceed L?  full
//!            given_seen = G
//!          taken: T → T + units, or from the start with the new T
//! ```
//!
//! # The races
//!
//! *Never more than the limit.* A take succeeds by compare-exchange, so T is what `taken` was at
//! that moment. What it compared with, S, was read from `given` by somebody before, and `given`
//! only grows, so S ≤ `given` from then on: in use are `T + units − given ≤ T + units − S ≤ L`. A
//! slow sender may store an older value over a newer one. That is why `given_seen` is only
//! conservative: too old it hides room, never shows any that is not there, and nobody says "full"
//! without a look at `given` itself.
//!
//! *`Full` is never false.* T was read before G. When T was read, at most G had been given back, so
//! at that moment `T − G` or more were in use. (If T is too old, T − G may even be negative: then
//! the compare-exchange fails, and T is read anew.) Adding first and undoing would make others see
//! `Full` where there is room, so the counter of the whole is never added to for a try.
//!
//! *A receive happens before whatever takes its room.* `give_back` releases; `given` is read with
//! Acquire, and `given_seen` is stored with Release and read with Acquire. So whoever takes the
//! n-th unit has seen, itself or through another sender, at least n − L given back.
//!
//! *Nothing wraps.* The counters are 64 bits wide on every target and are subtracted with wrapping;
//! no limit is above 2⁶².
//!
//! # Limits by band
//!
//! | limit | what it compares | where |
//! |---|---|---|
//! | capacity | units in use of the whole | `limit` of the whole; live |
//! | high water of a band | the same, for this band and those less urgent | beside the band |
//! | capacity of a band | units in use of the band | a counter pair of the band's own |
//!
//! Without limits by band there is nothing of them but one pointer that is null.
//!
//! A band with a capacity of its own needs a unit of two counters. It looks at the whole, takes the
//! band's, then the whole's; if somebody else was faster there, it gives the band's back. Meanwhile
//! another sender of that band may be told `Full`, or begin to wait, though the one unit that it
//! misses is only held for a moment: a running send counts. So giving it back is a deed like every
//! other that makes room, and wakes (`NoRoom::Undone`).
//!
//! *Room that is held* for items beside the channel ([`hold`](Room::hold)) is taken
//! without a look at any limit, so more than that may be in use. A take that runs meanwhile fails
//! its compare-exchange, and compares with the new T; one that comes later finds no room.
//!
//! *A limit that changes*: a send that has read the old one may still enter by it. So just after
//! the capacity was lowered, sends that were running then may have entered.

use crate::{
    band::Band,
    layout::Spaced,
    sync::{
        atomic::{AtomicU64, Ordering},
        load_to_update,
    },
};

/// The largest limit there is; a larger one is the same.
const MOST: u64 = 1 << 62;

/// No limit: also the most units that may be in use.
const NONE: u64 = MOST + 1;

/// A limit as it is kept.
fn limit(units: usize) -> u64 {
    (units as u64).min(MOST)
}

/// A limit as it was given.
fn units(limit: u64) -> usize {
    if limit >= MOST {
        usize::MAX
    } else {
        limit as usize // it came from one
    }
}

/// What is left of a limit: below zero if it was lowered; more than all of it if `taken` is old.
#[inline(always)]
fn left(limit: u64, taken: u64, given: u64) -> i64 {
    limit.wrapping_sub(taken.wrapping_sub(given)) as i64
}

/// Whether that many units fit into what is left.
#[inline(always)]
fn fits(units: usize, left: i64) -> bool {
    left >= 0 && units as u64 <= left as u64
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Not now.
    Full,
    /// Not now; and units of the band were held meanwhile, so whoever waits for them is to be
    /// woken.
    Undone,
    /// Never: more than the band may ever use.
    TooHeavy,
}

/// Units in use, and a limit.
struct Counter {
    entrance: Spaced<Entrance>,
    given: Spaced<AtomicU64>,
}

/// What senders write, and the limit, which they read beside it.
struct Entrance {
    taken: AtomicU64,
    given_seen: AtomicU64,
    limit: AtomicU64,
}

impl Counter {
    fn new(limit: u64) -> Self {
        Self {
            entrance: Spaced::new(Entrance {
                taken: AtomicU64::new(0),
                given_seen: AtomicU64::new(0),
                limit: AtomicU64::new(limit),
            }),
            given: Spaced::new(AtomicU64::new(0)),
        }
    }

    #[inline(always)]
    fn limit(&self) -> u64 {
        self.entrance.limit.load(Ordering::Relaxed) // one word, which orders nothing
    }

    /// Takes units, all or none, if no more than the limit, and than `at_most`, are in use then.
    #[inline(always)]
    fn try_take(&self, units: usize, at_most: u64) -> Result<(), NoRoom> {
        let entrance = &*self.entrance;
        let mut taken = load_to_update(&entrance.taken, Ordering::Relaxed); // only to be compared
        loop {
            let limit = self.limit().min(at_most);
            // Acquire: pairs with the store below.
            let seen = entrance.given_seen.load(Ordering::Acquire);
            if !fits(units, left(limit, taken, seen)) {
                // Acquire: pairs with `give_back`, so that a receive happens before whatever takes
                // its room.
                let given = self.given.load(Ordering::Acquire);
                if !fits(units, left(limit, taken, given)) {
                    return Err(if units as u64 > limit {
                        NoRoom::TooHeavy
                    } else {
                        NoRoom::Full
                    });
                }
                // Release: passes on what we have just acquired.
                entrance.given_seen.store(given, Ordering::Release);
            }
            // Release: pairs with `used`, which then reads no older `given` than we did.
            match entrance.taken.compare_exchange_weak(
                taken,
                taken.wrapping_add(units as u64),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => taken = now,
            }
        }
    }

    /// Takes units whatever the limit.
    fn take_anyway(&self, units: usize) {
        // Release: pairs with `used`, as in `try_take`, for what this thread gave back before; and
        // with `used_beside`, for what it has noted as held.
        self.entrance
            .taken
            .fetch_add(units as u64, Ordering::Release);
    }

    #[inline(always)]
    fn give_back(&self, units: usize) {
        // SeqCst: N1 of `wait.md` for senders that wait for room; a release, for who takes it.
        self.given.fetch_add(units as u64, Ordering::SeqCst);
    }

    /// The units in use; never more than there were when it began.
    fn used(&self) -> u64 {
        // Acquire: pairs with `try_take`, so that the difference is not too large.
        let taken = self.entrance.taken.load(Ordering::Acquire);
        let given = self.given.load(Ordering::Relaxed); // read after it: that is all
        (taken.wrapping_sub(given) as i64).max(0) as u64
    }

    /// The same without units that are held: at most as many as were in use when it began.
    fn used_beside(&self, held: &AtomicU64) -> u64 {
        // Acquire: as in `used`, and pairs with `take_anyway`, so that what is taken to be held is
        // in `held`.
        let taken = self.entrance.taken.load(Ordering::Acquire);
        // Acquire: pairs with `give_held_back`, so that what is no longer held is in `given`.
        let held = held.load(Ordering::Acquire);
        let given = self.given.load(Ordering::Relaxed); // read after both: that is all
        (taken.wrapping_sub(given).wrapping_sub(held) as i64).max(0) as u64
    }

    /// What is left of the limit, and of `at_most`.
    fn available(&self, at_most: u64) -> u64 {
        self.limit().min(at_most).saturating_sub(self.used())
    }
}

/// The limits of one band, beside those of the whole.
struct BandLimits {
    /// The least of its high water and those of more urgent bands.
    high_water: u64,
    /// If it has a capacity.
    own: Option<Box<Counter>>,
}

impl BandLimits {
    fn capacity(&self) -> u64 {
        self.own.as_ref().map_or(NONE, |own| own.limit())
    }
}

/// The limits that a channel is built with; none is 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    pub(super) capacity: Option<usize>,
    pub(super) band_capacity: Vec<(Band, usize)>,
    pub(super) high_water: Vec<(Band, usize)>,
}

impl Limits {
    /// The last one that was given for a band.
    fn of(limits: &[(Band, usize)], band: usize) -> Option<u64> {
        let is_its = |(of, _): &&(Band, usize)| of.index() == band;
        limits.iter().rfind(is_its).map(|&(_, units)| limit(units))
    }
}

/// The units of a channel that has a limit.
pub(super) struct Room {
    whole: Counter,
    /// By band, if any band has a limit of its own.
    bands: Option<Box<[BandLimits]>>,
    /// The units in use that are held for items beside the channel.
    held: AtomicU64,
}

impl Room {
    /// `None` if there is no limit.
    pub(super) fn new(bands: usize, limits: &Limits) -> Option<Self> {
        let by_band = !(limits.band_capacity.is_empty() && limits.high_water.is_empty());
        if limits.capacity.is_none() && !by_band {
            return None;
        }
        let mut high_water = NONE;
        let limits_of = |band| {
            high_water = high_water.min(Limits::of(&limits.high_water, band).unwrap_or(NONE));
            BandLimits {
                high_water,
                own: Limits::of(&limits.band_capacity, band)
                    .map(|limit| Box::new(Counter::new(limit))),
            }
        };
        Some(Self {
            whole: Counter::new(limits.capacity.map_or(NONE, limit)),
            bands: by_band.then(|| (0..bands).map(limits_of).collect()),
            held: AtomicU64::new(0),
        })
    }

    #[inline(always)]
    fn limits(&self, band: Band) -> Option<&BandLimits> {
        self.bands.as_ref().map(|bands| &bands[band.index()])
    }

    /// The limit of the whole.
    pub(super) fn capacity(&self) -> Option<usize> {
        let limit = self.whole.limit();
        (limit != NONE).then(|| units(limit))
    }

    /// Changes it: a deed for those who wait.
    pub(super) fn set_capacity(&self, units: usize) {
        // SeqCst: N1 of `wait.md`. A swap, because the deed is a read-modify-write.
        self.whole
            .entrance
            .limit
            .swap(limit(units), Ordering::SeqCst);
    }

    /// Takes units for an item of that band, which there is: all of them, or none.
    #[inline(always)]
    pub(super) fn try_take(&self, band: Band, units: usize) -> Result<(), NoRoom> {
        if units == 0 {
            return Ok(());
        }
        match self.limits(band) {
            None => self.whole.try_take(units, u64::MAX), // which costs nothing
            Some(limits) => self.try_take_within(limits, units),
        }
    }

    #[inline(never)]
    fn try_take_within(&self, limits: &BandLimits, units: usize) -> Result<(), NoRoom> {
        let Some(own) = &limits.own else {
            return self.whole.try_take(units, limits.high_water);
        };
        let most = self.whole.limit().min(limits.high_water).min(own.limit());
        if units as u64 > most {
            return Err(NoRoom::TooHeavy);
        }
        if units as u64 > self.whole.available(limits.high_water) {
            return Err(NoRoom::Full);
        }
        own.try_take(units, NONE)?;
        self.whole.try_take(units, limits.high_water).map_err(|_| {
            own.give_back(units);
            NoRoom::Undone
        })
    }

    /// Takes units for an item beside the channel, of that band, which there is, whatever its
    /// limits.
    pub(super) fn hold(&self, band: Band, units: usize) {
        self.held.fetch_add(units as u64, Ordering::Relaxed); // `take_anyway` releases it
        if let Some(own) = self.limits(band).and_then(|limits| limits.own.as_ref()) {
            own.take_anyway(units);
        }
        self.whole.take_anyway(units);
    }

    /// Gives units back that were held for that band.
    pub(super) fn give_held_back(&self, band: Band, units: usize) {
        self.give_back(band, units);
        // Release: pairs with `used_beside`.
        self.held.fetch_sub(units as u64, Ordering::Release);
    }

    // In parts, for an eviction: units of the whole pass from the victims to the newcomer.

    /// Takes units of the capacity of that band alone, if it has one.
    pub(super) fn try_take_own(&self, band: Band, units: usize) -> Result<(), NoRoom> {
        let Some(limits) = self.limits(band) else {
            return Ok(());
        };
        if units as u64 > self.whole.limit().min(limits.high_water) {
            return Err(NoRoom::TooHeavy);
        }
        match &limits.own {
            Some(own) => own.try_take(units, NONE),
            None => Ok(()),
        }
    }

    /// Takes units of the whole alone, as far as that band may use them.
    pub(super) fn try_take_whole(&self, band: Band, units: usize) -> Result<(), NoRoom> {
        self.whole.try_take(units, self.high_water(band))
    }

    /// How far the use of the whole would be above what that band may bring it to, if it took so
    /// many units, and `held` of those in use were given back.
    pub(super) fn excess(&self, band: Band, units: usize, held: usize) -> u64 {
        let used = self.whole.used().saturating_add(units as u64);
        let most = self.whole.limit().min(self.high_water(band));
        used.saturating_sub(held as u64).saturating_sub(most)
    }

    fn high_water(&self, band: Band) -> u64 {
        self.limits(band).map_or(NONE, |limits| limits.high_water)
    }

    /// Gives units of the capacity of that band back.
    pub(super) fn give_back_own(&self, band: Band, units: usize) {
        if let Some(own) = self.limits(band).and_then(|limits| limits.own.as_ref()) {
            own.give_back(units);
        }
    }

    /// Gives units of the whole back.
    pub(super) fn give_back_whole(&self, units: usize) {
        self.whole.give_back(units);
    }

    /// Gives units back that were taken for that band.
    #[inline(always)]
    pub(super) fn give_back(&self, band: Band, units: usize) {
        if let Some(limits) = self.limits(band) {
            if let Some(own) = &limits.own {
                own.give_back(units);
            }
        }
        self.whole.give_back(units);
    }

    /// Whether all bands draw on one counter, so that units of several may be given back at once.
    #[inline(always)]
    pub(super) fn is_one(&self) -> bool {
        self.bands.is_none()
    }

    /// The units of the whole that are not in use; `None` if the whole has no limit.
    pub(super) fn available(&self) -> Option<usize> {
        let capacity = self.capacity()?;
        Some(capacity.saturating_sub(self.whole.used() as usize))
    }

    /// The units of the whole that are in use.
    #[cfg(feature = "observe")]
    pub(super) fn used(&self) -> usize {
        units(self.whole.used())
    }

    /// The units that a band may still take.
    pub(super) fn available_to(&self, band: Band) -> usize {
        let left = match self.limits(band) {
            None => self.whole.available(NONE),
            Some(limits) => {
                let whole = self.whole.available(limits.high_water);
                let own = limits.own.as_ref().map_or(NONE, |own| own.available(NONE));
                whole.min(own)
            }
        };
        units(left)
    }

    /// Whether no band may take a unit.
    pub(super) fn is_full(&self) -> bool {
        match &self.bands {
            None => self.whole.available(NONE) == 0,
            Some(bands) => (0..bands.len())
                .map(Band::from_index)
                .all(|band| self.available_to(band) == 0),
        }
    }

    /// The most items that there may be at a time within the call.
    pub(super) fn most(&self) -> usize {
        let high_water = self
            .bands
            .as_ref()
            .map_or(NONE, |bands| bands[0].high_water);
        // More than the limit may be in use if it was lowered.
        let whole = self.whole.limit().max(self.whole.used_beside(&self.held));
        units(whole.min(high_water))
    }

    /// The same of one band, or of one that there is not.
    pub(super) fn most_of(&self, band: Band) -> usize {
        let bands = self.bands.as_ref();
        let limits = bands.and_then(|bands| bands.get(band.index()));
        let own = limits.map_or(NONE, |limits| limits.high_water.min(limits.capacity()));
        self.most().min(units(own))
    }
}
