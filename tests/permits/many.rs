//! `reserve_many` and `try_reserve_many`: what is taken and what is given back.

use bandq::{SendError, TrySendError, bounded, unbounded};

use crate::support::hand::{keep, woken};
use crate::support::{Task, b};

#[test]
fn many_permits_are_all_or_none() {
    let (tx, rx) = bounded(2, 4);
    tx.try_send(b(1), 0).unwrap();
    assert_eq!(
        tx.try_reserve_many(b(0), 4).unwrap_err(),
        TrySendError::Full(())
    );
    let waiting = Task::waiting(tx.reserve_many(b(0), 4));
    assert_eq!(tx.available(), Some(3), "a refused reservation took room");
    drop(waiting);
    let permits = tx.try_reserve_many(b(0), 3).unwrap();
    assert_eq!((permits.len(), permits.band()), (3, b(0)));
    assert_eq!((tx.available(), rx.len()), (Some(0), 1));
    for (permit, n) in permits.zip(1..) {
        assert_eq!(permit.band(), b(0));
        permit.send(n).unwrap();
    }
    let items: Vec<_> = rx.try_iter().collect();
    assert_eq!(items, [(b(0), 1), (b(0), 2), (b(0), 3), (b(1), 0)]);
    assert_eq!(tx.available(), Some(4));
}

#[test]
fn permits_count_down_and_end_for_good() {
    let (tx, _rx) = bounded::<u8>(1, 2);
    let mut permits = tx.try_reserve_many(b(0), 2).unwrap();
    assert_eq!(permits.size_hint(), (2, Some(2)));
    assert!(permits.next().is_some());
    assert_eq!(permits.len(), 1);
    assert!(permits.next().is_some());
    assert_eq!(permits.len(), 0);
    assert!(permits.next().is_none() && permits.next().is_none());
    assert_eq!(tx.available(), Some(2), "each was dropped at once");
    drop(permits);
    assert_eq!(tx.available(), Some(2), "given back twice");
}

#[test]
fn permits_dropped_half_way_give_back_those_not_yielded_and_no_other() {
    let (tx, rx) = bounded(1, 5);
    let mut permits = tx.try_reserve_many(b(0), 5).unwrap();
    let held = permits.next().unwrap();
    permits.next().unwrap().send(1).unwrap();
    let waiting: Vec<_> = (0..4).map(|n| Task::waiting(tx.send(b(0), n))).collect();
    drop(permits);
    assert_eq!(tx.available(), Some(3));
    assert_eq!(woken(&waiting), 3, "one sender for each unit");
    drop(waiting);
    held.send(2).unwrap();
    assert_eq!((tx.available(), rx.len()), (Some(3), 2));
}

#[test]
fn a_permit_of_many_that_is_forgotten_costs_one_unit() {
    let (tx, _rx) = bounded::<u8>(1, 4);
    let mut rest = tx.try_reserve_many(b(0), 4).unwrap();
    keep(rest.next().unwrap());
    drop(rest);
    assert_eq!(tx.available(), Some(3));
    keep(tx.try_reserve_many(b(0), 2).unwrap());
    assert_eq!(tx.available(), Some(1), "forgotten as a whole: each unit");
    assert!(tx.try_reserve_many(b(0), 1).is_ok());
}

#[test]
fn who_gives_no_room_back_wakes_nobody() {
    let (tx, rx) = bounded::<u8>(1, 2);
    let mut permits = tx.try_reserve_many(b(0), 1).unwrap();
    let _held = permits.next().unwrap();
    let mut waiting = Task::waiting(tx.reserve_many(b(0), 2));
    drop(permits);
    drop(tx.try_reserve_many(b(0), 0).unwrap());
    assert_eq!(rx.try_recv_many(&mut Vec::new(), 0), Ok(0));
    assert!(!waiting.woken() && waiting.poll().is_pending());
}

#[test]
fn more_than_the_capacity_is_too_heavy_at_once() {
    let (tx, _rx) = bounded::<u8>(1, 3);
    for units in [4, 5, usize::MAX] {
        assert_eq!(
            tx.try_reserve_many(b(0), units).unwrap_err(),
            TrySendError::TooHeavy(())
        );
        let reserved = Task::new(tx.reserve_many(b(0), units)).ready();
        assert_eq!(reserved.unwrap_err(), SendError::TooHeavy(()));
    }
    let full = tx.try_reserve_many(b(0), 3).unwrap();
    assert_eq!(
        tx.try_reserve_many(b(0), 4).unwrap_err(),
        TrySendError::TooHeavy(()),
        "also when it is full"
    );
    let reserved = Task::new(tx.reserve_many(b(0), 4)).ready();
    assert_eq!(reserved.unwrap_err(), SendError::TooHeavy(()));
    drop(full);
    assert_eq!(tx.available(), Some(3));
}

#[test]
fn no_such_band_wins_over_closed_and_closed_over_too_heavy() {
    let (tx, rx) = bounded::<u8>(1, 3);
    let tries = |band, units| tx.try_reserve_many(b(band), units).unwrap_err();
    let waits = |band, units| {
        Task::new(tx.reserve_many(b(band), units))
            .ready()
            .unwrap_err()
    };
    assert_eq!(tries(1, 4), TrySendError::NoSuchBand(()));
    assert_eq!(waits(1, 4), SendError::NoSuchBand(()));
    rx.close();
    assert_eq!(tries(1, 4), TrySendError::NoSuchBand(()));
    assert_eq!(waits(1, 4), SendError::NoSuchBand(()));
    for units in [0, 1, 3, 4] {
        assert_eq!(tries(0, units), TrySendError::Closed(()));
        assert_eq!(waits(0, units), SendError::Closed(()));
    }
    assert_eq!(tx.available(), Some(3));
}

#[test]
fn no_permits_are_ready_at_once_even_when_it_is_full() {
    let (tx, _rx) = bounded(1, 1);
    tx.try_send(b(0), 1).unwrap();
    let mut none = tx.try_reserve_many(b(0), 0).unwrap();
    assert!(none.next().is_none());
    let awaited = Task::new(tx.reserve_many(b(0), 0)).ready().unwrap();
    assert_eq!(awaited.len(), 0);
    drop((none, awaited));
    assert_eq!(tx.available(), Some(0));
    assert_eq!(
        tx.try_reserve_many(b(1), 0).unwrap_err(),
        TrySendError::NoSuchBand(())
    );
}

#[test]
fn permits_of_a_channel_that_was_closed_meanwhile_give_items_and_units_back() {
    let (tx, rx) = bounded(1, 3);
    let mut permits = tx.try_reserve_many(b(0), 3).unwrap();
    permits.next().unwrap().send(0).unwrap();
    rx.close();
    let refused: Vec<_> = permits.map(|permit| permit.send(1)).collect();
    assert_eq!(refused, [Err(SendError::Closed(1)); 2]);
    assert_eq!((tx.available(), rx.len()), (Some(2), 1));
}

#[test]
fn without_a_bound_there_is_room_for_any_number() {
    let (tx, rx) = unbounded(1);
    let mut permits = tx.try_reserve_many(b(0), usize::MAX).unwrap();
    let more = Task::new(tx.reserve_many(b(0), usize::MAX)).ready();
    assert_eq!(more.unwrap().len(), usize::MAX);
    assert_eq!(permits.len(), usize::MAX);
    permits.next().unwrap().send(1).unwrap();
    assert_eq!((tx.available(), tx.is_full()), (None, false));
    drop(permits);
    tx.try_reserve_owned(b(0)).unwrap().send(2).unwrap();
    assert_eq!(rx.try_iter().map(|(_, n)| n).collect::<Vec<_>>(), [1, 2]);
    rx.close();
    let closed = tx.try_reserve_many(b(0), 2).unwrap_err();
    assert_eq!(closed, TrySendError::Closed(()));
}
