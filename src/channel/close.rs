//! How a channel closes, and the count of the handles that keep it open.
//!
//! ```text
//! open ──(CL1 flag, by RMW)──▶ closing ──(CL2 mark each band)──▶ closed
//! ```
//!
//! A claim before a band's mark counts as sent; none comes after it. `closing` is over before
//! anybody is told: whoever is about to say `Closed` marks all bands first, so that nobody's later
//! send slips into a band that the closing thread has not reached. Marking is idempotent, so a
//! closing thread that is stopped stops nobody. A receive says `Closed` once every band is marked
//! and empty, poisoning what is claimed and unpublished: those pushes try again and meet the mark.

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether the close has begun.
pub(super) struct Closing(AtomicBool);

impl Closing {
    pub(super) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// CL1; true for the call that did it.
    pub(super) fn begin(&self) -> bool {
        // SeqCst: N1 of `wait.md` for everybody who waits, as far as they look at the flag.
        !self.0.swap(true, Ordering::SeqCst)
    }

    /// Whether it has begun; whoever sees it does CL2 before it says so.
    #[inline]
    pub(super) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire) // pairs with CL1
    }

    /// The same, after an operation that the close must see or be seen by.
    pub(super) fn has_begun_late(&self) -> bool {
        self.0.load(Ordering::SeqCst) // pairs with CL1; see `managed`, "Closed is final"
    }
}

/// How many handles of one kind there are.
pub(super) struct Handles(AtomicUsize);

impl Handles {
    pub(super) fn new(count: usize) -> Self {
        Self(AtomicUsize::new(count))
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed) // a look at one word, which orders nothing
    }

    /// One more, made from one that keeps the count above zero, or of a kind that closes nothing.
    pub(super) fn add(&self) {
        // Relaxed: as in `Arc`.
        if self.0.fetch_add(1, Ordering::Relaxed) > isize::MAX as usize {
            std::process::abort(); // as in `Arc`: handles were forgotten in a loop
        }
    }

    /// One more, unless there is none.
    pub(super) fn add_if_any(&self) -> bool {
        // Relaxed: only the count decides; the close that goes with zero has its own orderings.
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |handles| {
                (handles > 0).then_some(handles + 1)
            })
            .is_ok()
    }

    /// One less; true for the last.
    pub(super) fn remove(&self) -> bool {
        // AcqRel: what every other handle's owner did comes before the close by the last.
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }
}
