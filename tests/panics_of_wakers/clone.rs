//! Wakers whose clone panics: the panic goes up to whoever polled, and nothing is taken or lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bandq::{Receiver, Sender, bounded};

use crate::sleeper::calm;
use crate::support::hand::{poll_stream, settle};
use crate::support::waker::waker;
use crate::support::{Case, Ledger, Task, Token, all_end, b, counting_waker, ends};

fn uncloneable() -> Waker {
    waker(|hooks| hooks.clone = Box::new(|| panic!("a clone that panics")))
}

/// Polls a future that waits with a waker that cannot be cloned: the panic comes here.
#[track_caller]
fn poll_panics<F: Future>(future: Pin<&mut F>) {
    let waker = uncloneable();
    let mut context = Context::from_waker(&waker);
    let polled = catch_unwind(AssertUnwindSafe(|| future.poll(&mut context).is_pending()));
    assert!(polled.is_err(), "the panic of the clone should go up");
}

/// What is done with the future next.
#[derive(Clone, Copy)]
enum Then {
    PollAgain,
    Drop,
}

/// When the poll panics: the first one, or the second with another waker.
#[derive(Clone, Copy)]
enum When {
    First,
    Again,
}

fn for_each(body: fn(When, Then)) {
    let mut cases: Vec<Case> = Vec::new();
    for (when_name, when) in [("first poll", When::First), ("second poll", When::Again)] {
        for (then_name, then) in [("polled again", Then::PollAgain), ("dropped", Then::Drop)] {
            let name = format!("{when_name} panics, then {then_name}");
            cases.push((name, Box::new(move || body(when, then))));
        }
    }
    all_end(cases);
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    calm(|| future.poll(&mut Context::from_waker(waker)))
}

#[test]
fn a_recv_whose_waker_cannot_be_cloned_takes_and_loses_nothing() {
    for_each(|when, then| {
        let ledger = Ledger::new(3);
        let (tx, rx) = bounded(1, 3);
        let mut recv = Box::pin(rx.recv());
        if let When::Again = when {
            let (first, _) = counting_waker();
            assert!(poll(recv.as_mut(), &first).is_pending());
        }
        poll_panics(recv.as_mut());
        let (waker, count) = counting_waker();
        let mut recv = Some(recv);
        match then {
            Then::PollAgain => {
                assert!(poll(recv.as_mut().unwrap().as_mut(), &waker).is_pending());
            }
            Then::Drop => calm(|| drop(recv.take())),
        }
        let mut others = vec![Task::waiting(rx.recv()), Task::waiting(rx.recv())];
        for token in ledger.tokens() {
            tx.try_send(b(0), token).unwrap();
        }
        assert!(others.iter().all(|other| other.woken()));
        let mut got = Vec::new();
        if let Some(recv) = &mut recv {
            assert_eq!(count.get(), 1);
            let Poll::Ready(Ok((_, token))) = poll(recv.as_mut(), &waker) else {
                panic!("should be ready");
            };
            got.push(token.id());
        }
        got.extend(
            settle(&mut others)
                .into_iter()
                .map(|got| got.unwrap().1.id()),
        );
        got.extend(rx.drain().map(|(_, token)| token.id()));
        assert_eq!(got, [0, 1, 2]);
        ledger.assert_each_dropped_once();
    });
}

/// Woken while it waits with the waker that could be cloned: its wake goes to the next when it is
/// dropped.
#[test]
fn a_wait_whose_second_waker_cannot_be_cloned_passes_its_wake_on() {
    ends("recv", || {
        let (tx, rx) = bounded(1, 3);
        let mut recv = Box::pin(rx.recv());
        let (first, _) = counting_waker();
        assert!(poll(recv.as_mut(), &first).is_pending());
        poll_panics(recv.as_mut());
        let mut behind = Task::waiting(rx.recv());
        tx.try_send(b(0), 1).unwrap();
        calm(|| drop(recv));
        assert!(behind.woken());
        assert_eq!(behind.ready(), Ok((b(0), 1)));
    });
}

#[test]
fn a_stream_whose_waker_cannot_be_cloned_takes_and_loses_nothing() {
    for_each(|when, then| {
        let (tx, rx) = bounded(1, 3);
        let mut stream = rx.clone();
        if let When::Again = when {
            let (first, _) = counting_waker();
            assert!(poll_stream(&mut stream, &first).is_pending());
        }
        let bad = uncloneable();
        let polled = catch_unwind(AssertUnwindSafe(|| poll_stream(&mut stream, &bad)));
        assert!(polled.is_err());
        let (waker, count) = counting_waker();
        match then {
            Then::PollAgain => {
                assert!(calm(|| poll_stream(&mut stream, &waker)).is_pending());
                tx.try_send(b(0), 1).unwrap();
                assert_eq!(count.get(), 1);
                let next = calm(|| poll_stream(&mut stream, &waker));
                assert_eq!(next, Poll::Ready(Some((b(0), 1))));
            }
            Then::Drop => {
                calm(|| drop(stream));
                let mut other = rx.clone();
                assert!(poll_stream(&mut other, &waker).is_pending());
                tx.try_send(b(0), 1).unwrap();
                assert_eq!(count.get(), 1);
            }
        }
    });
}

/// A full channel of three tokens, one of which is to be sent.
fn full() -> (Sender<Token>, Receiver<Token>, Ledger) {
    let ledger = Ledger::new(3);
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), ledger.token(0)).unwrap();
    (tx, rx, ledger)
}

#[test]
fn a_send_whose_waker_cannot_be_cloned_keeps_its_item_and_its_place() {
    for_each(|when, then| {
        let (tx, rx, ledger) = full();
        let mut send = Box::pin(tx.send(b(0), ledger.token(1)));
        if let When::Again = when {
            let (first, _) = counting_waker();
            assert!(poll(send.as_mut(), &first).is_pending());
        }
        poll_panics(send.as_mut());
        ledger.assert_none_dropped();
        let (waker, count) = counting_waker();
        match then {
            Then::PollAgain => {
                assert!(poll(send.as_mut(), &waker).is_pending());
                let mut behind = Task::waiting(tx.send(b(0), ledger.token(2)));
                assert_eq!(rx.try_recv().unwrap().1.id(), 0);
                assert_eq!(count.get(), 1);
                assert!(matches!(poll(send.as_mut(), &waker), Poll::Ready(Ok(()))));
                assert_eq!(rx.try_recv().unwrap().1.id(), 1);
                assert!(behind.woken());
                assert!(behind.ready().is_ok());
            }
            Then::Drop => {
                let mut behind = Task::waiting(tx.send(b(0), ledger.token(2)));
                calm(|| drop(send));
                assert_eq!(ledger.drops(1), 1);
                assert_eq!(rx.try_recv().unwrap().1.id(), 0);
                assert!(behind.woken());
                assert!(behind.ready().is_ok());
            }
        }
        assert!(tx.is_full());
        assert_eq!(rx.try_recv().unwrap().1.id(), 2);
        let permit = tx.try_reserve(b(0)).unwrap();
        assert!(tx.is_full());
        drop(permit);
        ledger.assert_each_dropped_once();
    });
}

#[test]
fn a_reserve_or_a_batch_whose_waker_cannot_be_cloned_takes_no_unit_and_no_item() {
    ends("reserve and send_many", || {
        let (tx, rx) = bounded(1, 1);
        tx.try_send(b(0), 0).unwrap();
        let mut reserve = Box::pin(tx.reserve(b(0)));
        poll_panics(reserve.as_mut());
        let mut batch = Box::pin(tx.send_many(b(0), [1, 2]));
        poll_panics(batch.as_mut());
        assert_eq!(rx.try_recv(), Ok((b(0), 0)));
        let (waker, count) = counting_waker();
        let permit = match poll(reserve.as_mut(), &waker) {
            Poll::Ready(permit) => permit.unwrap(),
            Poll::Pending => panic!("there is room"),
        };
        assert!(poll(batch.as_mut(), &waker).is_pending());
        drop(permit);
        assert_eq!(count.get(), 1);
        assert!(poll(batch.as_mut(), &waker).is_pending()); // the second waits
        assert_eq!(rx.try_recv(), Ok((b(0), 1)));
        assert_eq!(count.get(), 2);
        assert_eq!(poll(batch.as_mut(), &waker), Poll::Ready(Ok(2)));
        assert_eq!(rx.try_recv(), Ok((b(0), 2)));
    });
}

#[test]
fn closed_whose_waker_cannot_be_cloned_can_be_polled_again() {
    for_each(|when, then| {
        let (tx, rx) = bounded::<u32>(1, 1);
        let mut closed = Box::pin(rx.closed());
        if let When::Again = when {
            let (first, _) = counting_waker();
            assert!(poll(closed.as_mut(), &first).is_pending());
        }
        poll_panics(closed.as_mut());
        let behind = Task::waiting(tx.closed());
        let (waker, count) = counting_waker();
        match then {
            Then::PollAgain => {
                assert!(poll(closed.as_mut(), &waker).is_pending());
                tx.close();
                assert_eq!(count.get(), 1);
                assert!(poll(closed.as_mut(), &waker).is_ready());
            }
            Then::Drop => {
                calm(|| drop(closed));
                tx.close();
            }
        }
        assert!(behind.woken());
    });
}
