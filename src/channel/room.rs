//! Room: who may enter.
//!
//! A bounded channel counts the units in use: a unit is taken by compare-exchange before the push,
//! and given back after the take. Adding first and undoing would make others see `Full` where there
//! is room. A permit is a unit without an item.

use crate::{
    band::Band,
    layout::Spaced,
    sync::atomic::{AtomicUsize, Ordering},
};

/// The units of a bounded channel.
pub(super) struct Room {
    used: Spaced<AtomicUsize>,
    capacity: usize,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Not now.
    Full,
    /// Never: more than the channel may ever hold.
    TooHeavy,
}

impl Room {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            used: Spaced::new(AtomicUsize::new(0)),
            capacity,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many units of the whole may be in use once an item of that band has entered.
    #[inline(always)]
    fn limit(&self, _band: Band) -> usize {
        self.capacity
    }

    /// Takes units for an item of that band: all of them, or none.
    #[inline(always)]
    pub(super) fn try_take(&self, band: Band, units: usize) -> Result<(), NoRoom> {
        let limit = self.limit(band);
        let mut used = self.used.load(Ordering::Relaxed); // the claim below orders
        while used <= limit && units <= limit - used {
            // Acquire on success: pairs with `give_back`, so that a receive happens before whatever
            // takes its room. Relaxed on failure: only to try again.
            match self.used.compare_exchange_weak(
                used,
                used + units,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(()),
                Err(now) => used = now,
            }
        }
        Err(if units > limit {
            NoRoom::TooHeavy
        } else {
            NoRoom::Full
        })
    }

    #[inline]
    pub(super) fn give_back(&self, units: usize) {
        // SeqCst: N1 of `wait.md` for senders that wait for room.
        self.used.fetch_sub(units, Ordering::SeqCst);
    }

    /// The units that are not in use.
    pub(super) fn available(&self) -> usize {
        // Relaxed: a look at one word, which orders nothing.
        self.capacity
            .saturating_sub(self.used.load(Ordering::Relaxed))
    }
}
