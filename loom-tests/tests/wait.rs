//! The eventcount: no wake is lost, and none is kept from others.
//!
//! Most models wait for the smallest thing that one can wait for, a [`Shelf`]; the last ones wait
//! for a channel. A lost wake shows as a deadlock, which loom reports.
//!
//! The plain `Arc`s are no part of a model, so the last one goes on the main thread, after the
//! parts.

use bandq::{
    __internals::{EventCount, Waiter},
    Band, Sender, unbounded,
};
use futures_core::Stream;
use loom_tests::{
    Bound, Seen, block_on, model,
    shelf::{Shelf, poll_once},
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Waker},
};

/// A task that begins to wait beside the deed does not sleep on.
#[test]
fn put_take() {
    let bound = Bound::Preemptions(4).or_in_full(Bound::None);
    model("wait/put_take", 2, bound, |cast| {
        let shelf = Shelf::new();
        let other = Arc::clone(&shelf);
        let one = Arc::clone(&shelf);
        cast.two(move || one.put(1), move || other.take());
    });
}

/// The same for a thread.
#[test]
fn put_take_blocking() {
    let bound = Bound::Preemptions(4).or_in_full(Bound::None);
    model("wait/put_take_blocking", 2, bound, |cast| {
        let shelf = Shelf::new();
        let other = Arc::clone(&shelf);
        let one = Arc::clone(&shelf);
        cast.two(move || one.put(1), move || other.take_blocking());
    });
}

/// Two deeds wake two waiters, though the first has woken one who has not looked yet.
#[test]
fn two_items_two_waiters() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("wait/two_items_two_waiters", 3, bound, |cast| {
        let shelf = Shelf::new();
        let mut first = shelf.begin_to_wait();
        let (task, thread) = (Arc::clone(&shelf), Arc::clone(&shelf));
        let producer = Arc::clone(&shelf);
        cast.three(
            move || task.go_on_in(&mut first),
            move || thread.take_blocking(),
            move || {
                producer.put(1);
                producer.put(1);
            },
        );
        assert_eq!(shelf.left(), 0);
    });
}

/// A deed for two wakes a task and a thread.
#[test]
fn blocking_and_async() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("wait/blocking_and_async", 3, bound, |cast| {
        let shelf = Shelf::new();
        let (task, thread) = (Arc::clone(&shelf), Arc::clone(&shelf));
        let producer = Arc::clone(&shelf);
        cast.three(
            move || task.take(),
            move || thread.take_blocking(),
            move || producer.put(2),
        );
        assert_eq!(shelf.left(), 0);
    });
}

/// A waiter that was woken and is dropped without a look passes its wake on.
#[test]
fn dropped_after_the_wake() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("wait/dropped_after_the_wake", 2, bound, |cast| {
        let shelf = Shelf::new();
        let first = shelf.begin_to_wait();
        let (producer, consumer) = (Arc::clone(&shelf), Arc::clone(&shelf));
        cast.two(
            move || {
                producer.put(1);
                drop(first); // the oldest, so it had the wake if anybody had
            },
            move || consumer.take(),
        );
    });
}

/// The same when it is dropped beside the deed: before, while or after it is woken.
#[test]
fn dropped_beside_the_wake() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("wait/dropped_beside_the_wake", 3, bound, |cast| {
        let shelf = Shelf::new();
        let first = shelf.begin_to_wait();
        let (producer, consumer) = (Arc::clone(&shelf), Arc::clone(&shelf));
        cast.three(
            move || producer.put(1),
            move || drop(first),
            move || consumer.take_blocking(),
        );
    });
}

/// A waiter that was woken and is neither polled nor dropped (forgotten, as far as others can see)
/// holds that one wake: the next deed wakes the next waiter.
#[test]
fn forgotten_after_the_wake() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("wait/forgotten_after_the_wake", 2, bound, |cast| {
        let shelf = Shelf::new();
        let forgotten = shelf.begin_to_wait();
        let (producer, consumer) = (Arc::clone(&shelf), Arc::clone(&shelf));
        cast.two(
            move || {
                producer.put(1);
                producer.put(1);
            },
            move || consumer.take(),
        );
        assert_eq!(shelf.left(), 1);
        drop(forgotten); // loom would call it a leak
    });
}

/// A waiter that finds something on its own at its last look, when somebody has woken it already
/// for something else, passes that wake on. It is kept afterwards, so that its drop does not do it.
#[test]
fn found_by_itself() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("wait/found_by_itself", 2, bound, |cast| {
        let shelf = Shelf::new();
        let (producer, consumer) = (Arc::clone(&shelf), Arc::clone(&shelf));
        let (place, ()) = cast.two(
            move || {
                let mut place = Waiter::new(Arc::clone(&producer.event));
                let mut looks = 0;
                let outcome = poll_once(&mut place, || {
                    looks += 1;
                    if looks == 1 {
                        return None;
                    }
                    // It is listening now, and finds its own thing just when another one comes.
                    producer.put(1);
                    Some(())
                });
                assert!(outcome.is_ready());
                place
            },
            move || {
                SEEN.mark(if consumer.try_take().is_some() {
                    "no need to wait"
                } else {
                    consumer.take();
                    "had to wait"
                });
            },
        );
        assert_eq!(shelf.left(), 0);
        drop(place);
    });
    SEEN.expect(["no need to wait", "had to wait"]);
}

/// A close wakes everybody.
#[test]
fn close_wakes_all() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("wait/close_wakes_all", 3, bound, |cast| {
        let event = Arc::new(EventCount::new());
        let closed = Arc::new(AtomicBool::new(false));
        let wait = || {
            let (event, closed) = (Arc::clone(&event), Arc::clone(&closed));
            move || event.block(|| closed.load(Ordering::Acquire).then_some(()))
        };
        let (closing, flag) = (Arc::clone(&event), Arc::clone(&closed));
        cast.three(wait(), wait(), move || {
            flag.swap(true, Ordering::SeqCst);
            closing.notify_all();
        });
    });
}

/// A channel's receive that begins to wait beside a send does not sleep beside its item.
#[test]
fn send_recv() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("wait/send_recv", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        cast.two(send(sender), move || {
            assert_eq!(block_on(receiver.recv()), Ok((Band::URGENT, 7)));
        });
    });
}

/// The same for a blocked thread.
#[test]
fn send_recv_blocking() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("wait/send_recv_blocking", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        cast.two(send(sender), move || {
            assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, 7)));
        });
    });
}

/// Sends one item; the sender stays, so that it is the send that wakes and not the close.
fn send(sender: Sender<i32>) -> impl FnOnce() -> Sender<i32> + Send + 'static {
    move || {
        sender.try_send(Band::URGENT, 7).unwrap();
        sender
    }
}

/// The same for a stream.
#[test]
fn send_stream() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("wait/send_stream", 2, bound, |cast| {
        let (sender, mut receiver) = unbounded(1);
        cast.two(send(sender), move || {
            let next = block_on(poll_fn(|context| {
                Pin::new(&mut receiver).poll_next(context)
            }));
            assert_eq!(next, Some((Band::URGENT, 7)));
        });
    });
}

/// A stream that was polled once and is kept does not hold the wake that a receive needs.
#[test]
fn stream_and_recv() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("wait/stream_and_recv", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let mut stream = receiver.clone();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut stream).poll_next(&mut context).is_pending());
        cast.two(send(sender), move || {
            assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, 7)));
        });
        drop(stream);
    });
}

/// A stream that was polled once and is kept (its `next()` was cancelled, say) does not hold the
/// wake that another stream needs.
#[test]
fn stream_and_stream() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("wait/stream_and_stream", 2, bound, |cast| {
        let (sender, mut receiver) = unbounded(1);
        let mut kept = receiver.clone();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut kept).poll_next(&mut context).is_pending());
        cast.two(send(sender), move || {
            let next = block_on(poll_fn(|context| {
                Pin::new(&mut receiver).poll_next(context)
            }));
            assert_eq!(next, Some((Band::URGENT, 7)));
        });
        drop(kept);
    });
}

/// A receive that is woken and dropped passes its wake on to another one.
#[test]
fn dropped_recv() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("wait/dropped_recv", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let other = receiver.clone();
        cast.two(
            move || {
                let mut first = pin!(other.recv());
                let mut context = Context::from_waker(Waker::noop());
                assert!(first.as_mut().poll(&mut context).is_pending());
                sender.try_send(Band::URGENT, 7).unwrap();
                sender // outlives the future, so that no close wakes the other one
            },
            move || assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, 7))),
        );
    });
}
