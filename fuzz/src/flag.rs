//! Wakers that remember whether they were woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Wake, Waker};

/// Set by its waker.
#[derive(Default)]
pub struct Flag(AtomicBool);

impl Flag {
    /// A flag that is not set.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The waker that sets it.
    pub fn waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }

    /// Whether it was woken.
    pub fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Forgets that it was woken.
    pub fn reset(&self) {
        self.0.store(false, Relaxed);
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}
