//! `reserve_owned` and `try_reserve_owned`.

use std::thread;

use bandq::{SendError, TryRecvError, TrySendError, bounded, unbounded};

use crate::support::hand::keep;
use crate::support::{Ledger, Task, b};

#[test]
fn an_owned_permit_outlives_the_sender_and_holds_no_channel_open() {
    let (tx, rx) = bounded(2, 4);
    let permit = tx.try_reserve_owned(b(1)).unwrap();
    let awaited = Task::new(tx.reserve_owned(b(0))).ready().unwrap();
    assert_eq!(rx.sender_count(), 1);
    drop(tx);
    assert_eq!(rx.sender_count(), 0);
    assert!(rx.is_closed());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(permit.send("late"), Err(SendError::Closed("late")));
    assert_eq!(awaited.send("later"), Err(SendError::Closed("later")));
    assert_eq!(rx.available(), Some(4));
}

#[test]
fn an_owned_permit_sends_from_another_thread_when_its_sender_is_gone() {
    let (tx, rx) = bounded(2, 1);
    let other = tx.clone();
    let permit = tx.try_reserve_owned(b(1)).unwrap();
    assert_eq!(permit.band(), b(1));
    drop(tx);
    thread::spawn(move || permit.send(7))
        .join()
        .unwrap()
        .unwrap();
    assert_eq!(rx.try_recv(), Ok((b(1), 7)));
    assert_eq!(other.available(), Some(1));
}

#[test]
fn an_owned_permit_takes_its_place_in_the_fifo_when_it_sends() {
    let (tx, rx) = unbounded(1);
    let permit = tx.try_reserve_owned(b(0)).unwrap();
    tx.try_send(b(0), 1).unwrap();
    permit.send(2).unwrap();
    assert_eq!(rx.try_iter().map(|(_, n)| n).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn an_owned_permit_that_is_dropped_wakes_one_waiting_sender() {
    let (tx, _rx) = bounded(1, 1);
    let permit = tx.try_reserve_owned(b(0)).unwrap();
    let mut first = Task::waiting(tx.reserve_owned(b(0)));
    let mut second = Task::waiting(tx.send(b(0), 1));
    drop(permit);
    assert!(first.woken() && !second.woken());
    let permit = first.ready().unwrap();
    assert!(!second.woken());
    drop(permit);
    assert!(second.woken());
    second.ready().unwrap();
}

#[test]
fn an_owned_permit_that_could_not_send_gives_its_unit_and_the_item_back() {
    let ledger = Ledger::new(1);
    let (tx, rx) = bounded(1, 2);
    let permit = tx.try_reserve_owned(b(0)).unwrap();
    assert_eq!(tx.available(), Some(1));
    drop(rx);
    let error = permit.send(ledger.token(0)).unwrap_err();
    assert!(error.is_closed());
    ledger.assert_none_dropped();
    assert_eq!(tx.available(), Some(2));
    drop(error);
    ledger.assert_each_dropped_once();
}

#[test]
fn an_owned_permit_that_is_forgotten_costs_one_unit_and_nothing_else() {
    let (tx, rx) = bounded(1, 2);
    keep(tx.try_reserve_owned(b(0)).unwrap());
    assert_eq!(tx.available(), Some(1));
    tx.try_send(b(0), 1).unwrap();
    assert_eq!(tx.try_send(b(0), 2), Err(TrySendError::Full(2)));
    rx.try_recv().unwrap();
    assert_eq!(tx.available(), Some(1));
    drop(tx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_woken_reserve_owned_that_is_dropped_passes_its_wake_on() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let first = Task::waiting(tx.reserve_owned(b(0)));
    let mut second = Task::waiting(tx.reserve_owned(b(0)));
    rx.try_recv().unwrap();
    assert!(first.woken() && !second.woken());
    drop(first);
    assert!(second.woken());
    assert!(second.ready().is_ok());
}

#[test]
fn a_close_ends_a_waiting_reserve_owned() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut reserve = Task::waiting(tx.reserve_owned(b(0)));
    rx.close();
    assert!(reserve.woken());
    assert_eq!(reserve.ready().unwrap_err(), SendError::Closed(()));
}

#[test]
fn an_owned_permit_is_refused_for_the_reasons_of_a_send() {
    let (tx, rx) = bounded::<u8>(1, 1);
    let refused = || tx.try_reserve_owned(b(0)).unwrap_err();
    let held = tx.try_reserve_owned(b(0)).unwrap();
    assert_eq!(refused(), TrySendError::Full(()));
    drop(held);
    rx.close();
    assert_eq!(refused(), TrySendError::Closed(()));
    let elsewhere = tx.try_reserve_owned(b(1)).unwrap_err();
    assert_eq!(elsewhere, TrySendError::NoSuchBand(()));
    let elsewhere = Task::new(tx.reserve_owned(b(1))).ready().unwrap_err();
    assert_eq!(elsewhere, SendError::NoSuchBand(()));
}
