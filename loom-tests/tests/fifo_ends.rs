//! One band: when a segment may be used again, and what becomes of a FIFO that is dropped or
//! closed.

use bandq::__internals::Fifo;
use loom_tests::{
    Bound, Item, Ledger, Seen,
    band::{half_way, rest},
    model, sync,
};
use std::sync::Arc;

/// A consumer that is slow to read its item, in the last slot of a segment, while another hands
/// over, sweeps, and pushes into the segment that it gets for the next: that is not the slow one's
/// before it is done.
#[test]
fn recycling_waits_for_a_slow_consumer() {
    static SEEN: Seen = Seen::new();
    slow_consumer("fifo/slow_consumer", &SEEN, Fifo::pop);
}

/// The same for a consumer of runs.
#[test]
fn recycling_waits_for_a_slow_consumer_of_runs() {
    static SEEN: Seen = Seen::new();
    slow_consumer("fifo/slow_consumer_of_runs", &SEEN, |fifo| {
        fifo.pop_run(1).pop()
    });
}

fn slow_consumer(name: &str, seen: &'static Seen, slow_pop: fn(&Fifo<u8>) -> Option<u8>) {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model(name, 2, bound, move |cast| {
        let fifo = half_way(0);
        for item in 1..4 {
            assert!(fifo.push(item).is_ok());
        }
        let (slow, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (a, b) = cast.two(
            move || slow_pop(&slow).expect("there is one for each"),
            move || {
                let b = quick.pop().expect("there is one for each");
                assert_eq!(quick.push_run([4, 5]), 2);
                b
            },
        );
        seen.mark(if a < b {
            "slow one first"
        } else {
            "quick one first"
        });
        assert_eq!((a + b, a == b), (3, false));
        assert_eq!(rest(&fifo), [3, 4, 5]);
    });
    seen.expect(["slow one first", "quick one first"]);
}

/// A producer that is slow to publish, in the last slot of a segment: the consumer that poisons the
/// slot leaves the segment and pushes on; the segment is not used again before the producer has
/// seen the poison.
#[test]
fn recycling_waits_for_a_slow_producer() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/slow_producer", 2, bound, |cast| {
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

/// A consumer that has poisoned a slot, and looks through the segments for another item, while the
/// segment in which it begins is emptied, swept, and needed again: not as long as it looks.
#[test]
fn recycling_waits_for_a_visitor() {
    static SEEN: Seen = Seen::new();
    beside_a_look("fifo/visitor", &SEEN, Fifo::pop);
}

/// The same for a consumer of runs. When it goes on, it finds head and segment as they are then.
#[test]
fn recycling_waits_for_a_visitor_that_takes_runs() {
    static SEEN: Seen = Seen::new();
    beside_a_look("fifo/visitor_that_takes_runs", &SEEN, |fifo| {
        fifo.pop_run(1).pop()
    });
}

fn beside_a_look(name: &str, seen: &'static Seen, pop: fn(&Fifo<u8>) -> Option<u8>) {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model(name, 2, bound, move |cast| {
        let fifo = half_way(0);
        let (looker, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (early, own) = cast.two(
            move || pop(&looker),
            move || {
                assert!(quick.push(1).is_ok());
                let own = quick.pop();
                assert_eq!(quick.push_run([2, 3]), 2);
                own
            },
        );
        seen.mark(if early.is_some() { "got one" } else { "none" });
        let mut all: Vec<_> = own.into_iter().chain(early).chain(rest(&fifo)).collect();
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3]);
    });
    seen.expect(["got one", "none"]);
}

/// A producer that looks at an emptied segment, in vain, because the other one has linked the next
/// one already, while that one sweeps it; there is a spare one, so it is to be freed: not as long
/// as it looks.
#[test]
fn freed_after_the_last_look() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/freed_after_the_last_look", 2, bound, |cast| {
        let fifo = half_way(0);
        for id in 1..4 {
            assert!(fifo.push(id).is_ok() && fifo.pop() == Some(id));
        }
        let (slow, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let ((), popped) = cast.two(
            move || assert!(slow.push(4).is_ok()),
            move || {
                assert!(quick.push(5).is_ok());
                quick.pop()
            },
        );
        let mut all: Vec<_> = popped.into_iter().chain(rest(&fifo)).collect();
        all.sort_unstable();
        assert_eq!(all, [4, 5]);
    });
}

/// A FIFO is dropped, by whoever has the last handle, with whatever is inside, wherever its ends
/// stand: each item is dropped once, each segment freed.
#[test]
fn drop_with_items_inside() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/drop_with_items_inside", 2, bound, |cast| {
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

/// A FIFO is dropped with one item, or none, in its first segment, which the head has never
/// reached.
#[test]
fn drop_of_a_first_segment() {
    static SEEN: Seen = Seen::new();
    model(
        "fifo/drop_of_a_first_segment",
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
        "fifo/close_against_push",
        2,
        Bound::Preemptions(4),
        |cast| {
            let fifo = Arc::<Fifo<u8>>::default();
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

/// After the close, a pop that finds nothing is final: a push that had claimed its slot by then
/// fails, and its item comes back.
#[test]
fn empty_and_closed_is_final() {
    static SEEN: Seen = Seen::new();
    model(
        "fifo/empty_and_closed_is_final",
        2,
        Bound::Preemptions(4),
        |cast| {
            let fifo = Arc::<Fifo<u8>>::default();
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
