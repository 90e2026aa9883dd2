//! Slipping: a consumer on the heels of its producer steps back for a moment.
//!
//! While a band hovers near empty, with its producer on another core, each item moves three cache
//! lines there and back (the tail, the lane, the value), at about 40 ns a line. A consumer that lets
//! a few items gather pays that once for all of them, and the producer runs at its own speed
//! meanwhile. FastForward (Giacomoni, Moseley and Vachharajani, PPoPP 2008) calls it temporal
//! slipping; a mutex has the same effect when it makes one side wait for a whole run of the other's
//! operations. 1P1C to 4P4C over 8 bands move 1.1 to 1.8 times as many items
//! (`benches/COSTS.md`).
//!
//! The item at hand is held back for that: by [`PAUSES`] pause instructions, about a microsecond (0.8 to
//! 0.9 on the machine at hand). So it is done only where it pays. If fewer than [`ENOUGH`] items came in meanwhile, the next
//! chance is let go by, then three, seven, and so on up to 1,023: in a band where items come now and
//! then, one in a thousand waits. As soon as it pays, every chance is taken again.

use crate::sync::{
    atomic::{AtomicUsize, Ordering},
    spin_loop,
};

/// Pause instructions in a slip. 16 gave less, 64 no more.
const PAUSES: usize = 32;

/// Items that must come in during a slip for the next one to be worth while.
const ENOUGH: usize = 2;

/// At most `2^MOST_MISSES - 1` chances are let go by.
const MOST_MISSES: usize = 10;

/// Whether slipping pays at this band: the chances to let go by, and above them the slips in a row
/// that did not pay. A hint; consumers that overwrite each other's do no harm.
#[derive(Debug, Default)]
pub(super) struct Slip(AtomicUsize);

/// The bits of the chances to let go by.
const TO_SKIP: usize = (1 << MOST_MISSES) - 1;

impl Slip {
    /// A chance to slip: whether to take it.
    pub(super) fn is_due(&self) -> bool {
        let state = self.0.load(Ordering::Relaxed);
        if state & TO_SKIP == 0 {
            return true;
        }
        self.0.store(state - 1, Ordering::Relaxed);
        false
    }

    /// Steps back.
    pub(super) fn pause() {
        for _ in 0..PAUSES {
            spin_loop();
        }
    }

    /// Learns from a slip in which `gathered` items came in.
    pub(super) fn learn(&self, gathered: usize) {
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// How many chances go by before the next one is taken.
    fn skipped(slip: &Slip) -> usize {
        (0..).find(|_| slip.is_due()).unwrap()
    }

    #[test]
    fn every_chance_is_taken_while_it_pays() {
        let slip = Slip::default();
        for _ in 0..3 {
            assert_eq!(skipped(&slip), 0);
            slip.learn(ENOUGH);
        }
    }

    #[test]
    fn chances_go_by_while_it_does_not_pay() {
        let slip = Slip::default();
        for expected in [1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023, 1023] {
            slip.learn(ENOUGH - 1);
            assert_eq!(skipped(&slip), expected);
        }
        slip.learn(ENOUGH);
        assert_eq!(skipped(&slip), 0);
    }
}
