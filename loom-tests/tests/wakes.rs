//! The cell in which a waiter keeps its task's waker: it is woken or dropped once, outside of
//! `event-listener`'s mutex, and it is the one of the last poll.
//!
//! A lost wake shows as a deadlock. Wakers count what happens to them; a waker of the model's own may
//! use what it was waiting for, which hangs if a lock is held meanwhile.

use bandq::{
    __internals::{EventCount, Waiter},
    Band, Receiver, unbounded,
};
use loom_tests::{
    Bound, Seen, block_on, model,
    sync::atomic::{AtomicUsize, Ordering},
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

/// What one waits for: a count, and the place to wait for it to be above zero.
struct Post {
    items: AtomicUsize,
    event: EventCount,
}

impl Post {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            items: AtomicUsize::new(0),
            event: EventCount::new(),
        })
    }

    fn put(&self) {
        self.items.fetch_add(1, Ordering::SeqCst);
        self.event.notify(1);
    }

    fn take(&self) -> Option<()> {
        self.items
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |items| items.checked_sub(1))
            .is_ok()
            .then_some(())
    }
}

/// A place that shares its post.
struct Place {
    post: Arc<Post>,
    waiter: Waiter<Arc<EventCountOf>>,
}

/// The eventcount of a post.
struct EventCountOf(Arc<Post>);

impl std::ops::Deref for EventCountOf {
    type Target = EventCount;

    fn deref(&self) -> &EventCount {
        &self.0.event
    }
}

impl Place {
    fn new(post: &Arc<Post>) -> Self {
        let event = Arc::new(EventCountOf(Arc::clone(post)));
        Self {
            post: Arc::clone(post),
            waiter: Waiter::new(event),
        }
    }
}
