//! One band: every item pushed is popped, once, in order, and an empty pop is true.

use bandq::internals::Fifo;
use loom_tests::{
    Bound, Item, Ledger, Seen, model,
    sync::{
        self,
        atomic::{AtomicBool, Ordering},
    },
};
use std::sync::Arc;

/// A FIFO and a flag to say that a push has returned. The model keeps one handle until its threads have
/// ended: loom does not know `std`'s `Arc`, so a drop on one of them would not be ordered.
fn fifo<T>() -> (Arc<Fifo<T>>, Arc<AtomicBool>) {
    (Arc::default(), Arc::new(AtomicBool::new(false)))
}

/// A FIFO with both ends in one segment, behind its first slot.
fn half_way<T>(item: T) -> Arc<Fifo<T>> {
    let fifo = Arc::<Fifo<T>>::default();
    assert!(fifo.push(item).is_ok() && fifo.pop().is_some());
    fifo
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
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/pop_pop", 2, bound, |cast| {
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
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
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
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
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

/// Head and tail as a third look sees them: the head is read first and is never ahead of the tail.
#[test]
fn len_only() {
    model("segment/len_only", 2, Bound::Preemptions(3), |cast| {
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

/// One pop beside a push and a pop, in the middle of a segment: it claims no slot that no producer has
/// claimed.
#[test]
fn pop_once() {
    model("segment/pop_once", 2, Bound::Preemptions(3), |cast| {
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

/// Two pops beside a push and a pop, from a FIFO that was never used: the same, at the first hand-over.
#[test]
fn pop_twice() {
    model("segment/pop_twice", 2, Bound::Preemptions(3), |cast| {
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

/// A consumer that claims by `seen` alone, a tail that another consumer has read: the head is not ahead
/// of the tail for a third thread either.
#[test]
fn claim_by_seen() {
    let bound = Bound::Preemptions(1).or_in_full(Bound::Preemptions(2));
    model("segment/claim_by_seen", 3, bound, |cast| {
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

/// Two producers meet a tail parked at the end of a full segment: one new segment is linked in, both
/// items go there, behind what was there.
#[test]
fn hand_over_of_the_tail() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/hand_over_of_the_tail", 2, bound, |cast| {
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

/// Two consumers meet a head parked at the end of an emptied segment: each gets one item of the next.
#[test]
fn hand_over_of_the_head() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/hand_over_of_the_head", 2, bound, |cast| {
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

/// Both ends parked at one place, a producer and a consumer: the head does not hand over before the
/// tail has.
#[test]
fn hand_over_of_both_ends() {
    static SEEN: Seen = Seen::new();
    model(
        "segment/hand_over_of_both_ends",
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

/// A consumer that gives up its slot gives up the last one of a segment, and the producer's item moves
/// over to the next: it is popped once and dropped once.
#[test]
fn poisoned_item_ends_elsewhere() {
    static SEEN: Seen = Seen::new();
    model(
        "segment/poisoned_item_ends_elsewhere",
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

/// A batch of which a consumer poisons one part keeps its order, and nothing in it is doubled: the
/// poisoned part is its end.
#[test]
fn push_run_against_poison() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/push_run_against_poison", 2, bound, |cast| {
        let (fifo, _) = fifo();
        let (producer, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let ((), early) = cast.two(
            move || assert_eq!(producer.push_run([1, 2, 3]), 3),
            move || {
                let claimed = consumer.len();
                let early = [consumer.pop(), consumer.pop()];
                if claimed == 2 && early == [None; 2] {
                    SEEN.mark("poisoned");
                }
                early
            },
        );
        let all: Vec<_> = early.into_iter().flatten().chain(rest(&fifo)).collect();
        assert_eq!(all, [1, 2, 3]);
    });
    SEEN.expect(["poisoned"]);
}

/// A batch against a consumer that takes runs: the run is the batch's beginning, whatever part of it was
/// there.
#[test]
fn pop_run_against_push_run() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/pop_run_against_push_run", 2, bound, |cast| {
        let fifo = Arc::<Fifo<u8>>::default();
        assert!(fifo.push(0).is_ok());
        let (producer, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let ((), early) = cast.two(
            move || assert_eq!(producer.push_run([1, 2]), 2),
            move || {
                let claimed = consumer.len();
                let early = consumer.pop_run(2);
                SEEN.mark(match (claimed, early.len()) {
                    (1, 1) => "came too early",
                    (_, 1) => "poisoned the second",
                    _ => "got two",
                });
                early
            },
        );
        let all: Vec<_> = early.into_iter().chain(rest(&fifo)).collect();
        assert_eq!(all, [0, 1, 2]);
    });
    SEEN.expect(["came too early", "poisoned the second", "got two"]);
}

/// A consumer that takes a run and one that takes a single item: each item goes to one of them, and runs
/// do not mix.
#[test]
fn pop_run_against_pop() {
    static SEEN: Seen = Seen::new();
    model(
        "segment/pop_run_against_pop",
        2,
        Bound::Preemptions(3).or_in_full(Bound::Preemptions(4)),
        |cast| {
            let fifo = Arc::<Fifo<u8>>::default();
            assert_eq!(fifo.push_run([1, 2, 3]), 3);
            let (many, one) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let (run, single) = cast.two(move || many.pop_run(3), move || one.pop());
            let left = rest(&fifo);
            match (&run[..], single, &left[..]) {
                // The second form of each is for the larger segments outside loom.
                ([1, 2], Some(3), []) | ([1, 2, 3], None, []) => SEEN.mark("run first"),
                ([2], Some(1), [3]) | ([2, 3], Some(1), []) => SEEN.mark("single first"),
                other => panic!("{other:?}"),
            }
        },
    );
    SEEN.expect(["run first", "single first"]);
}

/// A consumer that is slow to read its item, in the last slot of a segment, while another hands over,
/// sweeps, and pushes into the segment that it gets for the next: that is not the slow one's before it
/// is done.
#[test]
fn recycling_waits_for_a_slow_consumer() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/slow_consumer", 2, bound, |cast| {
        let fifo = half_way(0);
        for item in 1..4 {
            assert!(fifo.push(item).is_ok());
        }
        let (slow, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (a, b) = cast.two(
            move || slow.pop().expect("there is one for each"),
            move || {
                let b = quick.pop().expect("there is one for each");
                assert_eq!(quick.push_run([4, 5]), 2);
                b
            },
        );
        SEEN.mark(if a < b {
            "slow one first"
        } else {
            "quick one first"
        });
        assert_eq!((a + b, a == b), (3, false));
        assert_eq!(rest(&fifo), [3, 4, 5]);
    });
    SEEN.expect(["slow one first", "quick one first"]);
}

/// A producer that is slow to publish, in the last slot of a segment: the consumer that poisons the slot
/// leaves the segment and pushes on; the segment is not used again before the producer has seen the poison.
#[test]
fn recycling_waits_for_a_slow_producer() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/slow_producer", 2, bound, |cast| {
        let fifo = half_way(0);
        let (slow, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let ((), early) = cast.two(
            move || assert!(slow.push(1).is_ok()),
            move || {
                assert_eq!(quick.push_run([2, 3]), 2);
                let early = quick.pop().expect("two are in");
                assert_eq!(quick.push_run([4, 5]), 2);
                early
            },
        );
        SEEN.mark(if early == 1 { "in time" } else { "passed by" });
        let mut all = rest(&fifo);
        all.insert(0, early);
        assert_eq!(all.len(), 5);
        all.retain(|item| *item != 1);
        assert_eq!(all, [2, 3, 4, 5]);
    });
    SEEN.expect(["passed by", "in time"]);
}

/// A FIFO is dropped, by whoever has the last handle, with whatever is inside, wherever its ends stand:
/// each item is dropped once, each segment freed.
#[test]
fn drop_with_items_inside() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("segment/drop_with_items_inside", 2, bound, |cast| {
        let ledger = Ledger::new();
        let fifo = sync::Arc::new(Fifo::<Item>::new());
        assert!(fifo.push(ledger.item()).is_ok());
        let more = [ledger.item(), ledger.item()];
        let (producer, consumer) = (sync::Arc::clone(&fifo), fifo);
        let ((), popped) = cast.two(
            move || {
                for item in more {
                    assert!(producer.push(item).is_ok());
                }
            },
            move || consumer.pop().map(|item| item.id()),
        );
        assert_eq!(popped, Some(0));
        SEEN.mark("dropped");
        ledger.settle();
    });
    SEEN.expect(["dropped"]);
}

/// A FIFO is dropped with one item, or none, in its first segment, which the head has never reached.
#[test]
fn drop_of_a_first_segment() {
    static SEEN: Seen = Seen::new();
    model(
        "segment/drop_of_a_first_segment",
        2,
        Bound::Preemptions(4),
        |cast| {
            let ledger = Ledger::new();
            let fifo = sync::Arc::new(Fifo::<Item>::new());
            let item = ledger.item();
            let (producer, looker) = (sync::Arc::clone(&fifo), fifo);
            let (_, empty) = cast.two(
                move || producer.push(item).is_ok(),
                move || looker.is_empty(),
            );
            SEEN.mark(if empty { "empty" } else { "one inside" });
            ledger.settle();
        },
    );
    SEEN.expect(["empty", "one inside"]);
}

/// A push beside a close is in, and is popped, or comes back. No push after the close is in.
#[test]
fn close_against_push() {
    static SEEN: Seen = Seen::new();
    model(
        "segment/close_against_push",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (fifo, _) = fifo();
            let (producer, closer) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let (pushed, ()) = cast.two(
                move || producer.push(1),
                move || {
                    closer.close();
                    assert_eq!(closer.push(2), Err(2));
                },
            );
            let popped = fifo.pop_closed();
            match pushed {
                Ok(()) => {
                    SEEN.mark("in");
                    assert_eq!(popped, Some(1));
                }
                Err(item) => {
                    SEEN.mark("came back");
                    assert_eq!((item, popped), (1, None));
                }
            }
            assert_eq!(fifo.pop_closed(), None);
        },
    );
    SEEN.expect(["in", "came back"]);
}

/// After the close, a pop that finds nothing is final: a push that had claimed its slot by then fails,
/// and its item comes back.
#[test]
fn empty_and_closed_is_final() {
    static SEEN: Seen = Seen::new();
    model(
        "segment/empty_and_closed_is_final",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (fifo, _) = fifo();
            let (producer, closer) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let (pushed, (claimed, popped)) = cast.two(
                move || producer.push(1),
                move || {
                    closer.close();
                    (closer.len(), closer.pop_closed())
                },
            );
            SEEN.mark(match (claimed, pushed, popped) {
                (0, Err(1), None) => "never began",
                (1, Err(1), None) => "poisoned",
                (1, Ok(()), Some(1)) => "popped",
                other => panic!("{other:?}"),
            });
            assert_eq!(fifo.pop_closed(), None);
        },
    );
    SEEN.expect(["never began", "poisoned", "popped"]);
}
