//! [`EventCount`]: who waits for one kind of event, and how many of them nobody has woken; and
//! [`Place`]: what a waiter needs to know of where it waits.

use super::wakes::{Wakes, collect};
use crate::sync::{
    atomic::{AtomicUsize, Ordering},
    model_fence,
};
use event_listener::{Event, EventListener, IntoNotification, Listener};

/// Where a waiter waits.
pub(crate) trait Place {
    /// Counts a waiter, and listens (W1, W2). The caller fences and looks again.
    fn listen(&self) -> EventListener;

    /// Counts a waiter out that has left without having been woken.
    fn left_unwoken(&self);

    /// A waiter that was woken leaves without having looked: its wake goes to somebody else.
    fn pass_on(&self) -> Wakes;

    /// A waiter that was woken has looked and found nothing. Where waiters wait for different
    /// things, what it was woken for may be there for somebody else.
    #[inline(always)]
    fn looked_in_vain(&self) -> Wakes {
        Wakes::none()
    }

    /// A listener stops waiting. If it was woken, its wake is passed on.
    fn leave(&self, listener: EventListener) -> Wakes {
        if listener.discard() {
            return self.pass_on();
        }
        self.left_unwoken();
        Wakes::none()
    }
}

impl<P: Place> Place for &P {
    #[inline(always)]
    fn listen(&self) -> EventListener {
        P::listen(self)
    }

    #[inline(always)]
    fn left_unwoken(&self) {
        P::left_unwoken(self);
    }

    #[inline(always)]
    fn pass_on(&self) -> Wakes {
        P::pass_on(self)
    }

    #[inline(always)]
    fn looked_in_vain(&self) -> Wakes {
        P::looked_in_vain(self)
    }
}

/// A place to wait, for one class of waiters: an eventcount over `event-listener`.
///
/// (An eventcount lets threads wait for a condition on words that are changed without a lock: Reed
/// and Kanodia, "Synchronization with Eventcounts and Sequencers", CACM 1979.)
#[derive(Debug)]
pub(crate) struct EventCount {
    /// Waiters that nobody has woken yet; may be too large for a moment, never too small.
    ///
    /// | who | when | change |
    /// |---|---|---|
    /// | waiter | before it listens | +1 |
    /// | notifier | after it marked *n* as woken | −n |
    /// | waiter | that leaves without having been woken | −1 |
    waiting: AtomicUsize,
    event: Event,
}

impl EventCount {
    pub(crate) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            event: Event::new(),
        }
    }

    /// Whether nobody waits that has not been woken. The caller has done by a `SeqCst` operation
    /// what they would wait for, and then need not notify.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        model_fence();
        // SeqCst: N2 in `wait.md`, after the deed; pairs with the waiter's count and fence.
        self.waiting.load(Ordering::SeqCst) == 0
    }

    /// Wakes up to `n` waiters that have not been woken yet, oldest first: those that block at
    /// once, tasks when the result is dropped. The caller has done what they wait for by a `SeqCst`
    /// operation. Takes no lock unless somebody waits.
    #[inline]
    pub(crate) fn notify(&self, n: usize) -> Wakes {
        if self.is_idle() {
            Wakes::none()
        } else {
            self.mark_woken(n)
        }
    }

    /// Wakes everybody.
    #[inline]
    pub(crate) fn notify_all(&self) -> Wakes {
        self.notify(usize::MAX)
    }

    #[cold]
    fn mark_woken(&self, n: usize) -> Wakes {
        collect(|| self.mark(n)).1
    }

    /// N3 and N4, within [`collect`]; returns how many it marked.
    #[inline]
    pub(super) fn mark(&self, n: usize) -> usize {
        let woken = self.event.notify(n.additional()); // N3
        if woken != 0 {
            // Relaxed: too large for a moment does no harm, and the order against other changes of
            // the same word is all that counts.
            self.waiting.fetch_sub(woken, Ordering::Relaxed); // N4
        }
        woken
    }

    /// How many wait and have not been woken.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Place for EventCount {
    fn listen(&self) -> EventListener {
        // Relaxed: the caller's fence orders it before the look. It comes before `listen`, so that
        // the count is never too small.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.event.listen()
    }

    fn left_unwoken(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed); // Relaxed: as in `mark`
    }

    /// To the next waiter.
    fn pass_on(&self) -> Wakes {
        self.notify(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_idle_unless_somebody_waits_whom_nobody_has_woken() {
        let event = EventCount::new();
        assert!(event.is_idle());
        let (first, second) = (event.listen(), event.listen());
        drop(event.notify(1));
        assert!(!event.is_idle());
        drop(event.notify(1));
        assert!(event.is_idle());
        let third = event.listen();
        drop(event.leave(first)); // its wake goes to the third
        assert!(event.is_idle());
        drop(event.leave(second));
        drop(event.leave(third));
        assert!(event.is_idle());
    }
}
