//! Batch calls of both sides, and the iterators that block.

mod support;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bandq::{
    Band, Receiver, RecvError, RecvTimeoutError, SendError, SendManyError, TrySendError,
    TrySendManyError, bounded, unbounded,
};
use futures_core::FusedStream;
use support::hand::poll_stream;
use support::{Ledger, Task, Token, b, counting_waker, ends};

// Sending.

#[test]
fn a_blocking_batch_waits_for_room_and_keeps_its_order() {
    ends("send_many_blocking through one unit of room", || {
        let (tx, rx) = bounded(2, 1);
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(tx.send_many_blocking(b(1), 0..500), Ok(500)));
            assert!((0..500).all(|n| rx.recv_blocking() == Ok((b(1), n))));
        });
        assert_eq!(tx.send_many_blocking(b(0), []), Ok(0));
        assert!(rx.is_empty());
    });
}

#[test]
fn a_blocking_batch_that_meets_the_close_says_how_far_it_came_and_keeps_the_rest() {
    ends("send_many_blocking and close", || {
        let (tx, rx) = bounded(1, 2);
        let mut items = 0..10;
        let rest = thread::scope(|scope| {
            let batch = scope.spawn(|| {
                let error = tx.send_many_blocking(b(0), &mut items).unwrap_err();
                (error, items)
            });
            assert_eq!(rx.recv_blocking(), Ok((b(0), 0)));
            while rx.len() < 2 {
                thread::yield_now();
            }
            rx.close();
            batch.join().unwrap()
        });
        let (sent, error) = (3, SendError::Closed(3));
        assert_eq!(rest, (SendManyError { sent, error }, 4..10));
        assert_eq!(rx.try_iter().map(|(_, n)| n).collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn a_try_batch_that_fills_the_channel_leaves_the_rest_in_the_iterator() {
    let ledger = Ledger::new(6);
    let (tx, rx) = bounded(1, 3);
    let mut items = ledger.tokens();
    let error = tx.try_send_many(b(0), &mut items).unwrap_err();
    assert!(error.is_full() && !error.is_closed());
    assert_eq!((error.sent, error.into_inner().id()), (3, 3));
    assert_eq!(ledger.total(), 1, "the one in the error, dropped by us");
    assert_eq!(items.next().unwrap().id(), 4);
    rx.try_recv().unwrap();
    assert_eq!(tx.try_send_many(b(0), &mut items).unwrap(), 1);
    let ids: Vec<_> = rx.try_iter().map(|(_, token)| token.id()).collect();
    assert_eq!(ids, [1, 2, 5]);
    ledger.assert_each_dropped_once();
}

#[test]
fn a_try_batch_that_fits_is_sent_whole() {
    let (tx, rx) = bounded(2, 3);
    assert_eq!(tx.try_send_many(b(1), 0..3), Ok(3));
    assert_eq!(tx.try_send_many(b(1), []), Ok(0), "nothing fits always");
    assert!(rx.try_iter().eq((0..3).map(|n| (b(1), n))));
}

#[test]
fn a_batch_is_refused_for_the_reasons_of_a_send_with_its_first_item() {
    let (tx, rx) = bounded(1, 3);
    let (sent, error) = (0, TrySendError::NoSuchBand(7));
    let refused = tx.try_send_many(b(1), [7, 8]);
    assert_eq!(refused, Err(TrySendManyError { sent, error }));
    let (sent, error) = (0, SendError::NoSuchBand(7));
    let refused = tx.send_many_blocking(b(1), [7, 8]);
    assert_eq!(refused, Err(SendManyError { sent, error }));
    rx.close();
    let (sent, error) = (0, TrySendError::Closed(7));
    let refused = tx.try_send_many(b(0), [7, 8]);
    assert_eq!(refused, Err(TrySendManyError { sent, error }));
    let (sent, error) = (0, SendError::Closed(7));
    let refused = tx.send_many_blocking(b(0), [7, 8]);
    assert_eq!(refused, Err(SendManyError { sent, error }));
    let no_band = tx.try_send_many(b(1), [7]).unwrap_err();
    assert_eq!(
        no_band.error,
        TrySendError::NoSuchBand(7),
        "wins over closed"
    );
    assert_eq!((rx.len(), tx.available()), (0, Some(3)));
}

#[test]
fn an_iterator_that_uses_the_channel_or_panics_loses_nothing() {
    let (tx, rx) = bounded(1, 10);
    let batch = (0..4).inspect(|&n| match n {
        2 => drop(rx.try_recv()), // 0
        3 => panic!("the iterator's"),
        _ => {}
    });
    let caught = catch_unwind(AssertUnwindSafe(|| tx.try_send_many(b(0), batch)));
    assert!(caught.is_err());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let batch = (4..6).inspect(|&n| assert!(n < 5, "the iterator's"));
        tx.send_many_blocking(b(0), batch)
    }));
    assert!(caught.is_err());
    assert_eq!(tx.available(), Some(7));
    assert_eq!(rx.try_iter().map(|(_, n)| n).collect::<Vec<_>>(), [1, 2, 4]);
}

// Receiving.

#[test]
fn a_blocking_batch_receive_appends_what_is_there_up_to_its_limit() {
    let (tx, rx) = bounded(2, 9);
    tx.try_send_many(b(1), 0..5).unwrap();
    tx.try_send(b(0), 9).unwrap();
    let mut out = vec![(b(1), 100)];
    assert_eq!(rx.recv_many_blocking(&mut out, 2), 2);
    assert_eq!(out, [(b(1), 100), (b(0), 9), (b(1), 0)]);
    assert_eq!(tx.available(), Some(5));
    let long = Duration::from_secs(3600);
    assert_eq!(rx.recv_many_timeout(&mut out, 3, long), Ok(3));
    assert_eq!(rx.recv_many_blocking(&mut out, usize::MAX), 1);
    assert_eq!(out.len(), 7);
    assert_eq!(tx.available(), Some(9));
}

#[test]
fn a_blocking_batch_receive_waits_for_the_first_item() {
    ends("recv_many_blocking and recv_many_timeout", || {
        let (tx, rx) = unbounded(1);
        let (ask, asked) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                for n in asked {
                    thread::sleep(Duration::from_millis(2)); // so that it mostly sleeps by then
                    tx.try_send(b(0), n).unwrap();
                }
            });
            let mut out = Vec::new();
            for n in 0..50 {
                ask.send(n).unwrap();
                assert_eq!(rx.recv_many_blocking(&mut out, 10), 1);
                ask.send(n).unwrap();
                let received = rx.recv_many_timeout(&mut out, 10, Duration::MAX);
                assert_eq!(received, Ok(1));
                assert_eq!(out.split_off(0), [(b(0), n), (b(0), n)]);
            }
            drop(ask);
            assert_eq!(rx.recv_many_blocking(&mut out, 10), 0, "closed meanwhile");
            assert!(out.is_empty());
        });
    });
}

#[test]
fn a_blocking_batch_receive_says_closed_only_when_all_is_taken() {
    let (tx, rx) = unbounded(1);
    tx.try_send_many(b(0), 0..3).unwrap();
    drop(tx);
    let mut out = Vec::new();
    assert_eq!(rx.recv_many_blocking(&mut out, 2), 2);
    assert_eq!(rx.recv_many_timeout(&mut out, 2, Duration::ZERO), Ok(1));
    assert_eq!(rx.recv_many_blocking(&mut out, 2), 0);
    let closed = rx.recv_many_timeout(&mut out, 2, Duration::MAX);
    assert_eq!(closed, Err(RecvTimeoutError::Closed));
    assert_eq!(out.len(), 3);
}

#[test]
fn a_limit_of_nothing_takes_nothing_and_waits_for_nothing() {
    ends("limit 0", || {
        let (tx, mut rx) = unbounded::<u8>(1);
        let mut out = Vec::new();
        for empty in [true, false] {
            assert_eq!(rx.recv_many_blocking(&mut out, 0), 0);
            assert_eq!(rx.recv_many_timeout(&mut out, 0, Duration::MAX), Ok(0));
            let mut context = Context::from_waker(Waker::noop());
            let polled = rx.poll_recv_many(&mut context, &mut out, 0);
            assert_eq!(polled, Poll::Ready(0));
            assert_eq!((rx.is_empty(), out.is_empty()), (empty, true));
            tx.try_send(b(0), 1).unwrap();
        }
    });
}

#[test]
fn a_batch_receive_that_timed_out_leaves_nothing_behind() {
    let (tx, rx) = unbounded(1);
    let mut out = Vec::new();
    for n in 0..3 {
        for time in [Duration::ZERO, Duration::from_millis(1)] {
            let nothing = rx.recv_many_timeout(&mut out, 8, time);
            assert_eq!(nothing, Err(RecvTimeoutError::Timeout));
        }
        // No place in front of the one who does wait.
        let mut recv = Task::waiting(rx.recv());
        tx.try_send(b(0), n).unwrap();
        assert!(recv.woken());
        assert_eq!(recv.ready(), Ok((b(0), n)));
    }
    assert!(out.is_empty() && rx.is_empty());
}

// `poll_recv_many`.

fn poll_many<T>(rx: &mut Receiver<T>, waker: &Waker, out: &mut Vec<(Band, T)>) -> Poll<usize> {
    rx.poll_recv_many(&mut Context::from_waker(waker), out, 8)
}

#[test]
fn a_polled_batch_is_woken_by_an_item_and_by_the_close() {
    let (tx, mut rx) = bounded(2, 4);
    let (waker, wakes) = counting_waker();
    let mut out = Vec::new();
    assert!(poll_many(&mut rx, &waker, &mut out).is_pending());
    tx.try_send(b(1), 1).unwrap();
    assert_eq!(wakes.get(), 1);
    tx.try_send(b(0), 0).unwrap();
    assert_eq!(poll_many(&mut rx, &waker, &mut out), Poll::Ready(2));
    assert_eq!(out, [(b(0), 0), (b(1), 1)]);
    assert_eq!(tx.available(), Some(4));
    assert!(poll_many(&mut rx, &waker, &mut out).is_pending());
    drop(tx);
    assert_eq!(wakes.get(), 2);
    assert_eq!(poll_many(&mut rx, &waker, &mut out), Poll::Ready(0));
    assert!(!rx.is_terminated(), "as a stream it has not ended yet");
    assert_eq!(poll_stream(&mut rx, &waker), Poll::Ready(None));
}

#[test]
fn a_polled_batch_shares_the_place_of_the_stream() {
    let (tx, mut rx) = unbounded(1);
    let (batch, batches) = counting_waker();
    let (stream, streams) = counting_waker();
    let mut out = Vec::new();
    assert!(poll_many(&mut rx, &batch, &mut out).is_pending());
    assert!(poll_stream(&mut rx, &stream).is_pending());
    tx.try_send(b(0), 1).unwrap();
    assert_eq!(
        (batches.get(), streams.get()),
        (0, 1),
        "the last of the two"
    );
    assert_eq!(poll_stream(&mut rx, &stream), Poll::Ready(Some((b(0), 1))));
    assert!(poll_stream(&mut rx, &stream).is_pending());
    assert!(poll_many(&mut rx, &batch, &mut out).is_pending());
    tx.try_send(b(0), 2).unwrap();
    assert_eq!(
        (batches.get(), streams.get()),
        (1, 1),
        "the last of the two"
    );
    assert_eq!(poll_many(&mut rx, &batch, &mut out), Poll::Ready(1));
}

#[test]
fn a_polled_batch_that_is_kept_holds_back_nobody() {
    let (tx, mut rx) = unbounded(1);
    let other = rx.clone();
    let mut out = Vec::new();
    assert!(poll_many(&mut rx, Waker::noop(), &mut out).is_pending());
    let mut recv = Task::waiting(other.recv());
    tx.try_send(b(0), 1).unwrap();
    assert!(recv.woken());
    assert_eq!(recv.ready(), Ok((b(0), 1)));
    assert!(out.is_empty());
}

// The iterators that block.

#[test]
fn iterators_take_what_is_most_urgent_and_end_at_the_close() {
    ends("iter and into_iter", || {
        let (tx, rx) = unbounded(2);
        let sender = thread::spawn(move || {
            tx.try_send_many(b(1), 0..100).unwrap();
            tx.try_send_many(b(0), 100..200).unwrap();
            tx // not before the first iterator waits for more
        });
        let tx = sender.join().unwrap();
        let mut items = rx.iter();
        assert!((100..200).all(|n| items.next() == Some((b(0), n))));
        assert_eq!((&rx).into_iter().next(), Some((b(1), 0)));
        drop(tx);
        let mut rest = 1;
        for (band, n) in &rx {
            assert_eq!((band, n), (b(1), rest));
            rest += 1;
        }
        assert_eq!(rest, 100);
        assert_eq!(rx.iter().next(), None);
        assert_eq!(rx.recv_blocking(), Err(RecvError));
        let mut owned = rx.into_iter();
        assert!(owned.next().is_none() && owned.next().is_none());
    });
}

#[test]
fn an_owning_iterator_is_the_receiver() {
    let ledger = Ledger::new(3);
    let (tx, rx) = unbounded(1);
    assert!(tx.try_send_many(b(0), ledger.tokens()).is_ok());
    let mut items = rx.into_iter();
    let first = items.next().map(|(band, token)| (band, token.id()));
    assert_eq!(first, Some((b(0), 0)));
    assert_eq!((tx.receiver_count(), tx.is_closed()), (1, false));
    drop(items);
    assert_eq!((tx.receiver_count(), tx.is_closed()), (0, true));
    ledger.assert_each_dropped_once();
}

#[test]
fn iterators_of_several_threads_see_each_item_once() {
    ends("iterators of several threads", || {
        const EACH: usize = 3_000;
        let ledger = Ledger::new(3 * EACH);
        let (tx, rx) = bounded(3, 64);
        let receivers: Vec<_> = (0..4)
            .map(|thread| {
                let rx = rx.clone();
                thread::spawn(move || -> Vec<Token> {
                    if thread % 2 == 0 {
                        rx.into_iter().map(|(_, token)| token).collect()
                    } else {
                        rx.iter().map(|(_, token)| token).collect()
                    }
                })
            })
            .collect();
        drop(rx);
        for band in 0..3 {
            let (tx, ledger) = (tx.clone(), ledger.clone());
            thread::spawn(move || {
                let items = (band * EACH..(band + 1) * EACH).map(|id| ledger.token(id));
                assert!(tx.send_many_blocking(b(band as u8), items).is_ok());
            });
        }
        drop(tx);
        let mut seen = HashSet::new();
        for receiver in receivers {
            let tokens = receiver.join().unwrap();
            for band in 0..3 {
                let of_band = tokens.iter().map(Token::id).filter(|id| id / EACH == band);
                assert!(of_band.is_sorted(), "out of order for one receiver");
            }
            let ids = tokens.iter().map(Token::id);
            ids.for_each(|id| assert!(seen.insert(id), "item {id} twice"));
        }
        assert_eq!(seen.len(), 3 * EACH);
        ledger.assert_each_dropped_once();
    });
}
