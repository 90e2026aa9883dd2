//! Slipping: a consumer on the heels of its producers steps back for a moment.
//!
//! While a band hovers near empty, with its producer on another core, each item moves three cache
//! lines there and back (the tail, the lane, the value), at about 40 ns a line. A consumer that
//! lets a few items gather pays that once for all of them, and the producer runs at its own speed
//! meanwhile. FastForward (Giacomoni, Moseley and Vachharajani, PPoPP 2008) calls it temporal
//! slipping; a mutex has the same effect when it makes one side wait for a whole run of the other's
//! operations. What it gains is in `benches/COSTS.md`.
//!
//! It is done by a pop that has just taken a band's last item, before it returns. That item is held
//! back for so long, so it is done only where it was seen to pay. A fresh band lets its first
//! [`FIRST_CHANCE`] chances go by: a queue that lives for a few items never slips. If fewer than
//! [`ENOUGH`] items came in during a slip, in this band or in bands that were empty, the next
//! chance is let go by, then three, seven, and so on up to 4,095: where items come now and then,
//! one in four thousand waits. As soon as it pays, every chance is taken again.

use super::pause;
use crate::sync::{
    IS_MODEL,
    atomic::{AtomicUsize, Ordering},
};

/// Pauses in a slip. 16 gave less; 64 gave 1.0 to 1.2 times as much, but hold an item back for
/// twice as long.
const PAUSES: usize = 32;

/// Items that must come in during a slip for the next one to be worth while.
const ENOUGH: usize = 2;

/// At most `2^MOST_MISSES - 1` chances are let go by.
const MOST_MISSES: usize = 12;

/// Chances that a fresh band lets go by before it tries.
const FIRST_CHANCE: usize = 15;

/// Whether slipping pays at this band: the chances to let go by, and above them the slips in a row
/// that did not pay. A hint; consumers that overwrite each other's do no harm.
#[derive(Debug)]
pub(crate) struct Slip(AtomicUsize);

/// The bits of the chances to let go by.
const TO_SKIP: usize = (1 << MOST_MISSES) - 1;

impl Default for Slip {
    fn default() -> Self {
        Self(AtomicUsize::new(FIRST_CHANCE))
    }
}

impl Slip {
    /// A chance to slip: whether to take it.
    #[inline(always)]
    pub(crate) fn is_due(&self) -> bool {
        if IS_MODEL {
            return false;
        }
        let state = self.0.load(Ordering::Relaxed);
        if state & TO_SKIP == 0 {
            return true;
        }
        self.0.store(state - 1, Ordering::Relaxed);
        false
    }

    /// Steps back.
    pub(crate) fn wait() {
        pause(PAUSES);
    }

    /// Learns from a slip in which `gathered` items came in.
    pub(crate) fn learn(&self, gathered: usize) {
        let misses = if gathered >= ENOUGH {
            0
        } else {
            let misses = self.0.load(Ordering::Relaxed) >> MOST_MISSES;
            (misses + 1).min(MOST_MISSES)
        };
        let to_skip = (1 << misses) - 1;
        self.0
            .store((misses << MOST_MISSES) | to_skip, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many chances go by before the next one is taken.
    fn skipped(slip: &Slip) -> usize {
        (0..).find(|_| slip.is_due()).unwrap()
    }

    #[test]
    fn a_fresh_band_does_not_slip_at_once() {
        assert_eq!(skipped(&Slip::default()), FIRST_CHANCE);
    }

    #[test]
    fn every_chance_is_taken_while_it_pays() {
        let slip = Slip::default();
        for _ in 0..3 {
            slip.learn(ENOUGH);
            assert_eq!(skipped(&slip), 0);
        }
    }

    #[test]
    fn chances_go_by_while_it_does_not_pay() {
        let slip = Slip::default();
        for expected in [1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 4095] {
            slip.learn(ENOUGH - 1);
            assert_eq!(skipped(&slip), expected);
        }
        slip.learn(ENOUGH);
        assert_eq!(skipped(&slip), 0);
    }
}
