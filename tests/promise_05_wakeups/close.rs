//! A close wakes everybody.

use std::task::Poll;

use bandq::{SendError, bounded};
use futures_core::FusedStream;

use crate::support::hand::{poll_stream, woken};
use crate::support::{Task, b, counting_waker};

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
