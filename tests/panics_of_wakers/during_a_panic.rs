//! What is dropped because its thread panics may meet a waker that panics as well: a second panic
//! that came out would abort the process. So each case runs in a child.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Waker};

use bandq::{Receiver, Sender, bounded};

use crate::support::waker::waker;
use crate::support::{Task, b, child, counting_waker};

/// Panics when it is woken.
fn bad_wake() -> Waker {
    waker(|hooks| hooks.wake = Box::new(|| panic!("a wake that panics")))
}

/// Panics while it is dropped by a thread that panics.
fn bad_drop() -> Waker {
    waker(|hooks| {
        hooks.drop = Box::new(|| assert!(!std::thread::panicking(), "a drop that panics"));
    })
}

fn wait<F: Future + Unpin>(future: &mut F, waker: &Waker) {
    let polled = Pin::new(future).poll(&mut Context::from_waker(waker));
    assert!(polled.is_pending(), "should wait");
}

/// Panics, and drops `value` on the way.
fn panic_with<T>(value: T) {
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _value = value;
        panic!("the first panic");
    }));
    assert!(panicked.is_err());
}

type Case = (&'static str, fn(Sender<u32>, Receiver<u32>));

const CASES: [Case; 7] = [
    ("a permit", |tx, rx| {
        let permit = tx.try_reserve(b(0)).unwrap();
        let mut first = tx.reserve(b(0));
        wait(&mut first, &bad_wake());
        let mut second = Task::waiting(tx.reserve(b(0)));
        panic_with(permit);
        drop(first);
        assert!(second.woken());
        drop(second.ready().unwrap());
        tx.try_send(b(0), 1).unwrap();
        assert_eq!((tx.is_full(), rx.len()), (true, 1));
    }),
    ("the last sender", |tx, rx| {
        let mut first = rx.recv();
        wait(&mut first, &bad_wake());
        let mut second = Task::waiting(rx.recv());
        panic_with(tx);
        assert!(second.woken());
        assert!(second.ready().is_err());
    }),
    ("the last receiver", |tx, rx| {
        tx.try_send(b(0), 0).unwrap();
        let mut first = tx.send(b(0), 1);
        wait(&mut first, &bad_wake());
        let mut second = Task::waiting(tx.send(b(0), 2));
        panic_with(rx);
        assert!(second.woken());
        assert!(second.ready().is_err());
    }),
    ("a woken recv", |tx, rx| {
        let first = Task::waiting(rx.recv());
        let mut second = rx.recv();
        wait(&mut second, &bad_wake());
        let mut third = Task::waiting(rx.recv());
        tx.try_send(b(0), 1).unwrap();
        panic_with(first);
        drop(second);
        assert!(third.woken());
        assert_eq!(third.ready(), Ok((b(0), 1)));
    }),
    ("a woken send", |tx, rx| {
        tx.try_send(b(0), 0).unwrap();
        let first = Task::waiting(tx.send(b(0), 1));
        let mut second = tx.send(b(0), 2);
        wait(&mut second, &bad_wake());
        let mut third = Task::waiting(tx.send(b(0), 3));
        rx.try_recv().unwrap();
        panic_with(first);
        drop(second);
        assert!(third.woken());
        assert_eq!(third.ready(), Ok(()));
        assert_eq!(rx.try_recv(), Ok((b(0), 3)));
    }),
    ("a recv whose waker's drop panics", |tx, rx| {
        let bad = bad_drop();
        let mut first = rx.recv();
        wait(&mut first, &bad);
        let mut second = Task::waiting(rx.recv());
        panic_with(first);
        tx.try_send(b(0), 1).unwrap();
        assert!(second.woken());
        assert_eq!(second.ready(), Ok((b(0), 1)));
    }),
    ("a stream whose waker's drop panics", |tx, rx| {
        let bad = bad_drop();
        let mut first = rx.clone();
        let mut context = Context::from_waker(&bad);
        assert!(futures_core::Stream::poll_next(Pin::new(&mut first), &mut context).is_pending());
        panic_with(first);
        let mut second = rx.clone();
        let (waker, count) = counting_waker();
        assert!(crate::support::hand::poll_stream(&mut second, &waker).is_pending());
        tx.try_send(b(0), 1).unwrap();
        assert_eq!(count.get(), 1);
    }),
];

#[test]
fn what_a_panic_drops_may_meet_a_waker_that_panics() {
    const TEST: &str = "during_a_panic::what_a_panic_drops_may_meet_a_waker_that_panics";
    if let Some(task) = child::task() {
        let (_, body) = CASES.into_iter().find(|(name, _)| *name == task).unwrap();
        let (tx, rx) = bounded(1, 1);
        return body(tx, rx);
    }
    let failed: Vec<_> = CASES
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !child::passes(TEST, name))
        .collect();
    assert!(failed.is_empty(), "{} fail: {failed:#?}", failed.len());
}
