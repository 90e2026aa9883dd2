//! Room that is held for items beside the channel.

use bandq::{Builder, TrySendError, bounded, unbounded};

use crate::support::hand::{settle, woken};
use crate::support::{Task, b};

#[test]
fn what_was_received_may_hold_its_room_although_somebody_else_has_it() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 'a').unwrap();
    let (band, item) = rx.try_recv().unwrap();
    tx.try_send(b(0), 'b').unwrap();
    let room = rx.hold_room(band, &item);
    assert_eq!((tx.len(), tx.available(), tx.is_full()), (1, Some(0), true));
    assert_eq!(rx.try_recv(), Ok((b(0), 'b')));
    assert_eq!(tx.try_send(b(0), 'c'), Err(TrySendError::Full('c')));
    drop(room);
    assert_eq!(tx.try_send(b(0), 'c'), Ok(()));
}

#[test]
fn who_waits_for_it_is_woken_once_as_much_is_free_the_more_urgent_first() {
    let (tx, rx) = bounded(2, 2);
    let rooms: Vec<_> = (0..4).map(|n| rx.hold_room(b(1), &n)).collect();
    let mut low = vec![Task::waiting(tx.send(b(1), 9))];
    let mut urgent = vec![Task::waiting(tx.send(b(0), 9))];
    for (room, expected) in rooms.into_iter().zip([(0, 0), (0, 0), (1, 0), (1, 1)]) {
        drop(room);
        assert_eq!((woken(&urgent), woken(&low)), expected);
    }
    settle(&mut urgent);
    settle(&mut low);
    assert_eq!(tx.available(), Some(0));
}

#[test]
fn it_counts_in_the_capacity_of_its_band_as_well() {
    let builder = Builder::new(2).capacity(10).band_capacity(b(1), 1);
    let (tx, rx) = builder.build().unwrap();
    let room = rx.hold_room(b(1), &0);
    assert_eq!(tx.try_send(b(1), 1), Err(TrySendError::Full(1)));
    assert_eq!(tx.try_send(b(0), 1), Ok(()));
    drop(room);
    assert_eq!(tx.try_send(b(1), 1), Ok(()));
    assert_eq!(tx.available(), Some(8));
}

#[test]
fn it_is_as_much_as_the_item_weighs() {
    let weigh: fn(&usize) -> usize = |item| *item;
    let (tx, rx) = Builder::new(1).capacity(10).weigher(weigh).build().unwrap();
    let room = rx.hold_room(b(0), &7);
    assert_eq!((room.units(), tx.available()), (7, Some(3)));
    assert_eq!(rx.hold_room(b(0), &0).units(), 1);
    drop(room);
    assert_eq!(tx.available(), Some(10));
}

#[test]
fn room_of_one_band_goes_together_and_apart_and_is_given_back_once() {
    let (tx, rx) = bounded(2, 10);
    let mut room = rx.hold_room(b(1), &0);
    for n in 1..4 {
        room.merge(rx.hold_room(b(1), &n)).unwrap();
    }
    assert_eq!((room.units(), tx.available()), (4, Some(6)));
    let other_band = room.merge(rx.hold_room(b(0), &4)).unwrap_err();
    assert_eq!((other_band.units(), room.units()), (1, 4));
    let elsewhere = bounded(2, 10);
    assert!(room.merge(elsewhere.1.hold_room(b(1), &5)).is_err());
    assert_eq!(elsewhere.0.available(), Some(10));
    assert!(room.split(5).is_none());
    let three = room.split(3).unwrap();
    assert_eq!((three.units(), room.units(), three.band()), (3, 1, b(1)));
    drop(three);
    assert_eq!(tx.available(), Some(8));
    drop((room, other_band));
    assert_eq!(tx.available(), Some(10));
}

#[test]
fn a_channel_without_a_limit_or_without_that_band_has_none_to_hold() {
    let (_tx, rx) = unbounded::<u8>(1);
    assert_eq!(rx.hold_room(b(0), &0).units(), 0);
    let (tx, rx) = bounded::<u8>(1, 1);
    let room = rx.hold_room(b(1), &0);
    assert_eq!((room.units(), tx.available()), (0, Some(1)));
    drop(room);
    assert_eq!(tx.available(), Some(1));
    let builder = Builder::<u8>::new(1).capacity(1).band_capacity(b(0), 1);
    let (tx, rx) = builder.build().unwrap();
    drop(rx.hold_room(b(1), &0));
    assert_eq!(tx.available(), Some(1));
}

#[test]
fn it_keeps_no_channel_open_and_outlives_it() {
    let (tx, rx) = bounded::<u8>(1, 1);
    let room = rx.hold_room(b(0), &0);
    drop(rx);
    assert!(tx.is_closed());
    drop(tx);
    drop(room);
}

#[test]
fn a_newcomer_evicts_nothing_where_that_would_not_be_enough() {
    let (tx, rx) = bounded(2, 2);
    tx.try_send_many(b(1), [1, 2]).unwrap();
    let room = rx.hold_room(b(1), &0);
    let full = tx.force_send(b(0), 3).unwrap_err();
    assert_eq!((full.error, full.evicted), (TrySendError::Full(3), vec![]));
    drop(room);
    assert_eq!(tx.force_send(b(0), 3), Ok(vec![(b(1), 1)]));
}
