//! Sweeping: how emptied segments are found, and when they may be used again.
//!
//! Behind the head, from `oldest` on, lie segments that were emptied. Whoever moves the head on
//! *sweeps*: takes the chain by swapping `oldest` with null, takes segments off its front while
//! they are finished with, and puts the rest back. Not finished with is a segment in which a
//! claimed slot's owner is still busy. That owner, when done, sees that the head has left its
//! segment and sweeps in its turn. So a thread that is stopped inside an operation holds its own
//! segment and those behind it, and nothing else. Two threads that just miss each other here (one
//! sweeps and sees the slot unfinished; the other finishes and sees the chain taken) leave that
//! segment, and those behind it, to the next sweep.
//!
//! What about visitors? They are counted:
//!
//! ```text
//! visitor                               sweeper
//! V1 visitors += 1          (acquire)   S1 read head.index: it has left #k   (acquire)
//! V2 read an end's pointer              S2 visitors == 0?                    (acquire)
//! V3 visitors -= 1          (release)
//! ```
//!
//! Whoever moved the head off *k* (H2) was a visitor, too: V1 before H2, V3 after it. S1 sees H2,
//! so the value that S2 reads is not older than that mover's V1; and since it is 0, not older than
//! its V3. Of the other visitors, those whose V1 is older than that value have done their V3 as
//! well, which S2 acquires. Those whose V1 is newer acquire the mover's V3 by it (in between are
//! read-modify-writes only), and find that the ends have left *k*. So if S2 reads 0, nobody has a
//! pointer to *k* and nobody will get one, and *k* goes to the queue's pool at once. That is nearly
//! always so.
//!
//! With a visitor, *k* is retired through `crossbeam-epoch`: visitors are pinned as well, and *k*
//! goes to the pool once all pins of that moment are gone. Epochs alone would do, but handing over
//! one segment at a time to it costs about as much as a hundred pushes; the count alone would do
//! too, but visitors that overlap for ever could hold memory for ever.

use super::{Fifo, Stock, index::Index, segment::Segment};
use crate::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    reclaim::Guard,
};
use core::ptr;

impl<T, C> Fifo<T, C> {
    /// After a consumer's last access to its slot at `place`: if the head has left that segment,
    /// nobody else may come by to sweep it.
    #[inline(always)]
    pub(super) fn sweep_if_left(&self, place: Index, stock: &Stock<T>) {
        let shape = Segment::<T>::SHAPE;
        // Relaxed: a missed move leaves the segment to the next sweep.
        let head = Index::from_word(self.head.end.index.load(Ordering::Relaxed));
        if !head.same_segment(place, shape) {
            self.sweep(stock);
        }
    }

    /// Begins to look into segments without owning a slot there.
    pub(super) fn visit<'a>(&'a self, stock: &'a Stock<T>) -> Visit<'a> {
        let guard = stock.domain.pin();
        // Acquire: pairs with V3 of whoever moved the head.
        self.head.visitors.fetch_add(1, Ordering::Acquire); // V1
        Visit {
            _guard: guard,
            visitors: &self.head.visitors,
        }
    }

    /// Takes the segments at the front of the list that the head has left and that are finished
    /// with out of it, for reuse.
    #[cold]
    pub(super) fn sweep(&self, stock: &Stock<T>) {
        let shape = Segment::<T>::SHAPE;
        loop {
            // Acquire and, below, release: the chain passes from sweeper to sweeper.
            let front = self.head.oldest.swap(ptr::null_mut(), Ordering::Acquire);
            let Some(mut segment) = Segment::from_ptr(front) else {
                return;
            };
            // Acquire: pairs with H2, hence with T3 and H1: no end points to a segment before this.
            let head = Index::from_word(self.head.end.index.load(Ordering::Acquire)); // S1
            // Acquire: pairs with V3.
            let alone = self.head.visitors.load(Ordering::Acquire) == 0; // S2
            let guard = (!alone).then(|| stock.domain.pin());
            // SAFETY: the chain is ours until it is put back, and only its owner retires from it;
            // the head's own segment, where the walk ends, is alive.
            unsafe {
                while segment.number() != head.number(shape) && segment.is_finished() {
                    // Relaxed: T1 comes before H2, which was acquired.
                    let next = segment.next().load(Ordering::Relaxed);
                    match &guard {
                        // SAFETY: finished with, and nobody visits that could have got it.
                        None => stock.pool.put(segment),
                        Some(guard) => {
                            let pool = Arc::clone(&stock.pool);
                            // SAFETY: finished with, and unreachable but for visitors, who are
                            // pinned; the closure keeps the pool alive.
                            guard.retire(move || pool.put(segment));
                        }
                    }
                    segment = Segment::from_ptr_unchecked(next);
                }
            }
            // A swap where a store would do: loom 0.7 orders a store between the two halves of
            // another sweeper's swap, and would report chains that come back twice. Once a segment,
            // it costs nothing.
            self.head.oldest.swap(segment.as_ptr(), Ordering::Release);
            // If the head moved on meanwhile, its mover may have found the chain taken. Relaxed: as
            // in `sweep_if_left`.
            let now = Index::from_word(self.head.end.index.load(Ordering::Relaxed));
            if now.same_segment(head, shape) {
                return stock.domain.catch_up();
            }
        }
    }
}

/// While it lives, no segment that its thread can have got from an end is used again.
pub(super) struct Visit<'a> {
    _guard: Guard<'a>,
    visitors: &'a AtomicUsize,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        // Release: pairs with S2, so that what was looked at may be used again, and with V1.
        self.visitors.fetch_sub(1, Ordering::Release); // V3
    }
}
