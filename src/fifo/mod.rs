//! One band: a lock-free, linearizable FIFO for many producers and many consumers.
//!
//! # Shape
//!
//! A list of segments with room for about 2 KiB of items each ([`segment`]). Each of the two ends
//! is an index word ([`index`]) and a pointer to the segment in which it stands:
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
//! [`push`]: read the tail's index, then its segment; claim the next slot by compare-exchange on
//! the index; copy the item in; publish by one `fetch_add` on the slot's lane. If the lane was
//! poisoned meanwhile, start again with the next slot.
//!
//! [`pop`]: read the head's index and the tail's. At the same place: empty. Else claim the slot at
//! the head by compare-exchange, take the item, note in a `done` byte that this was all. If the
//! producer of that slot is not done after a bounded number of looks, poison the slot and go on.
//!
//! That is two locked instructions a push, one a pop, and no pin. It is safe without one because
//! nobody looks into a segment before it has claimed a slot there, and a claimed slot keeps its
//! segment alive until its owner is done with it (see [`segment`]). Those who look into segments in
//! which they own no slot *visit* ([`sweep`]), and pin: a hand-over, but for the first at each end
//! ([`handover`]), and a look among slots that are not published ([`look`]).
//!
//! # Why index and segment fit each other
//!
//! An end's index and segment pointer are two words, read one after the other. While the index
//! stands at a claimable slot of segment *k*, the pointer is *k*'s: only an index parked at *k*'s
//! end allows the pointer to move to *k+1* (**H1**), and only after that may the index move on
//! (**H2**). The index never takes an earlier value again, so a compare-exchange on it that
//! succeeds means that it has not moved since it was read; hence neither has the pointer that was
//! read in between.
//!
//! # Head and tail
//!
//! Each consumer claims only below a tail that it has read, or that another consumer has read and
//! left in `seen`. That is so at every moment; what has to be ordered is that a *third* thread,
//! which reads the head and then the tail, does not find an old tail beside the new head. The claim
//! releases and the load of the head acquires (`seen` likewise), so the load in which the claimer
//! found its tail happens before the third thread's load of the tail, which therefore returns that
//! value or a later one (read-read coherence). Without this, `len` underflows, and a pop may claim
//! a slot that no producer has claimed.
//!
//! How an end gets to the next segment is [`handover`]; how emptied segments are found and used
//! again is [`sweep`].
//!
//! # Progress
//!
//! Push and pop are lock-free. A claim is lost only because the index has changed: another thread's
//! claim, its step of a hand-over, a pass over dead slots, or the close; each is progress of that
//! thread's operation, and each ends. The loser waits for a bounded time before it tries again
//! ([`spin`](crate::spin)). A push starts again only when a consumer poisoned its slot. A pop
//! poisons without need at most once: after that it claims a slot only if it has seen a published
//! item behind (`is_published_beyond`), so it ends, with an item or with "empty", unless other
//! consumers take those items first.
//!
//! # Linearization
//!
//! A push takes effect at the claim of the slot in which its item is published; a pop that returns
//! an item at its claim; slots are claimed in order at both ends. An empty pop takes effect when it
//! reads the tail: the head it read before cannot be ahead of the tail, so equal means empty then;
//! and when it read unpublished slots only, their pushes were all still running at that time. (That
//! nothing is in *any* band at one time is the queue's business, see [`queue`](crate::queue).)
//!
//! The segmented list with claims by index is that of crossbeam's `SegQueue`; poisoned slots are
//! from the LCRQ (Morrison and Afek, PPoPP 2013) and its descendants; helped hand-over is Michael
//! and Scott's (PODC 1996).

mod handover;
mod index;
mod look;
mod pool;
mod pop;
mod push;
mod segment;
mod sweep;

pub(crate) use look::{Ends, Look, Place};
pub(crate) use pool::Stock;
pub(crate) use pop::{Blind, Popped, See, Unpublished};

use crate::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use core::ptr;
use crossbeam_utils::CachePadded;
use index::Index;
use segment::{Header, Segment};

/// One end of the FIFO.
struct End<T> {
    /// An [`Index`].
    index: AtomicU64,
    /// The segment in which the index stands; null before the first push.
    segment: AtomicPtr<Header<T>>,
}

/// The head: consumers' cache line, with the chain of segments that they leave behind.
struct Head<T, C> {
    end: End<T>,
    /// A tail that some consumer has read: while the head is well behind it, there is no need to
    /// take the producers' cache line away from them.
    seen: AtomicU64,
    /// The first segment there ever was: the `next` of the segment before it, which does not exist.
    first: AtomicPtr<Header<T>>,
    /// Threads inside a hand-over, at either end, or in a look through the segments: they may look
    /// into a segment without owning a slot of it.
    visitors: AtomicUsize,
    /// The front of the list, emptied segments included; null while somebody sweeps, and before the
    /// first hand-over.
    oldest: AtomicPtr<Header<T>>,
    /// See [`Fifo::companion`].
    companion: C,
}

/// One band of items `T`, with a companion `C`.
pub(crate) struct Fifo<T, C = ()> {
    head: CachePadded<Head<T, C>>,
    /// The producers' cache line.
    tail: CachePadded<End<T>>,
}

// SAFETY: items move through it from thread to thread, by value; no `&T` is ever shared. All other
// state is atomic, and the companion's own.
unsafe impl<T: Send, C: Send> Send for Fifo<T, C> {}
// SAFETY: as above.
unsafe impl<T: Send, C: Sync> Sync for Fifo<T, C> {}

impl<T, C: Default> Fifo<T, C> {
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
            first: AtomicPtr::new(ptr::null_mut()),
            visitors: AtomicUsize::new(0),
            oldest: AtomicPtr::new(ptr::null_mut()),
            companion: C::default(),
        };
        Self {
            head: CachePadded::new(head),
            tail: CachePadded::new(end()),
        }
    }
}

impl<T, C> Fifo<T, C> {
    /// What the FIFO's owner keeps on the consumers' cache line: whoever has just taken an item has
    /// just written that line.
    #[inline]
    pub(crate) fn companion(&self) -> &C {
        &self.head.companion
    }

    /// Marks the tail closed: a claim before the mark counts, none comes after it.
    pub(crate) fn close(&self) {
        // Relaxed test, only to spare the write. Release: who sees the mark by a failed claim sees
        // what the closing thread did before.
        if !Index::from_word(self.tail.index.load(Ordering::Relaxed)).is_closed() {
            self.tail
                .index
                .fetch_or(Index::closed_bit(), Ordering::Release);
        }
    }
}

impl<T, C> Drop for Fifo<T, C> {
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

#[cfg(test)]
mod tests;
