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
//! Everything that is written is true of *some* item that was at the head, and later items have
//! greater words, so the greatest is the latest: whatever order the writers come in, the word is
//! what the one who took the last item left.
//!
//! ```text
//! consumer                                   producer
//! F1 before = word                           P1 publish                        (RMW lane)
//! F2 claim, take item i                      P2 read the word
//! F3 look for the next published item j:     P3 EMPTY? raise it to (stamp, 0)
//!    there is one? raise the word to
//!    (stamp of j, 0), and that is all
//! F4 raise the word to (stamp of i, EMPTY)
//! F5 look again: something published?
//!    raise it to its stamp
//! ```
//!
//! The look of F3 is nearly always one at the slot behind, which the taker's own slot keeps alive.
//!
//! A band would be hidden, its word EMPTY beside an item whose send has returned, if P2 read a word
//! from before F4's and F5 missed P1. All four are `SeqCst`; P1 < P2 < F4 < F5 < P1 would be a
//! circle.
//!
//! Two sends that overlap may have their stamps the other way round than their places. A word that
//! only grows then gives the later place the greater of both stamps, as if its clock had been read
//! a moment later, which is still within its send. `before` in F1 does the same for the EMPTY word:
//! it must not be below what is there.

use crate::sync::{
    atomic::{AtomicU64, Ordering},
    model_fence,
};
use core::ops::Range;

const EMPTY: u64 = 1;

/// The words of all bands.
pub(crate) struct Fronts(Box<[AtomicU64]>);

/// What a band's word was before a claim (F1).
#[derive(Clone, Copy)]
pub(super) struct Before(u64);

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

    /// The same for the bands of a range, for [`first_due`](crate::policy::ageing::first_due).
    #[inline(always)]
    pub(super) fn all_sent(&self, bands: Range<usize>) -> impl Iterator<Item = u64> {
        // Relaxed: as above. EMPTY comes to the top, and makes it `UNKNOWN` or more.
        let words = self.0[bands].iter();
        words.map(|word| word.load(Ordering::Relaxed).rotate_right(1))
    }

    /// F1.
    #[inline(always)]
    pub(super) fn before(&self, band: usize) -> Before {
        Before(self.0[band].load(Ordering::Relaxed))
    }

    /// P2, P3: an item was published.
    #[inline]
    pub(super) fn came(&self, band: usize, stamp: u64) {
        model_fence();
        // SeqCst: P2; pairs with F4.
        let mut word = self.0[band].load(Ordering::SeqCst);
        while word & EMPTY != 0 {
            let raised = (stamp << 1).max(word + 1);
            // Relaxed: the stamp is the word itself.
            match self.0[band].compare_exchange(word, raised, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// F3, with an item seen behind the one that was taken.
    #[inline(always)]
    pub(super) fn is_next(&self, band: usize, stamp: u64) {
        self.raise(band, stamp << 1);
    }

    /// The rest of F3, F4, F5: an item that was sent at `stamp` was taken, or nothing was found,
    /// and the slot behind did not show an item. `look` looks for the first published one, and says
    /// when it was sent.
    pub(super) fn none_behind(
        &self,
        band: usize,
        before: Before,
        stamp: u64,
        look: impl Fn() -> Option<u64>,
    ) {
        if let Some(next) = look() {
            return self.is_next(band, next);
        }
        let empty = (stamp << 1).max(before.0) | EMPTY;
        self.raise(band, empty);
        model_fence();
        if let Some(next) = look() {
            self.raise(band, (next << 1).max(empty + 1));
        }
    }

    #[inline(always)]
    fn raise(&self, band: usize, word: u64) {
        // SeqCst: F4; pairs with P2.
        self.0[band].fetch_max(word, Ordering::SeqCst);
    }
}
