//! Promise 9: close is final. After it no send succeeds; what was sent is still received; once a
//! receive has said `Closed`, nothing appears any more.

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use bandq::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError, bounded,
    unbounded,
};
use futures_core::FusedStream;
use support::hand::poll_stream;
use support::{Task, Watchdog, b, counting_waker};

const LONG: Duration = Duration::from_secs(600);

#[test]
fn close_is_true_for_the_call_that_closed() {
    let (tx, rx) = unbounded::<u8>(1);
    assert!(!tx.is_closed() && !rx.is_closed());
    assert!(tx.close());
    assert!(tx.is_closed() && rx.is_closed());
    assert!(!tx.close());
    assert!(!rx.close());

    let (tx, rx) = bounded::<u8>(1, 1);
    assert!(rx.close());
    assert!(!tx.close());
    assert!(tx.is_closed());
}

#[test]
fn of_many_closers_one_is_told_that_it_closed() {
    for _ in 0..200 {
        let (tx, rx) = unbounded::<u8>(4);
        let start = Barrier::new(4);
        let closed = AtomicUsize::new(0);
        thread::scope(|s| {
            for i in 0..4 {
                let (tx, rx, start, closed) = (&tx, &rx, &start, &closed);
                s.spawn(move || {
                    start.wait();
                    let won = if i % 2 == 0 { tx.close() } else { rx.close() };
                    assert!(tx.is_closed());
                    closed.fetch_add(usize::from(won), Ordering::SeqCst);
                });
            }
        });
        assert_eq!(closed.into_inner(), 1);
    }
}

#[test]
fn after_close_no_send_succeeds() {
    for by_receiver in [true, false] {
        let (tx, rx) = bounded(2, 5);
        let early = tx.try_reserve(b(1)).unwrap();
        let mut unpolled = Task::new(tx.send(b(0), 10));
        if by_receiver {
            rx.close();
        } else {
            tx.close();
        }
        let band = b(1);
        assert_eq!(tx.try_send(band, 1), Err(TrySendError::Closed(1)));
        assert_eq!(tx.send_blocking(band, 2), Err(SendError::Closed(2)));
        assert_eq!(
            tx.send_timeout(band, 3, LONG),
            Err(SendTimeoutError::Closed(3))
        );
        let late = Instant::now() + LONG;
        assert_eq!(
            tx.send_deadline(band, 4, late),
            Err(SendTimeoutError::Closed(4))
        );
        let sent = Task::new(tx.send(band, 5)).ready();
        assert_eq!(sent, Err(SendError::Closed(5)));
        let error = Task::new(tx.send_many(band, [6, 7])).ready().unwrap_err();
        assert_eq!((error.sent, error.error), (0, SendError::Closed(6)));
        assert!(matches!(
            tx.try_reserve(band),
            Err(TrySendError::Closed(()))
        ));
        let reserved = Task::new(tx.reserve(band)).ready();
        assert!(matches!(reserved, Err(SendError::Closed(()))));
        assert_eq!(early.send(8), Err(SendError::Closed(8)));
        assert_eq!(unpolled.ready(), Err(SendError::Closed(10)));
        assert_eq!(tx.clone().try_send(band, 9), Err(TrySendError::Closed(9)));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(rx.len(), 0);
    }
}

#[test]
fn a_full_channel_that_is_closed_says_closed() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 1).unwrap();
    rx.close();
    assert_eq!(tx.try_send(b(0), 2), Err(TrySendError::Closed(2)));
    assert!(matches!(
        tx.try_reserve(b(0)),
        Err(TrySendError::Closed(()))
    ));
    assert_eq!(
        tx.send_timeout(b(0), 3, LONG),
        Err(SendTimeoutError::Closed(3))
    );
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn what_was_sent_before_the_close_is_received_by_every_way_to_receive() {
    let (tx, mut rx) = unbounded(2);
    for n in 0..12 {
        tx.try_send(b(1), n).unwrap();
    }
    tx.close();
    assert_eq!(rx.len(), 12);
    let late = Instant::now() + LONG;
    assert_eq!(rx.try_recv(), Ok((b(1), 0)));
    assert_eq!(Task::new(rx.recv()).ready(), Ok((b(1), 1)));
    assert_eq!(rx.recv_blocking(), Ok((b(1), 2)));
    assert_eq!(rx.recv_timeout(LONG), Ok((b(1), 3)));
    assert_eq!(rx.recv_deadline(late), Ok((b(1), 4)));
    let mut buffer = Vec::new();
    assert_eq!(Task::new(rx.recv_many(&mut buffer, 2)).ready(), 2);
    assert_eq!(buffer, [(b(1), 5), (b(1), 6)]);
    let (waker, _) = counting_waker();
    assert_eq!(poll_stream(&mut rx, &waker), Poll::Ready(Some((b(1), 7))));
    assert!(!rx.is_terminated());
    assert_eq!(rx.try_iter().next(), Some((b(1), 8)));
    assert_eq!(rx.drain().count(), 3);

    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(Task::new(rx.recv()).ready(), Err(RecvError));
    assert_eq!(rx.recv_blocking(), Err(RecvError));
    assert_eq!(rx.recv_timeout(LONG), Err(RecvTimeoutError::Closed));
    assert_eq!(rx.recv_deadline(late), Err(RecvTimeoutError::Closed));
    assert_eq!(Task::new(rx.recv_many(&mut buffer, 2)).ready(), 0);
    assert_eq!(poll_stream(&mut rx, &waker), Poll::Ready(None));
    assert!(rx.is_terminated());
    assert_eq!(poll_stream(&mut rx, &waker), Poll::Ready(None));
    assert_eq!(rx.try_iter().next(), None);
    assert_eq!(rx.drain().count(), 0);
}

#[test]
fn closed_ends_at_the_close_and_is_ready_after_it() {
    let (tx, rx) = unbounded::<u8>(1);
    let mut before = Task::waiting(tx.closed());
    let mut other = Task::waiting(rx.closed());
    let mut unpolled = Task::new(rx.closed());
    tx.close();
    assert!(before.woken() && other.woken());
    before.ready();
    other.ready();
    unpolled.ready();
    Task::new(tx.closed()).ready();
    Task::new(rx.closed()).ready();
}

#[test]
fn the_last_sender_closes_and_a_clone_keeps_open() {
    let (tx, rx) = unbounded(1);
    let clone = tx.clone();
    drop(tx);
    assert!(!rx.is_closed());
    clone.try_send(b(0), 1).unwrap();
    drop(clone);
    assert!(rx.is_closed());
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert!(!rx.close());
}

#[test]
fn the_last_receiver_closes_and_a_clone_keeps_open() {
    let (tx, rx) = unbounded(1);
    let clone = rx.clone();
    drop(rx);
    assert!(!tx.is_closed());
    tx.try_send(b(0), 1).unwrap();
    assert_eq!(clone.try_recv(), Ok((b(0), 1)));
    drop(clone);
    assert!(tx.is_closed());
    assert_eq!(tx.try_send(b(0), 2), Err(TrySendError::Closed(2)));
    assert!(!tx.close());
}

#[test]
fn weak_handles_hold_nothing_open_and_never_reopen() {
    let (tx, rx) = unbounded(1);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    let strong = weak_tx.upgrade().unwrap();
    assert!(strong.same_channel(&tx));
    assert_eq!(tx.sender_count(), 2);
    drop(tx);
    strong.try_send(b(0), 1).unwrap();
    drop(strong);
    assert!(rx.is_closed());
    assert!(weak_tx.upgrade().is_none());
    let again = weak_rx.upgrade().unwrap();
    assert_eq!(again.try_recv(), Ok((b(0), 1)));
    drop((again, rx));
    assert!(weak_rx.upgrade().is_none());
    assert!(weak_tx.upgrade().is_none());
}

#[test]
fn of_an_upgrade_and_the_last_drop_one_wins() {
    for _ in 0..1_000 {
        let (tx, rx) = unbounded(1);
        let weak = tx.downgrade();
        let start = Barrier::new(2);
        let upgraded = thread::scope(|s| {
            let start = &start;
            let upgrade = s.spawn(move || {
                start.wait();
                weak.upgrade()
            });
            start.wait();
            drop(tx);
            upgrade.join().unwrap()
        });
        match upgraded {
            // A sender that was got before the close can send; the channel did not close.
            Some(tx) => {
                assert!(!rx.is_closed());
                tx.try_send(b(0), 1).unwrap();
                assert_eq!(rx.try_recv(), Ok((b(0), 1)));
            }
            None => assert!(rx.is_closed()),
        }
    }
}

#[test]
fn a_permit_does_not_hold_a_channel_open() {
    let (tx, rx) = bounded(1, 2);
    let permit = tx.try_reserve(b(0)).unwrap();
    let mut waiting = Task::waiting(rx.recv());
    rx.close();
    assert!(waiting.woken());
    assert_eq!(waiting.ready(), Err(RecvError));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(permit.send(1), Err(SendError::Closed(1)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn blocked_threads_return_at_the_close() {
    let _watchdog = Watchdog::new("blocked_threads_return_at_the_close");
    for _ in 0..50 {
        let (tx, rx) = bounded::<u8>(1, 1);
        let (full, _kept) = bounded(1, 1);
        full.try_send(b(0), 0).unwrap();
        thread::scope(|s| {
            let (rx, full) = (&rx, &full);
            s.spawn(|| assert_eq!(rx.recv_blocking(), Err(RecvError)));
            s.spawn(|| assert_eq!(rx.recv_timeout(LONG), Err(RecvTimeoutError::Closed)));
            s.spawn(|| assert_eq!(full.send_blocking(b(0), 1), Err(SendError::Closed(1))));
            s.spawn(|| {
                let sent = full.send_timeout(b(0), 2, LONG);
                assert_eq!(sent, Err(SendTimeoutError::Closed(2)));
            });
            thread::yield_now();
            tx.close();
            full.close();
        });
    }
}

/// As soon as anyone has seen the close, by any sign, no later send succeeds.
#[test]
fn once_anyone_has_seen_the_close_no_later_send_succeeds() {
    let _watchdog = Watchdog::new("once_anyone_has_seen_the_close_no_later_send_succeeds");
    for round in 0..100 {
        let (tx, rx) = unbounded(4);
        let seen = AtomicBool::new(false);
        let start = Barrier::new(4);
        thread::scope(|s| {
            for sender in 0..3 {
                let (tx, seen, start) = (&tx, &seen, &start);
                s.spawn(move || {
                    start.wait();
                    let mut n = sender;
                    loop {
                        n += 1;
                        let late = seen.load(Ordering::SeqCst);
                        let sent = if n % 7 == 0 {
                            // A batch: all or part of it.
                            let sent = Task::new(tx.send_many(b(n % 4), 0..5)).ready();
                            assert!(!late || matches!(&sent, Err(e) if e.sent == 0));
                            sent.is_ok()
                        } else {
                            tx.try_send(b(n % 4), 0).is_ok()
                        };
                        assert!(!(late && sent), "a send after the close succeeded");
                        if !sent {
                            seen.store(true, Ordering::SeqCst);
                        }
                        if late {
                            break;
                        }
                        n %= 100;
                    }
                });
            }
            start.wait();
            for _ in 0..round {
                std::hint::spin_loop();
            }
            assert!(rx.close());
            seen.store(true, Ordering::SeqCst);
        });
    }
}

/// Receivers against a close and senders: after the first `Closed`, only `Closed`.
#[test]
fn once_a_receive_has_said_closed_nothing_appears_any_more() {
    let _watchdog = Watchdog::new("once_a_receive_has_said_closed_nothing_appears_any_more");
    for round in 0..100 {
        let (tx, rx) = unbounded(3);
        let ended = AtomicBool::new(false);
        let accepted = AtomicUsize::new(0);
        let got = AtomicUsize::new(0);
        let start = Barrier::new(5);
        thread::scope(|s| {
            for sender in 0..2u8 {
                let (tx, start, accepted) = (&tx, &start, &accepted);
                s.spawn(move || {
                    start.wait();
                    let mut n = 0;
                    while tx.try_send(b((n + sender) % 3), ()).is_ok() {
                        n = (n + 1) % 3;
                        accepted.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            for _ in 0..2 {
                let (rx, start, ended, got) = (&rx, &start, &ended, &got);
                s.spawn(move || {
                    start.wait();
                    loop {
                        let late = ended.load(Ordering::SeqCst);
                        match rx.try_recv() {
                            Ok(_) => {
                                assert!(!late, "an item after `Closed`");
                                got.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(TryRecvError::Closed) => {
                                ended.store(true, Ordering::SeqCst);
                                if late {
                                    break;
                                }
                            }
                            Err(TryRecvError::Empty) => {
                                assert!(!late, "`Empty` after `Closed`");
                                std::hint::spin_loop();
                            }
                            Err(error) => unreachable!("{error}"),
                        }
                    }
                });
            }
            start.wait();
            for _ in 0..round {
                std::hint::spin_loop();
            }
            tx.close();
        });
        assert_eq!(accepted.into_inner(), got.into_inner());
    }
}
