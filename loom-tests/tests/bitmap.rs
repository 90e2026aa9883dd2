//! The set of bands: clearing a bit beside a push never strands an item.

use bandq::{Band, BandQueue};
use loom_tests::{Bound, model, sync::Arc, thread};

/// A consumer that leaves a band empty clears its bit while a producer tests it. Afterwards one
/// pop by the set alone must do: `first` is what it shows.
#[test]
fn clear_against_push() {
    model(
        "bitmap/clear_against_push",
        2,
        Bound::Preemptions(3),
        |_| {
            let queue = Arc::new(BandQueue::new(1));
            queue.push(Band::URGENT, 1).unwrap();
            let producer = {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.push(Band::URGENT, 2).unwrap())
            };
            assert_eq!(queue.pop(), Some((Band::URGENT, 1)));
            producer.join().unwrap();
            assert_eq!(
                bandq::internals::first_listed(&queue),
                Some(0),
                "the item is stranded"
            );
            assert_eq!(queue.pop(), Some((Band::URGENT, 2)));
        },
    );
}
