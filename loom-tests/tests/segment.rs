//! One band: claims, publishing, poisoning, hand-over. Segments have 2 slots under loom.

use bandq::internals::Fifo;
use loom_tests::{Bound, model, sync::Arc, thread};

/// Two producers' items both arrive, whatever the order of their claims.
#[test]
fn push_push() {
    model("segment/push_push", 2, Bound::Preemptions(3), || {
        let fifo = Arc::new(Fifo::new());
        let other = {
            let fifo = Arc::clone(&fifo);
            thread::spawn(move || assert!(fifo.push(1).is_ok()))
        };
        assert!(fifo.push(2).is_ok());
        other.join().unwrap();
        let mut items = [fifo.pop().unwrap(), fifo.pop().unwrap()];
        items.sort_unstable();
        assert_eq!((items, fifo.pop()), ([1, 2], None));
    });
}

/// A pop beside a push gets the item or nothing; afterwards it is there, once.
#[test]
fn push_pop() {
    model("segment/push_pop", 2, Bound::Preemptions(3), || {
        let fifo = Arc::new(Fifo::new());
        let producer = {
            let fifo = Arc::clone(&fifo);
            thread::spawn(move || assert!(fifo.push(Box::new(1)).is_ok()))
        };
        let early = fifo.pop();
        producer.join().unwrap();
        let late = fifo.pop();
        assert!(early.is_some() != late.is_some());
        assert!(fifo.pop().is_none());
    });
}
