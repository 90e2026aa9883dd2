//! The gate between the lock-free queue and `event-listener`: who waits, and who wakes whom.
//!
//! The protocol, its race and its proof are in `wait.md`, shown below. In short: a waiter counts
//! itself, listens, fences, and looks again before it sleeps; a notifier does its deed, and only if
//! the count is not zero takes `event-listener`'s mutex and wakes one waiter for each deed.
#![doc = include_str!("wait.md")]

use crate::sync::{
    Backoff,
    atomic::{AtomicUsize, Ordering, fence},
    model_fence,
};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use event_listener::{Event, EventListener, IntoNotification, Listener};
use std::time::Instant;

/// A place to wait, for one class of waiters.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Waiters that nobody has woken yet; may be too large for a moment, never too small.
    ///
    /// | who | when | change |
    /// |---|---|---|
    /// | waiter | before it listens | +1 |
    /// | notifier | after it woke *n* | −n |
    /// | waiter | that leaves without having been woken | −1 |
    waiting: AtomicUsize,
    event: Event,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            event: Event::new(),
        }
    }

    /// Wakes up to `n` waiters that have not been woken yet, oldest first. The caller has done what
    /// they wait for by a `SeqCst` operation. Takes no lock unless somebody waits.
    #[inline]
    pub(crate) fn notify(&self, n: usize) {
        model_fence();
        // SeqCst: N2 in `wait.md`, after the deed; pairs with the waiter's count and fence.
        if self.waiting.load(Ordering::SeqCst) != 0 {
            self.wake(n);
        }
    }

    /// Wakes everybody.
    pub(crate) fn notify_all(&self) {
        self.notify(usize::MAX);
    }

    #[cold]
    fn wake(&self, n: usize) {
        let woken = self.event.notify(n.additional());
        if woken != 0 {
            // Relaxed: too large for a moment does no harm, and the order against other changes of
            // the same word is all that counts.
            self.waiting.fetch_sub(woken, Ordering::Relaxed);
        }
    }
}

/// A waiter's place at a gate; empty until it begins to wait.
///
/// Every method must be given the same gate. Whoever owns one calls [`leave`](Waiter::leave) when it
/// stops waiting; a waiter that is forgotten instead keeps at most the one wake it may be given.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    listener: Option<EventListener>,
}

impl Waiter {
    pub(crate) const fn new() -> Self {
        Self { listener: None }
    }

    /// Begins to wait. The caller must look once more for what it wants before it sleeps.
    #[cold]
    fn begin(&mut self, gate: &Gate) {
        // Relaxed: the fence below orders it before the look. It comes before `listen`, so that the
        // count is never too small.
        gate.waiting.fetch_add(1, Ordering::Relaxed); // W1
        self.listener = Some(gate.event.listen()); // W2
        // SeqCst: W3; pairs with the notifier's deed and its load of the count.
        fence(Ordering::SeqCst);
    }

    /// Stops waiting. If it was woken, the wake goes to the next waiter.
    #[inline]
    pub(crate) fn leave(&mut self, gate: &Gate) {
        if let Some(listener) = self.listener.take() {
            Self::give_up(listener, gate);
        }
    }

    #[cold]
    fn give_up(listener: EventListener, gate: &Gate) {
        if listener.discard() {
            gate.notify(1);
        } else {
            gate.waiting.fetch_sub(1, Ordering::Relaxed); // Relaxed: as in `wake`
        }
    }

    /// Whether it waits and nobody has woken it; then the context's waker is told.
    #[inline]
    fn is_asleep(&mut self, context: &mut Context<'_>) -> bool {
        let Some(listener) = &mut self.listener else {
            return false;
        };
        if Pin::new(listener).poll(context).is_pending() {
            return true;
        }
        self.listener = None; // the notifier has counted it out
        false
    }

    /// Looks with `attempt` until it has an outcome; sleeps in between, as a task.
    #[inline]
    pub(crate) fn poll<R>(
        &mut self,
        gate: &Gate,
        context: &mut Context<'_>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        // Before the first look: if it was woken, that look is what the wake was for. Else it would seem
        // to find something on its own each time, and wake somebody else for nothing.
        let asleep = self.is_asleep(context);
        loop {
            if let Some(outcome) = attempt() {
                self.leave(gate);
                return Poll::Ready(outcome);
            }
            if asleep || self.is_asleep(context) {
                return Poll::Pending;
            }
            self.begin(gate);
        }
    }

    /// Looks with `attempt` until it has an outcome; sleeps in between, as a thread. `None`: the
    /// deadline is over.
    pub(crate) fn block<R>(
        gate: &Gate,
        deadline: Option<Instant>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        // To sleep and to be woken costs tens of microseconds, so it first looks a few times more, for
        // about a microsecond of spinning and then while other threads run: an item there and back
        // between two threads takes 11 instead of 27 µs.
        let backoff = Backoff::new();
        while !backoff.is_completed() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
            if let Some(outcome) = attempt() {
                return Some(outcome);
            }
            backoff.snooze();
        }
        let mut waiter = Self::new();
        loop {
            if let Some(outcome) = attempt() {
                waiter.leave(gate);
                return Some(outcome);
            }
            match (waiter.listener.take(), deadline) {
                (None, _) => waiter.begin(gate),
                (Some(listener), None) => listener.wait(),
                (Some(listener), Some(deadline)) => {
                    if listener.wait_deadline(deadline).is_none() {
                        // Not woken, and not listening any more.
                        gate.waiting.fetch_sub(1, Ordering::Relaxed); // Relaxed: as in `wake`
                        // A last look: what came while time ran out is not left behind.
                        return attempt();
                    }
                }
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use core::task::Waker;
    use std::time::Duration;

    fn poll_once(waiter: &mut Waiter, gate: &Gate) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let mut looked = false;
        // Finds nothing at first, and what it waited for once it was woken.
        waiter
            .poll(gate, &mut context, || {
                let found = looked && gate.waiting.load(Ordering::Relaxed) == 0;
                looked = true;
                found.then_some(())
            })
            .is_ready()
    }

    #[test]
    fn the_count_is_zero_when_nobody_waits() {
        let gate = Gate::new();
        let (mut first, mut second) = (Waiter::new(), Waiter::new());
        assert!(!poll_once(&mut first, &gate));
        assert!(!poll_once(&mut second, &gate));
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 2);
        gate.notify(1); // wakes the first
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 1);
        first.leave(&gate); // passes it on to the second
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
        second.leave(&gate);
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_waiter_that_leaves_unwoken_counts_itself_out() {
        let gate = Gate::new();
        let mut waiter = Waiter::new();
        assert!(!poll_once(&mut waiter, &gate));
        waiter.leave(&gate);
        waiter.leave(&gate);
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_thread_that_finds_something_while_it_listens_counts_itself_out() {
        let gate = Gate::new();
        let attempt = || (gate.waiting.load(Ordering::Relaxed) > 0).then_some(());
        assert_eq!(Waiter::block(&gate, None, attempt), Some(()));
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_deadline_that_is_over_counts_the_waiter_out() {
        let gate = Gate::new();
        let deadline = Instant::now() + Duration::from_millis(1);
        assert_eq!(Waiter::block(&gate, Some(deadline), || None::<()>), None);
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_came_while_time_ran_out_is_not_left_behind() {
        let gate = Gate::new();
        let deadline = Instant::now() + Duration::from_millis(5);
        let attempt = || (Instant::now() >= deadline).then_some(());
        assert_eq!(Waiter::block(&gate, Some(deadline), attempt), Some(()));
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }
}
