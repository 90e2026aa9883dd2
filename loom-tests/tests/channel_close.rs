//! Closing: what was sent is received, what came too late is given back, and nobody sleeps on.

use bandq::{Band, TryRecvError, TrySendError, unbounded};
use loom_tests::{Bound, Ledger, Seen, block_on, model};
use std::iter;

const LOW: Band = Band::new(1);

/// A send beside a close is received or given back, and after the close none succeeds.
#[test]
fn close_send() {
    static SEEN: Seen = Seen::new();
    model("channel/close_send", 2, Bound::Preemptions(3), |cast| {
        let (sender, receiver) = unbounded(2);
        let late = sender.clone();
        let (sent, closer) = cast.two(
            move || sender.try_send(LOW, 7),
            move || {
                assert!(receiver.close());
                assert_eq!(late.try_send(Band::URGENT, 8), Err(TrySendError::Closed(8)));
                receiver
            },
        );
        let received = closer.try_recv();
        match sent {
            Ok(()) => {
                SEEN.mark("sent");
                assert_eq!(received, Ok((LOW, 7)));
                assert_eq!(closer.try_recv(), Err(TryRecvError::Closed));
            }
            Err(error) => {
                SEEN.mark("given back");
                assert_eq!(
                    (error, received),
                    (TrySendError::Closed(7), Err(TryRecvError::Closed))
                );
            }
        }
    });
    SEEN.expect(["sent", "given back"]);
}

/// A sender that is told `Closed` by one band, while the closing thread is still marking bands, has
/// seen the last send to any band.
#[test]
fn closed_in_one_band_is_closed_in_all() {
    static SEEN: Seen = Seen::new();
    model(
        "channel/closed_in_all_bands",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (sender, receiver) = unbounded(2);
            cast.two(
                move || receiver.close(),
                move || match sender.try_send(Band::URGENT, 1) {
                    Ok(()) => SEEN.mark("before"),
                    Err(_) => {
                        SEEN.mark("after");
                        assert!(sender.try_send(LOW, 2).is_err(), "a later send slipped in");
                        assert!(sender.is_closed());
                    }
                },
            );
        },
    );
    SEEN.expect(["before", "after"]);
}

/// A sender that sees the channel closed, while the closing thread is still marking bands, has seen
/// the last send to any band.
#[test]
fn closed_by_the_flag_is_closed_in_all() {
    static SEEN: Seen = Seen::new();
    model(
        "channel/closed_by_the_flag",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (sender, receiver) = unbounded(2);
            cast.two(
                move || (receiver.close(), receiver),
                move || {
                    if sender.is_closed() {
                        SEEN.mark("closed");
                        assert!(sender.try_send(LOW, 1).is_err(), "a later send slipped in");
                    } else {
                        SEEN.mark("open");
                    }
                    sender
                },
            );
        },
    );
    SEEN.expect(["closed", "open"]);
}

/// Once a receive has said `Closed`, no item appears, however late a running send is.
#[test]
fn closed_to_a_receive_is_final() {
    static SEEN: Seen = Seen::new();
    model(
        "channel/closed_to_a_receive_is_final",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (sender, receiver) = unbounded(1);
            let (sent, (receiver, early)) = cast.two(
                move || sender.try_send(Band::URGENT, 7).is_ok(),
                move || {
                    receiver.close();
                    let early = receiver.try_recv();
                    assert_ne!(
                        early,
                        Err(TryRecvError::Empty),
                        "a closed channel is never just empty"
                    );
                    (receiver, early)
                },
            );
            assert_eq!(early.is_ok(), sent);
            SEEN.mark(if sent { "received" } else { "closed first" });
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        },
    );
    SEEN.expect(["received", "closed first"]);
}

/// The same with two sends that run, in two segments, of which the second may be the later one to
/// end.
#[test]
fn closed_to_a_receive_is_final_for_two() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("channel/closed_is_final_for_two", 3, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        sender.try_send(Band::URGENT, 0).unwrap();
        receiver.try_recv().unwrap();
        let send = |item| {
            let sender = sender.clone();
            move || sender.try_send(Band::URGENT, item).is_ok()
        };
        let (a, b, (receiver, received)) = cast.three(send(1), send(2), move || {
            receiver.close();
            let received = iter::from_fn(|| receiver.try_recv().ok()).count();
            (receiver, received)
        });
        let sent = usize::from(a) + usize::from(b);
        SEEN.mark(match sent {
            0 => "none sent",
            1 => "one sent",
            _ => "two sent",
        });
        assert_eq!(received, sent, "an item after the end, or one too many");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
    SEEN.expect(["none sent", "one sent", "two sent"]);
}

/// A receiver that begins to wait beside the close does not sleep on.
#[test]
fn close_recv() {
    model("channel/close_recv", 2, Bound::Preemptions(3), |cast| {
        let (sender, receiver) = unbounded::<()>(1);
        cast.two(
            move || assert!(sender.close()),
            move || assert!(block_on(receiver.recv()).is_err()),
        );
    });
}

/// The same when the last sender is dropped, with an item sent just before: it is received.
#[test]
fn last_sender_drop_recv() {
    model(
        "channel/last_sender_drop_recv",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (sender, receiver) = unbounded(1);
            cast.two(
                move || sender.try_send(Band::URGENT, 7).unwrap(),
                move || {
                    assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, 7)));
                    assert!(receiver.recv_blocking().is_err());
                },
            );
        },
    );
}

/// A send beside the drop of the last receiver: the item is given back, or dropped then and there.
#[test]
fn last_receiver_drop_send() {
    static SEEN: Seen = Seen::new();
    model(
        "channel/last_receiver_drop_send",
        2,
        Bound::Preemptions(3),
        |cast| {
            let ledger = Ledger::new();
            let item = ledger.item();
            let (sender, receiver) = unbounded(1);
            let (sent, ()) = cast.two(
                move || (sender.try_send(Band::URGENT, item), sender),
                move || drop(receiver),
            );
            let (sent, sender) = sent;
            match sent {
                Ok(()) => {
                    SEEN.mark("dropped inside");
                    assert!(ledger.is_dropped(0), "it waits for the sender to go");
                }
                Err(error) => {
                    SEEN.mark("given back");
                    assert!(!ledger.is_dropped(0));
                    drop(error.into_inner());
                }
            }
            drop(sender);
            ledger.settle();
        },
    );
    SEEN.expect(["dropped inside", "given back"]);
}

/// An upgrade beside the drop of the last sender: it gets a sender to an open channel, or none.
#[test]
fn weak_upgrade_last_drop() {
    static SEEN: Seen = Seen::new();
    model(
        "channel/weak_upgrade_last_drop",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (sender, receiver) = unbounded(1);
            let weak = sender.downgrade();
            let (upgraded, ()) = cast.two(
                move || {
                    let Some(sender) = weak.upgrade() else {
                        return false;
                    };
                    assert!(
                        !sender.is_closed(),
                        "the last sender is here, and nobody closed"
                    );
                    sender.try_send(Band::URGENT, 7).unwrap();
                    true
                },
                move || drop(sender),
            );
            SEEN.mark(if upgraded { "upgraded" } else { "gone" });
            assert_eq!(receiver.try_recv().is_ok(), upgraded);
            assert!(receiver.is_closed());
        },
    );
    SEEN.expect(["upgraded", "gone"]);
}

/// Of two who close at once, one is told that it did.
#[test]
fn close_close() {
    model("channel/close_close", 2, Bound::Preemptions(3), |cast| {
        let (sender, receiver) = unbounded::<()>(2);
        let (a, b) = cast.two(move || sender.close(), move || receiver.close());
        assert!(a != b);
    });
}

/// Whoever waits for the close is woken by it.
#[test]
fn closed_future() {
    model("channel/closed_future", 2, Bound::Preemptions(3), |cast| {
        let (sender, receiver) = unbounded::<()>(1);
        cast.two(move || block_on(sender.closed()), move || receiver.close());
    });
}
