//! Tasks by hand: polled when the model says so.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// A waker that counts; keeping the books is no part of a model.
#[derive(Debug, Default)]
pub struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    /// Whether it was woken at all.
    #[must_use]
    pub fn is_woken(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// Polls a future that waits then, with that waker.
pub fn begin_to_wait<F: Future>(future: Pin<&mut F>, count: &Arc<Count>) {
    let waker = Waker::from(Arc::clone(count));
    let mut context = Context::from_waker(&waker);
    assert!(future.poll(&mut context).is_pending());
}

/// Polls a future once, with a waker that does nothing.
pub fn poll_now<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
