//! Eviction: who goes is received or evicted, who comes is in or comes back, and nobody sleeps on.

use bandq::{Band, Builder, TryRecvError, TrySendError, bounded};
use loom_tests::{Bound, Seen, block_on, model};

const LOW: Band = Band::new(1);

/// A forced send beside a receive: the low item is received or evicted, never both, and the urgent
/// one is in, or comes back.
#[test]
fn evict_recv() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("evict/evict_recv", 2, bound, |cast| {
        let (sender, receiver) = bounded(2, 1);
        sender.try_send(LOW, 0).unwrap();
        let (forced, (received, receiver)) = cast.two(
            move || {
                let forced = sender.force_send(Band::URGENT, 1);
                assert!(sender.len() <= 1, "more than there is room for");
                (forced, sender)
            },
            move || (receiver.try_recv(), receiver),
        );
        let rest = receiver.try_recv();
        SEEN.mark(match (forced.0, received, rest) {
            (Ok(evicted), received, rest) if evicted == [(LOW, 0)] => {
                let urgent = Ok((Band::URGENT, 1));
                let nothing = Err(TryRecvError::Empty);
                assert!(
                    (received, rest) == (urgent, nothing) || (received, rest) == (nothing, urgent)
                );
                "evicted"
            }
            (Ok(evicted), received, rest) => {
                assert!(evicted.is_empty());
                assert_eq!((received, rest), (Ok((LOW, 0)), Ok((Band::URGENT, 1))));
                "received"
            }
            (Err(error), received, rest) => {
                assert_eq!(
                    (error.error, error.evicted),
                    (TrySendError::Full(1), vec![])
                );
                assert_eq!((received, rest), (Ok((LOW, 0)), Err(TryRecvError::Empty)));
                "received, and its room was not free yet"
            }
        });
        assert_eq!(receiver.available(), Some(1));
    });
    SEEN.expect([
        "evicted",
        "received",
        "received, and its room was not free yet",
    ]);
}

/// Two forced sends and one low item: it goes once, and what is in is no more than there is room
/// for.
#[test]
fn evict_evict() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("evict/evict_evict", 2, bound, |cast| {
        let (sender, receiver) = bounded(2, 1);
        sender.try_send(LOW, 0).unwrap();
        let other = sender.clone();
        let (a, b) = cast.two(
            move || {
                let forced = sender.force_send(Band::URGENT, 1);
                assert!(sender.len() <= 1, "more than there is room for");
                forced
            },
            move || other.force_send(Band::URGENT, 2),
        );
        assert!(a.is_ok() != b.is_ok(), "no urgent item goes for another");
        let evicted = [a, b].map(|forced| match forced {
            Ok(evicted) => evicted.len(),
            Err(error) => {
                assert!(error.error.is_full());
                error.evicted.len()
            }
        });
        assert_eq!(evicted.iter().sum::<usize>(), 1);
        assert_eq!(receiver.try_recv().map(|(band, _)| band), Ok(Band::URGENT));
        assert_eq!((receiver.len(), receiver.available()), (0, Some(1)));
    });
}

/// A forced send beside the close: the newcomer comes back, with what had gone for it in the error,
/// or is in and is received.
#[test]
fn evict_close() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("evict/evict_close", 2, bound, |cast| {
        let (sender, receiver) = bounded(2, 1);
        sender.try_send(LOW, 0).unwrap();
        let ((forced, sender), receiver) = cast.two(
            move || (sender.force_send(Band::URGENT, 1), sender),
            move || {
                receiver.close();
                receiver
            },
        );
        let (mut low, urgent) = match forced {
            Ok(evicted) => (evicted.len(), true),
            Err(error) => {
                assert_eq!(error.error, TrySendError::Closed(1));
                (error.evicted.len(), false)
            }
        };
        SEEN.mark(match (low, urgent) {
            (1, true) => "in",
            (1, false) => "evicted for nothing",
            (0, false) => "closed before",
            other => panic!("{other:?}"),
        });
        let left: Vec<_> = receiver.try_iter().collect();
        low += left.iter().filter(|item| **item == (LOW, 0)).count();
        assert_eq!((low, left.contains(&(Band::URGENT, 1))), (1, urgent));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(sender.available(), Some(1));
    });
    SEEN.expect(["in", "evicted for nothing", "closed before"]);
}

/// A low sender that waits beside a forced send, and the receive of what was forced in: it enters,
/// whichever of the two makes room for it.
#[test]
fn evict_waiting_sender() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("evict/evict_waiting_sender", 2, bound, |cast| {
        let (sender, receiver) = bounded(2, 1);
        sender.try_send(LOW, 0).unwrap();
        let low = sender.clone();
        let (low, (sender, receiver)) = cast.two(
            move || {
                block_on(low.send(LOW, 1)).unwrap();
                low
            },
            move || {
                assert_eq!(sender.force_send(Band::URGENT, 2).unwrap(), [(LOW, 0)]);
                assert!(receiver.len() <= 1, "more than there is room for");
                assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 2)));
                (sender, receiver)
            },
        );
        assert_eq!(receiver.try_recv(), Ok((LOW, 1)));
        drop((low, sender));
    });
}

/// What a heavy victim leaves over is for the senders that wait.
#[test]
fn heavy_victim_waiting_sender() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("evict/heavy_victim_waiting_sender", 2, bound, |cast| {
        let builder = Builder::new(2).capacity(2).weigher(|units: &usize| *units);
        let (sender, receiver) = builder.build().unwrap();
        sender.try_send(LOW, 2).unwrap();
        let low = sender.clone();
        let (low, sender) = cast.two(
            move || {
                block_on(low.send(LOW, 1)).unwrap();
                low
            },
            move || {
                assert_eq!(sender.force_send(Band::URGENT, 1).unwrap(), [(LOW, 2)]);
                sender
            },
        );
        assert_eq!(sender.available(), Some(0));
        assert_eq!(receiver.try_iter().count(), 2);
        drop(low);
    });
}
