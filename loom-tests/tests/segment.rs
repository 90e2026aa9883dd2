//! One band: every item pushed is popped, once, in order, and an empty pop is true.

use bandq::internals::Fifo;
use loom_tests::{
    Bound, Seen, model,
    sync::atomic::{AtomicBool, Ordering},
};
use std::sync::Arc;

/// A FIFO and a flag to say that a push has returned.
fn fifo<T>() -> (Arc<Fifo<T>>, Arc<AtomicBool>) {
    (Arc::default(), Arc::new(AtomicBool::new(false)))
}

/// What is left in the FIFO.
fn rest<T>(fifo: &Fifo<T>) -> Vec<T> {
    std::iter::from_fn(|| fifo.pop()).collect()
}

/// Two producers' items both arrive, whatever the order of their claims. Both hand over to the first
/// segment.
#[test]
fn push_push() {
    static SEEN: Seen = Seen::new();
    model("segment/push_push", 2, Bound::Preemptions(4), |cast| {
        let (fifo, _) = fifo();
        let push = |item| {
            let fifo = Arc::clone(&fifo);
            move || assert!(fifo.push(item).is_ok())
        };
        cast.two(push(1), push(2));
        match rest(&fifo)[..] {
            [1, 2] => SEEN.mark("1, 2"),
            [2, 1] => SEEN.mark("2, 1"),
            ref other => panic!("{other:?}"),
        }
    });
    SEEN.expect(["1, 2", "2, 1"]);
}

/// A pop beside a push gets the item or nothing; afterwards it is there, once. A pop that met the
/// claimed slot before the item was in it has poisoned the slot.
#[test]
fn push_pop() {
    static SEEN: Seen = Seen::new();
    model("segment/push_pop", 2, Bound::Preemptions(4), |cast| {
        let (fifo, _) = fifo();
        let (producer, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let ((), early) = cast.two(
            move || assert!(producer.push(Box::new(1)).is_ok()),
            move || {
                let claimed = consumer.len();
                let early = consumer.pop();
                SEEN.mark(match (claimed, &early) {
                    (0, None) => "came too early",
                    (_, None) => "poisoned",
                    (_, Some(_)) => "got it",
                });
                early
            },
        );
        let late = fifo.pop();
        assert!(early.is_some() != late.is_some());
        assert!(fifo.pop().is_none());
    });
    SEEN.expect(["came too early", "poisoned", "got it"]);
}

/// Two consumers of two items get one each.
#[test]
fn pop_pop() {
    model("segment/pop_pop", 2, Bound::Preemptions(4), |cast| {
        let (fifo, _) = fifo();
        assert!(fifo.push(1).is_ok() && fifo.push(2).is_ok());
        let pop = || {
            let fifo = Arc::clone(&fifo);
            move || fifo.pop().expect("there is one for each")
        };
        let (a, b) = cast.two(pop(), pop());
        assert_eq!(a + b, 3);
        assert_eq!(fifo.pop(), None);
    });
}

/// Two consumers of one item: one gets it, the other finds the band empty.
#[test]
fn pop_pop_one_item() {
    model(
        "segment/pop_pop_one_item",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (fifo, _) = fifo();
            assert!(fifo.push(1).is_ok());
            let pop = || {
                let fifo = Arc::clone(&fifo);
                move || fifo.pop()
            };
            let (a, b) = cast.two(pop(), pop());
            assert!(a.is_some() != b.is_some());
        },
    );
}

/// A thread that pushes and pops and another that pops: what the head says is never ahead of what the
/// tail says. (The second thread may see the first one's claim at the head and not at the tail.)
#[test]
fn pop_behind_push_and_pop() {
    model(
        "segment/pop_behind_push_and_pop",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (fifo, _) = fifo();
            let (both, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let (a, b) = cast.two(
                move || {
                    assert!(both.push(1).is_ok());
                    both.pop()
                },
                move || {
                    let b = consumer.pop();
                    assert!(consumer.len() <= 1, "underflow");
                    b
                },
            );
            let left = fifo.pop();
            assert_eq!([a, b, left].iter().flatten().count(), 1);
            assert_eq!(fifo.pop(), None);
        },
    );
}

/// Two producers and a consumer: nothing is lost or doubled.
#[test]
fn push_push_pop() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/push_push_pop", 3, bound, |cast| {
        let (fifo, _) = fifo();
        let push = |item| {
            let fifo = Arc::clone(&fifo);
            move || assert!(fifo.push(item).is_ok())
        };
        let consumer = Arc::clone(&fifo);
        let ((), (), early) = cast.three(push(1), push(2), move || consumer.pop());
        let mut all: Vec<_> = early.into_iter().chain(rest(&fifo)).collect();
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
    });
}

/// A producer and two consumers: nothing is lost or doubled.
#[test]
fn push_pop_pop() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/push_pop_pop", 3, bound, |cast| {
        let (fifo, _) = fifo();
        let pop = || {
            let fifo = Arc::clone(&fifo);
            move || fifo.pop()
        };
        let producer = Arc::clone(&fifo);
        let (a, b, ()) = cast.three(pop(), pop(), move || assert!(producer.push(1).is_ok()));
        let all: Vec<_> = [a, b].into_iter().flatten().chain(rest(&fifo)).collect();
        assert_eq!(all, [1]);
    });
}

/// What one producer pushes comes out in that order, across a hand-over, with a consumer that poisons
/// whatever it meets too early.
#[test]
fn fifo_of_one_producer() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/fifo_of_one_producer", 2, bound, |cast| {
        let (fifo, _) = fifo();
        assert!(fifo.push(0).is_ok());
        let (producer, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let ((), early) = cast.two(
            move || {
                for item in 1..=2 {
                    assert!(producer.push(item).is_ok());
                }
            },
            move || [consumer.pop(), consumer.pop(), consumer.pop()],
        );
        let all: Vec<_> = early.into_iter().flatten().chain(rest(&fifo)).collect();
        assert_eq!(all, [0, 1, 2]);
    });
}

/// A push that begins after another has returned comes behind it, whoever pushes.
#[test]
fn fifo_in_real_time() {
    static SEEN: Seen = Seen::new();
    model(
        "segment/fifo_in_real_time",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (fifo, returned) = fifo();
            let (first, second) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let (say, ask) = (Arc::clone(&returned), returned);
            let ((), after) = cast.two(
                move || {
                    assert!(first.push(1).is_ok());
                    say.store(true, Ordering::Release);
                },
                move || {
                    let after = ask.load(Ordering::Acquire);
                    assert!(second.push(2).is_ok());
                    after
                },
            );
            let all = rest(&fifo);
            if after {
                SEEN.mark("after");
                assert_eq!(all, [1, 2]);
            } else {
                SEEN.mark("at once");
                assert_eq!(all.len(), 2);
            }
        },
    );
    SEEN.expect(["after", "at once"]);
}

/// A push that has returned is never hidden by another one that is still running, wherever that one
/// is stopped: a pop that begins now finds an item.
#[test]
fn a_running_push_hides_nothing() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/a_running_push_hides_nothing", 3, bound, |cast| {
        let (fifo, returned) = fifo();
        let (slow, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (say, ask, consumer) = (Arc::clone(&returned), returned, Arc::clone(&fifo));
        cast.three(
            move || assert!(slow.push(1).is_ok()),
            move || {
                assert!(quick.push(2).is_ok());
                say.store(true, Ordering::Release);
            },
            move || {
                if ask.load(Ordering::Acquire) {
                    let items = consumer.len();
                    let item = consumer.pop();
                    assert!(item.is_some(), "hidden");
                    SEEN.mark(match (items, item) {
                        (1, _) => "nothing else there",
                        (_, Some(1)) => "the slow one's",
                        _ => "the quick one's",
                    });
                }
            },
        );
    });
    SEEN.expect(["nothing else there", "the slow one's", "the quick one's"]);
}
