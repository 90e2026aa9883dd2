//! Streams beside receives.

use std::sync::Arc;
use std::task::Poll;

use bandq::unbounded;

use crate::support::hand::{self, poll_stream, settle};
use crate::support::{Task, b, counting_waker};

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

/// All of them: nobody knows which of them is still polled.
#[test]
fn every_waiting_stream_is_woken_for_an_item() {
    let (tx, rx) = unbounded(1);
    let mut streams: Vec<_> = (0..3).map(|_| (rx.clone(), counting_waker())).collect();
    for (stream, (waker, _)) in &mut streams {
        assert!(poll_stream(stream, waker).is_pending());
    }
    let counts = |streams: &[(_, (_, Arc<hand::Count>))]| {
        streams.iter().map(|s| s.1.1.get()).collect::<Vec<_>>()
    };
    tx.try_send(b(0), 7).unwrap();
    assert_eq!(counts(&streams), [1, 1, 1]);
    // Woken, and not polled since: nobody waits.
    tx.try_send(b(0), 8).unwrap();
    assert_eq!(counts(&streams), [1, 1, 1]);
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
