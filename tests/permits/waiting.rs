//! Who is woken for room, when some wait for one unit of it and others for several.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::thread;

use bandq::{OwnedPermit, Permit, SendError, Sender, bounded};
use futures_lite::future::block_on;

use crate::support::hand::settle;
use crate::support::{Task, Watchdog, XorShift, b};

#[test]
fn a_reservation_of_several_is_woken_when_the_last_of_its_units_is_freed() {
    let (tx, rx) = bounded(1, 3);
    tx.try_send_many(b(0), 0..3).unwrap();
    let mut many = Task::waiting(tx.reserve_many(b(0), 3));
    for _ in 0..2 {
        rx.try_recv().unwrap();
        if many.woken() {
            assert!(many.poll().is_pending(), "there is too little room");
        }
    }
    assert!(!many.woken());
    rx.try_recv().unwrap();
    assert!(many.woken());
    assert_eq!(many.ready().unwrap().len(), 3);
}

/// Each unit goes to the single sender that waits for it; the one that needs three comes last.
#[test]
fn a_reservation_of_several_and_single_senders_beside_it_all_end() {
    let (tx, rx) = bounded(1, 3);
    tx.try_send_many(b(0), 0..3).unwrap();
    let mut many = vec![Task::waiting(tx.reserve_many(b(0), 3))];
    let mut single: Vec<_> = (0..4).map(|n| Task::waiting(tx.send(b(0), n))).collect();
    for left in (0..4).rev() {
        rx.try_recv().unwrap();
        assert!(settle(&mut many).is_empty());
        settle(&mut single);
        assert_eq!(single.len(), left, "a unit is free and a sender sleeps");
    }
    for last in [false, false, true] {
        rx.try_recv().unwrap();
        let reserved = settle(&mut many);
        assert_eq!(reserved.len(), usize::from(last));
    }
    assert_eq!(tx.available(), Some(3));
}

/// The one that needs both units takes them from under a single sender that was woken; when it
/// gives them back, that sender is woken again.
#[test]
fn a_single_sender_whose_unit_was_taken_is_woken_again() {
    let (tx, rx) = bounded(1, 2);
    tx.try_send_many(b(0), 0..2).unwrap();
    let mut many = Task::waiting(tx.reserve_many(b(0), 2));
    let mut single = Task::waiting(tx.send(b(0), 9));
    let mut out = Vec::new();
    rx.try_recv_many(&mut out, 2).unwrap();
    assert!(many.woken() && single.woken());
    let permits = many.ready().unwrap();
    assert!(single.poll().is_pending());
    drop(permits);
    assert!(single.woken());
    single.ready().unwrap();
}

#[test]
fn a_waiting_reservation_that_is_dropped_leaves_no_trace() {
    let (tx, rx) = bounded(1, 2);
    tx.try_send_many(b(0), 0..2).unwrap();
    let first = Task::waiting(tx.reserve_many(b(0), 2));
    let mut second = Task::waiting(tx.reserve_many(b(0), 2));
    let mut single = Task::waiting(tx.reserve(b(0)));
    drop(first);
    rx.try_recv().unwrap();
    assert!(single.woken());
    drop(single.ready());
    rx.try_recv().unwrap();
    assert!(second.woken());
    assert_eq!(second.ready().unwrap().len(), 2);
    assert_eq!(tx.available(), Some(2));
}

#[test]
fn a_woken_reservation_that_is_dropped_holds_back_nobody() {
    let (tx, rx) = bounded(1, 2);
    tx.try_send_many(b(0), 0..2).unwrap();
    let first = Task::waiting(tx.reserve_many(b(0), 2));
    let mut second = Task::waiting(tx.reserve_many(b(0), 2));
    let mut single = Task::waiting(tx.send(b(0), 9));
    rx.try_recv().unwrap();
    rx.try_recv().unwrap();
    assert!(first.woken());
    drop(first);
    assert_eq!(tx.available(), Some(2), "it had taken nothing");
    assert!(second.woken() && single.woken());
    single.ready().unwrap();
    assert!(second.poll().is_pending());
    rx.try_recv().unwrap();
    assert!(second.woken());
    assert!(second.ready().is_ok());
}

/// A future that was kept, woken and not polled; a forgotten one is the same to all others.
#[test]
fn a_woken_reservation_that_is_never_polled_holds_back_nobody() {
    let (tx, rx) = bounded(1, 2);
    tx.try_send_many(b(0), 0..2).unwrap();
    let kept = Task::waiting(tx.reserve_many(b(0), 2));
    let mut second = Task::waiting(tx.reserve_many(b(0), 2));
    let mut single = Task::waiting(tx.reserve(b(0)));
    rx.try_recv().unwrap();
    assert!(kept.woken() && single.woken());
    drop(single.ready());
    rx.try_recv().unwrap();
    assert!(second.woken());
    assert!(second.ready().is_ok());
}

#[test]
fn a_close_ends_a_reservation_that_waits() {
    let (tx, rx) = bounded(1, 2);
    tx.try_send(b(0), 0).unwrap();
    let mut many = Task::waiting(tx.reserve_many(b(0), 2));
    rx.close();
    assert!(many.woken());
    assert_eq!(many.ready().unwrap_err(), SendError::Closed(()));
    assert_eq!(tx.available(), Some(1));
}

type Reserving<'a> = Pin<Box<dyn Future<Output = Vec<Permit<'a, ()>>> + 'a>>;

/// One that waits for some units of room, and how many.
struct Waiting<'a> {
    units: usize,
    task: Task<Reserving<'a>>,
}

impl<'a> Waiting<'a> {
    /// For one unit it may wait as a single sender or as one of several.
    fn new(tx: &'a Sender<()>, units: usize, single: bool) -> Self {
        let task: Reserving<'a> = if single {
            assert_eq!(units, 1);
            Box::pin(async { vec![tx.reserve(b(0)).await.unwrap()] })
        } else {
            Box::pin(async move { tx.reserve_many(b(0), units).await.unwrap().collect() })
        };
        Self {
            units,
            task: Task::new(task),
        }
    }
}

/// Takes, frees, waits and cancels at random. Whenever all who were woken have looked, nobody who
/// sleeps waits for no more than what is free, and no unit is lost or made.
#[test]
fn whoever_sleeps_waits_for_more_than_is_free() {
    for seed in 0..300 {
        let mut rng = XorShift::new(seed);
        let capacity = 1 + rng.below(6) as usize;
        let (tx, _rx) = bounded(1, capacity);
        let mut held: Vec<Permit<'_, ()>> = Vec::new();
        let mut waiting: Vec<Waiting<'_>> = Vec::new();
        for _ in 0..200 {
            match rng.below(6) {
                0 | 1 => {
                    let units = 1 + rng.below(capacity as u64) as usize;
                    let single = units == 1 && rng.one_in(2);
                    let mut new = Waiting::new(&tx, units, single);
                    match new.task.poll() {
                        Poll::Ready(permits) => held.extend(permits),
                        Poll::Pending => waiting.push(new),
                    }
                }
                2 | 3 if !held.is_empty() => {
                    drop(held.swap_remove(rng.below(held.len() as u64) as usize));
                }
                4 if !waiting.is_empty() => {
                    drop(waiting.swap_remove(rng.below(waiting.len() as u64) as usize));
                }
                _ => held.extend(tx.try_reserve_many(b(0), 2).into_iter().flatten()),
            }
            if rng.one_in(3) {
                while let Some(i) = waiting.iter().position(|one| one.task.woken()) {
                    if let Poll::Ready(permits) = waiting[i].task.poll() {
                        assert_eq!(permits.len(), waiting[i].units);
                        held.extend(permits);
                        waiting.remove(i);
                    }
                }
                let free = capacity - held.len();
                for one in &waiting {
                    assert!(one.units > free, "seed {seed}: sleeps beside room");
                }
            }
            assert_eq!(tx.available(), Some(capacity - held.len()), "seed {seed}");
        }
    }
}

/// The same on threads: everybody comes to an end, and then all room is free again.
#[test]
fn reservations_and_sends_of_several_threads_all_end() {
    let _watchdog = Watchdog::new("reservations_and_sends_of_several_threads_all_end");
    const ROUNDS: usize = 2_000;
    let (tx, rx) = bounded(2, 4);
    thread::scope(|scope| {
        for units in [4, 3] {
            let tx = &tx;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let permits = block_on(tx.reserve_many(b(1), units)).unwrap();
                    // Some of them are used, the rest given back.
                    for permit in permits.take(round % (units + 1)) {
                        permit.send(()).unwrap();
                    }
                }
            });
        }
        let (tx, rx) = (&tx, &rx);
        scope.spawn(move || {
            for _ in 0..ROUNDS {
                let permit: OwnedPermit<()> = block_on(tx.reserve_owned(b(0))).unwrap();
                permit.send(()).unwrap();
            }
        });
        scope.spawn(move || (0..ROUNDS).try_for_each(|_| tx.send_blocking(b(0), ())));
        scope.spawn(move || {
            let used = |units: usize| (0..ROUNDS).map(|round| round % (units + 1)).sum::<usize>();
            for _ in 0..2 * ROUNDS + used(4) + used(3) {
                rx.recv_blocking().unwrap();
            }
        });
    });
    assert_eq!((tx.available(), rx.len()), (Some(4), 0));
}
