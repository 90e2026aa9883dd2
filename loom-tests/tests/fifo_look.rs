//! Looks at the first item of a band, and what is taken by what they saw.

use bandq::__internals::Fifo;
use loom_tests::{Bound, Seen, band::rest, model};
use std::sync::Arc;

/// A look beside a push and a pop: what it sees was pushed, and is whole: loom finds an access to
/// an item that is not ordered behind its write.
#[test]
fn peek_pop_push() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("fifo/peek_pop_push", 3, bound, |cast| {
        let fifo = Arc::<Fifo<[u64; 2]>>::default();
        fifo.push([1, 1]).unwrap();
        let [producer, consumer, looker] = [(); 3].map(|()| Arc::clone(&fifo));
        let ((), popped, seen) = cast.three(
            move || producer.push([2, 2]).unwrap(),
            move || consumer.pop().expect("one was there before"),
            move || looker.peek().map(|(_, item)| item),
        );
        SEEN.mark(match seen {
            None => "nothing",
            Some([1, 1]) => "the first",
            Some([2, 2]) => "the second",
            Some(torn) => panic!("{torn:?}"),
        });
        assert_eq!((popped, rest(&fifo)), ([1, 1], vec![[2, 2]]));
    });
    SEEN.expect(["nothing", "the first", "the second"]);
}

/// Who takes what a look saw, and who just takes: one of them takes that item.
#[test]
fn pop_at_pop() {
    static SEEN: Seen = Seen::new();
    model("fifo/pop_at_pop", 2, Bound::Preemptions(4), |cast| {
        let fifo = Arc::<Fifo<u64>>::default();
        fifo.push(1).unwrap();
        fifo.push(2).unwrap();
        let (place, item) = fifo.peek().unwrap();
        assert_eq!(item, 1);
        let (taker, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (taken, popped) = cast.two(
            move || taker.pop_at(place),
            move || consumer.pop().expect("one is left for it"),
        );
        match (taken, popped) {
            (Some(1), 2) => SEEN.mark("taken as seen"),
            (None, 1) => SEEN.mark("popped"),
            other => panic!("{other:?}"),
        }
        assert_eq!(rest(&fifo).len(), usize::from(taken.is_none()));
    });
    SEEN.expect(["taken as seen", "popped"]);
}

/// The same where the look is a part of the race.
#[test]
fn peek_and_pop_at_beside_pop() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fifo/peek_and_pop_at_beside_pop", 2, bound, |cast| {
        let fifo = Arc::<Fifo<u64>>::default();
        fifo.push(1).unwrap();
        fifo.push(2).unwrap();
        let (taker, consumer) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (taken, popped) = cast.two(
            move || {
                let (place, seen) = taker.peek()?;
                let taken = taker.pop_at(place);
                assert!(taken.is_none_or(|taken| taken == seen), "another item");
                taken
            },
            move || consumer.pop().expect("one is left for it"),
        );
        let mut all = rest(&fifo);
        all.extend(taken);
        all.push(popped);
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
    });
}

/// A look sees an item behind a slot that is claimed and not published yet: nobody takes it before
/// what is in front of it.
#[test]
fn pop_at_behind_a_running_push() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(4).or_in_full(Bound::Preemptions(5));
    model("fifo/pop_at_behind_a_running_push", 2, bound, |cast| {
        let fifo = Arc::<Fifo<u64>>::default();
        let (producer, taker) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let ((), (seen, taken)) = cast.two(
            move || producer.push(1).unwrap(),
            move || {
                taker.push(2).unwrap();
                let (place, seen) = taker.peek().expect("2 is there");
                (seen, taker.pop_at(place))
            },
        );
        assert!(taken.is_none_or(|taken| taken == seen), "another item");
        let mut left = rest(&fifo);
        match (seen, taken) {
            (2, None) => {
                SEEN.mark("something was before it");
                assert_eq!(left, [1, 2]);
            }
            (1, _) => SEEN.mark("it was the first"),
            (_, _) => SEEN.mark("the second was the first"),
        }
        left.extend(taken);
        left.sort_unstable();
        assert_eq!(left, [1, 2]);
    });
    SEEN.expect([
        "something was before it",
        "it was the first",
        "the second was the first",
    ]);
}
