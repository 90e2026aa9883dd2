//! An empty look has an instant: what a thread does after its push, and a look that comes after
//! something else, are in one order.

use bandq::{Band, BandQueue};
use loom_tests::{
    Bound, model,
    sync::atomic::{AtomicBool, Ordering},
};
use std::sync::Arc;

const LOW: Band = Band::new(1);

/// One pushes and then looks whether a flag is raised; one raises it and then looks for an item: at
/// least one of the two sees what the other did.
fn one_of_two_sees(name: &'static str, looks: fn(&BandQueue<i32>) -> bool) {
    model(name, 2, Bound::Preemptions(3), move |cast| {
        let queue = Arc::new(BandQueue::new(2));
        let flag = Arc::new(AtomicBool::new(false));
        let (pushing, looking) = (Arc::clone(&queue), Arc::clone(&queue));
        let (raised, raising) = (Arc::clone(&flag), flag);
        let (saw_flag, saw_item) = cast.two(
            move || {
                pushing.push(LOW, 1).unwrap();
                raised.load(Ordering::SeqCst)
            },
            move || {
                raising.store(true, Ordering::SeqCst);
                looks(&looking)
            },
        );
        assert!(saw_flag || saw_item, "each missed the other");
    });
}

/// With a pop.
#[test]
fn a_pop_looks_at_an_instant() {
    one_of_two_sees("instant/a_pop_looks_at_an_instant", |queue| {
        queue.pop().is_some()
    });
}

/// With the question.
#[test]
fn is_empty_looks_at_an_instant() {
    one_of_two_sees("instant/is_empty_looks_at_an_instant", |queue| {
        !queue.is_empty()
    });
}
