//! The set of bands: clearing a bit beside a push never strands an item, and an item that the set
//! does not show is found all the same.
//!
//! Under loom a consumer clears the bit each time it leaves a band empty.

use bandq::{
    __internals::{first_listed, stop_after_clear},
    Band, BandQueue,
};
use loom_tests::{
    Bound, Seen, model,
    sync::atomic::{AtomicBool, Ordering},
};
use std::sync::Arc;

const LOW: Band = Band::new(1);

/// A queue with an item, 0, in each of the bands.
fn queue(bands: usize) -> Arc<BandQueue<usize>> {
    let queue = BandQueue::new(bands);
    for band in 0..bands {
        let band = Band::try_new(u8::try_from(band).unwrap()).unwrap();
        queue.push(band, 0).unwrap();
    }
    Arc::new(queue)
}

/// Nothing runs: if there is an item, the set shows a band, so that no pop has to look into them
/// all.
#[track_caller]
fn assert_not_stranded(queue: &BandQueue<usize>) {
    let band = (0..2).find(|&band| queue.band_len(Band::new(band)) > 0);
    let shown = first_listed(queue);
    assert!(
        band.is_none_or(|band| shown.is_some_and(|shown| shown <= usize::from(band))),
        "the item in band {band:?} is stranded, the set shows {shown:?}"
    );
}

/// One producer, one consumer that leaves the band empty: the item that came meanwhile is not
/// stranded.
#[test]
fn clear_against_set() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("bitmap/clear_against_set", 2, bound, |cast| {
        let queue = queue(1);
        let (producer, consumer) = (Arc::clone(&queue), Arc::clone(&queue));
        cast.two(
            move || {
                SEEN.mark(match first_listed(&producer) {
                    Some(_) => "the bit was set before",
                    None => "the bit was clear",
                });
                producer.push(Band::URGENT, 1).unwrap();
            },
            move || assert_eq!(consumer.pop(), Some((Band::URGENT, 0))),
        );
        assert_not_stranded(&queue);
        assert_eq!(queue.pop(), Some((Band::URGENT, 1)));
    });
    SEEN.expect(["the bit was set before", "the bit was clear"]);
}

/// Two producers, one consumer that leaves the band empty: neither item is stranded.
#[test]
fn two_producers_one_consumer() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("bitmap/two_producers_one_consumer", 3, bound, |cast| {
        let queue = queue(1);
        let consumer = Arc::clone(&queue);
        let push = |item| {
            let queue = Arc::clone(&queue);
            move || queue.push(Band::URGENT, item).unwrap()
        };
        cast.three(push(1), push(2), move || {
            assert_eq!(consumer.pop(), Some((Band::URGENT, 0)));
        });
        assert_eq!(queue.len(), 2);
        assert_not_stranded(&queue);
    });
}

/// One producer, two consumers that leave the band empty, of which one may find it empty: what is
/// left is not stranded.
#[test]
fn one_producer_two_consumers() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("bitmap/one_producer_two_consumers", 3, bound, |cast| {
        let queue = queue(1);
        let producer = Arc::clone(&queue);
        let pop = || {
            let queue = Arc::clone(&queue);
            move || queue.pop()
        };
        let ((), a, b) = cast.three(
            move || producer.push(Band::URGENT, 1).unwrap(),
            pop(),
            pop(),
        );
        let taken = [a, b].iter().flatten().count();
        assert_eq!(queue.len(), 2 - taken);
        SEEN.mark(if taken == 2 { "both" } else { "one" });
        assert_not_stranded(&queue);
    });
    SEEN.expect(["both", "one"]);
}

/// A consumer that clears one band's bit leaves the bit alone that a producer sets for another
/// band.
#[test]
fn two_bands() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("bitmap/two_bands", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(Band::URGENT, 0).unwrap();
        let (producer, consumer) = (Arc::clone(&queue), Arc::clone(&queue));
        cast.two(
            move || producer.push(LOW, 1).unwrap(),
            move || assert_eq!(consumer.pop(), Some((Band::URGENT, 0))),
        );
        assert_not_stranded(&queue);
        if cfg!(loom) {
            assert_eq!(first_listed(&queue), Some(1), "left set");
        }
        assert_eq!(queue.pop(), Some((LOW, 1)));
    });
}

/// Two consumers that clear two bands' bits at once: both are cleared, and neither set again.
#[test]
fn two_bands_cleared_at_once() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("bitmap/two_bands_cleared_at_once", 2, bound, |cast| {
        let queue = queue(2);
        let pop = || {
            let queue = Arc::clone(&queue);
            move || queue.pop().expect("there is one for each").0
        };
        let (a, b) = cast.two(pop(), pop());
        assert_ne!(a, b, "a band gave its item twice");
        if cfg!(loom) {
            assert_eq!(first_listed(&queue), None, "left set");
        }
        assert_eq!(queue.pop(), None);
    });
}

/// A scan beside a set. A push that has returned is seen in the set; one that has not may be
/// missed, but the less urgent item that was there all the time is not.
#[test]
fn scan_against_set() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("bitmap/scan_against_set", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        queue.push(LOW, 0).unwrap();
        let returned = Arc::new(AtomicBool::new(false));
        let (producer, consumer) = (Arc::clone(&queue), Arc::clone(&queue));
        let say = Arc::clone(&returned);
        cast.two(
            move || {
                producer.push(Band::URGENT, 1).unwrap();
                say.store(true, Ordering::Release);
            },
            move || {
                let after = returned.load(Ordering::Acquire);
                if after {
                    assert_eq!(first_listed(&consumer), Some(0), "not in the set");
                }
                let (band, _) = consumer.pop().expect("an item was there all the time");
                SEEN.mark(match (after, band) {
                    (true, Band::URGENT) => "after",
                    (true, _) => panic!("passed"),
                    (false, Band::URGENT) => "at once, seen",
                    (false, _) => "at once, missed",
                });
            },
        );
        assert_not_stranded(&queue);
    });
    SEEN.expect(["after", "at once, seen", "at once, missed"]);
}

/// A consumer that is stopped for ever between its clear and its re-check hides a push that has
/// returned from the set, and not from a pop.
#[test]
fn stopped_after_clear() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::None);
    model("bitmap/stopped_after_clear", 2, bound, |cast| {
        let queue = Arc::new(BandQueue::new(2));
        let (stopped, other) = (Arc::clone(&queue), Arc::clone(&queue));
        cast.two(
            move || stop_after_clear(&stopped, LOW.index()),
            move || {
                other.push(LOW, 7).unwrap();
                SEEN.mark(match first_listed(&other) {
                    Some(_) => "shown",
                    None => "hidden",
                });
                assert_eq!(other.pop(), Some((LOW, 7)), "an item behind a clear bit");
            },
        );
        assert_eq!(queue.pop(), None);
    });
    SEEN.expect(["shown", "hidden"]);
}

/// The same with the push and the pop by two threads, and a pop of several.
#[test]
fn stopped_after_clear_pop_many() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("bitmap/stopped_after_clear_pop_many", 3, bound, |cast| {
        let queue = Arc::new(BandQueue::new(1));
        let returned = Arc::new(AtomicBool::new(false));
        let (stopped, producer) = (Arc::clone(&queue), Arc::clone(&queue));
        let (say, consumer) = (Arc::clone(&returned), Arc::clone(&queue));
        cast.three(
            move || stop_after_clear(&stopped, 0),
            move || {
                producer.push(Band::URGENT, 7).unwrap();
                say.store(true, Ordering::Release);
            },
            move || {
                if returned.load(Ordering::Acquire) {
                    SEEN.mark(match first_listed(&consumer) {
                        Some(_) => "shown",
                        None => "hidden",
                    });
                    let mut out = Vec::new();
                    assert_eq!(consumer.pop_many(&mut out, 2), 1);
                }
            },
        );
    });
    SEEN.expect(["shown", "hidden"]);
}

/// The next push to a band whose bit a stopped consumer cleared shows it again.
#[test]
fn the_next_push_ends_it() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::None);
    model("bitmap/the_next_push_ends_it", 2, bound, |cast| {
        let queue = queue(1);
        stop_after_clear(&queue, 0);
        let (producer, consumer) = (Arc::clone(&queue), Arc::clone(&queue));
        let ((), popped) = cast.two(
            move || producer.push(Band::URGENT, 1).unwrap(),
            move || consumer.pop(),
        );
        assert_eq!(popped, Some((Band::URGENT, 0)));
        assert_not_stranded(&queue);
    });
}
