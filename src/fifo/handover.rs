//! Hand-over: how an end that is parked behind its segment's last slot gets to the next segment,
//! with everybody's help.
//!
//! ```text
//! tail (T1) install next in #k     (CAS from null; loser gives its segment back)
//!      (T2) tail.segment #k → #k+1 (CAS)
//!      (T3) tail.index parked(#k) → first of #k+1 (CAS)
//! head (only when the tail's index is past parked(#k))
//!      (H1) head.segment #k → #k+1 (CAS)
//!      (H2) head.index parked(#k) → first of #k+1 (CAS)
//! ```
//!
//! Each step is a CAS that succeeds once, and any thread that meets a parked index does whichever
//! are missing: nobody waits for the one who started. A helper *visits*: it looks at `next` and
//! `number` of a segment in which it owns no slot. (At the first hand-over there is no such
//! segment, so nobody visits.) Segment *k* is taken out of the list only after H2, hence after T3
//! and H1: neither end's pointer leads to it any more, and who got it from there before is still
//! visiting. A helper that comes late fails: the pointers and the index have moved, and none of
//! them returns.

use super::{
    Fifo, Stock,
    index::Index,
    segment::{Header, Segment},
};
use crate::sync::atomic::{AtomicPtr, Ordering};
use core::ptr;

impl<T, C> Fifo<T, C> {
    /// Moves a tail parked at the end of its segment to the next one (T1–T3), or sees that somebody
    /// else has. Returns the index as it is then.
    #[cold]
    pub(super) fn advance_tail(&self, parked: Index, stock: &Stock<T>) -> Index {
        let moved = parked.next_segment(Segment::<T>::SHAPE);
        // Relaxed: null is never behind the parked index, and nothing is looked into then.
        if self.tail.segment.load(Ordering::Relaxed).is_null() {
            self.link_next(ptr::null_mut(), &self.head.first, moved, stock);
        } else {
            let _visit = self.visit(stock);
            // Acquire: pairs with T2.
            let segment = self.tail.segment.load(Ordering::Acquire);
            // The caller saw the index parked here, so the pointer is this segment's or a later
            // one's.
            // SAFETY: read from the tail during the visit.
            if let Some(link) = unsafe { Self::link(segment, parked) } {
                self.link_next(segment, link, moved, stock);
            }
        }
        // T3. Release: whoever reads the new index sees the new segment, and `next` installed.
        // Acquire on failure: as the load that begins a claim.
        match self.tail.index.compare_exchange(
            parked.word(),
            moved.word(),
            Ordering::Release,
            Ordering::Acquire,
        ) {
            Ok(_) => moved,
            Err(now) => Index::from_word(now),
        }
    }

    /// T1 and T2: makes sure that there is a segment behind `segment`, and that the tail's pointer
    /// is on it.
    fn link_next(
        &self,
        segment: *mut Header<T>,
        link: &AtomicPtr<Header<T>>,
        moved: Index,
        stock: &Stock<T>,
    ) {
        let mut next = link.load(Ordering::Acquire); // pairs with T1
        if next.is_null() {
            let new = stock.pool.take(moved.number(Segment::<T>::SHAPE));
            // T1. Release: hands the new segment's content over. Acquire on failure: as above.
            match link.compare_exchange(next, new.as_ptr(), Ordering::Release, Ordering::Acquire) {
                Ok(_) => next = new.as_ptr(),
                Err(installed) => {
                    // SAFETY: nobody has seen it.
                    unsafe { stock.pool.put(new) };
                    next = installed;
                }
            }
        }
        // T2. Release: pairs with the load in `advance_tail`. Relaxed on failure: it has moved.
        let _ =
            self.tail
                .segment
                .compare_exchange(segment, next, Ordering::Release, Ordering::Relaxed);
    }

    /// Moves a head parked at the end of its segment to the next one (H1, H2), or sees that
    /// somebody else has. The caller has seen the tail past this place. Returns the index as it is
    /// then.
    #[cold]
    pub(super) fn advance_head(&self, parked: Index, stock: &Stock<T>) -> Index {
        let end = &self.head.end;
        let moved = parked.next_segment(Segment::<T>::SHAPE);
        // Relaxed: as in `advance_tail`.
        let mut began_the_list = false;
        let visit = if end.segment.load(Ordering::Relaxed).is_null() {
            // Relaxed: the caller acquired a tail past this place, hence T1. So it is not null.
            let first = self.head.first.load(Ordering::Relaxed);
            debug_assert!(!first.is_null());
            // H1. Release: pairs with the load below. Relaxed on failure: it has moved.
            let begun = end.segment.compare_exchange(
                ptr::null_mut(),
                first,
                Ordering::Release,
                Ordering::Relaxed,
            );
            began_the_list = begun.is_ok();
            if began_the_list {
                // The list has a front from now on. Relaxed: whoever sweeps has been in that
                // segment or has moved the head there, so it knows it. A swap for the reason given
                // in `sweep`.
                self.head.oldest.swap(first, Ordering::Relaxed);
            }
            None
        } else {
            let visit = self.visit(stock);
            // Acquire: pairs with H1.
            let segment = end.segment.load(Ordering::Acquire);
            // SAFETY: as in `advance_tail`, at the head.
            if let Some(link) = unsafe { Self::link(segment, parked) } {
                // Relaxed: as above.
                let next = link.load(Ordering::Relaxed);
                debug_assert!(!next.is_null());
                // H1. Release: pairs with the load above. Relaxed on failure: it has moved.
                let _ = end.segment.compare_exchange(
                    segment,
                    next,
                    Ordering::Release,
                    Ordering::Relaxed,
                );
            }
            Some(visit)
        };
        // H2. Release: whoever reads the new index sees the new segment. Acquire on failure: as
        // the load that begins a claim.
        match end.index.compare_exchange(
            parked.word(),
            moved.word(),
            Ordering::Release,
            Ordering::Acquire,
        ) {
            Ok(_) => {
                // Nothing is behind the first segment.
                if let Some(visit) = visit {
                    drop(visit);
                    self.sweep(stock);
                }
                moved
            }
            Err(now) => {
                let now = Index::from_word(now);
                // Who moved on meanwhile has found no list to sweep.
                if began_the_list && !now.same_segment(moved, Segment::<T>::SHAPE) {
                    self.sweep(stock);
                }
                now
            }
        }
    }

    /// The link from the segment of a parked index to the next one, or `None` if the pointer has
    /// moved on already.
    ///
    /// # Safety
    ///
    /// `segment` was read during a visit that lasts, from the end at which `parked` was seen
    /// before, and is not null.
    unsafe fn link<'a>(segment: *mut Header<T>, parked: Index) -> Option<&'a AtomicPtr<Header<T>>> {
        // SAFETY: it was in the list when it was read, and the visit is older than that.
        unsafe {
            let segment = Segment::from_ptr_unchecked(segment);
            (segment.number() == parked.number(Segment::<T>::SHAPE)).then(|| segment.next())
        }
    }
}
