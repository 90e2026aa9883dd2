//! One band: every item pushed is popped, once, in order, and an empty pop is true.

use bandq::__internals::Fifo;
use loom_tests::{
    Bound, Ledger, Seen,
    band::{half_way, rest},
    model,
    sync::atomic::{AtomicBool, Ordering},
};
use std::sync::Arc;

/// A FIFO and a flag to say that a push has returned. The model keeps one handle until its threads
/// have ended: loom does not know `std`'s `Arc`, so a drop on one of them would not be ordered.
fn fifo<T>() -> (Arc<Fifo<T>>, Arc<AtomicBool>) {
    (Arc::default(), Arc::new(AtomicBool::new(false)))
}

/// Two producers' items both arrive, whatever the order of their claims. Both hand over to the
/// first segment.
#[test]
fn push_push() {
    static SEEN: Seen = Seen::new();
    model("fifo/push_push", 2, Bound::Preemptions(4), |cast| {
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
    model("fifo/push_pop", 2, Bound::Preemptions(4), |cast| {
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
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/pop_pop", 2, bound, |cast| {
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
    model("fifo/pop_pop_one_item", 2, Bound::Preemptions(4), |cast| {
        let (fifo, _) = fifo();
        assert!(fifo.push(1).is_ok());
        let pop = || {
            let fifo = Arc::clone(&fifo);
            move || fifo.pop()
        };
        let (a, b) = cast.two(pop(), pop());
        assert!(a.is_some() != b.is_some());
    });
}

/// A thread that pushes and pops and another that pops: what the head says is never ahead of what
/// the tail says. (The second thread may see the first one's claim at the head and not at the
/// tail.)
#[test]
fn pop_behind_push_and_pop() {
    model(
        "fifo/pop_behind_push_and_pop",
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
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("fifo/push_push_pop", 3, bound, |cast| {
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
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("fifo/push_pop_pop", 3, bound, |cast| {
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

/// What one producer pushes comes out in that order, across a hand-over, with a consumer that
/// poisons whatever it meets too early.
#[test]
fn fifo_of_one_producer() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/fifo_of_one_producer", 2, bound, |cast| {
        let (fifo, _) = fifo();
        assert!(fifo.push(0).is_ok());
        assert_eq!(fifo.pop(), Some(0));
        let (producer, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let ((), early) = cast.two(
            move || {
                for item in 1..=2 {
                    assert!(producer.push(item).is_ok());
                }
            },
            move || [consumer.pop(), consumer.pop()],
        );
        let all: Vec<_> = early.into_iter().flatten().chain(rest(&fifo)).collect();
        assert_eq!(all, [1, 2]);
    });
}

/// A push that begins after another has returned comes behind it, whoever pushes.
#[test]
fn fifo_in_real_time() {
    static SEEN: Seen = Seen::new();
    model("fifo/fifo_in_real_time", 2, Bound::Preemptions(4), |cast| {
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
    });
    SEEN.expect(["after", "at once"]);
}

/// A push that has returned is never hidden by another one that is still running, wherever that one
/// is stopped: a pop that begins now finds an item.
#[test]
fn a_running_push_hides_nothing() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/a_running_push_hides_nothing", 3, bound, |cast| {
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

/// Head and tail as a third look sees them: the head is read first and is never ahead of the tail.
#[test]
fn len_only() {
    model("fifo/len_only", 2, Bound::Preemptions(3), |cast| {
        let fifo = half_way(0);
        let (both, looker) = (Arc::clone(&fifo), Arc::clone(&fifo));
        cast.two(
            move || {
                assert!(both.push(1).is_ok());
                assert_eq!(both.pop(), Some(1));
            },
            move || {
                let len = looker.len();
                assert!(len <= 1, "underflow: {len:#x}");
            },
        );
    });
}

/// One pop beside a push and a pop, in the middle of a segment: it claims no slot that no producer
/// has claimed.
#[test]
fn pop_once() {
    model("fifo/pop_once", 2, Bound::Preemptions(3), |cast| {
        let fifo = half_way(0);
        let (both, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (own, other) = cast.two(
            move || {
                assert!(both.push(1).is_ok());
                both.pop()
            },
            move || consumer.pop(),
        );
        assert!(own.is_some() != other.is_some());
        assert_eq!(fifo.len(), 0, "at rest");
    });
}

/// Two pops beside a push and a pop, from a FIFO that was never used: the same, at the first
/// hand-over.
#[test]
fn pop_twice() {
    model("fifo/pop_twice", 2, Bound::Preemptions(3), |cast| {
        let (fifo, _) = fifo();
        let (both, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (own, other) = cast.two(
            move || {
                assert!(both.push(1).is_ok());
                both.pop()
            },
            move || [consumer.pop(), consumer.pop()],
        );
        let popped = own.into_iter().chain(other.into_iter().flatten());
        assert_eq!(popped.count(), 1);
        assert_eq!(fifo.len(), 0, "at rest");
    });
}

/// A consumer that claims by `seen` alone, a tail that another consumer has read: the head is not
/// ahead of the tail for a third thread either.
#[test]
fn claim_by_seen() {
    let bound = Bound::Preemptions(1).or_in_full(Bound::Preemptions(2));
    model("fifo/claim_by_seen", 3, bound, |cast| {
        let fifo = half_way(0);
        let [both, consumer, looker] = [(); 3].map(|()| Arc::clone(&fifo));
        cast.three(
            move || {
                assert!(both.push(1).is_ok() && both.push(2).is_ok());
                both.pop()
            },
            move || consumer.pop(),
            move || {
                let len = looker.len();
                assert!(len <= 8, "underflow: {len:#x}"); // poisoned pushes claim again
            },
        );
    });
}

/// Two producers meet a tail parked at the end of a full segment: one new segment is linked in,
/// both items go there, behind what was there.
#[test]
fn hand_over_of_the_tail() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/hand_over_of_the_tail", 2, bound, |cast| {
        let (fifo, _) = fifo();
        assert!(fifo.push(0).is_ok() && fifo.push(1).is_ok());
        let push = |item| {
            let fifo = Arc::clone(&fifo);
            move || assert!(fifo.push(item).is_ok())
        };
        cast.two(push(2), push(3));
        match rest(&fifo)[..] {
            [0, 1, 2, 3] => SEEN.mark("2, 3"),
            [0, 1, 3, 2] => SEEN.mark("3, 2"),
            ref other => panic!("{other:?}"),
        }
    });
    SEEN.expect(["2, 3", "3, 2"]);
}

/// Two consumers meet a head parked at the end of an emptied segment: each gets one item of the
/// next.
#[test]
fn hand_over_of_the_head() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/hand_over_of_the_head", 2, bound, |cast| {
        let (fifo, _) = fifo();
        for item in 0..4 {
            assert!(fifo.push(item).is_ok());
        }
        assert_eq!([fifo.pop(), fifo.pop()], [Some(0), Some(1)]);
        let pop = || {
            let fifo = Arc::clone(&fifo);
            move || fifo.pop().expect("there is one for each")
        };
        let (a, b) = cast.two(pop(), pop());
        assert_eq!((a + b, a == b), (5, false));
        assert_eq!(fifo.pop(), None);
    });
}

/// A look through the segments is overtaken: the head's segment came after the tail that was read.
#[test]
fn overtaken_by_the_head() {
    static SEEN: Seen = Seen::new();
    model(
        "fifo/overtaken_by_the_head",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (fifo, _) = fifo();
            for item in 0..4 {
                assert!(fifo.push(item).is_ok());
            }
            assert_eq!(fifo.pop(), Some(0));
            let (looker, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let (found, popped) = cast.two(
                move || looker.is_published_beyond(),
                move || {
                    assert!(quick.push(4).is_ok());
                    [quick.pop_run(1), quick.pop_run(2), quick.pop_run(1)].concat()
                },
            );
            SEEN.mark(if found { "found" } else { "all taken" });
            assert_eq!(popped, [1, 2, 3, 4]);
        },
    );
    SEEN.expect(["found", "all taken"]);
}

/// Both ends parked at one place, a producer and a consumer: the head does not hand over before the
/// tail has.
#[test]
fn hand_over_of_both_ends() {
    static SEEN: Seen = Seen::new();
    model(
        "fifo/hand_over_of_both_ends",
        2,
        Bound::Preemptions(4),
        |cast| {
            let fifo = half_way(0);
            assert!(fifo.push(1).is_ok() && fifo.pop().is_some());
            let (producer, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let ((), early) = cast.two(
                move || assert!(producer.push(2).is_ok()),
                move || consumer.pop(),
            );
            SEEN.mark(if early.is_some() { "got it" } else { "empty" });
            assert_eq!(early.or_else(|| fifo.pop()), Some(2));
            assert_eq!(fifo.pop(), None);
        },
    );
    SEEN.expect(["got it", "empty"]);
}

/// A consumer that gives up its slot gives up the last one of a segment, and the producer's item
/// moves over to the next: it is popped once and dropped once.
#[test]
fn poisoned_item_ends_elsewhere() {
    static SEEN: Seen = Seen::new();
    model(
        "fifo/poisoned_item_ends_elsewhere",
        2,
        Bound::Preemptions(4),
        |cast| {
            let ledger = Ledger::new();
            let fifo = half_way(ledger.item());
            let item = ledger.item();
            let (producer, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let ((), early) = cast.two(
                move || assert!(producer.push(item).is_ok()),
                move || {
                    let claimed = consumer.len();
                    let early = consumer.pop();
                    if claimed == 1 && early.is_none() {
                        SEEN.mark("poisoned");
                    }
                    early.map(|item| item.id())
                },
            );
            assert!(!ledger.is_dropped(1) || early.is_some(), "dropped inside");
            let late = fifo.pop().map(|item| item.id());
            assert_eq!([early, late].iter().flatten().collect::<Vec<_>>(), [&1]);
            assert_eq!(fifo.len(), 0);
            ledger.settle();
        },
    );
    SEEN.expect(["poisoned"]);
}
