//! Weights: capacities in units, and what a weigher may do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bandq::{Builder, Receiver, SendError, SendTimeoutError, Sender, TrySendError};
use futures_lite::future::block_on;

use crate::support::{Ledger, Task, Token, Watchdog, XorShift, b, ends};

/// Weighs what its number says; 13 panics.
fn number(item: &usize) -> usize {
    assert_ne!(*item, 13, "the weigher was told to panic");
    *item
}

fn channel(bands: usize, capacity: usize) -> (Sender<usize>, Receiver<usize>) {
    let builder = Builder::new(bands).capacity(capacity).weigher(number);
    builder.build().unwrap()
}

fn panics<R>(f: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn units_are_in_use_from_the_send_to_the_receive() {
    let (tx, rx) = channel(2, 10);
    tx.try_send(b(1), 4).unwrap();
    tx.try_send(b(0), 5).unwrap();
    assert_eq!((tx.len(), tx.available()), (2, Some(1)));
    assert_eq!(tx.try_send(b(0), 2), Err(TrySendError::Full(2)));
    tx.try_send(b(0), 1).unwrap();
    assert!(tx.is_full());
    for (item, left) in [(5, 5), (1, 6), (4, 10)] {
        assert_eq!(rx.try_recv().unwrap().1, item);
        assert_eq!(rx.available(), Some(left));
    }
}

#[test]
fn a_batch_gives_back_what_its_items_weigh() {
    let (tx, rx) = channel(2, 10);
    assert_eq!(tx.try_send_many(b(1), [1, 2, 3]).unwrap(), 3);
    let error = tx.try_send_many(b(0), [3, 2]).unwrap_err();
    assert_eq!((error.sent, error.error), (1, TrySendError::Full(2)));
    let mut out = Vec::new();
    assert_eq!(rx.try_recv_many(&mut out, 3), Ok(3));
    assert_eq!(out, [(b(0), 3), (b(1), 1), (b(1), 2)]);
    assert_eq!(rx.available(), Some(7));
}

#[test]
fn a_weight_of_nothing_counts_as_one() {
    let (tx, rx) = channel(1, 2);
    tx.try_send(b(0), 0).unwrap();
    tx.try_send(b(0), 0).unwrap();
    assert_eq!(tx.available(), Some(0));
    assert_eq!(tx.try_send(b(0), 0), Err(TrySendError::Full(0)));
    rx.try_recv().unwrap();
    assert_eq!(tx.available(), Some(1));
}

#[test]
fn what_could_never_enter_is_too_heavy_and_comes_back_by_every_way() {
    let builder = Builder::new(3).capacity(10).weigher(number);
    let builder = builder.band_capacity(b(1), 4).high_water(b(2), 6);
    let (tx, rx) = builder.build().unwrap();
    for (band, most) in [(0, 10), (1, 4), (2, 6)] {
        for heavy in [most + 1, usize::MAX, usize::MAX / 2 + 1] {
            let (to, long) = (b(band), Duration::from_secs(600));
            assert_eq!(tx.try_send(to, heavy), Err(TrySendError::TooHeavy(heavy)));
            assert_eq!(tx.send_blocking(to, heavy), Err(SendError::TooHeavy(heavy)));
            assert_eq!(
                block_on(tx.send(to, heavy)),
                Err(SendError::TooHeavy(heavy))
            );
            let timed = tx.send_timeout(to, heavy, long);
            assert_eq!(timed, Err(SendTimeoutError::TooHeavy(heavy)));
            let error = tx.force_send(to, heavy).unwrap_err();
            assert_eq!(error.error, TrySendError::TooHeavy(heavy));
            let error = block_on(tx.send_many(to, [1, heavy])).unwrap_err();
            assert_eq!((error.sent, error.error), (1, SendError::TooHeavy(heavy)));
            assert_eq!(rx.try_recv(), Ok((to, 1)));
            let permit = tx.try_reserve_units(to, heavy);
            assert_eq!(permit.map(drop), Err(TrySendError::TooHeavy(())));
            let permit = block_on(tx.reserve_units(to, heavy));
            assert_eq!(permit.map(drop), Err(SendError::TooHeavy(())));
        }
        assert_eq!(tx.try_send(b(band), most), Ok(()));
        assert_eq!(rx.try_recv(), Ok((b(band), most)));
    }
    assert_eq!(tx.available(), Some(10));
}

#[test]
fn the_greatest_weight_enters_where_nothing_is_counted() {
    let (tx, rx) = Builder::new(1).weigher(number).build().unwrap();
    for _ in 0..3 {
        tx.try_send(b(0), usize::MAX).unwrap();
    }
    assert_eq!(tx.force_send(b(0), usize::MAX), Ok(vec![]));
    assert_eq!(rx.try_iter().count(), 4);
}

#[test]
fn a_weigher_that_panics_has_sent_nothing_and_taken_nothing() {
    let (tx, rx) = channel(2, 4);
    for is_full in [false, true] {
        if is_full {
            tx.try_send(b(1), 4).unwrap();
        }
        let before = (tx.len(), tx.available());
        assert!(panics(|| tx.try_send(b(0), 13)));
        assert!(panics(|| tx.send_blocking(b(0), 13)));
        assert!(panics(|| block_on(tx.send(b(0), 13))));
        assert!(panics(|| tx.force_send(b(0), 13)));
        assert!(panics(|| block_on(tx.send_many(b(0), [13, 1]))));
        assert!(panics(|| tx.try_send_many(b(0), [13, 1])));
        assert_eq!((tx.len(), tx.available()), before);
    }
    assert_eq!(rx.try_recv(), Ok((b(1), 4)));
    for permit in [tx.try_reserve(b(0)), tx.try_reserve_units(b(0), 4)] {
        assert!(panics(|| permit.unwrap().send(13)));
        assert_eq!((tx.len(), tx.available()), (0, Some(4)));
    }
    tx.try_send(b(0), 4).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 4)));
}

#[test]
fn a_sender_whose_weigher_panics_after_its_wake_leaves_the_room_to_others() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn later(item: &&str) -> usize {
        let is_late = *item == "late" && CALLS.fetch_add(1, Ordering::SeqCst) > 1;
        assert!(!is_late, "the weigher was told to panic");
        1
    }
    let (tx, rx) = Builder::new(1).capacity(1).weigher(later).build().unwrap();
    tx.try_send(b(0), "first").unwrap();
    let mut panicking = Task::waiting(tx.send(b(0), "late"));
    let mut other = Task::waiting(tx.send(b(0), "other"));
    rx.try_recv().unwrap();
    assert!(panicking.woken());
    assert!(panics(|| panicking.poll()));
    drop(panicking);
    assert!(other.woken());
    assert_eq!(other.ready(), Ok(()));
    assert_eq!(rx.try_recv(), Ok((b(0), "other")));
    assert_eq!(tx.available(), Some(1));
}

#[test]
fn what_a_permit_does_not_need_goes_back_and_wakes() {
    let (tx, rx) = channel(1, 10);
    let permit = tx.try_reserve_units(b(0), 10).unwrap();
    let mut waiting = Task::waiting(tx.send(b(0), 3));
    assert_eq!(permit.send(7), Ok(()));
    assert!(waiting.woken());
    assert_eq!(waiting.ready(), Ok(()));
    assert_eq!((tx.available(), rx.try_recv()), (Some(0), Ok((b(0), 7))));
    let mut waiting = Task::waiting(tx.send(b(0), 8));
    rx.try_recv().unwrap();
    assert_eq!(waiting.ready(), Ok(()));
}

#[test]
fn what_is_too_heavy_for_its_permit_comes_back_and_so_does_the_room() {
    let (tx, _rx) = channel(1, 10);
    let permit = tx.try_reserve_units(b(0), 4).unwrap();
    assert_eq!(permit.send(5), Err(SendError::TooHeavy(5)));
    let permit = tx.try_reserve(b(0)).unwrap();
    assert_eq!(permit.send(2), Err(SendError::TooHeavy(2)));
    let permit = tx.try_reserve_owned(b(0)).unwrap();
    assert_eq!(permit.send(2), Err(SendError::TooHeavy(2)));
    for permit in tx.try_reserve_many(b(0), 3).unwrap() {
        assert_eq!(permit.send(2), Err(SendError::TooHeavy(2)));
    }
    let nothing = tx.try_reserve_units(b(0), 0).unwrap();
    assert_eq!(
        nothing.send(0),
        Err(SendError::TooHeavy(0)),
        "it counts as 1"
    );
    assert_eq!((tx.len(), tx.available()), (0, Some(10)));
}

#[test]
fn units_are_reserved_without_a_weigher_too() {
    let (tx, _rx) = bandq::bounded(1, 4);
    let mut waiting = Task::new(tx.reserve_units(b(0), 3));
    let permit = waiting.ready().unwrap();
    assert_eq!(tx.available(), Some(1));
    let mut waiting = Task::waiting(tx.reserve_units(b(0), 4));
    assert_eq!(permit.send('a'), Ok(()), "an item is one unit");
    assert_eq!(tx.available(), Some(3));
    assert!(waiting.poll().is_pending());
    drop(waiting);
    assert_eq!(tx.available(), Some(3));
}

#[test]
fn a_reservation_that_waits_gets_all_its_units_or_none() {
    let (tx, rx) = channel(1, 6);
    tx.try_send_many(b(0), [3, 3]).unwrap();
    let mut waiting = Task::waiting(tx.reserve_units(b(0), 5));
    rx.try_recv().unwrap();
    assert!(waiting.poll().is_pending());
    assert_eq!(tx.available(), Some(3));
    rx.try_recv().unwrap();
    assert!(waiting.woken());
    let permit = waiting.ready().unwrap();
    assert_eq!(tx.available(), Some(1));
    tx.close();
    assert_eq!(permit.send(5), Err(SendError::Closed(5)));
    assert_eq!(tx.available(), Some(6));
}

#[test]
fn several_light_items_go_for_a_heavy_one_and_what_is_left_over_goes_back() {
    let (tx, rx) = channel(4, 10);
    tx.try_send_many(b(3), [2, 1]).unwrap();
    tx.try_send_many(b(2), [4, 3]).unwrap();
    // 5 units: 2 and 1 of band 3, then 4 of band 2; 2 are left over.
    let gone = tx.force_send(b(1), 5).unwrap();
    assert_eq!(gone, [(b(3), 2), (b(3), 1), (b(2), 4)]);
    assert_eq!(tx.available(), Some(2));
    let left: Vec<_> = rx.try_iter().map(|(_, item)| item).collect();
    assert_eq!(left, [5, 3]);
    assert_eq!(tx.available(), Some(10));
}

#[test]
fn what_is_left_over_of_a_victim_wakes_a_waiting_sender() {
    let (tx, _rx) = channel(2, 10);
    tx.try_send(b(1), 10).unwrap();
    let mut waiting = Task::waiting(tx.send(b(1), 7));
    assert_eq!(tx.force_send(b(0), 3), Ok(vec![(b(1), 10)]));
    assert!(waiting.woken());
    assert_eq!(waiting.ready(), Ok(()));
    assert_eq!(tx.available(), Some(0));
}

#[test]
fn victims_that_did_not_suffice_come_back_and_their_room_is_free() {
    let (tx, rx) = channel(3, 10);
    tx.try_send(b(0), 6).unwrap();
    tx.try_send(b(2), 4).unwrap();
    let mut waiting = Task::waiting(tx.send(b(2), 3));
    let error = tx.force_send(b(1), 5).unwrap_err();
    assert_eq!(error.error, TrySendError::Full(5));
    assert_eq!(error.evicted, [(b(2), 4)]);
    assert!(waiting.woken());
    assert_eq!(waiting.ready(), Ok(()));
    assert_eq!(tx.available(), Some(1));
    assert_eq!(rx.try_iter().map(|(_, item)| item).sum::<usize>(), 9);
}

#[test]
fn waiting_senders_of_different_weights_all_get_in() {
    for seed in 0..20 {
        ends("senders of different weights", move || {
            let (tx, rx) = channel(3, 6);
            let each = 200;
            let sum = |senders: Vec<thread::JoinHandle<usize>>| {
                let sums = senders.into_iter().map(|sender| sender.join().unwrap());
                sums.sum::<usize>()
            };
            let senders = (0..5)
                .map(|n| {
                    let tx = tx.clone();
                    thread::spawn(move || {
                        let mut rng = XorShift::new(seed * 8 + n);
                        let mut sum = 0;
                        for _ in 0..each {
                            let (band, weight) = (b(rng.below(3) as u8), 1 + rng.below(6));
                            sum += weight as usize;
                            if rng.one_in(2) {
                                tx.send_blocking(band, weight as usize).unwrap();
                            } else {
                                block_on(tx.send(band, weight as usize)).unwrap();
                            }
                        }
                        sum
                    })
                })
                .collect();
            drop(tx);
            let received: usize = rx.iter().map(|(_, item)| item).sum();
            assert_eq!(received, sum(senders));
            assert_eq!(rx.available(), Some(6));
        });
    }
}

#[test]
fn a_small_receive_after_another_lets_a_heavy_sender_in() {
    // Each receive alone frees too little for it: the wakes in vain must not use up the one that
    // counts.
    let (tx, rx) = channel(1, 4);
    tx.try_send_many(b(0), [1, 1, 1, 1]).unwrap();
    let mut heavy = Task::waiting(tx.send(b(0), 4));
    let mut light = Task::waiting(tx.send(b(0), 1));
    for received in 1..=4 {
        rx.try_recv().unwrap();
        if received == 2 {
            assert!(heavy.poll().is_pending());
        }
    }
    assert!(heavy.woken());
    assert_eq!(heavy.ready(), Ok(()));
    assert!(light.poll().is_pending());
    rx.try_recv().unwrap();
    assert!(light.woken());
    assert_eq!(light.ready(), Ok(()));
}

#[test]
fn no_more_units_than_the_capacity_are_in_use_at_any_moment() {
    let _watchdog = Watchdog::new("units in use");
    const CAPACITY: usize = 7;
    const ITEMS: usize = 4_000;
    let ledger = Ledger::new(ITEMS);
    let (tx, rx) = Builder::new(2)
        .capacity(CAPACITY)
        .weigher(|item: &Token| 1 + item.id() % 4)
        .build()
        .unwrap();
    let weight = |item: &Token| 1 + item.id() % 4;
    let known = AtomicUsize::new(0); // units that are surely in use
    thread::scope(|scope| {
        for producer in 0..4 {
            let (tx, ledger, known) = (tx.clone(), &ledger, &known);
            scope.spawn(move || {
                for id in (producer..ITEMS).step_by(4) {
                    let units = 1 + id % 4;
                    let permit = block_on(tx.reserve_units(b(id as u8 % 2), units)).unwrap();
                    let used = known.fetch_add(units, Ordering::SeqCst) + units;
                    assert!(used <= CAPACITY, "{used} units");
                    known.fetch_sub(units, Ordering::SeqCst);
                    permit.send(ledger.token(id)).unwrap();
                }
            });
        }
        drop(tx);
        for rx in [rx.clone(), rx.clone()] {
            scope.spawn(move || rx.iter().for_each(|(_, item)| assert!(weight(&item) > 0)));
        }
    });
    ledger.assert_each_dropped_once();
    assert_eq!(rx.available(), Some(CAPACITY));
}
