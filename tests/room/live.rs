//! `set_capacity`, up and down, with senders that wait.

use bandq::{BuildError, Builder, SendError, TrySendError, bounded, unbounded};

use crate::support::hand::{settle, woken};
use crate::support::{Task, b};

#[test]
fn raising_it_wakes_as_many_as_it_admits_the_more_urgent_first() {
    let (tx, rx) = bounded(2, 1);
    tx.try_send(b(1), 0).unwrap();
    let mut low: Vec<_> = (0..3).map(|n| Task::waiting(tx.send(b(1), n))).collect();
    let mut urgent: Vec<_> = (0..2).map(|n| Task::waiting(tx.send(b(0), n))).collect();
    rx.set_capacity(4).unwrap();
    assert_eq!((woken(&urgent), woken(&low)), (2, 1));
    settle(&mut urgent);
    settle(&mut low);
    assert_eq!((tx.len(), tx.is_full(), tx.available()), (4, true, Some(0)));
}

#[test]
fn raising_it_wakes_a_reservation_of_several() {
    let (tx, _rx) = bounded::<u8>(1, 2);
    let _one = tx.try_reserve(b(0)).unwrap();
    let mut many = Task::waiting(tx.reserve_many(b(0), 2));
    tx.set_capacity(3).unwrap();
    assert!(many.woken());
    assert_eq!(many.ready().unwrap().len(), 2);
}

#[test]
fn raising_it_does_not_wake_a_band_that_another_limit_keeps_out() {
    let builder = Builder::new(3)
        .capacity(3)
        .high_water(b(2), 1)
        .band_capacity(b(1), 1);
    let (tx, rx) = builder.build().unwrap();
    tx.try_send_many(b(0), 0..2).unwrap();
    tx.try_send(b(1), 0).unwrap();
    let out = [
        Task::waiting(tx.send(b(1), 1)),
        Task::waiting(tx.send(b(2), 1)),
    ];
    let mut urgent = Task::waiting(tx.send(b(0), 1));
    rx.set_capacity(100).unwrap();
    assert_eq!(woken(&out), 0);
    urgent.ready().unwrap();
}

#[test]
fn lowering_it_throws_nothing_out_and_lets_nobody_in_until_enough_went_out() {
    let (tx, rx) = bounded(1, 5);
    tx.try_send_many(b(0), 0..5).unwrap();
    tx.set_capacity(2).unwrap();
    let mut waiting = vec![Task::waiting(tx.send(b(0), 9))];
    for left in [4, 3, 2] {
        assert_eq!(
            (tx.capacity(), tx.available(), tx.is_full()),
            (Some(2), Some(0), true)
        );
        rx.try_recv().unwrap();
        assert_eq!(tx.len(), left, "what is inside counts");
        assert_eq!(tx.try_send(b(0), 9), Err(TrySendError::Full(9)));
        assert_eq!(woken(&waiting), 0);
    }
    rx.try_recv().unwrap();
    assert_eq!(settle(&mut waiting), [Ok(())]);
    assert_eq!(tx.len(), 2);
}

#[test]
fn lowering_it_tells_a_waiting_reservation_that_it_has_become_too_heavy() {
    let (tx, _rx) = bounded::<u8>(1, 5);
    let _all = tx.try_reserve_many(b(0), 5).unwrap();
    let mut many = Task::waiting(tx.reserve_many(b(0), 3));
    tx.set_capacity(2).unwrap();
    assert!(many.woken());
    assert_eq!(many.ready().unwrap_err(), SendError::TooHeavy(()));
}

#[test]
fn a_channel_with_limits_by_band_alone_gets_a_capacity() {
    let (tx, rx) = Builder::new(2).high_water(b(1), 5).build().unwrap();
    tx.try_send_many(b(0), 0..3).unwrap();
    assert_eq!(rx.capacity(), None);
    rx.set_capacity(4).unwrap();
    assert_eq!((tx.capacity(), tx.available()), (Some(4), Some(1)));
    assert_eq!(tx.try_send_many(b(0), 0..9).unwrap_err().sent, 1);
}

#[test]
fn a_wrong_capacity_changes_nothing() {
    let (tx, _rx) = bounded::<u8>(1, 5);
    assert_eq!(tx.set_capacity(0), Err(BuildError::ZeroCapacity));
    assert_eq!(tx.capacity(), Some(5));
    let (tx, rx) = unbounded::<u8>(1);
    assert_eq!(rx.set_capacity(9), Err(BuildError::Unbounded));
    assert_eq!(rx.set_capacity(0), Err(BuildError::ZeroCapacity));
    assert_eq!((tx.capacity(), tx.available()), (None, None));
}
