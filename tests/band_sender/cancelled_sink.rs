//! A sink that waited and is not polled any more. Nobody is told, so it must not stand before
//! those who do wait for room.

use std::pin::Pin;
use std::task::{Context, Waker};

use bandq::bounded;
use futures::{Sink, SinkExt};
use futures_lite::future::block_on;

use crate::support::{Task, b};

#[test]
fn a_sink_whose_send_was_cancelled_holds_back_no_sender() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut sink = tx.to(b(0)).unwrap();
    drop(Task::waiting(SinkExt::send(&mut sink, 1)));
    let mut send = Task::waiting(tx.send(b(0), 2));
    rx.try_recv().unwrap();
    assert!(send.woken(), "room is free, and the one who waits sleeps");
    send.ready().unwrap();
}

#[test]
fn a_sink_whose_send_was_cancelled_holds_back_no_sink() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let (mut cancelled, mut sink) = (tx.to(b(0)).unwrap(), tx.to(b(0)).unwrap());
    drop(Task::waiting(SinkExt::send(&mut cancelled, 1)));
    let mut send = Task::waiting(SinkExt::send(&mut sink, 2));
    rx.try_recv().unwrap();
    assert!(send.woken(), "room is free, and the one who waits sleeps");
    send.ready().unwrap();
}

#[test]
fn a_sink_that_was_closed_while_it_waited_holds_back_no_sender() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut sink = tx.to(b(0)).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut sink).poll_ready(&mut context).is_pending());
    block_on(SinkExt::close(&mut sink)).unwrap();
    let mut send = Task::waiting(tx.send(b(0), 2));
    rx.try_recv().unwrap();
    assert!(send.woken(), "room is free, and the one who waits sleeps");
    send.ready().unwrap();
}
