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
        // No sum is too large: times that are known are below 2⁶², and 63 steps are as well.
        let mut wait = step.wrapping_mul(run.start as u64);
        for (band, sent) in run.clone().zip(sent(run)) {
            let due = sent.wrapping_add(wait);
            if due < first.0 {
                first = (due, band);
            }
            wait = wait.wrapping_add(step);
        }
    }
    first.1
}
