//! A channel moves from bare items to entries, because somebody asks how old they are.

use bandq::{Band, Policy, Receiver, Sender, TryRecvError, TrySendError, unbounded};
use loom_tests::{
    Bound, Seen, model,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{sync::Arc, time::Duration};

/// Never over in a model, whose clock stands still.
const LONG: Duration = Duration::from_secs(3600);

fn ageing(receiver: &Receiver<u64>) {
    receiver.set_policy(Policy::ageing(LONG)).unwrap();
}

fn items(receiver: &Receiver<u64>) -> Vec<u64> {
    std::iter::from_fn(|| receiver.try_recv().ok().map(|(_, item)| item)).collect()
}

fn send(sender: &Sender<u64>, item: u64) {
    sender.try_send(Band::URGENT, item).unwrap();
}

/// Sends beside the move: one producer's items stay in order, behind what was there.
#[test]
fn move_send() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("moving/move_send", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        send(&sender, 1);
        let (receiver, sender) = cast.two(
            move || {
                ageing(&receiver);
                receiver
            },
            move || {
                send(&sender, 2);
                send(&sender, 3);
                sender
            },
        );
        assert_eq!(items(&receiver), [1, 2, 3]);
        drop(sender);
    });
}

/// A receive beside the move, which a sender makes whose items expire, and sends one: the order
/// stays, nothing is lost or doubled.
#[test]
fn move_and_send_recv() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("moving/move_and_send_recv", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        send(&sender, 1);
        let (sender, (mut first, receiver)) = cast.two(
            move || {
                let fleeting = sender.with_ttl(LONG);
                send(&fleeting, 2);
                (sender, fleeting)
            },
            move || {
                let first = (0..2).filter_map(|_| Some(receiver.try_recv().ok()?.1));
                (first.collect::<Vec<_>>(), receiver)
            },
        );
        assert_eq!(first.first(), Some(&1), "it was there before");
        first.extend(items(&receiver));
        assert_eq!(first, [1, 2]);
        drop(sender);
    });
}

/// The same by three: one moves, one sends, one receives.
#[test]
fn move_send_recv() {
    let bound = Bound::Preemptions(1).or_in_full(Bound::Preemptions(2));
    model("moving/move_send_recv", 3, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        send(&sender, 1);
        let mover = receiver.clone();
        let (mover, sender, (mut first, receiver)) = cast.three(
            move || {
                ageing(&mover);
                mover
            },
            move || {
                send(&sender, 2);
                sender
            },
            move || {
                let first: Vec<_> = receiver.try_recv().into_iter().map(|(_, i)| i).collect();
                (first, receiver)
            },
        );
        first.extend(items(&receiver));
        assert_eq!(first, [1, 2]);
        drop((mover, sender));
    });
}

/// The move beside the close: a send that begins after the close has returned fails.
#[test]
fn move_close() {
    let bound = Bound::Preemptions(4).or_in_full(Bound::Preemptions(5));
    model("moving/move_close", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let (receiver, sender) = cast.two(
            move || {
                ageing(&receiver);
                receiver
            },
            move || {
                sender.close();
                let late = sender.try_send(Band::URGENT, 1);
                assert_eq!(late, Err(TrySendError::Closed(1)));
                sender
            },
        );
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        drop(sender);
    });
}

/// The same where who moved sends: once a receive has said `Closed`, nothing appears, and what was
/// sent was received.
#[test]
fn closed_is_final() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("moving/closed_is_final", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let ((sent, fleeting, sender), (received, receiver)) = cast.two(
            move || {
                let fleeting = sender.with_ttl(LONG);
                let sent = fleeting.try_send(Band::URGENT, 1).is_ok();
                (sent, fleeting, sender)
            },
            move || {
                receiver.close();
                let received = receiver.try_recv().is_ok();
                if received {
                    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
                }
                (received, receiver)
            },
        );
        assert_eq!(sent, received);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        SEEN.mark(if sent { "sent" } else { "given back" });
        drop((fleeting, sender));
    });
    SEEN.expect(["sent", "given back"]);
}

/// The move beside a send, and then a close by the sender: its item is received, and then `Closed`
/// is said.
#[test]
fn move_send_close() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("moving/move_send_close", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let (receiver, ()) = cast.two(
            move || {
                ageing(&receiver);
                receiver
            },
            move || send(&sender, 1),
        );
        assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

/// `Empty` is right: who moves and sends and then looks whether a flag is raised, and who raises it
/// and then receives: at least one of the two sees what the other did.
#[test]
fn empty_is_right() {
    looks_right(
        "moving/empty_is_right",
        |_| (),
        |receiver| receiver.try_recv().is_ok(),
    );
}

/// The same of a batch, where there was an order before: it looks at the entries first, and then
/// whether they have come meanwhile.
#[test]
fn empty_of_a_batch_is_right() {
    looks_right(
        "moving/empty_of_a_batch_is_right",
        |receiver| receiver.set_policy(Policy::weighted([1])).unwrap(),
        |receiver| receiver.try_recv_many(&mut Vec::new(), 1).is_ok(),
    );
}

/// What `look` says after what was done `first`.
fn looks_right(name: &str, first: fn(&Receiver<u64>), look: fn(&Receiver<u64>) -> bool) {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model(name, 2, bound, move |cast| {
        let (sender, receiver) = unbounded(1);
        first(&receiver);
        let flag = Arc::new(AtomicBool::new(false));
        let (raised, raising) = (Arc::clone(&flag), flag);
        let ((saw_flag, senders), (saw_item, receiver)) = cast.two(
            move || {
                let fleeting = sender.with_ttl(LONG);
                send(&fleeting, 1);
                (raised.load(Ordering::SeqCst), (sender, fleeting))
            },
            move || {
                raising.store(true, Ordering::SeqCst);
                (look(&receiver), receiver)
            },
        );
        assert!(saw_flag || saw_item, "each missed the other");
        drop((senders, receiver));
    });
}

/// A receiver that begins to block beside the move is woken by what is sent to the entries.
#[test]
fn move_and_send_blocked_recv() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("moving/move_and_send_blocked_recv", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let (senders, receiver) = cast.two(
            move || {
                let fleeting = sender.with_ttl(LONG);
                send(&fleeting, 1);
                (sender, fleeting) // it is the send that wakes, and not the close
            },
            move || {
                assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, 1)));
                receiver
            },
        );
        drop((senders, receiver));
    });
}

/// Two moves at once: who is second sends by what the first has put there.
#[test]
fn move_move() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("moving/move_move", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let mover = |item| {
            let sender = sender.clone();
            move || {
                let fleeting = sender.with_ttl(LONG);
                send(&fleeting, item);
                (sender, fleeting)
            }
        };
        let movers = cast.two(mover(1), mover(2));
        let mut received = items(&receiver);
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        drop(movers);
    });
}
