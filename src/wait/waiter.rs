//! [`Waiter`]: one that waits, as a task or as a thread.

use super::{
    event_count::Place,
    wakes::{WakerCell, drop_quietly},
};
use crate::sync::atomic::{Ordering, fence};
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use event_listener::EventListener;
use std::sync::Arc;

/// A task that may wait at a place; empty until it begins to.
///
/// Every method must be given the same place. Whoever owns one calls [`leave`](Waiter::leave)
/// when it stops waiting; a waiter that is forgotten instead keeps at most the one wake it may be
/// given.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    begun: Option<Begun>,
}

/// A wait that has begun.
struct Begun {
    listener: EventListener,
    /// The task's waker.
    cell: Arc<WakerCell>,
}

impl Begun {
    /// Whether nobody has woken it. `event-listener` is told whom to wake.
    fn is_asleep(&mut self) -> bool {
        let Self { listener, cell } = self;
        cell.with_proxy(|proxy| {
            let mut context = Context::from_waker(proxy);
            Pin::new(listener).poll(&mut context).is_pending()
        })
    }

    /// Drops the task's waker, unless a notifier has it: this wait is over.
    fn drop_waker(&self) {
        drop_quietly(self.cell.take());
    }
}

impl Waiter {
    pub(crate) const fn new() -> Self {
        Self { begun: None }
    }

    /// Begins to wait. The caller must look once more for what it wants before it sleeps.
    #[cold]
    fn begin(&mut self, place: &impl Place, context: &Context<'_>) {
        // The clone first: if it panics, nothing has begun.
        let cell = WakerCell::new(context.waker().clone());
        let listener = place.listen(); // W1, W2
        self.begun = Some(Begun { listener, cell });
        // SeqCst: W3; pairs with the notifier's deed and its load of the count.
        fence(Ordering::SeqCst);
    }

    /// Stops waiting. If it was woken, the wake goes to somebody else.
    #[inline]
    pub(crate) fn leave(&mut self, place: &impl Place) {
        if let Some(begun) = self.begun.take() {
            Self::give_up(begun, place);
        }
    }

    #[cold]
    fn give_up(begun: Begun, place: &impl Place) {
        let Begun { listener, cell } = begun;
        let passed_on = place.leave(listener);
        // Foreign code, from here on.
        drop_quietly(cell.take());
        drop(cell);
        drop(passed_on);
    }

    /// Whether it waits and nobody has woken it; then the context's waker is the one to be woken.
    #[inline]
    fn is_still_asleep(&mut self, context: &Context<'_>) -> bool {
        let Some(begun) = &mut self.begun else {
            return false;
        };
        // Before the question: whoever marks the listener after it finds this waker in the cell.
        begun.cell.replace(context.waker());
        self.is_asleep()
    }

    /// The same, with the waker that is there.
    fn is_asleep(&mut self) -> bool {
        if self.begun.as_mut().is_some_and(Begun::is_asleep) {
            return true;
        }
        if let Some(begun) = self.begun.take() {
            begun.drop_waker(); // the notifier has counted it out
        }
        false
    }

    /// Looks with `attempt` until it has an outcome; sleeps in between, as a task.
    #[inline]
    pub(crate) fn poll<R>(
        &mut self,
        place: &impl Place,
        context: &Context<'_>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        // Before the first look: if it was woken, that look is what the wake was for. Else it would
        // seem to find something on its own each time, and wake somebody else for nothing.
        let has_waited = self.begun.is_some();
        let asleep = self.is_still_asleep(context);
        let mut woken = has_waited && !asleep;
        loop {
            if let Some(outcome) = attempt() {
                self.leave(place);
                return Poll::Ready(outcome);
            }
            if mem::take(&mut woken) {
                drop(place.looked_in_vain());
            }
            if asleep {
                return Poll::Pending;
            }
            if self.begun.is_some() {
                if self.is_asleep() {
                    return Poll::Pending;
                }
                woken = true;
            }
            self.begin(place, context);
        }
    }
}

/// Blocking, which needs a thread that can be parked.
#[cfg(not(target_family = "wasm"))]
mod blocking {
    use super::{Ordering, Place, Waiter, fence};
    use crate::spin::Backoff;
    use event_listener::{EventListener, Listener};
    use std::time::Instant;

    /// A listener of a thread, which stops waiting when this is dropped.
    struct Listening<'a, P: Place> {
        place: &'a P,
        listener: Option<EventListener>,
    }

    impl<P: Place> Drop for Listening<'_, P> {
        fn drop(&mut self) {
            if let Some(listener) = self.listener.take() {
                drop(self.place.leave(listener));
            }
        }
    }

    impl Waiter {
        /// Looks with `attempt` until it has an outcome; sleeps in between, as a thread. `None`:
        /// the deadline is over.
        pub(crate) fn block<R>(
            place: &impl Place,
            deadline: Option<Instant>,
            mut attempt: impl FnMut() -> Option<R>,
        ) -> Option<R> {
            // To sleep and to be woken takes tens of microseconds, so it first looks a few times
            // more, at first spinning and then while other threads run: an item there and back
            // between two threads takes 0.4 times as long.
            let backoff = Backoff::new();
            let is_over = |deadline| Instant::now() >= deadline;
            while !backoff.is_completed() && !deadline.is_some_and(is_over) {
                if let Some(outcome) = attempt() {
                    return Some(outcome);
                }
                backoff.snooze();
            }
            let mut woken = false;
            loop {
                if let Some(outcome) = attempt() {
                    return Some(outcome);
                }
                if woken {
                    drop(place.looked_in_vain());
                }
                let mut listening = Listening {
                    place,
                    listener: Some(place.listen()), // W1, W2
                };
                // SeqCst: W3, as for tasks.
                fence(Ordering::SeqCst);
                let found = attempt(); // W4
                if found.is_some() {
                    return found;
                }
                let Some(listener) = listening.listener.take() else {
                    continue; // it is there
                };
                match deadline {
                    None => listener.wait(),
                    Some(deadline) => {
                        if listener.wait_deadline(deadline).is_none() {
                            place.left_unwoken();
                            // A last look: what came while time ran out is not left behind.
                            return attempt();
                        }
                    }
                }
                woken = true;
            }
        }
    }
}

impl core::fmt::Debug for Begun {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Begun").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::{super::EventCount, *};
    use crate::wait::Wakes;
    use core::{cell::Cell, task::Waker};
    use std::{
        sync::atomic::AtomicUsize,
        task::Wake,
        time::{Duration, Instant},
    };

    fn poll_once(waiter: &mut Waiter, event: &EventCount) -> bool {
        let context = Context::from_waker(Waker::noop());
        let mut looked = false;
        // Finds nothing at first, and what it waited for once it was woken.
        waiter
            .poll(event, &context, || {
                let found = looked && event.waiting() == 0;
                looked = true;
                found.then_some(())
            })
            .is_ready()
    }

    #[test]
    fn the_count_is_zero_when_nobody_waits() {
        let event = EventCount::new();
        let (mut first, mut second) = (Waiter::new(), Waiter::new());
        assert!(!poll_once(&mut first, &event));
        assert!(!poll_once(&mut second, &event));
        assert_eq!(event.waiting(), 2);
        drop(event.notify(1)); // wakes the first
        assert_eq!(event.waiting(), 1);
        first.leave(&event); // passes it on to the second
        assert_eq!(event.waiting(), 0);
        second.leave(&event);
        assert_eq!(event.waiting(), 0);
    }

    #[test]
    fn a_waiter_that_leaves_unwoken_counts_itself_out() {
        let event = EventCount::new();
        let mut waiter = Waiter::new();
        assert!(!poll_once(&mut waiter, &event));
        waiter.leave(&event);
        waiter.leave(&event);
        assert_eq!(event.waiting(), 0);
        assert!(!poll_once(&mut waiter, &event));
        waiter.leave(&&event);
        assert_eq!(event.waiting(), 0);
    }

    /// Counts who has looked in vain.
    struct Counting {
        event: EventCount,
        in_vain: Cell<usize>,
    }

    impl Place for Counting {
        fn listen(&self) -> EventListener {
            self.event.listen()
        }

        fn left_unwoken(&self) {
            self.event.left_unwoken();
        }

        fn pass_on(&self) -> Wakes {
            self.event.pass_on()
        }

        fn looked_in_vain(&self) -> Wakes {
            self.in_vain.set(self.in_vain.get() + 1);
            Wakes::none()
        }
    }

    #[test]
    fn only_one_that_was_woken_says_that_it_looked_in_vain() {
        let place = Counting {
            event: EventCount::new(),
            in_vain: Cell::new(0),
        };
        let mut waiter = Waiter::new();
        let mut in_vain = || {
            let context = Context::from_waker(Waker::noop());
            let polled = waiter.poll(&place, &context, || None::<()>);
            assert!(polled.is_pending());
            place.in_vain.get()
        };
        assert_eq!([in_vain(), in_vain()], [0, 0]);
        drop(place.event.notify(1));
        assert_eq!([in_vain(), in_vain()], [1, 1]);
        waiter.leave(&place);
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_task_that_goes_on_between_its_marking_and_its_wake_is_not_woken() {
        let event = EventCount::new();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let context = Context::from_waker(&waker);
        let mut waiter = Waiter::new();
        let polled = waiter.poll(&event, &context, || None::<()>);
        assert!(polled.is_pending());
        let wakes = event.notify(1);
        let polled = waiter.poll(&event, &context, || Some(()));
        assert!(polled.is_ready());
        drop(wakes);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_thread_that_finds_something_while_it_listens_counts_itself_out() {
        let event = EventCount::new();
        let attempt = || (event.waiting() > 0).then_some(());
        assert_eq!(Waiter::block(&event, None, attempt), Some(()));
        assert_eq!(event.waiting(), 0);
    }

    #[test]
    fn a_deadline_that_is_over_counts_the_waiter_out() {
        let event = EventCount::new();
        let deadline = Instant::now() + Duration::from_millis(1);
        assert_eq!(Waiter::block(&event, Some(deadline), || None::<()>), None);
        assert_eq!(event.waiting(), 0);
    }

    #[test]
    fn what_came_while_time_ran_out_is_not_left_behind() {
        let event = EventCount::new();
        let deadline = Instant::now() + Duration::from_millis(5);
        let attempt = || (Instant::now() >= deadline).then_some(());
        assert_eq!(Waiter::block(&event, Some(deadline), attempt), Some(()));
        assert_eq!(event.waiting(), 0);
    }
}
