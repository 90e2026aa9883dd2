//! Priority across bands: no pop passes a more urgent item whose push returned before it began.

use bandq::{
    __internals::{pop_from, stop_after_clear},
    Band, BandQueue,
};
use loom_tests::{
    Bound, Seen, model,
    sync::atomic::{AtomicBool, Ordering},
};
use std::sync::Arc;

const LOW: Band = Band::new(1);

/// A flag that says that something has returned.
fn flag() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let flag = Arc::new(AtomicBool::new(false));
    (Arc::clone(&flag), flag)
}

/// One push, one pop: an urgent item whose push returned before the pop began is what it takes.
#[test]
fn push_pop() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("priority/push_pop", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 8).unwrap();
        let (producer, consumer) = (Arc::clone(&queue), Arc::clone(&queue));
        let (say, ask) = flag();
        cast.two(
            move || {
                producer.push(Band::URGENT, 1).unwrap();
                say.store(true, Ordering::Release);
            },
            move || {
                let before = ask.load(Ordering::Acquire);
                let (band, _) = consumer.pop().expect("an item was there all the time");
                assert!(!before || band == Band::URGENT, "passed");
                SEEN.mark(match (before, band) {
                    (true, _) => "the push came before",
                    (false, Band::URGENT) => "at once, urgent",
                    (false, _) => "at once, less urgent",
                });
            },
        );
    });
    SEEN.expect([
        "the push came before",
        "at once, urgent",
        "at once, less urgent",
    ]);
}

/// The first of a batch is the most urgent one, too, and a band that is filled while the batch runs
/// is not left out of order for good: nothing is fetched ahead.
#[test]
fn push_pop_many() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("priority/push_pop_many", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 8).unwrap();
        let (producer, consumer) = (Arc::clone(&queue), Arc::clone(&queue));
        let (say, ask) = flag();
        let ((), out) = cast.two(
            move || {
                producer.push(Band::URGENT, 1).unwrap();
                say.store(true, Ordering::Release);
            },
            move || {
                let before = ask.load(Ordering::Acquire);
                let mut out = Vec::new();
                consumer.pop_many(&mut out, 2);
                SEEN.mark(match (before, &out[..]) {
                    (_, [(Band::URGENT, 1), (LOW, 8)]) => "in order",
                    (false, [(LOW, 8), (Band::URGENT, 1)]) => "came in between",
                    (false, [(LOW, 8)]) => "came afterwards",
                    (_, out) => panic!("{before}: {out:?}"),
                });
                out
            },
        );
        assert_eq!(queue.len() + out.len(), 2);
    });
    SEEN.expect(["in order", "came in between", "came afterwards"]);
}

/// With another push to the urgent band running, wherever it stands: a slot that is claimed and not
/// written yet does not make the pop pass the item behind it.
#[test]
fn beside_a_running_push() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("priority/beside_a_running_push", 3, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 8).unwrap();
        let (slow, quick) = (Arc::clone(&queue), Arc::clone(&queue));
        let consumer = Arc::clone(&queue);
        let (say, ask) = flag();
        cast.three(
            move || slow.push(Band::URGENT, 1).unwrap(),
            move || {
                quick.push(Band::URGENT, 2).unwrap();
                say.store(true, Ordering::Release);
            },
            move || {
                if ask.load(Ordering::Acquire) {
                    let claimed = consumer.band_len(Band::URGENT);
                    let (band, item) = consumer.pop().expect("an item was there all the time");
                    assert_eq!(band, Band::URGENT, "passed");
                    SEEN.mark(match (claimed, item) {
                        (1, _) => "nothing else there",
                        (_, 1) => "the slow one's",
                        _ => "the quick one's",
                    });
                }
            },
        );
    });
    SEEN.expect(["nothing else there", "the slow one's", "the quick one's"]);
}

/// With another pop that has returned, or not begun: nothing is passed. While the other pop, having
/// emptied the urgent band, is still on its way, what came meanwhile may be passed: the one
/// documented exception.
#[test]
fn with_a_second_pop() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("priority/with_a_second_pop", 3, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 8).unwrap();
        queue.push(LOW, 9).unwrap();
        queue.push(Band::URGENT, 0).unwrap();
        let (producer, other) = (Arc::clone(&queue), Arc::clone(&queue));
        let ((say_pushed, pushed), (say_popped, popped)) = (flag(), flag());
        let consumer = Arc::clone(&queue);
        let ((), theirs, mine) = cast.three(
            move || {
                producer.push(Band::URGENT, 1).unwrap();
                say_pushed.store(true, Ordering::Release);
            },
            move || {
                let theirs = other.pop().expect("there is one for each");
                say_popped.store(true, Ordering::Release);
                theirs
            },
            move || {
                let pushed = pushed.load(Ordering::Acquire);
                let popped = popped.load(Ordering::Acquire);
                let mine = consumer.pop().expect("there is one for each");
                match (pushed, popped, mine.0) {
                    (true, true, Band::URGENT) => SEEN.mark("not passed"),
                    (true, true, _) => panic!("passed, and nobody else is there"),
                    (true, false, LOW) => SEEN.mark("the exception"),
                    _ => {}
                }
                mine
            },
        );
        assert_ne!(theirs, mine, "taken twice");
        // Item 0 was there before everybody: nobody passed it.
        assert!(theirs.1 == 0 || mine.1 == 0, "{theirs:?} {mine:?}");
    });
    SEEN.expect(["not passed", "the exception"]);
}

/// Two pops of two items in two bands get one each, and neither says that nothing is there.
#[test]
fn two_pops_two_bands() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("priority/two_pops_two_bands", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 2).unwrap();
        queue.push(Band::URGENT, 1).unwrap();
        let pop = || {
            let queue = Arc::clone(&queue);
            move || queue.pop().expect("there is one for each").1
        };
        let (a, b) = cast.two(pop(), pop());
        assert_eq!(a + b, 3);
    });
}

/// Nothing means nothing, in any band, at one time: while an urgent item comes and the less urgent
/// one goes, in that order, there is always one, so a pop finds one. (It looks into the urgent band
/// first.)
#[test]
fn something_is_always_found() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("priority/something_is_always_found", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 8).unwrap();
        let (swapping, looking) = (Arc::clone(&queue), Arc::clone(&queue));
        let (gone, found) = cast.two(
            move || {
                swapping.push(Band::URGENT, 1).unwrap();
                pop_from(&swapping, LOW.index())
            },
            move || looking.pop().expect("an item was there all the time"),
        );
        SEEN.mark(match (gone, found) {
            (None, (LOW, 8)) => "the less urgent one",
            (Some(8), (Band::URGENT, 1)) => "the urgent one",
            other => panic!("{other:?}"),
        });
    });
    SEEN.expect(["the less urgent one", "the urgent one"]);
}

/// The same where the set does not show the item that is there at first, so that only the looks at
/// each band, one after the other, are left to find one.
#[test]
fn something_is_always_found_without_the_set() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model(
        "priority/something_is_always_found_without_the_set",
        2,
        bound,
        |cast| {
            let queue = Arc::new(BandQueue::new(2));
            queue.push(LOW, 8).unwrap();
            stop_after_clear(&queue, LOW.index());
            let (swapping, looking) = (Arc::clone(&queue), Arc::clone(&queue));
            cast.two(
                move || {
                    swapping.push(Band::URGENT, 1).unwrap();
                    pop_from(&swapping, LOW.index());
                },
                move || assert!(looking.pop().is_some(), "an item was there all the time"),
            );
        },
    );
}

/// The same for a question, and for a batch.
#[test]
fn empty_is_never_false() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("priority/empty_is_never_false", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 8).unwrap();
        let (swapping, looking) = (Arc::clone(&queue), Arc::clone(&queue));
        cast.two(
            move || {
                swapping.push(Band::URGENT, 1).unwrap();
                assert_eq!(pop_from(&swapping, LOW.index()), Some(8));
            },
            move || assert!(!looking.is_empty(), "an item was there all the time"),
        );
    });
    model("priority/batch_is_never_falsely_empty", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 8).unwrap();
        let (swapping, looking) = (Arc::clone(&queue), Arc::clone(&queue));
        cast.two(
            move || {
                swapping.push(Band::URGENT, 1).unwrap();
                pop_from(&swapping, LOW.index());
            },
            move || assert!(looking.pop_many(&mut Vec::new(), 2) > 0),
        );
    });
}

/// The same in one band that the set does not show, while a push that had claimed nothing yet when
/// the look began goes on, and pops take what the look had in view: the head leaves the segment in
/// which the look began.
#[test]
fn something_is_found_where_the_head_passes() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model(
        "priority/something_is_found_where_the_head_passes",
        2,
        bound,
        |cast| {
            let queue = Arc::new(BandQueue::new(1));
            queue.push(Band::URGENT, 0).unwrap();
            queue.push(Band::URGENT, 1).unwrap(); // the last of its segment
            assert!(queue.pop().is_some());
            stop_after_clear(&queue, 0);
            let (passing, looking) = (Arc::clone(&queue), Arc::clone(&queue));
            cast.two(
                move || {
                    passing.push(Band::URGENT, 2).unwrap();
                    passing.push(Band::URGENT, 3).unwrap();
                    assert!(passing.pop().is_some() && passing.pop().is_some());
                },
                move || assert!(looking.pop().is_some(), "an item was there all the time"),
            );
        },
    );
}

/// The running push of a third thread neither hides that, nor keeps the look from ending.
#[test]
fn something_is_found_beside_a_running_push() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model(
        "priority/something_is_found_beside_a_running_push",
        3,
        bound,
        |cast| {
            let queue = Arc::new(BandQueue::new(2));
            queue.push(LOW, 8).unwrap();
            let (swapping, looking) = (Arc::clone(&queue), Arc::clone(&queue));
            let pushing = Arc::clone(&queue);
            cast.three(
                move || {
                    swapping.push(Band::URGENT, 1).unwrap();
                    pop_from(&swapping, LOW.index());
                },
                move || assert!(looking.pop().is_some(), "an item was there all the time"),
                move || pushing.push(LOW, 9).unwrap(),
            );
        },
    );
}
