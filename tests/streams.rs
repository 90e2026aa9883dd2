//! Promise 5 and `FusedStream`: when a stream is terminated, and what a stream that is kept without
//! being polled costs the others.

mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bandq::{Receiver, RecvError, TryRecvError, bounded, unbounded};
use futures::stream::FusedStream;
use futures::{StreamExt, select};
use futures_core::Stream;
use futures_lite::future::block_on;
use support::hand::{Count, poll_stream};
use support::{Task, b, counting_waker, ends};

// When a stream is terminated.

#[test]
fn a_stream_is_terminated_only_once_it_has_returned_none() {
    let (tx, mut rx) = unbounded(1);
    let (waker, _) = counting_waker();
    assert!(!rx.is_terminated());
    tx.try_send(b(0), 1).unwrap();
    tx.close();
    assert!(!rx.is_terminated(), "closed, with an item inside");
    assert_eq!(poll_stream(&mut rx, &waker), Poll::Ready(Some((b(0), 1))));
    assert!(!rx.is_terminated(), "closed and empty, not yet told");
    assert_eq!(poll_stream(&mut rx, &waker), Poll::Ready(None));
    assert!(rx.is_terminated());
    assert_eq!(poll_stream(&mut rx, &waker), Poll::Ready(None));
    assert!(rx.is_terminated());
}

#[test]
fn a_channel_closed_and_emptied_by_others_terminates_no_stream() {
    let (tx, rx) = unbounded(1);
    let (waker, _) = counting_waker();
    let mut stream = rx.clone();
    let mut fresh = rx.clone();
    assert!(poll_stream(&mut stream, &waker).is_pending());
    tx.try_send(b(0), 1).unwrap();
    drop(tx);
    rx.try_recv().unwrap();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(block_on(rx.recv()), Err(RecvError));
    assert_eq!(rx.recv_blocking(), Err(RecvError));
    assert!(!stream.is_terminated() && !fresh.is_terminated() && !rx.is_terminated());
    assert_eq!(poll_stream(&mut stream, &waker), Poll::Ready(None));
    assert!(stream.is_terminated());
    assert!(!fresh.is_terminated() && !rx.is_terminated());
    assert_eq!(poll_stream(&mut fresh, &waker), Poll::Ready(None));
    assert!(fresh.is_terminated());
}

#[test]
fn a_clone_of_a_terminated_stream_starts_fresh() {
    let (tx, mut rx) = unbounded::<u8>(1);
    drop(tx);
    assert_eq!(block_on(rx.next()), None);
    assert!(rx.is_terminated());
    let mut clone = rx.clone();
    assert!(!clone.is_terminated());
    let mut upgraded = rx.downgrade().upgrade().unwrap();
    assert!(!upgraded.is_terminated());
    assert_eq!(block_on(clone.next()), None);
    assert_eq!(block_on(upgraded.next()), None);
    assert!(clone.is_terminated() && upgraded.is_terminated());
}

// `select!` skips a stream that is terminated: then its `None` is never seen.

#[test]
fn select_over_next_ends_and_sees_every_item() {
    ends("select! over next()", || {
        let (tx, mut rx) = unbounded(2);
        let (_never, mut other) = unbounded::<()>(1);
        for n in 0..10 {
            tx.try_send(b((n % 2) as u8), n).unwrap();
        }
        drop(tx);
        let mut got = Vec::new();
        block_on(async {
            loop {
                select! {
                    item = rx.next() => match item {
                        Some((_, n)) => got.push(n),
                        None => break,
                    },
                    _ = other.next() => unreachable!(),
                }
            }
        });
        assert_eq!(got, [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]);
    });
}

#[test]
fn select_ends_when_somebody_else_takes_the_last_item() {
    ends("select! beside another receiver", || {
        let (tx, mut rx) = bounded(1, 4);
        let (_never, mut other) = unbounded::<()>(1);
        let rival = rx.clone();
        tx.try_send(b(0), 1).unwrap();
        tx.try_send(b(0), 2).unwrap();
        drop(tx);
        let mut got = Vec::new();
        block_on(async {
            loop {
                select! {
                    item = rx.next() => match item {
                        Some((_, n)) => {
                            got.push(n);
                            got.push(rival.try_recv().unwrap().1);
                        }
                        None => break,
                    },
                    _ = other.next() => unreachable!(),
                }
            }
        });
        assert_eq!(got, [1, 2]);
    });
}

#[test]
fn select_over_two_channels_completes_when_both_have_ended() {
    ends("select! with complete", || {
        let (first, mut firsts) = unbounded(1);
        let (second, mut seconds) = unbounded(1);
        for n in 0..5 {
            first.try_send(b(0), n).unwrap();
            second.try_send(b(0), 10 + n).unwrap();
        }
        drop((first, second));
        let (mut got, mut ends) = (Vec::new(), 0);
        block_on(async {
            loop {
                select! {
                    item = firsts.next() => match item {
                        Some((_, n)) => got.push(n),
                        None => ends += 1,
                    },
                    item = seconds.next() => match item {
                        Some((_, n)) => got.push(n),
                        None => ends += 1,
                    },
                    complete => break,
                }
            }
        });
        got.sort();
        assert_eq!(got, [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
        assert_eq!(ends, 2, "each stream says once that it has ended");
    });
}

// A stream whose `next()` was cancelled.

/// Polls `next()` once, drops the future, and keeps the receiver.
fn cancelled(rx: &Receiver<u32>) -> Receiver<u32> {
    let mut stream = rx.clone();
    assert!(Task::new(stream.next()).poll().is_pending());
    stream
}

/// A stream that is polled whenever it was woken, and only then.
struct Waiting {
    stream: Receiver<u32>,
    waker: Waker,
    count: Arc<Count>,
    seen: usize,
}

impl Waiting {
    #[track_caller]
    fn new(rx: &Receiver<u32>) -> Self {
        let (waker, count) = counting_waker();
        let mut waiting = Waiting {
            stream: rx.clone(),
            waker,
            count,
            seen: 0,
        };
        assert!(waiting.poll().is_pending());
        waiting
    }

    fn woken(&self) -> bool {
        self.count.get() > self.seen
    }

    fn poll(&mut self) -> Poll<Option<(bandq::Band, u32)>> {
        self.seen = self.count.get();
        Pin::new(&mut self.stream).poll_next(&mut Context::from_waker(&self.waker))
    }

    /// All that it gets, being polled only when it was woken.
    fn settle(&mut self) -> Vec<u32> {
        let mut got = Vec::new();
        while self.woken() {
            while let Poll::Ready(Some((_, n))) = self.poll() {
                got.push(n);
            }
        }
        got
    }
}

#[test]
fn a_stream_whose_next_was_cancelled_holds_back_no_item_from_one_that_waits() {
    for before in 0..4 {
        for after in 0..3 {
            let (tx, rx) = unbounded(1);
            let _before: Vec<_> = (0..before).map(|_| cancelled(&rx)).collect();
            let mut waiting = Waiting::new(&rx);
            let _after: Vec<_> = (0..after).map(|_| cancelled(&rx)).collect();
            for n in 0..8 {
                tx.try_send(b(0), n).unwrap();
                assert!(
                    waiting.woken(),
                    "item {n}, cancelled {before} before and {after} after"
                );
                assert_eq!(waiting.settle(), [n]);
            }
        }
    }
}

#[test]
fn cancelled_streams_hold_back_no_item_from_several_that_wait() {
    let (tx, rx) = unbounded(1);
    let _first = cancelled(&rx);
    let mut waiting = vec![Waiting::new(&rx)];
    let _second = cancelled(&rx);
    waiting.push(Waiting::new(&rx));
    waiting.push(Waiting::new(&rx));
    let _third = cancelled(&rx);
    for round in 0..5 {
        // As many items as there are streams, before any of them looks.
        for n in 0..3 {
            tx.try_send(b(0), 3 * round + n).unwrap();
        }
        assert!(waiting.iter().all(|stream| stream.woken()));
        // Each takes one, as a worker would that is busy with it from then on.
        for stream in &mut waiting {
            assert!(matches!(stream.poll(), Poll::Ready(Some(_))));
        }
        assert!(rx.is_empty());
        for stream in &mut waiting {
            assert!(stream.poll().is_pending());
        }
    }
}

#[test]
fn a_cancelled_stream_holds_back_no_item_from_a_stream_beside_a_recv() {
    for recv_first in [false, true] {
        let (tx, rx) = unbounded(1);
        let _first = cancelled(&rx);
        let mut recv = None;
        if recv_first {
            recv = Some(Task::waiting(rx.recv()));
        }
        let mut waiting = Waiting::new(&rx);
        let _second = cancelled(&rx);
        let mut recv = recv.unwrap_or_else(|| Task::waiting(rx.recv()));
        // The `recv` is told of the first, and does not look; the stream is told as well.
        tx.try_send(b(0), 1).unwrap();
        assert!(recv.woken() && waiting.woken());
        assert_eq!(waiting.settle(), [1]);
        tx.try_send(b(0), 2).unwrap();
        assert_eq!(waiting.settle(), [2]);
        tx.try_send(b(0), 3).unwrap();
        assert_eq!(recv.ready(), Ok((b(0), 3)));
    }
}

#[test]
fn cancelled_streams_take_no_wake_from_a_recv() {
    let (tx, rx) = unbounded(1);
    let _streams: Vec<_> = (0..3).map(|_| cancelled(&rx)).collect();
    for n in 0..8 {
        let mut recv = Task::waiting(rx.recv());
        tx.try_send(b(0), n).unwrap();
        assert!(recv.woken());
        assert_eq!(recv.ready(), Ok((b(0), n)));
    }
}

#[test]
fn a_cancelled_stream_that_is_polled_again_waits_as_any_other() {
    let (tx, rx) = unbounded(1);
    let mut stream = cancelled(&rx);
    let (waker, count) = counting_waker();
    assert!(poll_stream(&mut stream, &waker).is_pending());
    tx.try_send(b(0), 1).unwrap();
    assert_eq!(count.get(), 1);
    assert_eq!(
        poll_stream(&mut stream, &waker),
        Poll::Ready(Some((b(0), 1)))
    );
    // Cancelled after a wake, and then dropped: another stream waits, and gets what comes.
    assert!(poll_stream(&mut stream, &waker).is_pending());
    let mut other = Waiting::new(&rx);
    tx.try_send(b(0), 2).unwrap();
    drop(stream);
    assert_eq!(other.settle(), [2]);
}

#[test]
fn a_waiting_stream_is_woken_for_each_of_many_items() {
    let (tx, rx) = bounded(2, 1);
    let mut waiting = Waiting::new(&rx);
    for n in 0..10_000 {
        tx.try_send(b((n % 2) as u8), n).unwrap();
        assert!(waiting.woken(), "item {n}");
        assert_eq!(waiting.settle(), [n]);
    }
}
