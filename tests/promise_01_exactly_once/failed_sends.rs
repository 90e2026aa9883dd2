//! A send that fails gives its item back.

use std::time::{Duration, Instant};

use bandq::{BandQueue, SendError, SendTimeoutError, TryRecvError, TrySendError, bounded};

use crate::support::{Ledger, Task, b};
use crate::{LONG, id};

#[test]
fn every_failed_send_gives_its_item_back() {
    let ledger = Ledger::new(12);
    let mut ids = 0..12;
    let mut next = || ledger.token(ids.next().unwrap());
    let (tx, rx) = bounded(2, 1);
    let soon = Duration::from_millis(1);

    // No such band.
    assert!(matches!(tx.try_send(b(2), next()), Err(TrySendError::NoSuchBand(t)) if t.id() == 0));
    assert!(matches!(tx.send_blocking(b(2), next()), Err(SendError::NoSuchBand(t)) if t.id() == 1));
    let sent = Task::new(tx.send(b(63), next())).ready();
    assert!(matches!(sent, Err(SendError::NoSuchBand(t)) if t.id() == 2));
    let queue = BandQueue::new(2);
    assert_eq!(queue.push(b(2), next()).unwrap_err().into_inner().id(), 3);

    // Full.
    tx.try_send(b(0), next()).unwrap();
    assert!(matches!(tx.try_send(b(0), next()), Err(TrySendError::Full(t)) if t.id() == 5));
    let sent = tx.send_timeout(b(0), next(), soon);
    assert!(matches!(sent, Err(SendTimeoutError::Timeout(t)) if t.id() == 6));
    let sent = tx.send_deadline(b(0), next(), Instant::now());
    assert!(matches!(sent, Err(SendTimeoutError::Timeout(t)) if t.id() == 7));

    // Closed.
    rx.close();
    assert!(matches!(tx.try_send(b(0), next()), Err(TrySendError::Closed(t)) if t.id() == 8));
    assert!(matches!(tx.send_blocking(b(0), next()), Err(SendError::Closed(t)) if t.id() == 9));
    let sent = Task::new(tx.send(b(0), next())).ready();
    assert!(matches!(sent, Err(SendError::Closed(t)) if t.id() == 10));
    let sent = tx.send_timeout(b(0), next(), LONG);
    assert!(matches!(sent, Err(SendTimeoutError::Closed(t)) if t.id() == 11));

    assert_eq!(rx.try_recv().map(id), Ok(4));
    ledger.assert_each_dropped_once();
}

#[test]
fn a_waiting_send_gets_its_item_back_when_the_channel_closes() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), ledger.token(0)).unwrap();
    let mut waiting = Task::waiting(tx.send(b(0), ledger.token(1)));
    assert!(tx.close());
    assert!(waiting.woken());
    match waiting.ready() {
        Err(SendError::Closed(token)) => assert_eq!(token.id(), 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(rx.try_recv().map(id), Ok(0));
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Closed));
    ledger.assert_each_dropped_once();
}
