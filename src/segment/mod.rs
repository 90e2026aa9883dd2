//! One band: a lock-free, linearizable FIFO for many producers and many consumers.
//!
//! # Shape
//!
//! A list of segments with room for about 2 KiB of items each ([`slots`]). Each of the two ends is
//! an index word ([`index`]) and a pointer to the segment in which it stands:
//!
//! ```text
//!      oldest ──▶ ┌─────┐    ┌─────┐    ┌─────┐
//!                 │ #4  │──▶ │ #5  │──▶ │ #6  │──▶ null
//!                 └─────┘    └─────┘    └─────┘
//!                             ▲          ▲
//!              head: #5, 17 ──┘          └── tail: #6, 3
//! ```
//!
//! # A push, a pop
//!
//! Push: read the tail's index, then its segment; claim the next slot by compare-exchange on the
//! index; copy the item in; publish by one `fetch_add` on the slot's lane. If the lane was poisoned
//! meanwhile, start again with the next slot.
//!
//! Pop: read the head's index and the tail's. At the same place: empty. Else claim the slot at the
//! head by compare-exchange, take the item, note in a `done` byte that this was all. If the producer of that slot
//! is not done after a bounded number of looks, poison the slot and go on.
//!
//! That is two locked instructions a push, one a pop, and no pin. It is safe without one because
//! nobody looks into a segment before it has claimed a slot there, and a claimed slot keeps its
//! segment alive until its owner is done with it (see [`slots`]).
//!
//! # Why index and segment fit each other
//!
//! An end's index and segment pointer are two words, read one after the other. While the index
//! stands at a claimable slot of segment *k*, the pointer is *k*'s: only an index parked at *k*'s end
//! allows the pointer to move to *k+1* (**H1**), and only after that may the index move on (**H2**).
//! The index never takes an earlier value again, so a compare-exchange on it that succeeds means that
//! it has not moved since it was read; hence neither has the pointer that was read in between.
//!
//! # Head and tail
//!
//! Each consumer claims only below a tail that it has read, or that another consumer has read and left
//! in `seen`. That is so at every moment; what has to be ordered is that a *third* thread, which reads
//! the head and then the tail, does not find an old tail beside the new head. The claim releases and
//! the load of the head acquires (`seen` likewise), so the load in which the claimer found its tail
//! happens before the third thread's load of the tail, which therefore returns that value or a later
//! one (read-read coherence). Without this, `len` underflows, and a pop may claim a slot that no
//! producer has claimed.
//!
//! How an end gets to the next segment is [`handover`]; how emptied segments are found and used again
//! is [`sweep`].
//!
//! # Progress
//!
//! Push and pop are lock-free. A failed CAS on an index means that another claim succeeded; the loser
//! waits for a bounded time before it tries again ([`contention`]). A push
//! starts again only when a consumer poisoned its slot. A pop poisons without need at most once: after
//! that it claims a slot only if it has seen a published item behind (`is_published_beyond`), so it
//! ends, with an item or with "empty", unless other consumers take those items first.
//!
//! # Linearization
//!
//! A push takes effect at the claim of the slot in which its item is published; a pop that returns an
//! item at its claim; slots are claimed in order at both ends. An empty pop takes effect when it reads
//! the tail: the head it read before cannot be ahead of the tail, so equal means empty then; and when
//! it read unpublished slots only, their pushes were all still running at that time.
//!
//! The segmented list with claims by index is that of crossbeam's `SegQueue`; poisoned slots are from
//! the LCRQ (Morrison and Afek, PPoPP 2013) and its descendants; helped hand-over is Michael and
//! Scott's (PODC 1996).

mod contention;
mod handover;
mod index;
mod pool;
mod slots;
mod sweep;

use crate::slip::Slip;
use crate::sync::{
    Arc,
    atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering},
    load_to_update,
    reclaim::Domain,
};
use contention::after_a_lost_claim;
use core::{mem::MaybeUninit, ptr};
use crossbeam_utils::CachePadded;
use index::Index;
use pool::Pool;
use slots::{Found, Header, LANES, Segment};

/// What the FIFOs of a queue share: spare segments and the right to reclaim them.
pub(crate) struct Shared<T> {
    // Declared, hence dropped, first: under loom it is an arena whose closures use the pool.
    domain: Domain,
    pool: Arc<Pool<T>>,
}

impl<T> Shared<T> {
    pub(crate) fn new() -> Self {
        Self {
            domain: Domain::new(),
            pool: Arc::new(Pool::new()),
        }
    }
}

/// One end of the FIFO.
struct End<T> {
    /// An [`Index`].
    index: AtomicU64,
    /// The segment in which the index stands; null before the first push.
    segment: AtomicPtr<Header<T>>,
}

/// The head: consumers' cache line, with the chain of segments that they leave behind.
struct Head<T> {
    end: End<T>,
    /// A tail that some consumer has read: while the head is well behind it, there is no need to
    /// take the producers' cache line away from them.
    seen: AtomicU64,
    /// Not ours: kept here because whoever touches it has just written this line.
    slip: Slip,
    /// The first segment there ever was: the `next` of the segment before it, which does not exist.
    first: AtomicPtr<Header<T>>,
    /// Threads inside a hand-over, at either end: they may look into a segment without owning a
    /// slot of it.
    visitors: AtomicUsize,
    /// The front of the list, emptied segments included; null while somebody sweeps, and before the
    /// first hand-over.
    oldest: AtomicPtr<Header<T>>,
}

/// One band.
pub(crate) struct Fifo<T> {
    head: CachePadded<Head<T>>,
    /// The producers' cache line.
    tail: CachePadded<End<T>>,
}

// SAFETY: items move through it from thread to thread, by value; no `&T` is ever shared. All other
// state is atomic.
unsafe impl<T: Send> Send for Fifo<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Fifo<T> {}

/// What a pop does about slots that are claimed and not published, and have nothing behind them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpublished {
    /// Leaves them to their producers, but for the one it may have claimed before it could know.
    Leave,
    /// Poisons them. When the FIFO is closed their pushes then fail, and empty is for ever.
    Poison,
}

/// An item, and whether the FIFO looked empty behind it.
pub(crate) struct Popped<T> {
    pub(crate) item: T,
    pub(crate) was_last: bool,
}

/// What a consumer found in the slot it claimed, and whether the FIFO looked empty behind it.
struct Taken<T> {
    found: Found<T>,
    was_last: bool,
}

/// Slots claimed by one producer: a run within one word of lanes.
struct Claim<T> {
    segment: Segment<T>,
    offset: usize,
    count: usize,
}

impl<T> Fifo<T> {
    pub(crate) fn new() -> Self {
        Self::starting_at(0)
    }

    /// With the first segment's number given, for tests of the wrap.
    pub(crate) fn starting_at(number: u64) -> Self {
        let start = Segment::<T>::SHAPE.start(number).word();
        let end = || End {
            index: AtomicU64::new(start),
            segment: AtomicPtr::new(ptr::null_mut()),
        };
        let head = Head {
            end: end(),
            seen: AtomicU64::new(start),
            slip: Slip::default(),
            first: AtomicPtr::new(ptr::null_mut()),
            visitors: AtomicUsize::new(0),
            oldest: AtomicPtr::new(ptr::null_mut()),
        };
        Self {
            head: CachePadded::new(head),
            tail: CachePadded::new(end()),
        }
    }

    /// Appends an item; gives it back if the FIFO is closed. Lock-free.
    #[inline]
    pub(crate) fn push(&self, item: T, shared: &Shared<T>) -> Result<(), T> {
        let item = MaybeUninit::new(item);
        loop {
            let Some(claim) = self.claim(1, shared) else {
                // SAFETY: it was not pushed.
                return Err(unsafe { item.assume_init() });
            };
            // SAFETY: the slot is claimed; if it counts, the copy here is never used again.
            unsafe {
                claim.segment.write(claim.offset, item.as_ptr());
                if claim.segment.publish(claim.offset, 1) == 1 {
                    return Ok(());
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
    pub(crate) unsafe fn push_run(
        &self,
        items: *const T,
        count: usize,
        shared: &Shared<T>,
    ) -> usize {
        let mut pushed = 0;
        while pushed < count {
            let Some(claim) = self.claim(count - pushed, shared) else {
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

    /// Takes the item at the head. Lock-free.
    #[inline]
    pub(crate) fn pop(&self, shared: &Shared<T>, unpublished: Unpublished) -> Option<Popped<T>> {
        let taken = self.take_one(shared)?;
        match taken.found {
            Found::Item(item) => Some(Popped {
                item,
                was_last: taken.was_last,
            }),
            Found::Dead => self.pop_after_poison(shared, unpublished),
        }
    }

    /// The pop that has found a slot dead, and now claims others with a reason only.
    #[cold]
    fn pop_after_poison(&self, shared: &Shared<T>, unpublished: Unpublished) -> Option<Popped<T>> {
        loop {
            if unpublished == Unpublished::Leave && !self.is_published_beyond(shared) {
                return None;
            }
            let Taken { found, was_last } = self.take_one(shared)?;
            if let Found::Item(item) = found {
                return Some(Popped { item, was_last });
            }
        }
    }

    /// Claims the slot at the head and takes what is in it; `None` if there is no slot to claim.
    #[inline(always)]
    fn take_one(&self, shared: &Shared<T>) -> Option<Taken<T>> {
        // Acquire: pairs with H2, so that the segment read next is not older than the index.
        let mut head = Index::from_word(load_to_update(&self.head.end.index, Ordering::Acquire));
        loop {
            let tail = self.claimable(&mut head, shared)?;
            // Relaxed: not older than the index, which was acquired, and not newer if the claim, a
            // release, succeeds. The segment's content came with the tail.
            let segment = self.head.end.segment.load(Ordering::Relaxed);
            // Release on success: whoever acquires this head, or a later one, also sees a tail that is
            // not behind it (see "Head and tail" above). H2 was acquired above. Relaxed on failure: a hint.
            if let Err(now) = self.head.end.index.compare_exchange_weak(
                head.word(),
                head.advanced(1).word(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                head = after_a_lost_claim(&self.head.end.index, now);
                continue;
            }
            let offset = head.offset(Segment::<T>::SHAPE);
            // SAFETY: the claim succeeded, so this is the index's segment and the slot is ours;
            // slots below the end are claimed by producers.
            let found = unsafe {
                let segment = Segment::from_ptr_unchecked(segment);
                let end = || Self::end_in_segment(head, tail);
                let found = segment.take(offset, end, Segment::<T>::LOOKS);
                if let Found::Dead = found {
                    self.pass_dead(segment, head);
                }
                segment.finish(offset, 1);
                found
            };
            self.sweep_if_left(head, shared);
            return Some(Taken {
                found,
                was_last: head.advanced(1) == tail,
            });
        }
    }

    /// Takes up to `limit` items that lie one behind the other and appends each, wrapped, to `out`.
    /// Returns how many, and whether the FIFO looked empty behind them. Lock-free, but for the
    /// vector's growth. `wrap` must not panic.
    pub(crate) fn pop_run<U>(
        &self,
        limit: usize,
        shared: &Shared<T>,
        out: &mut Vec<U>,
        wrap: impl Fn(T) -> U,
    ) -> (usize, bool) {
        debug_assert!(limit > 0);
        let shape = Segment::<T>::SHAPE;
        // Acquire: as in `take_one`.
        let mut head = Index::from_word(load_to_update(&self.head.end.index, Ordering::Acquire));
        let mut poisoned = false;
        loop {
            let Some(tail) = self.claimable(&mut head, shared) else {
                return (0, true);
            };
            if poisoned && !self.is_published_beyond(shared) {
                return (0, false);
            }
            let offset = head.offset(shape);
            let end = Self::end_in_segment(head, tail);
            // No more than a word's worth, so that running pushes in at most two words are given up for it.
            let count = (end - offset).min(limit).min(LANES);
            // Relaxed, Release, Relaxed: as in `take_one`.
            let segment = self.head.end.segment.load(Ordering::Relaxed);
            if let Err(now) = self.head.end.index.compare_exchange_weak(
                head.word(),
                head.advanced(count).word(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                head = after_a_lost_claim(&self.head.end.index, now);
                continue;
            }
            let mut taken = 0;
            let mut done = 0;
            while done < count {
                let place = head.advanced(done);
                // One word of lanes at a time.
                let part = (count - done).min(LANES - place.offset(shape) % LANES);
                // SAFETY: as in `take_one`, for each slot of the run.
                taken += unsafe {
                    let segment = Segment::from_ptr_unchecked(segment);
                    if segment.take_written(place.offset(shape), part, out, &wrap) {
                        part
                    } else {
                        let each = |item| out.push(wrap(item));
                        self.take_each(segment, place, part, end, each)
                    }
                };
                done += part;
            }
            self.sweep_if_left(head, shared);
            if taken > 0 {
                return (taken, head.advanced(count) == tail);
            }
            poisoned = true;
            // Acquire: as in `take_one`.
            head = Index::from_word(load_to_update(&self.head.end.index, Ordering::Acquire));
        }
    }

    /// The part of a run in which something is not written yet, slot by slot, from `head` on. Returns how many
    /// items there were.
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
            // SAFETY: the caller's.
            unsafe {
                match segment.take(offset + n, || end, looks) {
                    Found::Item(item) => {
                        sink(item);
                        taken += 1;
                    }
                    Found::Dead => {
                        // One wait a run: what follows is most likely the same producer's.
                        looks = 1;
                        if n + 1 == count {
                            self.pass_dead(segment, head.advanced(n));
                        }
                    }
                }
                segment.finish(offset + n, 1);
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
        // Relaxed: whoever poisoned these slots had read a tail behind them before a claim that is not
        // later than ours. The head changes by read-modify-writes only, so who acquires what is written
        // here acquires those claims as well.
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

    /// Whether nothing is there, not even a claimed slot.
    ///
    /// SeqCst: C2 in the argument of `bitmap`, the look after a bit was cleared.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: whether the head is behind or ahead, what this tail counts and nobody has claimed is
        // never called nothing.
        let head = Index::from_word(self.head.end.index.load(Ordering::Relaxed));
        let tail = Index::from_word(self.tail.index.load(Ordering::SeqCst));
        head == tail.place() || self.len_between(head, tail) == 0 // the second when one is parked
    }

    /// The number of claimed slots: exact when no operation runs.
    pub(crate) fn len(&self) -> usize {
        // Acquire: the tail read after it is not behind it, so there is no underflow.
        let head = Index::from_word(self.head.end.index.load(Ordering::Acquire));
        let tail = Index::from_word(self.tail.index.load(Ordering::Relaxed));
        self.len_between(head, tail)
    }

    fn len_between(&self, head: Index, tail: Index) -> usize {
        tail.since(head, Segment::<T>::SHAPE)
    }

    /// Marks the tail closed: a claim before the mark counts, none comes after it.
    pub(crate) fn close(&self) {
        // Relaxed test, only to spare the write. Release: who sees the mark by a failed claim sees what the
        // closing thread did before.
        if !Index::from_word(self.tail.index.load(Ordering::Relaxed)).is_closed() {
            self.tail
                .index
                .fetch_or(Index::closed_bit(), Ordering::Release);
        }
    }

    /// Whether stepping back pays at this band.
    #[inline]
    pub(crate) fn slip(&self) -> &Slip {
        &self.head.slip
    }

    /// The tail, or an earlier one, if there is a slot to claim at `head`. A parked head is helped
    /// on first.
    #[inline(always)]
    fn claimable(&self, head: &mut Index, shared: &Shared<T>) -> Option<Index> {
        // Acquire: pairs with the store below, so that a claim by this tail comes after the load that
        // found it.
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
                *head = self.advance_head(*head, shared);
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

    /// Claims up to `count` slots at the tail, all in one word of lanes; `None` if it is closed.
    #[inline(always)]
    fn claim(&self, count: usize, shared: &Shared<T>) -> Option<Claim<T>> {
        let shape = Segment::<T>::SHAPE;
        // Acquire: pairs with T3, so that the segment read next is not older
        // than the index.
        let mut tail = Index::from_word(load_to_update(&self.tail.index, Ordering::Acquire));
        loop {
            if tail.is_closed() {
                return None;
            }
            if tail.is_parked(shape) {
                tail = self.advance_tail(tail, shared);
                continue;
            }
            // Relaxed: as at the head; its content came with the index.
            let segment = self.tail.segment.load(Ordering::Relaxed);
            let offset = tail.offset(shape);
            let room = (Segment::<T>::SLOTS - offset).min(LANES - offset % LANES);
            let count = count.min(room);
            // SeqCst: P1 in the argument of `bitmap`. Relaxed on failure: a hint.
            match self.tail.index.compare_exchange_weak(
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
                    tail = after_a_lost_claim(&self.tail.index, now);
                }
            }
        }
    }

    /// Whether some slot between head and tail holds an item that nobody has claimed. If not, the
    /// FIFO was empty, but for running pushes, when the tail was read.
    #[cold]
    pub(crate) fn is_published_beyond(&self, shared: &Shared<T>) -> bool {
        let shape = Segment::<T>::SHAPE;
        let _visit = self.visit(shared);
        // Relaxed: a head that is behind costs a look at slots that are taken; one that is ahead of the
        // tail below has seen everything taken that was there.
        let head = Index::from_word(self.head.end.index.load(Ordering::Relaxed));
        // Acquire: pairs with T3, for the segments up to this tail's and the links between them.
        let tail = Index::from_word(self.tail.index.load(Ordering::Acquire)).place();
        if !head.is_before(tail) {
            return false;
        }
        // Acquire: pairs with H1, for a segment behind this tail's.
        let mut segment = self.head.end.segment.load(Ordering::Acquire);
        if segment.is_null() {
            segment = self.head.first.load(Ordering::Relaxed); // as the links below
        }
        let last = head.segments_to(tail.number(shape), shape);
        while let Some(this) = Segment::from_ptr(segment) {
            // SAFETY: the head pointed to it, or to a segment before it, after the visit began: it was
            // in the list then.
            unsafe {
                let nth = head.segments_to(this.number(), shape);
                if nth > last {
                    break; // the pointer has moved past this tail, or the head past the pointer
                }
                let from = if nth == 0 { head.offset(shape) } else { 0 };
                let to = if nth == last {
                    tail.offset(shape)
                } else {
                    Segment::<T>::SLOTS
                };
                if (from..to).any(|slot| this.is_written(slot)) {
                    return true;
                }
                if nth == last {
                    return false;
                }
                segment = this.next().load(Ordering::Relaxed); // T1 comes before T3
            }
        }
        true // others have moved on meanwhile
    }
}

impl<T> Drop for Fifo<T> {
    /// Frees the segments. The items have been taken out before, by the queue.
    fn drop(&mut self) {
        // Relaxed throughout: `&mut self` comes after everything.
        let mut segment = self.head.oldest.load(Ordering::Relaxed);
        if segment.is_null() {
            segment = self.head.first.load(Ordering::Relaxed);
        }
        while let Some(this) = Segment::from_ptr(segment) {
            // SAFETY: the list is ours alone now.
            unsafe {
                segment = this.next().load(Ordering::Relaxed);
                this.free();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
