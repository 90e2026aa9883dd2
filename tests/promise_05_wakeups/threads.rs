//! Blocked threads beside tasks.

use std::thread;
use std::time::Duration;

use bandq::{RecvTimeoutError, bounded, unbounded};

use crate::support::{Task, Watchdog, b};

/// A thread and a task wait together; each item reaches one of them, whichever comes first.
#[test]
fn a_blocked_thread_and_a_waiting_task_share_the_items() {
    let _watchdog = Watchdog::new("a_blocked_thread_and_a_waiting_task_share_the_items");
    for round in 0..200 {
        let (tx, rx) = unbounded(2);
        let receiver = {
            let rx = rx.clone();
            thread::spawn(move || rx.recv_blocking().unwrap().1)
        };
        let mut task = Task::waiting(rx.recv());
        if round % 3 == 0 {
            thread::yield_now();
        }
        tx.try_send(b(0), 0).unwrap();
        tx.try_send(b((round % 2) as u8), 1).unwrap();
        let first = receiver.join().unwrap();
        // The thread has one item; the task must have been told of the other.
        assert!(task.woken());
        let second = task.ready().unwrap().1;
        assert_eq!(first + second, 1);
    }
}

/// A woken task that is dropped hands its wake to a blocked thread.
#[test]
fn a_dropped_woken_task_wakes_a_blocked_thread() {
    let _watchdog = Watchdog::new("a_dropped_woken_task_wakes_a_blocked_thread");
    for _ in 0..100 {
        let (tx, rx) = unbounded(1);
        let task = Task::waiting(rx.recv());
        let receiver = {
            let rx = rx.clone();
            thread::spawn(move || rx.recv_blocking().unwrap().1)
        };
        thread::yield_now();
        tx.try_send(b(0), 5).unwrap();
        drop(task);
        assert_eq!(receiver.join().unwrap(), 5);
    }
}

#[test]
fn blocked_senders_and_receivers_are_all_woken() {
    let _watchdog = Watchdog::new("blocked_senders_and_receivers_are_all_woken");
    for _ in 0..100 {
        let (tx, rx) = bounded(1, 1);
        thread::scope(|s| {
            for n in 0..4 {
                let tx = tx.clone();
                s.spawn(move || tx.send_blocking(b(0), n).unwrap());
            }
            for _ in 0..4 {
                let rx = rx.clone();
                s.spawn(move || rx.recv_blocking().unwrap());
            }
        });
        assert!(rx.is_empty());
    }
}

/// A wait that ends by time may have been given a wake: it must pass it on.
#[test]
fn a_receive_that_times_out_strands_nobody() {
    let _watchdog = Watchdog::new("a_receive_that_times_out_strands_nobody");
    for round in 0..1_000u64 {
        let (tx, rx) = unbounded(1);
        thread::scope(|s| {
            let timed = {
                let rx = rx.clone();
                let wait = Duration::from_micros(round % 100);
                s.spawn(move || rx.recv_timeout(wait))
            };
            let blocked = {
                let rx = rx.clone();
                s.spawn(move || rx.recv_blocking())
            };
            for _ in 0..(round % 50) * 20 {
                std::hint::spin_loop();
            }
            tx.try_send(b(0), 1).unwrap();
            match timed.join().unwrap() {
                // It has the item: the blocked one gets another.
                Ok(_) => tx.try_send(b(0), 2).unwrap(),
                Err(error) => assert_eq!(error, RecvTimeoutError::Timeout),
            }
            assert!(blocked.join().unwrap().is_ok());
        });
    }
}
