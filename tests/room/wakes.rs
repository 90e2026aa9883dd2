//! Who is woken for room: only those whom it admits, the more urgent first, and no wake is lost.

use bandq::Builder;

use crate::support::hand::{settle, woken};
use crate::support::{Task, b};

#[test]
fn a_waiting_urgent_sender_enters_before_twenty_waiting_low_ones() {
    let (tx, rx) = bandq::bounded(2, 1);
    tx.try_send(b(1), 0).unwrap();
    let mut low: Vec<_> = (1..=20).map(|n| Task::waiting(tx.send(b(1), n))).collect();
    let mut urgent = vec![Task::waiting(tx.send(b(0), 99))];
    let mut order = Vec::new();
    while let Ok((_, item)) = rx.try_recv() {
        order.push(item);
        settle(&mut urgent);
        settle(&mut low);
    }
    let expected: Vec<_> = [0, 99].into_iter().chain(1..=20).collect();
    assert_eq!(order, expected);
}

#[test]
fn a_band_wakes_in_arrival_order() {
    let (tx, rx) = bandq::bounded(2, 1);
    tx.try_send(b(1), 0).unwrap();
    let mut first = Task::waiting(tx.send(b(1), 1));
    let second = Task::waiting(tx.send(b(1), 2));
    rx.try_recv().unwrap();
    assert!(first.woken() && !second.woken());
    first.ready().unwrap();
}

#[test]
fn n_units_wake_at_most_n_single_senders() {
    let (tx, rx) = bandq::bounded(4, 9);
    tx.try_send_many(b(3), 0..9).unwrap();
    let tasks: Vec<_> = (0..12)
        .map(|n| Task::waiting(tx.send(b(3 - n % 4), 0)))
        .collect();
    let mut out = Vec::new();
    for (units, woken_by_then) in [(1, 1), (3, 4), (2, 6)] {
        rx.try_recv_many(&mut out, units).unwrap();
        assert_eq!(woken(&tasks), woken_by_then);
    }
    // Three a band: those of the two most urgent ones.
    assert!(
        tasks
            .iter()
            .enumerate()
            .all(|(n, task)| task.woken() == (3 - n % 4 < 2))
    );
}

#[test]
fn freed_room_wakes_only_those_whom_it_admits() {
    let (tx, rx) = Builder::new(2)
        .capacity(4)
        .high_water(b(1), 2)
        .build()
        .unwrap();
    tx.try_send_many(b(0), 0..4).unwrap();
    let mut low = Task::waiting(tx.send(b(1), 9));
    let mut many = Task::waiting(tx.reserve_many(b(1), 2));
    for left in (0..4).rev() {
        rx.try_recv().unwrap();
        assert_eq!(low.wakes(), usize::from(left < 2), "{left} in use");
        assert_eq!(many.woken(), left < 2, "{left} in use");
    }
    low.ready().unwrap();
    assert!(many.poll().is_pending(), "one unit below the high water");
    rx.try_recv().unwrap();
    assert_eq!(many.ready().unwrap().len(), 2);
}

/// A unit of one band's capacity is no room for a sender of another band, nor for one of that band
/// while the whole is full.
#[test]
fn a_band_at_its_capacity_does_not_take_the_wake_of_another() {
    let (tx, rx) = Builder::new(2)
        .capacity(3)
        .band_capacity(b(0), 1)
        .build()
        .unwrap();
    let urgent_permit = tx.try_reserve(b(0)).unwrap();
    tx.try_send_many(b(1), 0..2).unwrap();
    let urgent = Task::waiting(tx.send(b(0), 9));
    let mut low = Task::waiting(tx.send(b(1), 9));
    rx.try_recv().unwrap();
    assert!(!urgent.woken() && low.woken());
    low.ready().unwrap();
    drop(urgent_permit);
    assert!(urgent.woken());
}

#[test]
fn a_woken_urgent_sender_that_is_dropped_passes_its_wake_to_a_low_one() {
    let (tx, rx) = bandq::bounded(3, 1);
    tx.try_send(b(2), 0).unwrap();
    let mut low = Task::waiting(tx.send(b(2), 1));
    let urgent = Task::waiting(tx.reserve(b(0)));
    rx.try_recv().unwrap();
    assert!(urgent.woken() && !low.woken());
    drop(urgent);
    assert!(low.woken());
    low.ready().unwrap();
}

#[test]
fn a_wake_is_passed_on_only_to_one_who_is_admitted() {
    let (tx, rx) = Builder::new(3)
        .capacity(2)
        .high_water(b(2), 1)
        .build()
        .unwrap();
    tx.try_send_many(b(0), 0..2).unwrap();
    let low = Task::waiting(tx.send(b(2), 1));
    let mut middle = Task::waiting(tx.send(b(1), 1));
    let urgent = Task::waiting(tx.reserve(b(0)));
    rx.try_recv().unwrap();
    drop(urgent);
    assert!(middle.woken() && !low.woken());
    middle.ready().unwrap();
}

/// Two urgent senders are woken for two units, one after the other, of which their band may use one
/// only. The second one's wake is for the low sender.
#[test]
fn a_sender_that_was_woken_in_vain_leaves_the_room_to_whom_it_admits() {
    let (tx, rx) = Builder::new(2)
        .capacity(4)
        .band_capacity(b(0), 1)
        .build()
        .unwrap();
    tx.try_send_many(b(1), 0..4).unwrap();
    let mut urgent: Vec<_> = (0..2).map(|n| Task::waiting(tx.send(b(0), n))).collect();
    let mut low = Task::waiting(tx.send(b(1), 9));
    rx.try_recv().unwrap();
    rx.try_recv().unwrap();
    assert_eq!((woken(&urgent), low.woken()), (2, false));
    assert_eq!(settle(&mut urgent).len(), 1);
    assert!(low.woken(), "a unit is free that it may use");
    low.ready().unwrap();
}

#[test]
fn a_sink_of_a_band_that_is_not_admitted_sleeps_on() {
    let (tx, rx) = Builder::new(2)
        .capacity(2)
        .high_water(b(1), 1)
        .build()
        .unwrap();
    tx.try_send_many(b(0), 0..2).unwrap();
    let mut urgent = Task::waiting(tx.reserve_many(b(0), 1));
    let low = Task::waiting(tx.reserve_many(b(1), 1));
    rx.try_recv().unwrap();
    assert!(urgent.woken() && !low.woken());
    drop(urgent.ready());
    assert!(!low.woken());
    rx.try_recv().unwrap();
    assert!(low.woken());
}
