//! Senders that wait for room.

use bandq::bounded;

use crate::support::hand::{settle, woken};
use crate::support::{Task, b};

#[test]
fn a_woken_sender_that_gets_its_place_wakes_nobody_else() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut tasks: Vec<_> = (0..3).map(|i| Task::waiting(tx.send(b(0), i))).collect();
    rx.try_recv().unwrap();
    tasks[0].ready().unwrap();
    assert_eq!(woken(&tasks[1..]), 0);
}

#[test]
fn each_free_place_wakes_one_sender() {
    let (tx, rx) = bounded(2, 4);
    for n in 0..4 {
        tx.try_send(b(1), n).unwrap();
    }
    let mut tasks: Vec<_> = (10..16).map(|n| Task::waiting(tx.send(b(0), n))).collect();
    for taken in 1..=4 {
        rx.try_recv().unwrap();
        assert_eq!(woken(&tasks), taken);
    }
    assert_eq!(settle(&mut tasks).len(), 4);
    assert_eq!(tasks.len(), 2);
    assert_eq!(rx.len(), 4);
}

#[test]
fn a_batch_receive_wakes_one_sender_per_place() {
    let (tx, rx) = bounded(1, 5);
    for n in 0..5 {
        tx.try_send(b(0), n).unwrap();
    }
    let mut tasks: Vec<_> = (10..14).map(|n| Task::waiting(tx.send(b(0), n))).collect();
    let mut buffer = Vec::new();
    assert_eq!(Task::new(rx.recv_many(&mut buffer, 3)).ready(), 3);
    assert_eq!(woken(&tasks), 3);
    assert_eq!(settle(&mut tasks).len(), 3);
    assert_eq!(rx.drain().count(), 5);
    assert_eq!(settle(&mut tasks).len(), 1);
}

#[test]
fn senders_are_woken_in_the_order_in_which_they_came() {
    let (tx, rx) = bounded(1, 3);
    for n in 0..3 {
        tx.try_send(b(0), n).unwrap();
    }
    let tasks: Vec<_> = (0..3).map(|n| Task::waiting(tx.send(b(0), n))).collect();
    for i in 0..3 {
        rx.try_recv().unwrap();
        for (j, task) in tasks.iter().enumerate() {
            assert_eq!(task.woken(), j <= i);
        }
    }
}

#[test]
fn a_woken_sender_that_is_dropped_passes_its_wake_on() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let first = Task::waiting(tx.send(b(0), 1));
    let second = Task::waiting(tx.reserve(b(0)));
    let mut third = Task::waiting(tx.send(b(0), 3));
    rx.try_recv().unwrap();
    assert!(first.woken() && !second.woken() && !third.woken());
    drop(first);
    assert!(second.woken() && !third.woken());
    drop(second);
    assert!(third.woken());
    third.ready().unwrap();
}

#[test]
fn a_woken_sender_that_is_forgotten_holds_at_most_that_one_wake() {
    let (tx, rx) = bounded(1, 2);
    tx.try_send(b(0), 0).unwrap();
    tx.try_send(b(0), 1).unwrap();
    let first = Task::waiting(tx.send(b(0), 2));
    let mut second = Task::waiting(tx.send(b(0), 3));
    rx.try_recv().unwrap();
    assert!(first.woken());
    first.forget();
    rx.try_recv().unwrap();
    assert!(second.woken());
    second.ready().unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 3)));
}

#[test]
fn a_permit_that_is_dropped_wakes_a_sender() {
    let (tx, rx) = bounded(2, 1);
    let permit = tx.try_reserve(b(0)).unwrap();
    let mut send = Task::waiting(tx.send(b(1), 1));
    drop(permit);
    assert!(send.woken());
    send.ready().unwrap();
    let mut reserve = Task::waiting(tx.reserve(b(1)));
    rx.try_recv().unwrap();
    assert!(reserve.woken());
    let permit = reserve.ready().unwrap();
    let mut send = Task::waiting(tx.send(b(1), 2));
    drop(permit);
    assert!(send.woken());
    send.ready().unwrap();
}

#[test]
fn a_permit_that_sends_wakes_a_receiver() {
    let (tx, rx) = bounded(1, 1);
    let mut recv = Task::waiting(rx.recv());
    let permit = tx.try_reserve(b(0)).unwrap();
    assert!(!recv.woken());
    permit.send(5).unwrap();
    assert!(recv.woken());
    assert_eq!(recv.ready(), Ok((b(0), 5)));
}

/// A reserve that had its room, and the future dropped with the permit inside its output.
#[test]
fn a_permit_dropped_with_its_task_wakes_the_next() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut first = Task::waiting(tx.reserve(b(0)));
    let mut second = Task::waiting(tx.reserve(b(0)));
    rx.try_recv().unwrap();
    let permit = first.ready().unwrap();
    assert!(second.poll().is_pending());
    drop((first, permit));
    assert!(second.woken());
    assert!(second.ready().is_ok());
}

#[test]
fn a_send_that_finds_room_at_once_strands_no_waiting_sender() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut waiting = vec![Task::waiting(tx.send(b(0), 1))];
    rx.try_recv().unwrap();
    tx.try_send(b(0), 2).unwrap(); // overtakes the woken one
    assert!(settle(&mut waiting).is_empty());
    rx.try_recv().unwrap();
    assert_eq!(settle(&mut waiting).len(), 1);
}

#[test]
fn a_waiting_batch_send_goes_on_with_each_free_place() {
    let (tx, rx) = bounded(1, 1);
    let mut batch = Task::waiting(tx.send_many(b(0), 0..50));
    for n in 0..49 {
        assert_eq!(rx.try_recv(), Ok((b(0), n)));
        assert!(batch.woken(), "not woken at {n}");
        assert_eq!(batch.poll().is_ready(), n == 48);
    }
    assert_eq!(rx.try_recv(), Ok((b(0), 49)));
}

/// Two batches and a send share little room; nobody who is owed a wake goes without.
#[test]
fn waiting_batches_and_sends_all_end_as_room_comes() {
    let (tx, rx) = bounded(1, 3);
    let mut batches = vec![
        Task::waiting(tx.send_many(b(0), 0..20)),
        Task::waiting(tx.send_many(b(0), 100..120)),
    ];
    let mut sends: Vec<_> = (0..5).map(|n| Task::waiting(tx.send(b(0), n))).collect();
    let mut got = 0;
    while !batches.is_empty() || !sends.is_empty() {
        let taken = rx.try_iter().count();
        assert!(taken > 0, "room, but none of the waiting senders was woken");
        got += taken;
        settle(&mut sends);
        settle(&mut batches);
    }
    assert_eq!(got + rx.try_iter().count(), 45);
}
