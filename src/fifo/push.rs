//! The producers' end: claim, write, publish.

use super::{
    Fifo, Stock,
    index::Index,
    segment::{LANES, Segment},
};
use crate::{
    parcel::Parcel,
    spin::after_a_lost_claim,
    sync::{atomic::Ordering, load_to_update},
};

/// Slots claimed by one producer: a run within one word of lanes.
pub(super) struct Claim<T> {
    pub(super) segment: Segment<T>,
    pub(super) offset: usize,
    pub(super) count: usize,
}

impl<T, C> Fifo<T, C> {
    /// Appends the item in the parcel; leaves it, and says `false`, if the FIFO is closed.
    /// Lock-free.
    #[inline]
    pub(crate) fn push(&self, parcel: &mut Parcel<T>, stock: &Stock<T>) -> bool {
        loop {
            let Some(claim) = self.claim_tail(1, stock) else {
                return false;
            };
            // SAFETY: the slot is claimed; if it counts, the parcel is never used again.
            unsafe {
                claim.segment.write(claim.offset, parcel.as_ptr());
                if claim.segment.publish(claim.offset, 1) == 1 {
                    parcel.set_taken();
                    return true;
                }
            }
        }
    }

    /// Appends `count` items that lie at `items`, in order, and returns how many were: all, unless
    /// the FIFO is closed. Those are moved out; the rest stays the caller's. Lock-free.
    ///
    /// # Safety
    ///
    /// `items` points to `count` initialised items, of which the caller does not use the first
    /// returned number again.
    pub(crate) unsafe fn push_run(&self, items: *const T, count: usize, stock: &Stock<T>) -> usize {
        let mut pushed = 0;
        while pushed < count {
            let Some(claim) = self.claim_tail(count - pushed, stock) else {
                break;
            };
            // SAFETY: the slots are claimed; what counts is not read from `items` again.
            unsafe {
                claim
                    .segment
                    .write_run(claim.offset, items.add(pushed), claim.count);
                pushed += claim.segment.publish(claim.offset, claim.count);
            }
        }
        pushed
    }

    /// Claims up to `count` slots at the tail, all in one word of lanes; `None` if it is closed.
    #[inline(always)]
    pub(super) fn claim_tail(&self, count: usize, stock: &Stock<T>) -> Option<Claim<T>> {
        let shape = Segment::<T>::SHAPE;
        // Acquire: pairs with T3, so that the segment read next is not older
        // than the index.
        let mut tail = Index::from_word(load_to_update(&self.tail.index, Ordering::Acquire));
        loop {
            if tail.is_closed() {
                return None;
            }
            if tail.is_parked(shape) {
                tail = self.advance_tail(tail, stock);
                continue;
            }
            // Relaxed: as at the head; its content came with the index.
            let segment = self.tail.segment.load(Ordering::Relaxed);
            let offset = tail.offset(shape);
            let room = (Segment::<T>::SLOTS - offset).min(LANES - offset % LANES);
            let count = count.min(room);
            // Strong: as at the head. SeqCst: P1 in the argument of `queue::bitmap`. Relaxed on
            // failure: a hint.
            match self.tail.index.compare_exchange(
                tail.word(),
                tail.advanced(count).word(),
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    // SAFETY: a claimable index has a segment, so it is not null.
                    let segment = unsafe { Segment::from_ptr_unchecked(segment) };
                    return Some(Claim {
                        segment,
                        offset,
                        count,
                    });
                }
                Err(now) => {
                    tail = Index::from_word(after_a_lost_claim(&self.tail.index, now));
                }
            }
        }
    }
}
