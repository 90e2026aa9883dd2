//! The consumers' end: claim, take, finish.

use super::{
    Fifo, Place, Stock,
    index::Index,
    segment::{LANES, Segment},
};
use crate::{
    parcel::Parcel,
    spin::after_a_lost_claim,
    sync::{atomic::Ordering, load_to_update},
};

/// What a pop does about slots that are claimed and not published, and have nothing behind them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpublished {
    /// Leaves them to their producers, but for the one it may have claimed before it could know.
    Leave,
    /// Poisons them. When the FIFO is closed their pushes then fail, and empty is for ever.
    Poison,
}

/// An item was taken.
pub(crate) struct Popped<R = ()> {
    /// Whether the FIFO looked empty behind it.
    pub(crate) was_last: bool,
    /// What was seen of the item behind it; the default if none was there, in the same segment.
    pub(crate) behind: R,
}

/// A look at the item behind the one that is taken, made while the taker's own slot keeps the
/// segment alive. The item may be somebody else's already.
pub(crate) trait See<T> {
    type Seen: Default;
    /// Whether it looks at all; if not, it costs nothing.
    const SEES: bool;
    /// # Safety
    ///
    /// An item was written to `item`. It may have been moved out since, and is only to be read, and
    /// only where it does not change after it was written.
    unsafe fn see(&self, item: *const T) -> Self::Seen;
}

/// Looks at nothing.
pub(crate) struct Blind;

impl<T> See<T> for Blind {
    type Seen = ();
    const SEES: bool = false;
    unsafe fn see(&self, _: *const T) {}
}

/// Slots claimed by one consumer: a run within one segment.
struct Claim<T> {
    segment: Segment<T>,
    /// Where the run begins.
    head: Index,
    /// The tail below which it was claimed.
    tail: Index,
    count: usize,
}

impl<T> Claim<T> {
    /// Whether the FIFO looks empty behind the one slot.
    #[inline(always)]
    fn is_last(&self) -> bool {
        self.head.advanced(1) == self.tail
    }
}

impl<T, C> Fifo<T, C> {
    /// Takes the item at the head into the parcel. Lock-free.
    #[inline(always)]
    pub(crate) fn pop<S: See<T>>(
        &self,
        stock: &Stock<T>,
        unpublished: Unpublished,
        parcel: &mut Parcel<T>,
        sight: &S,
    ) -> Option<Popped<S::Seen>> {
        let claim = self.claim_head(1, stock)?;
        let was_last = claim.is_last();
        match self.take_one(claim, stock, parcel, sight) {
            Some(behind) => Some(Popped { was_last, behind }),
            None => self.pop_after_poison(stock, unpublished, parcel, sight),
        }
    }

    /// The pop that has found a slot dead, and now claims others with a reason only.
    #[cold]
    fn pop_after_poison<S: See<T>>(
        &self,
        stock: &Stock<T>,
        unpublished: Unpublished,
        parcel: &mut Parcel<T>,
        sight: &S,
    ) -> Option<Popped<S::Seen>> {
        loop {
            if unpublished == Unpublished::Leave && !self.is_published_beyond(stock) {
                return None;
            }
            let claim = self.claim_head(1, stock)?;
            let was_last = claim.is_last();
            if let Some(behind) = self.take_one(claim, stock, parcel, sight) {
                return Some(Popped { was_last, behind });
            }
        }
    }

    /// Takes the item that a [`peek`](Self::peek) saw into the parcel, unless somebody else has
    /// claimed it, or something was, or still may be, before it.
    pub(crate) fn pop_at<S: See<T>>(
        &self,
        place: Place,
        stock: &Stock<T>,
        parcel: &mut Parcel<T>,
        sight: &S,
    ) -> Option<Popped<S::Seen>> {
        // Acquire: as in `claim_head`.
        let mut head = Index::from_word(self.head.end.index.load(Ordering::Acquire));
        let tail = self.claimable(&mut head, stock)?;
        if head != place.index() {
            return None;
        }
        let claim = self.claim_at(head, tail, 1).ok()?;
        let was_last = claim.is_last();
        let behind = self.take_one(claim, stock, parcel, sight)?;
        Some(Popped { was_last, behind })
    }

    /// Takes what is in the one slot that was claimed, and sees what is behind it. `None` if the
    /// slot is dead: its producer did not come in time.
    #[inline(always)]
    fn take_one<S: See<T>>(
        &self,
        claim: Claim<T>,
        stock: &Stock<T>,
        parcel: &mut Parcel<T>,
        sight: &S,
    ) -> Option<S::Seen> {
        let Claim {
            segment,
            head,
            tail,
            ..
        } = claim;
        let offset = head.offset(Segment::<T>::SHAPE);
        // SAFETY: the slot is claimed; slots below the end are claimed by producers.
        let taken = unsafe {
            let end = || Self::end_in_segment(head, tail);
            let taken = if segment.take(offset, end, Segment::<T>::LOOKS, parcel) {
                // Our slot, which is not finished, keeps the segment alive.
                let behind = offset + 1;
                let seen = (S::SEES && behind < Segment::<T>::SLOTS)
                    .then(|| segment.look_at(behind, |item| sight.see(item)))
                    .flatten();
                Some(seen.unwrap_or_default())
            } else {
                self.pass_dead(segment, head);
                None
            };
            segment.finish(offset, 1);
            taken
        };
        self.sweep_if_left(head, stock);
        taken
    }

    /// Takes up to `limit` items that lie one behind the other and appends each, wrapped, to `out`.
    /// Returns how many, and whether the FIFO looked empty behind them. Lock-free, but for the
    /// vector's growth. `wrap` must not panic.
    pub(crate) fn pop_run<U>(
        &self,
        limit: usize,
        stock: &Stock<T>,
        out: &mut Vec<U>,
        wrap: impl Fn(T) -> U,
    ) -> (usize, bool) {
        debug_assert!(limit > 0);
        let mut poisoned = false;
        loop {
            if poisoned && !self.is_published_beyond(stock) {
                return (0, false);
            }
            let Some(claim) = self.claim_head(limit, stock) else {
                return (0, true);
            };
            let taken = self.take_run(&claim, out, &wrap);
            self.sweep_if_left(claim.head, stock);
            if taken > 0 {
                // The claim's tail may be one that was noted before, and more may have come since.
                let is_at_its_end = claim.head.advanced(claim.count) == claim.tail;
                return (taken, is_at_its_end && self.is_empty());
            }
            poisoned = true;
        }
    }

    /// Takes what is in a run of slots, and finishes them. Returns how many items there were.
    #[inline(always)]
    fn take_run<U>(&self, claim: &Claim<T>, out: &mut Vec<U>, wrap: &impl Fn(T) -> U) -> usize {
        let shape = Segment::<T>::SHAPE;
        let end = Self::end_in_segment(claim.head, claim.tail);
        let mut taken = 0;
        let mut done = 0;
        while done < claim.count {
            let place = claim.head.advanced(done);
            // One word of lanes at a time.
            let part = (claim.count - done).min(LANES - place.offset(shape) % LANES);
            // SAFETY: claimed, each slot of the run; slots below the end are claimed by producers.
            taken += unsafe {
                if claim
                    .segment
                    .take_written(place.offset(shape), part, out, wrap)
                {
                    part
                } else {
                    let each = |item| out.push(wrap(item));
                    self.take_each(claim.segment, place, part, end, each)
                }
            };
            done += part;
        }
        taken
    }

    /// The part of a run in which something is not written yet, slot by slot, from `head` on.
    /// Returns how many items there were.
    ///
    /// # Safety
    ///
    /// As for [`Segment::take`], for each slot of the run.
    #[cold]
    unsafe fn take_each(
        &self,
        segment: Segment<T>,
        head: Index,
        count: usize,
        end: usize,
        mut sink: impl FnMut(T),
    ) -> usize {
        let mut taken = 0;
        let mut looks = Segment::<T>::LOOKS;
        let offset = head.offset(Segment::<T>::SHAPE);
        for n in 0..count {
            let mut parcel = Parcel::empty();
            // SAFETY: the caller's.
            unsafe {
                if !segment.take(offset + n, || end, looks, &mut parcel) {
                    // One wait a run: what follows is most likely the same producer's.
                    looks = 1;
                    if n + 1 == count {
                        self.pass_dead(segment, head.advanced(n));
                    }
                }
                segment.finish(offset + n, 1);
            }
            if let Some(item) = parcel.take() {
                sink(item);
                taken += 1;
            }
        }
        taken
    }

    /// Moves the head past the dead slots directly behind the one at `place`, which was dead too:
    /// nobody will ever publish there, and `len` is not to count them. If the head is not there any
    /// more, whoever claimed the next slot finds it dead and does the same.
    ///
    /// # Safety
    ///
    /// The caller has claimed the slot at `place` as its consumer and not finished it.
    #[cold]
    unsafe fn pass_dead(&self, segment: Segment<T>, place: Index) {
        let offset = place.offset(Segment::<T>::SHAPE);
        // SAFETY: the caller's.
        let dead = unsafe { segment.dead_behind(offset) };
        if dead == 0 {
            return;
        }
        let next = place.advanced(1);
        // Relaxed: whoever poisoned these slots had read a tail behind them before a claim that is
        // not later than ours. The head changes by read-modify-writes only, so who acquires what is
        // written here acquires those claims as well.
        let passed = self.head.end.index.compare_exchange(
            next.word(),
            next.advanced(dead).word(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if passed.is_ok() {
            // SAFETY: claimed by the CAS; poisoned, so there is nothing to take.
            unsafe { segment.finish(offset + 1, dead) };
        }
    }

    /// Claims slots at the head, up to `limit` and a word's worth, all in one segment; `None` if
    /// there is none. So running pushes in at most two words are given up for a claim.
    #[inline(always)]
    fn claim_head(&self, limit: usize, stock: &Stock<T>) -> Option<Claim<T>> {
        // Acquire: pairs with H2, so that the segment read next is not older than the index.
        let mut head = Index::from_word(load_to_update(&self.head.end.index, Ordering::Acquire));
        loop {
            let tail = self.claimable(&mut head, stock)?;
            let count = if limit == 1 {
                1
            } else {
                let there = Self::end_in_segment(head, tail) - head.offset(Segment::<T>::SHAPE);
                there.min(limit).min(LANES)
            };
            match self.claim_at(head, tail, count) {
                Ok(claim) => return Some(claim),
                Err(now) => {
                    head = Index::from_word(after_a_lost_claim(&self.head.end.index, now));
                }
            }
        }
    }

    /// Claims `count` slots at `head`, which is below `tail`; or says where the head is instead.
    #[inline(always)]
    fn claim_at(&self, head: Index, tail: Index, count: usize) -> Result<Claim<T>, u64> {
        // Relaxed: not older than the index, which was acquired, and not newer if the claim, a
        // release, succeeds. The segment's content came with the tail.
        let segment = self.head.end.segment.load(Ordering::Relaxed);
        // Strong: a spurious failure would cost the loser's wait. Release on success: whoever
        // acquires this head, or a later one, also sees a tail that is not behind it (see "Head and
        // tail" in the parent module). H2 was acquired by the caller. Relaxed on failure: a hint.
        self.head.end.index.compare_exchange(
            head.word(),
            head.advanced(count).word(),
            Ordering::Release,
            Ordering::Relaxed,
        )?;
        Ok(Claim {
            // SAFETY: a claimable index has a segment, so it is not null.
            segment: unsafe { Segment::from_ptr_unchecked(segment) },
            head,
            tail,
            count,
        })
    }

    /// The tail, or an earlier one, if there is a slot to claim at `head`. A parked head is helped
    /// on first.
    #[inline(always)]
    fn claimable(&self, head: &mut Index, stock: &Stock<T>) -> Option<Index> {
        // Acquire: pairs with the store below, so that a claim by this tail comes after the load
        // that found it.
        let seen = Index::from_word(self.head.seen.load(Ordering::Acquire));
        if head.is_well_behind(seen) && !head.is_parked(Segment::<T>::SHAPE) {
            return Some(seen);
        }
        loop {
            // Acquire: pairs with T3, so that a parked head finds the next segment installed.
            let tail = Index::from_word(self.tail.index.load(Ordering::Acquire)).place();
            if *head == tail {
                return None;
            }
            if head.is_parked(Segment::<T>::SHAPE) {
                *head = self.advance_head(*head, stock);
                continue;
            }
            if head.is_well_behind(tail) {
                // Release: pairs with the load above.
                self.head.seen.store(tail.word(), Ordering::Release);
            }
            return Some(tail);
        }
    }

    /// The end of the claimed slots in the segment where `head` stands.
    #[inline(always)]
    fn end_in_segment(head: Index, tail: Index) -> usize {
        let shape = Segment::<T>::SHAPE;
        if head.same_segment(tail, shape) {
            tail.offset(shape)
        } else {
            Segment::<T>::SLOTS
        }
    }
}
