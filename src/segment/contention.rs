//! What the loser of a claim does: it lets the winner go on for a while.
//!
//! A thread that has just claimed a slot claims the next one within some 10 ns, so long as the end's cache line
//! stays with its core. A loser that tries again at once takes the line away; then each claim waits for the line
//! to come back, and all of them together get less done than one alone. So the loser waits until nobody has claimed
//! anything during a pause, or the longest pause is over. In all that is at most 496 pause instructions, about
//! 14 µs; then it takes what it finds, and most likely wins.
//!
//! A mutex does the same, without the bound: whoever is late sleeps until the holder is gone.
//! Exponential backoff against contention is from Anderson ("The Performance of Spin Lock Alternatives", IEEE TPDS
//! 1990); what it gains here is in `benches/COSTS.md`.

use super::index::Index;
use crate::sync::{
    MAY_PAUSE,
    atomic::{AtomicU64, Ordering},
    load_to_update, spin_loop,
};

/// Pause instructions between two looks.
const PAUSES: [usize; 5] = [16, 32, 64, 128, 256];

/// After a claim at this end was lost because the index had become `seen`: waits, and loads the index to be
/// tried next.
#[cold]
#[inline(never)]
pub(super) fn after_a_lost_claim(index: &AtomicU64, seen: u64) -> Index {
    if MAY_PAUSE {
        wait_for_quiet(index, seen);
    }
    // Acquire: as the load before the first attempt.
    Index::from_word(load_to_update(index, Ordering::Acquire))
}

fn wait_for_quiet(index: &AtomicU64, mut seen: u64) {
    for pauses in PAUSES {
        for _ in 0..pauses {
            spin_loop();
        }
        let now = index.load(Ordering::Relaxed); // only to see whether anybody claims
        if now == seen {
            return;
        }
        seen = now;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicBool, Ordering::Relaxed},
        thread,
    };

    #[test]
    fn a_loser_takes_what_is_there_when_nobody_claims() {
        let index = AtomicU64::new(7);
        assert_eq!(after_a_lost_claim(&index, 7).word(), 7);
        assert_eq!(after_a_lost_claim(&index, 5).word(), 7);
    }

    #[test]
    fn a_loser_does_not_wait_for_ever_for_the_winner_to_stop() {
        let (index, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    index.fetch_add(1, Relaxed);
                }
            });
            for _ in 0..1_000 {
                let before = index.load(Relaxed);
                assert!(after_a_lost_claim(&index, before).word() >= before);
            }
            is_over.store(true, Relaxed);
        });
    }
}
