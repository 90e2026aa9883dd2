//! One band, with batches: a batch keeps its order, and its items come out once.

use bandq::__internals::Fifo;
use loom_tests::{
    Bound, Seen,
    band::{half_way, rest},
    model,
};
use std::sync::Arc;

/// A batch of which a consumer poisons one part keeps its order, and nothing in it is doubled: the
/// poisoned part is its end.
#[test]
fn push_run_against_poison() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/push_run_against_poison", 2, bound, |cast| {
        let fifo = Arc::<Fifo<u8>>::default();
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

/// A batch against a consumer that takes runs: the run is the batch's beginning, whatever part of
/// it was there.
#[test]
fn pop_run_against_push_run() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/pop_run_against_push_run", 2, bound, |cast| {
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

/// A consumer that takes a run and one that takes a single item: each item goes to one of them, and
/// runs do not mix.
#[test]
fn pop_run_against_pop() {
    static SEEN: Seen = Seen::new();
    model(
        "fifo/pop_run_against_pop",
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

/// A consumer of a run, as a third look sees it: the head is not ahead of the tail.
#[test]
fn len_beside_a_run() {
    model("fifo/len_beside_a_run", 2, Bound::Preemptions(3), |cast| {
        let fifo = half_way(0);
        let (both, looker) = (Arc::clone(&fifo), Arc::clone(&fifo));
        cast.two(
            move || {
                assert_eq!(both.push_run([1, 2]), 2);
                // One, or outside loom, where a segment has more slots, two.
                assert!(both.pop_run(2).starts_with(&[1]));
            },
            move || {
                let len = looker.len();
                assert!(len <= 2, "underflow: {len:#x}");
            },
        );
    });
}

/// A producer, a consumer of runs and one of single items, at the first hand-over: nothing is lost
/// or doubled.
#[test]
fn pop_run_beside_push_and_pop() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("fifo/pop_run_beside_push_and_pop", 3, bound, |cast| {
        let fifo = Arc::<Fifo<u8>>::default();
        let [producer, many, one] = [(); 3].map(|()| Arc::clone(&fifo));
        let ((), run, single) = cast.three(
            move || assert!(producer.push(1).is_ok()),
            move || many.pop_run(2),
            move || one.pop(),
        );
        let all: Vec<_> = run.into_iter().chain(single).chain(rest(&fifo)).collect();
        assert_eq!(all, [1]);
    });
}
