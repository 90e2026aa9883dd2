//! Promise 5: no wakeup is lost. One wake per item; a woken future that is dropped passes its
//! wake on; one that is forgotten holds at most that one; a stream's wake never stands in for a
//! `recv`'s; the same for senders that wait for room.

mod support;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use bandq::{RecvTimeoutError, SendError, bounded, unbounded};
use futures_core::FusedStream;
use support::hand::{poll_stream, settle, woken};
use support::{Task, Watchdog, XorShift, b, counting_waker};

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
fn a_woken_sender_that_gets_its_place_wakes_nobody_else() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut tasks: Vec<_> = (0..3).map(|i| Task::waiting(tx.send(b(0), i))).collect();
    rx.try_recv().unwrap();
    tasks[0].ready().unwrap();
    assert_eq!(woken(&tasks[1..]), 0);
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

#[test]
fn a_streams_wake_never_stands_in_for_one_owed_to_a_recv() {
    for stream_first in [true, false] {
        let (tx, rx) = unbounded(1);
        let mut stream = rx.clone();
        let (waker, count) = counting_waker();
        let mut recv = Task::new(rx.recv());
        if stream_first {
            assert!(poll_stream(&mut stream, &waker).is_pending());
        }
        assert!(recv.poll().is_pending());
        if !stream_first {
            assert!(poll_stream(&mut stream, &waker).is_pending());
        }
        tx.try_send(b(0), 1).unwrap();
        // The stream may never be polled again: the `recv` must know.
        assert!(recv.woken());
        assert_eq!(recv.ready(), Ok((b(0), 1)));
        let _ = count;
    }
}

#[test]
fn many_idle_streams_stand_in_for_no_recv() {
    let (tx, rx) = unbounded(1);
    let mut streams: Vec<_> = (0..5).map(|_| rx.clone()).collect();
    let (waker, _) = counting_waker();
    for stream in &mut streams {
        assert!(poll_stream(stream, &waker).is_pending());
    }
    let mut tasks: Vec<_> = (0..3).map(|_| Task::waiting(rx.recv())).collect();
    for n in 0..3 {
        tx.try_send(b(0), n).unwrap();
    }
    assert_eq!(settle(&mut tasks).len(), 3);
}

#[test]
fn streams_are_woken_too_and_pass_their_wake_on_when_dropped() {
    let (tx, rx) = unbounded(1);
    let mut streams: Vec<_> = (0..3).map(|_| (rx.clone(), counting_waker())).collect();
    for (stream, (waker, _)) in &mut streams {
        assert!(poll_stream(stream, waker).is_pending());
    }
    let counts = |streams: &[(_, (_, Arc<support::hand::Count>))]| {
        streams.iter().map(|s| s.1.1.get()).collect::<Vec<_>>()
    };
    tx.try_send(b(0), 7).unwrap();
    assert_eq!(counts(&streams), [1, 0, 0]);
    streams.remove(0);
    assert_eq!(counts(&streams), [1, 0]);
    // Forgotten: it holds this wake, no other.
    let (stream, _) = streams.remove(0);
    support::hand::keep(stream);
    tx.try_send(b(0), 8).unwrap();
    assert_eq!(counts(&streams), [1]);
    let (stream, (waker, _)) = &mut streams[0];
    assert_eq!(poll_stream(stream, waker), Poll::Ready(Some((b(0), 7))));
    assert_eq!(poll_stream(stream, waker), Poll::Ready(Some((b(0), 8))));
}

#[test]
fn a_stream_that_waited_serves_recv_and_try_recv_as_well() {
    let (tx, mut rx) = unbounded(1);
    let (waker, count) = counting_waker();
    assert!(poll_stream(&mut rx, &waker).is_pending());
    let mut recv = Task::waiting(rx.recv());
    tx.try_send(b(0), 1).unwrap();
    assert!(recv.woken());
    assert_eq!(recv.ready(), Ok((b(0), 1)));
    drop(recv);
    assert!(poll_stream(&mut rx, &waker).is_pending());
    let before = count.get();
    tx.try_send(b(0), 2).unwrap();
    assert!(count.get() > before);
    assert_eq!(poll_stream(&mut rx, &waker), Poll::Ready(Some((b(0), 2))));
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

#[test]
fn close_wakes_everyone() {
    for by_receiver in [true, false] {
        let (tx, rx) = bounded::<u32>(2, 1);
        let mut stream = rx.clone();
        let (waker, count) = counting_waker();
        assert!(poll_stream(&mut stream, &waker).is_pending());
        let mut recvs: Vec<_> = (0..3).map(|_| Task::waiting(rx.recv())).collect();
        let mut buffer = Vec::new();
        let mut many = Task::waiting(rx.recv_many(&mut buffer, 5));
        let permit = tx.try_reserve(b(0)).unwrap();
        let mut sends: Vec<_> = (0..3).map(|n| Task::waiting(tx.send(b(1), n))).collect();
        let mut reserve = Task::waiting(tx.reserve(b(1)));
        let mut batch = Task::waiting(tx.send_many(b(1), 7..9));
        let mut closed = Task::waiting(tx.closed());
        let mut closed_too = Task::waiting(rx.closed());
        assert!(if by_receiver { rx.close() } else { tx.close() });
        assert_eq!(woken(&recvs), 3);
        assert_eq!(woken(&sends), 3);
        assert_eq!(count.get(), 1);
        assert!(many.woken() && reserve.woken() && batch.woken());
        assert!(closed.woken() && closed_too.woken());
        for (n, send) in sends.iter_mut().enumerate() {
            assert_eq!(send.ready(), Err(SendError::Closed(n as u32)));
        }
        assert!(matches!(reserve.ready(), Err(SendError::Closed(()))));
        assert_eq!(batch.ready().unwrap_err().sent, 0);
        for recv in &mut recvs {
            assert!(recv.ready().is_err());
        }
        assert_eq!(many.ready(), 0);
        closed.ready();
        closed_too.ready();
        assert_eq!(poll_stream(&mut stream, &waker), Poll::Ready(None));
        assert!(stream.is_terminated());
        drop(permit);
    }
}

#[test]
fn the_last_sender_wakes_the_receivers_and_the_last_receiver_the_senders() {
    let (tx, rx) = bounded::<u32>(1, 1);
    let mut recv = Task::waiting(rx.recv());
    let mut closed = Task::waiting(rx.closed());
    let other = tx.clone();
    drop(tx);
    assert!(!recv.woken());
    drop(other);
    assert!(recv.woken() && closed.woken());
    assert!(recv.ready().is_err());
    closed.ready();

    let (tx, rx) = bounded::<u32>(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut send = Task::waiting(tx.send(b(0), 1));
    let mut closed = Task::waiting(tx.closed());
    drop(rx);
    assert!(send.woken() && closed.woken());
    assert_eq!(send.ready(), Err(SendError::Closed(1)));
    closed.ready();
}

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

/// The state of promise 5 after each step of a long random walk: when items are there and
/// receivers wait, a woken one that has not looked is among them; the same for room and senders.
#[test]
fn at_every_step_someone_who_may_act_has_been_woken() {
    for seed in 0..30 {
        let (tx, rx) = bounded(3, 4);
        let mut rng = XorShift::new(seed);
        let mut sends = Vec::new();
        let mut recvs = Vec::new();
        for _ in 0..600 {
            match rng.below(9) {
                0 => {
                    let mut send = Task::new(tx.send(b(rng.below(3) as u8), 0));
                    if send.poll().is_pending() {
                        sends.push(send);
                    }
                }
                1 => {
                    let mut recv = Task::new(rx.recv());
                    if recv.poll().is_pending() {
                        recvs.push(recv);
                    }
                }
                2 => drop(tx.try_send(b(rng.below(3) as u8), 0)),
                3 => drop(rx.try_recv()),
                4 if !sends.is_empty() => {
                    let i = rng.below(sends.len() as u64) as usize;
                    if sends[i].poll().is_ready() {
                        sends.remove(i);
                    }
                }
                5 if !recvs.is_empty() => {
                    let i = rng.below(recvs.len() as u64) as usize;
                    if recvs[i].poll().is_ready() {
                        recvs.remove(i);
                    }
                }
                6 if !sends.is_empty() => {
                    sends.remove(rng.below(sends.len() as u64) as usize);
                }
                7 if !recvs.is_empty() => {
                    recvs.remove(rng.below(recvs.len() as u64) as usize);
                }
                8 => drop(tx.try_reserve(b(0))),
                _ => {}
            }
            if !rx.is_empty() && !recvs.is_empty() {
                assert!(woken(&recvs) > 0, "an item is there, nobody was told");
                assert!(woken(&recvs) >= rx.len().min(recvs.len()));
            }
            if !tx.is_full() && !sends.is_empty() {
                assert!(woken(&sends) > 0, "room is there, nobody was told");
                assert!(woken(&sends) >= (4 - rx.len()).min(sends.len()));
            }
        }
    }
}

/// Tasks on two threads, waking each other: a lost wakeup ends in the watchdog.
#[test]
fn ping_pong_never_stalls() {
    let _watchdog = Watchdog::new("ping_pong_never_stalls");
    const ROUNDS: u32 = 10_000;
    let (ping, pinged) = bounded(2, 1);
    let (pong, ponged) = bounded(2, 1);
    thread::scope(|s| {
        s.spawn(move || {
            futures_lite::future::block_on(async {
                while let Ok((band, n)) = pinged.recv().await {
                    pong.send(band, n).await.unwrap();
                }
            });
        });
        for n in 0..ROUNDS {
            let band = b((n % 2) as u8);
            ping.send_blocking(band, n).unwrap();
            assert_eq!(ponged.recv_blocking(), Ok((band, n)));
        }
        drop(ping);
    });
}

/// As many tokens as receivers go round among more threads than cores; each thread holds one
/// for a moment and passes it on.
#[test]
fn tokens_go_round_among_many_threads() {
    let _watchdog = Watchdog::new("tokens_go_round_among_many_threads");
    const PASSES: usize = 20_000;
    let (tx, rx) = unbounded(4);
    let passes = AtomicUsize::new(0);
    let ended = Mutex::new(0);
    thread::scope(|s| {
        for i in 0..6 {
            let (tx, rx) = (tx.clone(), rx.clone());
            let (passes, ended) = (&passes, &ended);
            s.spawn(move || {
                let mut rng = XorShift::new(i);
                while let Ok((_, token)) = rx.recv_blocking() {
                    if passes.fetch_add(1, Ordering::SeqCst) >= PASSES {
                        rx.close();
                        break;
                    }
                    if tx.try_send(b(rng.below(4) as u8), token).is_err() {
                        break;
                    }
                }
                *ended.lock().unwrap() += 1;
            });
        }
        for token in 0..3 {
            tx.try_send(b(0), token).unwrap();
        }
    });
    assert_eq!(ended.into_inner().unwrap(), 6);
}
