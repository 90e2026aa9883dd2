//! Receivers that wait for an item.

use bandq::unbounded;

use crate::support::hand::{settle, woken};
use crate::support::{Task, b, counting_waker};

#[test]
fn each_item_wakes_one_receiver() {
    let (tx, rx) = unbounded(4);
    let tasks: Vec<_> = (0..8).map(|_| Task::waiting(rx.recv())).collect();
    assert_eq!(woken(&tasks), 0);
    for sent in 1..=8 {
        tx.try_send(b((sent % 4) as u8), sent).unwrap();
        assert_eq!(woken(&tasks), sent);
    }
    // Nobody is left to be woken.
    tx.try_send(b(0), 9).unwrap();
    assert_eq!(tasks.iter().map(Task::wakes).sum::<usize>(), 8);
}

#[test]
fn a_batch_wakes_one_receiver_per_item() {
    let (tx, rx) = unbounded(4);
    let tasks: Vec<_> = (0..5).map(|_| Task::waiting(rx.recv())).collect();
    Task::new(tx.send_many(b(3), 0..3)).ready().unwrap();
    assert_eq!(woken(&tasks), 3);
    Task::new(tx.send_many(b(1), 0..300)).ready().unwrap();
    assert_eq!(woken(&tasks), 5);
}

#[test]
fn receivers_are_woken_in_the_order_in_which_they_came() {
    let (tx, rx) = unbounded(2);
    let tasks: Vec<_> = (0..5).map(|_| Task::waiting(rx.recv())).collect();
    for i in 0..5 {
        tx.try_send(b(1), ()).unwrap();
        for (j, task) in tasks.iter().enumerate() {
            assert_eq!(task.woken(), j <= i);
        }
    }
}

#[test]
fn two_items_reach_two_waiters() {
    for bands in [(0, 0), (0, 1), (1, 0)] {
        let (tx, rx) = unbounded(2);
        let mut tasks: Vec<_> = (0..2).map(|_| Task::waiting(rx.recv())).collect();
        tx.try_send(b(bands.0), 0).unwrap();
        tx.try_send(b(bands.1), 1).unwrap();
        let got = settle(&mut tasks);
        assert_eq!(
            got.len(),
            2,
            "items {} left, waiters {}",
            rx.len(),
            tasks.len()
        );
    }
}

#[test]
fn a_woken_receiver_that_gets_its_item_wakes_nobody_else() {
    let (tx, rx) = unbounded(1);
    let mut tasks: Vec<_> = (0..4).map(|_| Task::waiting(rx.recv())).collect();
    tx.try_send(b(0), 1).unwrap();
    tx.try_send(b(0), 2).unwrap();
    for task in &mut tasks[..2] {
        task.ready().unwrap();
    }
    assert_eq!(woken(&tasks[2..]), 0);
}

#[test]
fn a_woken_receiver_that_is_dropped_passes_its_wake_on() {
    let (tx, rx) = unbounded(1);
    let first = Task::waiting(rx.recv());
    let second = Task::waiting(rx.recv());
    let mut third = Task::waiting(rx.recv());
    tx.try_send(b(0), 1).unwrap();
    assert!(first.woken() && !second.woken() && !third.woken());
    drop(first);
    assert!(second.woken() && !third.woken());
    drop(second);
    assert!(third.woken());
    assert_eq!(third.ready(), Ok((b(0), 1)));
}

#[test]
fn a_waiting_receiver_that_is_dropped_takes_no_wake_with_it() {
    let (tx, rx) = unbounded(1);
    let first = Task::waiting(rx.recv());
    let mut second = Task::waiting(rx.recv());
    drop(first);
    tx.try_send(b(0), 1).unwrap();
    assert!(second.woken());
    assert_eq!(second.ready(), Ok((b(0), 1)));
}

#[test]
fn a_woken_receiver_that_is_forgotten_holds_at_most_that_one_wake() {
    let (tx, rx) = unbounded(2);
    let first = Task::waiting(rx.recv());
    let second = Task::waiting(rx.recv());
    let mut third = Task::waiting(rx.recv());
    tx.try_send(b(1), 1).unwrap();
    assert!(first.woken());
    first.forget();
    tx.try_send(b(1), 2).unwrap();
    assert!(second.woken());
    second.forget();
    tx.try_send(b(0), 3).unwrap();
    assert!(third.woken());
    assert_eq!(third.ready(), Ok((b(0), 3)));
    assert_eq!(rx.try_recv(), Ok((b(1), 1)));
    assert_eq!(rx.try_recv(), Ok((b(1), 2)));
}

#[test]
fn a_waiting_receiver_that_is_forgotten_holds_at_most_one_wake() {
    let (tx, rx) = unbounded(2);
    Task::waiting(rx.recv()).forget();
    let mut second = Task::waiting(rx.recv());
    tx.try_send(b(1), 1).unwrap(); // may go to the forgotten one
    tx.try_send(b(1), 2).unwrap();
    assert!(second.woken());
    assert_eq!(second.ready(), Ok((b(1), 1)));
}

#[test]
fn a_woken_receiver_that_is_kept_but_not_polled_holds_at_most_that_one_wake() {
    let (tx, rx) = unbounded(1);
    let mut kept = Task::waiting(rx.recv());
    let mut tasks: Vec<_> = (0..3).map(|_| Task::waiting(rx.recv())).collect();
    for n in 0..4 {
        tx.try_send(b(0), n).unwrap();
    }
    assert!(kept.woken());
    assert_eq!(settle(&mut tasks).len(), 3);
    assert_eq!(kept.ready(), Ok((b(0), 3)));
}

#[test]
fn a_woken_receiver_whose_item_was_taken_waits_again() {
    let (tx, rx) = unbounded(1);
    let mut task = Task::waiting(rx.recv());
    for n in 0..100 {
        tx.try_send(b(0), n).unwrap();
        assert!(task.woken());
        assert_eq!(rx.try_recv(), Ok((b(0), n)));
        assert!(task.poll().is_pending());
        assert!(!task.woken());
    }
    tx.try_send(b(0), 100).unwrap();
    assert!(task.woken());
    assert_eq!(task.ready(), Ok((b(0), 100)));
}

#[test]
fn a_receiver_polled_again_without_a_wake_keeps_its_place_and_its_newest_waker() {
    let (tx, rx) = unbounded(1);
    let mut future = Box::pin(rx.recv());
    let (old, old_count) = counting_waker();
    let (new, new_count) = counting_waker();
    for waker in [&old, &old, &new] {
        let mut cx = std::task::Context::from_waker(waker);
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    tx.try_send(b(0), 1).unwrap();
    assert_eq!((old_count.get(), new_count.get()), (0, 1));
    let mut cx = std::task::Context::from_waker(&new);
    assert!(future.as_mut().poll(&mut cx).is_ready());
}

/// A receiver that finds an item at once may go before one that was woken; the woken one then
/// must not be stranded when the next item comes.
#[test]
fn a_receiver_that_overtakes_a_woken_one_strands_nobody() {
    let (tx, rx) = unbounded(1);
    let mut waiting = vec![Task::waiting(rx.recv()), Task::waiting(rx.recv())];
    tx.try_send(b(0), 1).unwrap();
    assert!(Task::new(rx.recv()).ready().is_ok());
    tx.try_send(b(0), 2).unwrap();
    tx.try_send(b(0), 3).unwrap();
    assert_eq!(settle(&mut waiting).len(), 2);
}

#[test]
fn a_recv_many_that_leaves_items_leaves_their_wakes() {
    let (tx, rx) = unbounded(1);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    let mut first = Task::waiting(rx.recv_many(&mut one, 2));
    let mut second = Task::waiting(rx.recv_many(&mut two, 2));
    for n in 0..3 {
        tx.try_send(b(0), n).unwrap();
    }
    assert!(first.woken() && second.woken());
    assert_eq!(first.ready(), 2);
    assert_eq!(second.ready(), 1);
    drop((first, second));
    assert_eq!((one.len(), two.len()), (2, 1));
}
