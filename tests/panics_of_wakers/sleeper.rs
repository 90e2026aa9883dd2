//! A future that waits, with a waker that may panic.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use bandq::{Receiver, Sender, TrySendError};

use crate::support::waker::waker;
use crate::support::{Case, Ledger, Token, all_end, b};

/// Runs a call into bandq from which no panic may come.
#[track_caller]
pub(crate) fn calm<R>(call: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(output) => output,
        Err(_) => panic!("the panic of the waker came out of the call"),
    }
}

/// A future, polled once, and how often it was woken.
pub(crate) struct Sleeper<F: Future> {
    future: Option<Pin<Box<F>>>,
    wakes: Arc<AtomicUsize>,
}

impl<F: Future> Sleeper<F> {
    /// Waits with a waker whose wakes panic if `panics`.
    #[track_caller]
    pub(crate) fn new(future: F, panics: bool) -> Self {
        let wakes = Arc::new(AtomicUsize::new(0));
        let waker = {
            let wakes = wakes.clone();
            waker(|hooks| {
                hooks.wake = Box::new(move || {
                    wakes.fetch_add(1, Ordering::SeqCst);
                    // Not twice on a thread: that would abort the process, and say less.
                    assert!(!panics || thread::panicking(), "a wake that panics");
                });
            })
        };
        let mut sleeper = Sleeper {
            future: Some(Box::pin(future)),
            wakes,
        };
        assert!(sleeper.poll_with(&waker).is_pending(), "should wait");
        sleeper
    }

    pub(crate) fn poll_with(&mut self, waker: &Waker) -> Poll<F::Output> {
        let future = self.future.as_mut().unwrap();
        future.as_mut().poll(&mut Context::from_waker(waker))
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }

    /// Polls as its executor would after the wake; it must be ready.
    #[track_caller]
    pub(crate) fn ready(mut self) -> F::Output {
        assert_eq!(self.wakes(), 1, "wakes");
        match calm(|| self.poll_with(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("should be ready"),
        }
    }

    /// Drops the future.
    #[track_caller]
    pub(crate) fn cancel(mut self) {
        let future = self.future.take();
        calm(|| drop(future));
    }
}

impl<F: Future> Drop for Sleeper<F> {
    /// Caught, so that a test that fails does not abort the others.
    fn drop(&mut self) {
        let future = self.future.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}

/// Which of three waiters panic.
pub(crate) type Panics = [bool; 3];

pub(crate) const SOME_PANIC: [Panics; 5] = [
    [true, false, false],
    [false, true, false],
    [true, true, false],
    [true, false, true],
    [true, true, true],
];

/// A case for each set of waiters that panic.
pub(crate) fn cases<C: Copy + Send + 'static>(
    calls: &[(&'static str, C)],
    body: fn(C, Panics),
) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for &(name, call) in calls {
        for panics in SOME_PANIC {
            let name = format!("{name}, panics: {panics:?}");
            cases.push((name, Box::new(move || body(call, panics))));
        }
    }
    cases
}

/// Runs `body` for each call and each set of waiters that panic.
#[track_caller]
pub(crate) fn for_each<C: Copy + Send + 'static>(calls: &[(&'static str, C)], body: fn(C, Panics)) {
    all_end(cases(calls, body));
}

/// The room of the channels here.
pub(crate) const CAPACITY: usize = 3;

/// Each unit was given back exactly once: an empty channel takes as many items as it has room.
#[track_caller]
pub(crate) fn assert_all_room_is_there(tx: &Sender<Token>, rx: &Receiver<Token>) {
    assert!(rx.is_empty());
    let ledger = Ledger::new(CAPACITY + 1);
    for id in 0..CAPACITY {
        assert!(tx.try_send(b(0), ledger.token(id)).is_ok(), "{id} units");
    }
    let error = tx.try_send(b(0), ledger.token(CAPACITY));
    assert!(matches!(error, Err(TrySendError::Full(_))), "more room");
    assert_eq!(rx.drain().count(), CAPACITY);
}
