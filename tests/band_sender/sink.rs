//! The sink: `poll_ready` takes a unit of room, `start_send` uses it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bandq::{BandSender, SendError, bounded, unbounded};
use futures::{Sink, SinkExt, StreamExt, stream};
use futures_lite::future::{block_on, zip};

use crate::support::{Ledger, Task, b, counting_waker, ends};

type Outcome<T> = Result<(), SendError<Option<T>>>;

fn ready<T>(sink: &mut BandSender<T>, waker: &Waker) -> Poll<Outcome<T>> {
    Pin::new(sink).poll_ready(&mut Context::from_waker(waker))
}

fn start<T>(sink: &mut BandSender<T>, item: T) -> Outcome<T> {
    Pin::new(sink).start_send(item)
}

#[test]
fn ready_takes_one_unit_and_an_item_uses_it() {
    let (tx, rx) = bounded(2, 2);
    let mut sink = tx.to(b(1)).unwrap();
    for left in [1, 0] {
        for _ in 0..2 {
            let again = ready(&mut sink, Waker::noop());
            assert_eq!(again, Poll::Ready(Ok(())), "ready until it is used");
            assert_eq!(tx.available(), Some(left), "one unit, once");
        }
        start(&mut sink, 'x').unwrap();
        assert_eq!((tx.available(), rx.len()), (Some(left), 2 - left));
    }
    assert!(ready(&mut sink, Waker::noop()).is_pending());
    assert_eq!(rx.try_recv(), Ok((b(1), 'x')));
}

#[test]
fn an_item_is_in_the_channel_before_the_flush() {
    let (tx, rx) = unbounded(1);
    let mut sink = tx.to(b(0)).unwrap();
    block_on(sink.feed(1)).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    block_on(sink.flush()).unwrap();
}

#[test]
fn a_full_channel_is_waited_for_with_the_last_waker() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut sink = tx.to(b(0)).unwrap();
    let (first, firsts) = counting_waker();
    let (second, seconds) = counting_waker();
    assert!(ready(&mut sink, &first).is_pending());
    assert!(ready(&mut sink, &second).is_pending());
    rx.try_recv().unwrap();
    assert_eq!((firsts.get(), seconds.get()), (0, 1));
    assert_eq!(ready(&mut sink, &second), Poll::Ready(Ok(())));
    assert_eq!(tx.available(), Some(0));
}

#[test]
fn a_sink_that_is_dropped_gives_its_unit_back_and_wakes_a_sender() {
    let (tx, _rx) = bounded(1, 1);
    let mut sink = tx.to(b(0)).unwrap();
    assert!(ready(&mut sink, Waker::noop()).is_ready());
    let mut send = Task::waiting(tx.send(b(0), 1));
    drop(sink);
    assert!(send.woken());
    send.ready().unwrap();
}

#[test]
fn a_woken_sink_holds_no_wake_from_a_send() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut sink = tx.to(b(0)).unwrap();
    let (waker, wakes) = counting_waker();
    assert!(ready(&mut sink, &waker).is_pending());
    let mut send = Task::waiting(tx.send(b(0), 1));
    rx.try_recv().unwrap();
    assert!(wakes.get() == 1 && send.woken());
    send.ready().unwrap();
    drop(sink);
}

#[test]
fn a_sink_that_is_closed_gives_its_unit_back_and_closes_no_channel() {
    let (tx, rx) = bounded(1, 1);
    let mut sink = tx.to(b(0)).unwrap();
    assert!(ready(&mut sink, Waker::noop()).is_ready());
    let mut send = Task::waiting(tx.send(b(0), 1));
    block_on(SinkExt::close(&mut sink)).unwrap();
    assert!(send.woken() && !rx.is_closed());
    send.ready().unwrap();
    rx.try_recv().unwrap();
    block_on(SinkExt::send(&mut sink, 2)).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 2)), "it may be used again");
}

#[test]
fn a_clone_of_a_ready_sink_has_no_unit() {
    let (tx, _rx) = bounded(1, 2);
    let mut sink = tx.to(b(0)).unwrap();
    assert!(ready(&mut sink, Waker::noop()).is_ready());
    let mut clone = sink.clone();
    assert_eq!(tx.available(), Some(1));
    let unready = catch_unwind(AssertUnwindSafe(|| start(&mut clone, 1)));
    assert!(unready.is_err());
    assert!(ready(&mut clone, Waker::noop()).is_ready());
    assert_eq!(tx.available(), Some(0));
    drop(clone);
    assert_eq!(tx.available(), Some(1));
    start(&mut sink, 1).unwrap();
    assert_eq!(tx.available(), Some(1));
}

#[test]
fn an_item_without_ready_panics_and_sends_nothing() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(1, 4);
    let mut sink = tx.to(b(0)).unwrap();
    let fresh = catch_unwind(AssertUnwindSafe(|| start(&mut sink, ledger.token(0))));
    assert!(fresh.is_err());
    assert!(ready(&mut sink, Waker::noop()).is_ready());
    start(&mut sink, ledger.token(1)).unwrap();
    let used = catch_unwind(AssertUnwindSafe(|| start(&mut sink, ledger.token(0))));
    assert!(used.is_err());
    assert_eq!((rx.len(), tx.available()), (1, Some(3)));
    assert_eq!((ledger.drops(0), ledger.drops(1)), (2, 0));
}

#[test]
fn a_closed_channel_gives_the_item_and_the_unit_back() {
    let (tx, rx) = bounded(1, 2);
    let mut sink = tx.to(b(0)).unwrap();
    assert!(ready(&mut sink, Waker::noop()).is_ready());
    rx.close();
    let refused = start(&mut sink, "item").unwrap_err();
    assert_eq!(refused, SendError::Closed(Some("item")));
    assert_eq!(tx.available(), Some(2));
    let closed = Poll::Ready(Err(SendError::Closed(None)));
    assert_eq!(
        ready(&mut sink, Waker::noop()),
        closed,
        "no item in hand yet"
    );
    assert_eq!(ready(&mut sink, Waker::noop()), closed, "as often as asked");
    block_on(sink.flush()).unwrap();
    block_on(SinkExt::close(&mut sink)).unwrap();
}

#[test]
fn a_close_wakes_a_sink_that_waits() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut sink = tx.to(b(0)).unwrap();
    let (waker, wakes) = counting_waker();
    assert!(ready(&mut sink, &waker).is_pending());
    rx.close();
    assert_eq!(wakes.get(), 1);
    let closed = Poll::Ready(Err(SendError::Closed(None)));
    assert_eq!(ready(&mut sink, &waker), closed);
}

#[test]
fn send_all_and_forward_bring_every_item_in_order_through_a_small_channel() {
    ends("send_all and forward", || {
        let (tx, rx) = bounded(2, 1);
        let mut all = tx.to(b(0)).unwrap();
        let forward = tx.to(b(1)).unwrap();
        drop(tx);
        let senders = async {
            let mut items = stream::iter(0..300).map(Ok);
            zip(
                async {
                    all.send_all(&mut items).await.unwrap();
                    drop(all);
                },
                async { stream::iter(0..300).map(Ok).forward(forward).await.unwrap() },
            )
            .await
        };
        let receiver = rx.clone();
        let receive = async {
            let mut got = [Vec::new(), Vec::new()];
            while let Ok((band, n)) = receiver.recv().await {
                got[band.index()].push(n);
            }
            got
        };
        let (_, got) = block_on(zip(senders, receive));
        assert!(got.iter().all(|items| items.iter().copied().eq(0..300)));
        assert_eq!(rx.available(), Some(1));
    });
}
