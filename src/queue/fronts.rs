//! When the item at each band's head was sent, known without a claim.
//!
//! One word a band, which **only grows**:
//!
//! ```text
//!  63                       1     0
//! ┌───────────────────────────┬───────┐
//! │ stamp: nanoseconds        │ EMPTY │
//! └───────────────────────────┴───────┘
//! ```
//!
//! * `(s, 0)`: the head is an item that was sent at `s`.
//! * `(s, EMPTY)`: what was sent up to `s` is gone, and nothing was seen behind it.
//!
//! ```text
//! producer                              consumer
//! P1 publish             (RMW lane)     F1 claim, take item i
//! P2 read the word                      F2 the slot behind has item j, sent later than i?
//! P3 EMPTY, and s is below our stamp?      not EMPTY? raise the word to (stamp of j, 0): done
//!    change it to (stamp, 0)            F3 settle
//!    EMPTY, and s is not? settle
//!
//! settle: again and again until the word and a look agree
//! S1 read the word
//! S2 look for the first published item
//! S3 there is one? change the word from what was read to (its stamp, 0)
//!    none?         change it to (stamp of i, EMPTY)
//! ```
//!
//! The look of F2 is at a slot that the taker's own slot keeps alive, and is nearly always enough.
//!
//! *Nothing is hidden.* A band would be hidden, its word EMPTY beside an item whose send has
//! returned, if P2 read a word from before S3 and the next S2, the look after it, missed P1. All
//! four are `SeqCst`; P1 < P2 < S3 < S2 < P1 would be a circle.
//!
//! *What is gone is not shown.* A word that is EMPTY becomes another only if it has not changed
//! since a look that came after it was read (S3), or if our own stamp is above it (P3). Who takes
//! an item leaves the word at its stamp or above, and who finds nothing behind changes it, always.
//! So in S3, who took the item that was seen has changed the word before, and then the exchange
//! fails, or does so afterwards. And in P3, if somebody has taken our item, he has not come to the
//! word yet, and will.
//!
//! Two sends that overlap may have their stamps the other way round than their places, and may
//! publish the other way round. A word that only grows gives the later place the greater of both
//! stamps, as if its clock had been read a moment later, which is still within its send. The one at
//! the earlier place may count with the stamp of the other, if that was published first.

use crate::sync::{
    atomic::{AtomicU64, Ordering},
    model_fence,
};
use core::ops::Range;
use std::sync::Arc; // of a slice

const EMPTY: u64 = 1;

/// The words of all bands; a clone is the same.
#[derive(Clone)]
pub(crate) struct Fronts(Arc<[AtomicU64]>);

impl Fronts {
    pub(super) fn new(bands: usize) -> Self {
        Self((0..bands).map(|_| AtomicU64::new(EMPTY)).collect())
    }

    /// When the item at the head was sent; `None` if none is known.
    #[inline(always)]
    pub(crate) fn sent(&self, band: usize) -> Option<u64> {
        let word = self.0[band].load(Ordering::Relaxed); // a hint
        (word & EMPTY == 0).then_some(word >> 1)
    }

    /// The same for the bands of a range, as
    /// [`first_due`](crate::policy::ageing::first_due) has it.
    #[inline(always)]
    pub(super) fn all_sent(&self, bands: Range<usize>) -> impl Iterator<Item = u64> {
        // Relaxed: as above. EMPTY comes to the top, and makes it `UNKNOWN` or more.
        let words = self.0[bands].iter();
        words.map(|word| word.load(Ordering::Relaxed).rotate_right(1))
    }

    /// P2, P3: an item was published. `look` says when the first published one was sent.
    #[inline]
    pub(super) fn came(&self, band: usize, stamp: u64, look: impl Fn() -> Option<u64>) {
        model_fence();
        // SeqCst: P2; pairs with S3.
        let mut word = self.0[band].load(Ordering::SeqCst);
        while word & EMPTY != 0 {
            let ours = stamp << 1;
            if ours < word {
                return self.settle(band, None, look); // ours may be gone
            }
            // Release: pairs with S1, so that the look sees the item. Relaxed on failure: the word
            // is all that counts.
            match self.0[band].compare_exchange(word, ours, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// F2, F3: an item that was sent at `stamp` was taken, and `next` is when the one was sent that
    /// was seen behind it, if one was.
    #[inline(always)]
    pub(super) fn took(
        &self,
        band: usize,
        stamp: u64,
        next: Option<u64>,
        look: impl Fn() -> Option<u64>,
    ) {
        if let Some(next) = next.filter(|next| *next > stamp) {
            let mut word = self.0[band].load(Ordering::Relaxed); // the exchange sees to it
            while word & EMPTY == 0 {
                if word >= next << 1 {
                    return;
                }
                // As in `came`.
                match self.0[band].compare_exchange(
                    word,
                    next << 1,
                    Ordering::Release,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => return,
                    Err(now) => word = now,
                }
            }
        }
        self.settle(band, Some(stamp), look);
    }

    /// A pop found nothing.
    pub(super) fn found_nothing(&self, band: usize, look: impl Fn() -> Option<u64>) {
        self.settle(band, None, look);
    }

    /// S1 to S3. An item that was sent at `taken` was taken.
    #[cold]
    fn settle(&self, band: usize, mut taken: Option<u64>, look: impl Fn() -> Option<u64>) {
        loop {
            // SeqCst: S1, so that the look of S2 comes after the S3 before it.
            let word = self.0[band].load(Ordering::SeqCst);
            model_fence();
            let next = look();
            if taken.is_none() && next.is_none() && word & EMPTY != 0 {
                return;
            }
            let least = word + (word & EMPTY); // no longer EMPTY, or as it is
            let shown = least.max(taken.unwrap_or(0) << 1);
            let new = match next {
                Some(next) => shown.max(next << 1),
                None => shown | EMPTY,
            };
            // SeqCst: S3; pairs with P2, and as a release with S1.
            let changed =
                self.0[band].compare_exchange(word, new, Ordering::SeqCst, Ordering::Relaxed);
            if changed.is_ok() {
                if next.is_some() {
                    return;
                }
                taken = None; // noted; and now the look after it
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_was_taken_before_its_send_came_to_the_word_is_not_shown() {
        let fronts = Fronts::new(1);
        fronts.took(0, 10, None, || None);
        fronts.came(0, 10, || None);
        assert_eq!(fronts.sent(0), None);
        fronts.came(0, 1000, || Some(1000));
        assert_eq!(fronts.sent(0), Some(1000));
    }

    #[test]
    fn an_item_that_is_there_is_shown_also_behind_a_later_stamp() {
        let fronts = Fronts::new(1);
        fronts.took(0, 10, None, || None);
        fronts.came(0, 9, || Some(9));
        assert_eq!(fronts.sent(0), Some(11), "a tick after what is gone");
        fronts.took(0, 9, None, || None);
        assert_eq!(fronts.sent(0), None);
    }

    #[test]
    fn what_was_seen_behind_needs_no_look() {
        let fronts = Fronts::new(1);
        fronts.came(0, 1, || unreachable!());
        fronts.took(0, 1, Some(2), || unreachable!());
        assert_eq!(fronts.sent(0), Some(2));
    }

    #[test]
    fn who_takes_an_item_leaves_the_word_at_its_stamp_or_above() {
        let fronts = Fronts::new(1);
        fronts.came(0, 3, || unreachable!());
        fronts.took(0, 10, Some(5), || Some(5));
        assert_eq!(fronts.sent(0), Some(10));
    }

    #[test]
    fn a_band_in_which_nothing_was_found_is_not_shown_whoever_took_it_is_still_on_the_way() {
        let fronts = Fronts::new(1);
        fronts.came(0, 3, || unreachable!());
        fronts.found_nothing(0, || None);
        assert_eq!(fronts.sent(0), None);
    }
}
