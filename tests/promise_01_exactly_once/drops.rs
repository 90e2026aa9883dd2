//! What is left is dropped once, then and there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bandq::{BandQueue, unbounded};

use crate::id;
use crate::support::{Ledger, Token, b};

#[test]
fn a_dropped_queue_drops_each_item_left_once() {
    // Around the ends of segments, with some popped first.
    for pushed in [0, 1, 2, 100, 255, 256, 257, 512, 513, 700] {
        for popped in [0, 1, 100, 255, 256, 257, 699] {
            if popped > pushed {
                continue;
            }
            let ledger = Ledger::new(pushed);
            let queue = BandQueue::new(3);
            for token in ledger.tokens() {
                queue.push(b(1), token).unwrap();
            }
            for expected in 0..popped {
                assert_eq!(queue.pop().map(id), Some(expected));
            }
            assert_eq!(ledger.total(), popped);
            drop(queue);
            ledger.assert_each_dropped_once();
        }
    }
}

#[test]
fn the_last_receivers_drop_drops_the_rest_then_and_there() {
    let ledger = Ledger::new(600);
    let (tx, rx) = unbounded(3);
    let other = rx.clone();
    for token in ledger.tokens() {
        let band = b((token.id() % 3) as u8);
        tx.try_send(band, token).unwrap();
    }
    drop(rx);
    ledger.assert_none_dropped();
    assert!(!tx.is_closed());
    drop(other);
    // A sender is still there.
    ledger.assert_each_dropped_once();
    assert!(tx.is_closed());
    assert_eq!(tx.len(), 0);
}

#[test]
fn a_weak_receiver_keeps_no_item() {
    let ledger = Ledger::new(1);
    let (tx, rx) = unbounded(1);
    let weak = rx.downgrade();
    tx.try_send(b(0), ledger.token(0)).unwrap();
    drop(rx);
    ledger.assert_each_dropped_once();
    assert!(weak.upgrade().is_none());
}

/// Notes its drop, then panics if told to.
struct Bomb {
    token: Option<Token>,
    armed: bool,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.token.take();
        if self.armed {
            panic!("a drop that panics");
        }
    }
}

fn bombs(ledger: &Ledger, armed: usize) -> impl Iterator<Item = Bomb> {
    ledger.tokens().map(move |token| Bomb {
        armed: token.id() == armed,
        token: Some(token),
    })
}

#[test]
fn when_one_drop_panics_a_dropped_channel_still_drops_the_rest() {
    for armed in [0, 1, 255, 256, 299, 599] {
        let ledger = Ledger::new(600);
        let (tx, rx) = unbounded(2);
        for (i, bomb) in bombs(&ledger, armed).enumerate() {
            assert!(tx.try_send(b((i / 300) as u8), bomb).is_ok());
        }
        let _ = catch_unwind(AssertUnwindSafe(|| drop(rx)));
        // The sender is still there: the rest went then and there.
        ledger.assert_each_dropped_once();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(tx)));
        ledger.assert_each_dropped_once();
    }
}

#[test]
fn when_one_drop_panics_a_dropped_queue_still_drops_the_rest() {
    for armed in [0, 1, 255, 256, 299, 599] {
        let ledger = Ledger::new(600);
        let queue = BandQueue::new(2);
        for (i, bomb) in bombs(&ledger, armed).enumerate() {
            assert!(queue.push(b((i / 300) as u8), bomb).is_ok());
        }
        let _ = catch_unwind(AssertUnwindSafe(|| drop(queue)));
        ledger.assert_each_dropped_once();
    }
}
