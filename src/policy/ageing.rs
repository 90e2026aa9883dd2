//! Ageing: an item of band *b* is due *b* steps after it was sent, and the first that is due is
//! next.
//!
//! "One band more urgent for each step that it has waited" says the same: of two items, the one
//! with the lesser `band × step − age` is next, and `age` is now − sent, so now does not matter.
//! Hence a decision needs no clock, and an item that waits need not be moved from band to band.

use super::each;

/// When an item is due, in nanoseconds of the channel's clock; never earlier than it was sent.
#[inline(always)]
pub(crate) fn due(sent: u64, band: usize, step: u64) -> u64 {
    sent.saturating_add(step.saturating_mul(band as u64))
}

/// The band in `busy`, which is not empty, whose head is due first; the most urgent of several.
#[inline(always)]
pub(crate) fn first_due(busy: u64, step: u64, sent: impl Fn(usize) -> u64) -> usize {
    let mut first = (u64::MAX, busy.trailing_zeros() as usize);
    for band in each(busy) {
        let due = due(sent(band), band, step);
        if due < first.0 {
            first = (due, band);
        }
    }
    first.1
}
