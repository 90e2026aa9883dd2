//! Room: a unit is given out once, comes back, and wakes who waits for it.

use bandq::{Band, TrySendError, bounded};
use loom_tests::{Bound, Seen, block_on, model};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

/// A receive that makes room beside a sender that begins to wait for it.
#[test]
fn recv_waiting_sender() {
    model(
        "bounded/recv_waiting_sender",
        2,
        Bound::Preemptions(3).or_in_full(Bound::Preemptions(4)),
        |cast| {
            let (sender, receiver) = bounded(1, 1);
            sender.try_send(Band::URGENT, 1).unwrap();
            let (receiver, ()) = cast.two(
                move || {
                    assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
                    receiver
                },
                move || block_on(sender.send(Band::URGENT, 2)).unwrap(),
            );
            assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 2)));
        },
    );
}

/// The same for a blocked thread.
#[test]
fn recv_blocked_sender() {
    model(
        "bounded/recv_blocked_sender",
        2,
        Bound::Preemptions(3).or_in_full(Bound::Preemptions(4)),
        |cast| {
            let (sender, receiver) = bounded(1, 1);
            sender.try_send(Band::URGENT, 1).unwrap();
            cast.two(
                move || {
                    assert!(receiver.try_recv().is_ok());
                    receiver
                },
                move || sender.send_blocking(Band::URGENT, 2).unwrap(),
            );
        },
    );
}

/// A permit that is dropped makes room for a sender that begins to wait.
#[test]
fn permit_drop_waiting_sender() {
    model(
        "bounded/permit_drop_waiting_sender",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (sender, receiver) = bounded(1, 1);
            let holder = sender.clone();
            let waiting = move || block_on(sender.send(Band::URGENT, 2)).unwrap();
            // The permit borrows its sender, so it is taken on the thread that drops it.
            let (holder, ()) = cast.two(
                move || {
                    match holder.try_reserve(Band::URGENT) {
                        Ok(permit) => drop(permit),
                        Err(error) => assert!(error.is_full()),
                    }
                    holder
                },
                waiting,
            );
            assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 2)));
            drop(holder);
        },
    );
}

/// Two senders and one unit: one gets it.
#[test]
fn two_senders_one_unit() {
    model(
        "bounded/two_senders_one_unit",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (sender, receiver) = bounded(2, 1);
            let other = sender.clone();
            let (a, b) = cast.two(
                move || sender.try_send(Band::URGENT, 1).is_ok(),
                move || other.try_send(Band::new(1), 2).is_ok(),
            );
            assert!(a != b);
            assert_eq!(receiver.len(), 1);
            assert!(receiver.is_full());
        },
    );
}

/// `Full` is said only when there is no room: two units, two senders, both succeed.
#[test]
fn full_is_never_false() {
    model(
        "bounded/full_is_never_false",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (sender, receiver) = bounded(1, 2);
            let other = sender.clone();
            cast.two(
                move || sender.try_send(Band::URGENT, 1).unwrap(),
                move || other.try_send(Band::URGENT, 2).unwrap(),
            );
            assert_eq!(receiver.try_iter().count(), 2);
        },
    );
}

/// A sender that was woken for room and is cancelled passes its wake on to another one.
#[test]
fn cancelled_sender_passes_its_wake_on() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("bounded/cancelled_sender", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 1);
        sender.try_send(Band::URGENT, 1).unwrap();
        let other = sender.clone();
        cast.two(
            move || {
                let mut context = Context::from_waker(Waker::noop());
                let mut first = pin!(other.reserve(Band::URGENT));
                assert!(first.as_mut().poll(&mut context).is_pending());
                assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
                receiver // outlives the future, so that no close wakes the other one
            },
            move || block_on(sender.send(Band::URGENT, 3)).unwrap(),
        );
    });
}

/// A close wakes a sender that begins to wait for room.
#[test]
fn close_waiting_sender() {
    model(
        "bounded/close_waiting_sender",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (sender, receiver) = bounded(1, 1);
            sender.try_send(Band::URGENT, 1).unwrap();
            cast.two(
                move || receiver.close(),
                move || {
                    let error = block_on(sender.send(Band::URGENT, 2)).unwrap_err();
                    assert_eq!(error.into_inner(), 2);
                },
            );
        },
    );
}

/// A full channel that is closed says `Closed` or `Full`, and after the close only `Closed`.
#[test]
fn close_full_send() {
    model(
        "bounded/close_full_send",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (sender, receiver) = bounded(1, 1);
            sender.try_send(Band::URGENT, 1).unwrap();
            let (sender, receiver) = cast.two(
                move || {
                    assert!(sender.try_send(Band::URGENT, 2).is_err());
                    sender
                },
                move || {
                    receiver.close();
                    receiver
                },
            );
            assert_eq!(
                sender.try_send(Band::URGENT, 3),
                Err(TrySendError::Closed(3))
            );
            drop(receiver);
        },
    );
}

/// What the length says to a third party while one item goes and the next one comes: an item whose
/// receive runs meanwhile may count, and so may one whose send does, but never more than there is
/// room for.
#[test]
fn counts() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("bounded/counts", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 1);
        sender.try_send(Band::URGENT, 1).unwrap();
        let observer = sender.clone();
        let (kept, ()) = cast.two(
            move || {
                assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
                assert!(sender.try_send(Band::URGENT, 2).is_ok(), "full, and is not");
                (sender, receiver)
            },
            move || {
                let len = observer.len();
                assert!(len <= 1, "{len} items, and there is room for one");
            },
        );
        assert_eq!((kept.0.len(), kept.0.is_full()), (1, true));
    });
}

/// What the room says to a third party meanwhile: of two units one is never in use.
#[test]
fn counts_room() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("bounded/counts_room", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 2);
        sender.try_send(Band::URGENT, 1).unwrap();
        let observer = sender.clone();
        let (kept, ()) = cast.two(
            move || {
                assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
                sender.try_send(Band::URGENT, 2).unwrap();
                (sender, receiver)
            },
            move || {
                let available = observer.available();
                assert!(
                    available >= Some(1),
                    "{available:?}, and one item at a time"
                );
            },
        );
        assert_eq!(kept.0.available(), Some(1));
    });
}

/// The same where the next one is another thread's.
#[test]
fn counts_by_a_third() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("bounded/counts_by_a_third", 3, bound, |cast| {
        let (sender, receiver) = bounded(1, 1);
        sender.try_send(Band::URGENT, 1).unwrap();
        let observer = sender.clone();
        cast.three(
            move || {
                assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
                receiver
            },
            move || {
                let _ = sender.try_send(Band::URGENT, 2);
                sender
            },
            move || {
                let len = observer.len();
                assert!(len <= 1, "{len} items, and there is room for one");
            },
        );
    });
}

/// The same with a send and a receive at once, and a look by the receiver.
#[test]
fn counts_send_recv() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("bounded/counts_send_recv", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 1);
        cast.two(
            move || {
                sender.try_send(Band::URGENT, 1).unwrap();
                assert!(sender.len() <= 1);
                sender
            },
            move || {
                let received = receiver.try_recv().is_ok();
                let len = receiver.len();
                assert!(len <= 1, "{len}");
                assert!(
                    !received || (len == 0 && !receiver.is_full()),
                    "it was received"
                );
                SEEN.mark(if received { "received" } else { "too early" });
                receiver
            },
        );
    });
    SEEN.expect(["received", "too early"]);
}

/// A sender that waits for several units is woken by whoever makes the last of them free, and one
/// that waits for a single unit is not left asleep beside it.
#[test]
fn reserve_many_waits() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("bounded/reserve_many_waits", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 2);
        sender.try_send(Band::URGENT, 1).unwrap();
        sender.try_send(Band::URGENT, 2).unwrap();
        cast.two(
            move || {
                assert!(receiver.try_recv().is_ok());
                assert!(receiver.try_recv().is_ok());
                receiver // outlives the reservation, so that no close ends it
            },
            move || {
                assert_eq!(
                    block_on(sender.reserve_many(Band::URGENT, 2))
                        .unwrap()
                        .len(),
                    2
                )
            },
        );
    });
}
