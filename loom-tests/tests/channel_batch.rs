//! Batches: in order, once, and what does not go in is given back.

use bandq::{Band, BandQueue, SendError, bounded, unbounded};
use loom_tests::{Bound, Seen, block_on, model};
use std::sync::Arc;

/// A batch push beside a batch pop, across a hand-over: everything comes out once, in order.
#[test]
fn push_many_pop_many() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("batch/push_many_pop_many", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(1));
        let (producer, consumer) = (Arc::clone(&queue), Arc::clone(&queue));
        let ((), mut out) = cast.two(
            move || assert_eq!(producer.push_many(Band::URGENT, [1, 2, 3]), Ok(3)),
            move || {
                let mut out = Vec::new();
                consumer.pop_many(&mut out, 2);
                out
            },
        );
        SEEN.mark(["nothing", "some", "some"][out.len()]);
        queue.pop_many(&mut out, 5);
        assert!(out.iter().map(|&(_, item)| item).eq([1, 2, 3]), "{out:?}");
    });
    SEEN.expect(["nothing", "some"]);
}

/// Two batch pops of three items: each item comes out once, and each batch is in order.
#[test]
fn pop_many_pop_many() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("batch/pop_many_pop_many", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(1));
        queue.push_many(Band::URGENT, [1, 2, 3]).unwrap();
        let pop = || {
            let queue = Arc::clone(&queue);
            move || {
                let mut out = Vec::new();
                queue.pop_many(&mut out, 2);
                assert!(out.is_sorted(), "{out:?}");
                out
            }
        };
        let (mut all, theirs) = cast.two(pop(), pop());
        all.extend(theirs);
        all.sort_unstable();
        assert!(all.iter().map(|&(_, item)| item).eq([1, 2, 3]), "{all:?}");
    });
}

/// A batch receive that begins to wait beside a send gets its item.
#[test]
fn send_recv_many() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("batch/send_recv_many", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        cast.two(
            move || {
                sender.try_send(Band::URGENT, 7).unwrap();
                sender // stays, so that no close wakes
            },
            move || {
                let mut out = Vec::new();
                assert_eq!(block_on(receiver.recv_many(&mut out, 2)), 1);
                assert_eq!(out, [(Band::URGENT, 7)]);
            },
        );
    });
}

/// A batch send that runs out of room in its middle goes on when a batch receive has made room, and
/// stays in order.
#[test]
fn send_many_through_one_unit() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("batch/send_many_through_one_unit", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 2);
        sender.try_send(Band::URGENT, 0).unwrap();
        let ((), (receiver, mut out)) = cast.two(
            move || assert_eq!(block_on(sender.send_many(Band::URGENT, [1, 2])), Ok(2)),
            move || {
                let mut out = Vec::new();
                receiver.try_recv_many(&mut out, 1).unwrap();
                (receiver, out)
            },
        );
        receiver.try_recv_many(&mut out, 5).unwrap();
        assert!(out.iter().map(|&(_, item)| item).eq([0, 1, 2]), "{out:?}");
    });
}

/// A batch send beside a close: what it says was sent is received, in order, and the rest is not.
#[test]
fn send_many_close() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("batch/send_many_close", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let (outcome, receiver) = cast.two(
            move || block_on(sender.send_many(Band::URGENT, [0, 1])),
            move || {
                receiver.close();
                receiver
            },
        );
        let sent = match outcome {
            Ok(sent) => sent,
            Err(error) => {
                assert_eq!(error.error, SendError::Closed(error.sent));
                error.sent
            }
        };
        SEEN.mark(["nothing", "one", "all"][sent]);
        assert!(receiver.try_iter().map(|(_, item)| item).eq(0..sent));
    });
    SEEN.expect(["nothing", "one", "all"]);
}
