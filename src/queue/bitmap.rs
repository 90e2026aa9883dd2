//! The set of bands that are worth looking into: one word, a bit a band.
//!
//! # What a bit means
//!
//! The set is a **hint**. The FIFO of a band is the truth; the set only says where to look first,
//! and `queue` looks into every band itself before it says that there is nothing.
//!
//! | bit | FIFO | how it comes about | what it costs |
//! |---|---|---|---|
//! | 1 | items | the usual case | – |
//! | 0 | empty | the usual case | – |
//! | 1 | empty | the last item was taken and the bit is not yet cleared | one look too many |
//! | 0 | items | a consumer is between [`clear`](BandSet::clear) and its re-check, or a producer between claim and [`insert`](BandSet::insert) | the band is found by the full look only |
//!
//! The last line lasts as long as that one consumer needs for its next few instructions; the band's
//! next push ends it as well, because it finds the bit clear and sets it.
//!
//! # Clearing a bit
//!
//! Producer and consumer each write one word and then read the other's:
//!
//! ```text
//! producer of band b            consumer that left band b empty
//! P1 claim a slot  (RMW tail)   C1 clear bit b        (RMW set)
//! P2 read the set               C2 read b's tail again
//! P3 bit b clear? set it        C3 something was claimed? set bit b
//! ```
//!
//! Item stranded means: P2 read the bit before C1 cleared it, and C2 read the tail before P1
//! claimed. All four are `SeqCst`, so they are in one total order S. P2 read a value older than
//! C1's, so P2 comes before C1 in S; likewise C2 before P1. With the program orders P1 before P2
//! and C1 before C2 that is a circle: P1 < P2 < C1 < C2 < P1. So at least one of P3 and C3 sets the
//! bit.
//!
//! The re-check may also be a read-modify-write of the tail, which needs no `SeqCst` at all, but it
//! takes the producers' cache line away from them at every emptying and costs another locked
//! instruction; the `SeqCst` load is a plain load on x86-64.
//!
//! A bit is cleared by the pop that took a band's last item, or found nothing there. To leave it
//! set would spare the set's cache line two moves for an item that was alone in its band, and cost
//! each later pop a look into an empty band, whose tail is another line that moves: 8 bands at 0.95
//! to 1.05 times the speed, 64 at 0.75 (`benches/COSTS.md`).
//!
//! A producer tests before it sets. An unconditional `fetch_or` would make this one word that every
//! push of every band writes.

use crate::sync::{
    atomic::{AtomicU64, Ordering},
    model_fence,
};

/// The atomic set of bands that are worth looking into.
#[derive(Debug, Default)]
pub(crate) struct BandSet(AtomicU64);

/// A copy of the set, to be walked from the most urgent band on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bands(u64);

impl BandSet {
    /// The set as it is now.
    #[inline]
    pub(crate) fn load(&self) -> Bands {
        // Relaxed: a hint. A push that happened before this load has set the bit, or read it as
        // set, before; coherence then gives us that value or a later one.
        Bands(self.0.load(Ordering::Relaxed))
    }

    /// Producer, after its claim: makes sure that the band's bit is set (P2, P3).
    #[inline]
    pub(crate) fn insert(&self, band: usize) {
        model_fence();
        // SeqCst: P2 of the module's argument; pairs with the clear.
        if self.0.load(Ordering::SeqCst) & bit(band) == 0 {
            self.restore(band);
        }
    }

    /// Consumer, after it left the band empty: clears the bit (C1). The caller must re-check the
    /// band with `SeqCst` and [`restore`](Self::restore) the bit if anything was claimed.
    #[inline]
    pub(crate) fn clear(&self, band: usize) {
        // SeqCst: C1 of the module's argument; pairs with the load in `insert`.
        self.0.fetch_and(!bit(band), Ordering::SeqCst);
        model_fence();
    }

    /// Sets the bit again (C3).
    #[inline]
    pub(crate) fn restore(&self, band: usize) {
        // Relaxed: the bit carries no data, the FIFO's own words do.
        self.0.fetch_or(bit(band), Ordering::Relaxed);
    }
}

impl Bands {
    /// Whether the band is in this copy.
    #[inline]
    pub(crate) fn contains(self, band: usize) -> bool {
        self.0 & bit(band) != 0
    }

    /// Those of this copy that are in `mask`, a bit a band.
    #[inline]
    pub(crate) fn within(self, mask: u64) -> u64 {
        self.0 & mask
    }

    /// How many bands are in this copy and not in the other.
    #[inline]
    pub(crate) fn not_in(self, other: Self) -> usize {
        (self.0 & !other.0).count_ones() as usize
    }
}

/// The bands of this copy, the most urgent first.
impl Iterator for Bands {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let band = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(band)
    }
}

#[inline(always)]
const fn bit(band: usize) -> u64 {
    1 << band
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_from_the_most_urgent_band() {
        let set = BandSet::default();
        for band in [63, 0, 7] {
            set.insert(band);
        }
        let mut bands = set.load();
        assert_eq!(
            [bands.next(), bands.next(), bands.next(), bands.next()],
            [Some(0), Some(7), Some(63), None]
        );
    }

    #[test]
    fn clear_takes_out_one_band_only() {
        let set = BandSet::default();
        set.insert(3);
        set.insert(4);
        set.clear(3);
        let mut bands = set.load();
        assert_eq!([bands.next(), bands.next()], [Some(4), None]);
        set.restore(3);
        assert_eq!(set.load().next(), Some(3));
    }

    #[test]
    fn a_copy_says_what_is_in_it_and_how_much_is_not_in_another() {
        let set = BandSet::default();
        set.insert(3);
        let before = set.load();
        assert!(before.contains(3) && !before.contains(4));
        set.insert(4);
        set.insert(63);
        let now = set.load();
        assert_eq!((now.not_in(before), before.not_in(now)), (2, 0));
    }
}
