//! What the loser of a claim does: it lets the winner go on for a while.
//!
//! A thread that has just claimed a slot claims the next one within some 10 ns, so long as the
//! end's cache line stays with its core. A loser that tries again at once takes the line away; then
//! each claim waits for the line to come back, and all of them together get less done than one
//! alone. So the loser waits until nobody has claimed anything during one of its waits, or the
//! longest is over; then it takes what it finds, and most likely wins.
//!
//! A mutex does the same, without the bound: whoever is late sleeps until the holder is gone.
//! Exponential backoff against contention is from Anderson ("The Performance of Spin Lock
//! Alternatives", IEEE TPDS 1990); what it gains here is in `benches/COSTS.md`.

use super::pause;
use crate::sync::{
    IS_MODEL,
    atomic::{AtomicU64, Ordering},
    load_to_update,
};

/// Pauses between two looks.
const PAUSES: [usize; 5] = [16, 32, 64, 128, 256];

/// After a claim by compare-exchange was lost because the word had become `seen`: waits, and loads
/// the word to be tried next.
#[cold]
#[inline(never)]
pub(crate) fn after_a_lost_claim(word: &AtomicU64, seen: u64) -> u64 {
    if !IS_MODEL {
        wait_for_quiet(word, seen);
    }
    // Acquire: as the load before the first attempt.
    load_to_update(word, Ordering::Acquire)
}

fn wait_for_quiet(word: &AtomicU64, mut seen: u64) {
    for pauses in PAUSES {
        pause(pauses);
        let now = word.load(Ordering::Relaxed); // only to see whether anybody claims
        if now == seen {
            return;
        }
        seen = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicBool, Ordering::Relaxed},
        thread,
    };

    #[test]
    fn a_loser_takes_what_is_there_when_nobody_claims() {
        let word = AtomicU64::new(7);
        assert_eq!(after_a_lost_claim(&word, 7), 7);
        assert_eq!(after_a_lost_claim(&word, 5), 7);
    }

    #[test]
    fn a_loser_does_not_wait_for_ever_for_the_winner_to_stop() {
        let (word, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    word.fetch_add(1, Relaxed);
                }
            });
            for _ in 0..1_000 {
                let before = word.load(Relaxed);
                assert!(after_a_lost_claim(&word, before) >= before);
            }
            is_over.store(true, Relaxed);
        });
    }
}
