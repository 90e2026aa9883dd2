//! Drops of items that panic, or call back.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};

use bandq::{BandQueue, Receiver, Sender, bounded, unbounded};

use crate::must_panic;
use crate::support::hand::keep;
use crate::support::{Ledger, Task, Token, Watchdog, b};

/// Panics when it is dropped, after its token.
struct Bomb(Option<Token>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.take();
        panic!("a drop that panics");
    }
}

#[test]
fn when_every_drop_panics_every_item_is_still_dropped() {
    let ledger = Ledger::new(600);
    let queue = BandQueue::new(2);
    for token in ledger.tokens() {
        let band = b((token.id() % 2) as u8);
        queue.push(band, Bomb(Some(token))).ok().unwrap();
    }
    must_panic(|| drop(queue));
    ledger.assert_each_dropped_once();

    let ledger = Ledger::new(600);
    let (tx, rx) = bounded(2, 600);
    for token in ledger.tokens() {
        let band = b((token.id() % 2) as u8);
        tx.try_send(band, Bomb(Some(token))).ok().unwrap();
    }
    let _ = catch_unwind(AssertUnwindSafe(|| drop(rx)));
    ledger.assert_each_dropped_once();
    assert!(tx.is_closed());
}

#[test]
fn a_panic_that_carries_what_panics_when_dropped_keeps_no_item_from_its_drop() {
    struct Worse(Option<Token>);

    impl Drop for Worse {
        fn drop(&mut self) {
            self.0.take();
            panic_any(Bomb(None));
        }
    }

    let ledger = Ledger::new(3);
    let queue = BandQueue::new(1);
    for token in ledger.tokens() {
        queue.push(b(0), Worse(Some(token))).ok().unwrap();
    }
    let panic = catch_unwind(AssertUnwindSafe(|| drop(queue)));
    keep(panic.unwrap_err());
    ledger.assert_each_dropped_once();
}

#[test]
fn drops_that_panic_while_the_thread_is_panicking_do_not_abort() {
    let ledger = Ledger::new(300);
    let (tx, rx) = unbounded(1);
    for token in ledger.tokens() {
        tx.try_send(b(0), Bomb(Some(token))).ok().unwrap();
    }
    must_panic(move || {
        let _rx = rx;
        panic!("the first panic");
    });
    ledger.assert_each_dropped_once();
    assert!(tx.is_closed());
}

#[test]
fn a_cancelled_send_whose_item_panics_still_passes_its_wake_on() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), Bomb(None)).ok().unwrap();
    let first = Task::waiting(tx.send(b(0), Bomb(Some(ledger.token(0)))));
    let mut second = Task::waiting(tx.send(b(0), Bomb(Some(ledger.token(1)))));
    std::mem::forget(rx.try_recv());
    assert!(first.woken());
    must_panic(|| drop(first));
    assert!(second.woken());
    assert!(second.ready().is_ok());
    let (_, mut bomb) = rx.try_recv().unwrap();
    drop(bomb.0.take());
    std::mem::forget(bomb);
    ledger.assert_each_dropped_once();
}

#[test]
fn a_permit_dropped_by_a_panic_gives_its_room_back() {
    let (tx, rx) = bounded(1, 1);
    must_panic(|| {
        let _permit = tx.try_reserve(b(0)).unwrap();
        panic!("with a permit in hand");
    });
    let mut waiting = Task::new(tx.reserve(b(0)));
    waiting.ready().unwrap().send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
}

/// Both ends of the channel that it is sent through, for the first one that is dropped.
type Handles = Arc<Mutex<Option<(Sender<Caller>, Receiver<Caller>)>>>;

/// Calls back into its channel when it is dropped.
struct Caller(Handles, #[allow(dead_code)] Token);

impl Drop for Caller {
    fn drop(&mut self) {
        let handles = self.0.lock().unwrap().take();
        if let Some((tx, rx)) = handles {
            let _ = (tx.len(), rx.is_empty(), rx.is_closed(), tx.is_full());
            // One each of what is left, so that it ends.
            drop(rx.try_recv());
            tx.close();
            drop(rx);
        }
    }
}

#[test]
fn a_drop_that_calls_back_into_its_channel_does_not_deadlock() {
    let _watchdog = Watchdog::new("a_drop_that_calls_back_into_its_channel_does_not_deadlock");
    let ledger = Ledger::new(50);
    let (tx, rx) = bounded(2, 50);
    let handles = Arc::new(Mutex::new(Some((tx.clone(), rx.clone()))));
    for token in ledger.tokens() {
        let band = b((token.id() % 2) as u8);
        tx.try_send(band, Caller(handles.clone(), token))
            .ok()
            .unwrap();
    }
    drop(rx.try_recv());
    drop(rx);
    ledger.assert_each_dropped_once();
    assert!(tx.is_closed());
}

#[test]
fn an_item_may_hold_the_last_sender_or_receiver_of_its_channel() {
    struct Held(#[allow(dead_code)] Option<Box<dyn std::any::Any>>);
    let (tx, rx) = unbounded(1);
    let inner = tx.clone();
    tx.try_send(b(0), Held(Some(Box::new(inner)))).ok().unwrap();
    drop(tx);
    assert!(!rx.is_closed());
    drop(rx.try_recv().ok().unwrap());
    assert!(rx.is_closed());

    let (tx, rx) = unbounded(1);
    let inner = tx.clone();
    tx.try_send(b(0), Held(Some(Box::new(inner)))).ok().unwrap();
    let weak = tx.downgrade();
    drop(tx);
    drop(rx); // drops the item, and with it the last sender
    assert!(weak.upgrade().is_none());
}
