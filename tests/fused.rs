//! Every future is fused: it says when it is over, and to poll it again then panics and does
//! nothing.

mod support;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bandq::{RecvError, bounded, unbounded};
use futures::select;
use futures_core::FusedFuture;
use futures_lite::future::block_on;
use support::{Ledger, Task, b, ends};

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future that must wait.
#[track_caller]
fn waits<F: FusedFuture + Unpin>(future: &mut F) {
    assert!(!future.is_terminated(), "over before its first poll");
    assert!(poll(future).is_pending());
    assert!(!future.is_terminated(), "over while it waits");
}

/// Polls a future that must be ready, and then twice more, which must panic.
#[track_caller]
fn ready_once<F: FusedFuture + Unpin>(mut future: F) -> F::Output {
    assert!(!future.is_terminated(), "over before it was ready");
    let Poll::Ready(output) = poll(&mut future) else {
        panic!("should be ready");
    };
    for _ in 0..2 {
        assert!(future.is_terminated(), "not over, though it was ready");
        let again = catch_unwind(AssertUnwindSafe(|| drop(poll(&mut future))));
        assert!(again.is_err(), "polled again, without a panic");
    }
    output
}

#[test]
fn a_receive_polled_again_takes_no_second_item() {
    let (tx, rx) = unbounded(1);
    tx.try_send_many(b(0), 0..3).unwrap();
    assert_eq!(ready_once(rx.recv()), Ok((b(0), 0)));
    assert_eq!(rx.len(), 2);
    let mut out = Vec::new();
    assert_eq!(ready_once(rx.recv_many(&mut out, 1)), 1);
    assert_eq!((rx.len(), &*out), (1, &[(b(0), 1)][..]));
    assert_eq!(ready_once(rx.recv_many(&mut out, 0)), 0);
    assert_eq!((rx.len(), out.len()), (1, 1));
}

#[test]
fn a_receive_that_waited_polled_again_takes_no_second_item() {
    let (tx, rx) = unbounded(1);
    let mut out = Vec::new();
    let (mut recv, mut many) = (rx.recv(), rx.recv_many(&mut out, 1));
    waits(&mut recv);
    waits(&mut many);
    tx.try_send_many(b(0), 0..4).unwrap();
    assert_eq!(ready_once(recv), Ok((b(0), 0)));
    assert_eq!(ready_once(many), 1);
    assert_eq!((rx.len(), &*out), (2, &[(b(0), 1)][..]));
}

#[test]
fn a_receive_that_saw_the_close_is_over() {
    let (tx, rx) = unbounded::<u8>(1);
    let mut out = Vec::new();
    let (mut recv, mut many) = (rx.recv(), rx.recv_many(&mut out, 1));
    waits(&mut recv);
    waits(&mut many);
    drop(tx);
    assert_eq!(ready_once(recv), Err(RecvError));
    assert_eq!(ready_once(many), 0);
    assert!(out.is_empty());
}

#[test]
fn a_send_polled_again_sends_nothing() {
    let ledger = Ledger::new(6);
    let (tx, rx) = bounded(1, 5);
    assert!(ready_once(tx.send(b(0), ledger.token(0))).is_ok());
    assert_eq!((rx.len(), tx.available()), (1, Some(4)));
    // An iterator with more: of it nothing may be taken, let alone sent.
    let mut items = (1..6).map(|id| ledger.token(id));
    let batch = ready_once(tx.send_many(b(0), items.by_ref().take(2)));
    assert_eq!(batch.map_err(|error| error.sent), Ok(2));
    assert_eq!((rx.len(), tx.available()), (3, Some(2)));
    let error = ready_once(tx.send(b(1), items.next().unwrap())).unwrap_err();
    assert_eq!(error.into_inner().id(), 3, "an error is an end as well");
    rx.close();
    let error = ready_once(tx.send(b(0), items.next().unwrap())).unwrap_err();
    assert_eq!(error.into_inner().id(), 4);
    let error = ready_once(tx.send_many(b(0), &mut items)).unwrap_err();
    assert_eq!((error.sent, error.into_inner().id()), (0, 5));
    assert_eq!((rx.len(), tx.available()), (3, Some(2)));
    drop(rx);
    ledger.assert_each_dropped_once();
}

#[test]
fn a_batch_polled_again_takes_nothing_from_its_iterator() {
    let (tx, rx) = unbounded(1);
    let mut taken = 0;
    // It ends once and would then go on.
    let items = std::iter::from_fn(|| {
        taken += 1;
        (taken != 3).then_some(taken)
    });
    assert_eq!(ready_once(tx.send_many(b(0), items)), Ok(2));
    assert_eq!((taken, rx.len()), (3, 2));
}

#[test]
fn a_send_that_waited_polled_again_sends_nothing() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let (mut send, mut batch) = (tx.send(b(0), 1), tx.send_many(b(0), [2, 3]));
    waits(&mut send);
    waits(&mut batch);
    assert_eq!(rx.try_recv(), Ok((b(0), 0)));
    assert_eq!(ready_once(send), Ok(()));
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    waits(&mut batch); // its second item
    assert_eq!(rx.try_recv(), Ok((b(0), 2)));
    assert_eq!(ready_once(batch), Ok(2));
    assert_eq!(rx.try_recv(), Ok((b(0), 3)));
    assert_eq!((rx.len(), tx.available()), (0, Some(1)));
}

#[test]
fn a_reservation_polled_again_takes_no_more_room() {
    let (tx, rx) = bounded::<u8>(1, 9);
    let one = ready_once(tx.reserve(b(0))).unwrap();
    assert_eq!(tx.available(), Some(8));
    let owned = ready_once(tx.reserve_owned(b(0))).unwrap();
    assert_eq!(tx.available(), Some(7));
    let many = ready_once(tx.reserve_many(b(0), 2)).unwrap();
    assert_eq!(tx.available(), Some(5));
    assert!(ready_once(tx.reserve(b(1))).is_err());
    assert!(ready_once(tx.reserve_owned(b(1))).is_err());
    assert!(ready_once(tx.reserve_many(b(0), 10)).is_err());
    rx.close();
    assert!(ready_once(tx.reserve(b(0))).is_err());
    assert!(ready_once(tx.reserve_owned(b(0))).is_err());
    assert!(ready_once(tx.reserve_many(b(0), 2)).is_err());
    assert_eq!(tx.available(), Some(5));
    drop((one, owned, many));
    assert_eq!(tx.available(), Some(9));
}

#[test]
fn a_reservation_that_waited_polled_again_takes_no_more_room() {
    let (tx, _rx) = bounded::<u8>(1, 4);
    let all = tx.try_reserve_many(b(0), 4).unwrap();
    let mut one = tx.reserve(b(0));
    let mut owned = tx.reserve_owned(b(0));
    let mut many = tx.reserve_many(b(0), 2);
    waits(&mut one);
    waits(&mut owned);
    waits(&mut many);
    drop(all);
    let held = (ready_once(many), ready_once(owned));
    assert!(held.0.is_ok() && held.1.is_ok());
    assert_eq!(tx.available(), Some(1));
    drop(held);
    let held = ready_once(one);
    assert!(held.is_ok());
    assert_eq!(tx.available(), Some(3));
}

#[test]
fn a_wait_for_the_close_is_over_once_it_is_closed() {
    let (tx, rx) = unbounded::<u8>(1);
    let (mut of_sender, mut of_receiver) = (tx.closed(), rx.closed());
    waits(&mut of_sender);
    waits(&mut of_receiver);
    tx.close();
    ready_once(of_sender);
    ready_once(of_receiver);
    ready_once(rx.closed());
}

#[test]
fn a_future_that_is_over_holds_no_place_among_the_waiting() {
    let (tx, rx) = bounded(1, 1);
    let (mut over, mut kept) = (rx.recv(), tx.send(b(0), 1));
    waits(&mut over);
    assert!(poll(&mut kept).is_ready());
    assert!(poll(&mut over).is_ready());
    let mut next = Task::waiting(rx.recv());
    tx.try_send(b(0), 2).unwrap();
    assert!(next.woken(), "the wake went to a future that is over");
    let mut send = Task::waiting(tx.send(b(0), 3));
    assert_eq!(next.ready(), Ok((b(0), 2)));
    assert!(send.woken(), "the wake went to a future that is over");
    send.ready().unwrap();
    assert!(over.is_terminated() && kept.is_terminated());
}

// `select!` in a loop skips a future that is over, and needs no `fuse()`.

#[test]
fn select_over_receives_sees_every_item_and_completes() {
    ends("select! over recv() and closed()", || {
        let (first, firsts) = unbounded(1);
        let (second, seconds) = bounded(2, 8);
        first.try_send_many(b(0), 0..5).unwrap();
        second.try_send_many(b(1), 10..15).unwrap();
        drop((first, second));
        let (mut got, mut closes) = (Vec::new(), 0);
        block_on(async {
            let (mut one, mut other) = (firsts.recv(), seconds.recv());
            let mut closed = firsts.closed();
            loop {
                select! {
                    item = one => if let Ok((_, n)) = item {
                        got.push(n);
                        one = firsts.recv();
                    },
                    item = other => if let Ok((_, n)) = item {
                        got.push(n);
                        other = seconds.recv();
                    },
                    () = closed => closes += 1,
                    complete => break,
                }
            }
        });
        got.sort_unstable();
        assert_eq!(got, [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
        assert_eq!(closes, 1, "a future that is over was polled");
    });
}

#[test]
fn select_over_a_send_and_a_receive_brings_every_item_through_a_small_channel() {
    ends("select! over send() and recv()", || {
        let (tx, rx) = bounded(1, 1);
        let mut got = Vec::new();
        let mut next = 1;
        block_on(async {
            let (mut send, mut recv) = (tx.send(b(0), 0), rx.recv());
            let mut batch = tx.send_many(b(0), 100..110);
            let mut permit = tx.reserve_many(b(0), 1);
            loop {
                select! {
                    sent = send => {
                        sent.unwrap();
                        if next < 50 {
                            send = tx.send(b(0), next);
                            next += 1;
                        }
                    },
                    sent = batch => assert_eq!(sent, Ok(10)),
                    permits = permit => for permit in permits.unwrap() {
                        permit.send(200).unwrap();
                    },
                    item = recv => {
                        got.push(item.unwrap().1);
                        if got.len() < 61 {
                            recv = rx.recv();
                        }
                    },
                    complete => break,
                }
            }
        });
        assert!(got.iter().filter(|n| **n < 50).copied().eq(0..50));
        let batch = got.iter().filter(|n| (100..200).contains(*n));
        assert!(batch.copied().eq(100..110));
        assert_eq!(got.iter().filter(|n| **n == 200).count(), 1);
        assert_eq!((rx.len(), tx.available()), (0, Some(1)));
    });
}
