//! Ageing: an item of band *b* is due *b* steps after it was sent, and the first that is due is
//! next.
//!
//! "One band more urgent for each step that it has waited" says the same: of two items, the one
//! with the lesser `band × step − age` is next, and `age` is now − sent, so now does not matter.
//! Hence a decision needs no clock, and an item that waits need not be moved from band to band.

use super::runs;
use core::ops::Range;

/// When an item was sent of which that is not known: later than all others.
pub(crate) const UNKNOWN: u64 = 1 << 63;

/// A longer step is the same: the clock does not come so far.
pub(crate) const LONGEST_STEP: u64 = 1 << 56;

/// The band in `busy`, which is not empty, whose head is due first; the most urgent of several.
/// `sent` gives when the heads of a range were sent, in nanoseconds, or [`UNKNOWN`] and more.
#[inline(always)]
pub(crate) fn first_due<I: Iterator<Item = u64>>(
    busy: u64,
    step: u64,
    sent: impl Fn(Range<usize>) -> I,
) -> usize {
    let mut first = (u64::MAX, busy.trailing_zeros() as usize);
    for run in runs(busy) {
        let mut band = run.start;
        // No sum is too large: times that are known are below 2⁶², and 63 steps are as well.
        let mut wait = step.wrapping_mul(band as u64);
        #[allow(
            clippy::explicit_counter_loop,
            reason = "a range zipped with it compiles to a loop with two ends"
        )]
        for sent in sent(run) {
            let due = sent.wrapping_add(wait);
            if due < first.0 {
                first = (due, band);
            }
            band += 1;
            wait = wait.wrapping_add(step);
        }
    }
    first.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first of two bands, with a step of 5.
    fn first_of(sent: [u64; 2]) -> usize {
        first_due(0b11, 5, |bands| sent[bands].iter().copied())
    }

    #[test]
    fn the_first_that_is_due_is_next_and_the_more_urgent_one_of_two_that_are_due_at_once() {
        assert_eq!(first_of([11, 5]), 1);
        assert_eq!(first_of([10, 5]), 0);
    }

    #[test]
    fn one_of_which_it_is_not_known_when_it_was_sent_comes_last() {
        assert_eq!(first_of([UNKNOWN, 5]), 1);
    }
}
