//! A permit sends its item once, or gives its room back.

use bandq::{SendError, TryRecvError, TrySendError, bounded};

use crate::id;
use crate::support::{Ledger, Task, b};

#[test]
fn a_permit_sends_its_item_once() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(2, 2);
    let first = tx.try_reserve(b(1)).unwrap();
    let second = Task::new(tx.reserve(b(0))).ready().unwrap();
    assert!(matches!(tx.try_reserve(b(0)), Err(TrySendError::Full(()))));
    first.send(ledger.token(0)).unwrap();
    second.send(ledger.token(1)).unwrap();
    assert_eq!(rx.try_recv().map(id), Ok(1));
    assert_eq!(rx.try_recv().map(id), Ok(0));
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Empty));
    ledger.assert_each_dropped_once();
}

#[test]
fn a_dropped_permit_gives_its_room_back() {
    let (tx, rx) = bounded(1, 1);
    for i in 0..1_000 {
        drop(tx.try_reserve(b(0)).unwrap());
        tx.try_send(b(0), i).unwrap();
        assert!(matches!(tx.try_reserve(b(0)), Err(TrySendError::Full(()))));
        assert_eq!(rx.try_recv(), Ok((b(0), i)));
    }
}

#[test]
fn a_permit_on_a_closed_channel_gives_the_item_back() {
    let ledger = Ledger::new(1);
    let (tx, rx) = bounded(1, 1);
    let permit = tx.try_reserve(b(0)).unwrap();
    rx.close();
    match permit.send(ledger.token(0)) {
        Err(SendError::Closed(token)) => assert_eq!(token.id(), 0),
        other => panic!("{other:?}"),
    }
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Closed));
    ledger.assert_each_dropped_once();
}
