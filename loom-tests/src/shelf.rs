//! [`Shelf`]: the smallest thing that one can wait for.

use crate::{
    block_on,
    sync::atomic::{AtomicUsize, Ordering},
};
use bandq::__internals::{EventCount, Waiter};
use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// Things to be taken, and the eventcount for those who wait for one. As in the queue, producers
/// change one word and consumers another, and a look that finds nothing is a load.
#[allow(missing_debug_implementations)]
pub struct Shelf {
    put: AtomicUsize,
    taken: AtomicUsize,
    /// Where one waits.
    pub event: Arc<EventCount>,
}

/// A place to wait for a shelf.
pub type Place = Waiter<Arc<EventCount>>;

impl Shelf {
    /// An empty one.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            put: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            event: Arc::default(),
        })
    }

    /// Puts things there by one deed, and wakes for them.
    pub fn put(&self, things: usize) {
        self.put.fetch_add(things, Ordering::SeqCst);
        self.event.notify(things);
    }

    /// Takes one, if there is one.
    pub fn try_take(&self) -> Option<()> {
        let put = self.put.load(Ordering::Acquire);
        let next = |taken| (taken < put).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .is_ok()
            .then_some(())
    }

    /// Takes one, waiting as a task.
    pub fn take(&self) {
        let mut place = Waiter::new(&*self.event);
        block_on(poll_fn(|context| place.poll(context, || self.try_take())));
    }

    /// Takes one, waiting as a thread.
    pub fn take_blocking(&self) {
        self.event.block(|| self.try_take());
    }

    /// Begins to wait, for nothing is there yet. The place is for somebody else to drop.
    pub fn begin_to_wait(&self) -> Place {
        self.begin_to_wait_with(Waker::noop())
    }

    /// The same, with a waker.
    pub fn begin_to_wait_with(&self, waker: &Waker) -> Place {
        let mut place = Waiter::new(Arc::clone(&self.event));
        let mut context = Context::from_waker(waker);
        assert!(place.poll(&mut context, || self.try_take()).is_pending());
        place
    }

    /// Goes on to wait in that place, as a task.
    pub fn go_on_in(&self, place: &mut Place) {
        block_on(poll_fn(|context| place.poll(context, || self.try_take())));
    }

    /// How many are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.put.load(Ordering::Acquire) - self.taken.load(Ordering::Acquire)
    }
}

/// Polls a place once, with a waker that does nothing.
pub fn poll_once(place: &mut Place, look: impl FnMut() -> Option<()>) -> Poll<()> {
    place.poll(&mut Context::from_waker(Waker::noop()), look)
}
