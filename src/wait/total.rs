//! [`Total`]: how many wait at any of several eventcounts.

use super::{
    event_count::{EventCount, Place},
    wakes::{Wakes, collect},
};
use crate::sync::{
    atomic::{AtomicUsize, Ordering},
    model_fence,
};
use event_listener::EventListener;

/// The waiters of several eventcounts that nobody has woken yet: one load tells that there are
/// none. Like `waiting` of each of them it may be too large for a moment, and is never too small.
#[derive(Debug)]
pub(crate) struct Total(AtomicUsize);

impl Total {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// As [`EventCount::is_idle`], for all of them.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        model_fence();
        // SeqCst: N2 in `wait.md`, after the deed; pairs with the waiter's count and fence.
        self.0.load(Ordering::SeqCst) == 0
    }

    /// W1 and W2 at one of them.
    pub(crate) fn listen(&self, event: &EventCount) -> EventListener {
        self.0.fetch_add(1, Ordering::Relaxed); // as in `EventCount::listen`
        event.listen()
    }

    /// [`Place::left_unwoken`] at one of them.
    pub(crate) fn left_unwoken(&self, event: &EventCount) {
        event.left_unwoken();
        self.0.fetch_sub(1, Ordering::Relaxed); // as in `EventCount::mark`
    }

    /// N3 and N4: `mark_all` marks waiters of some of them and returns how many.
    pub(crate) fn notify(&self, mark_all: impl FnOnce() -> usize) -> Wakes {
        let (woken, wakes) = collect(mark_all);
        if woken > 0 {
            self.0.fetch_sub(woken, Ordering::Relaxed); // as in `EventCount::mark`
        }
        wakes
    }
}
