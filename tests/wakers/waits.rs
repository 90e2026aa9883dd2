//! The ways to wait at a channel, each as a future that owns its handle.

use std::future::{Future, poll_fn};
use std::pin::Pin;

use bandq::{Receiver, Sender};
use futures_core::Stream;

use crate::support::b;

/// Waits once, and ends.
pub(crate) type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A way to wait for an item.
pub(crate) type ItemWait = fn(Receiver<u32>) -> Wait;

/// A way to wait for room.
pub(crate) type RoomWait = fn(Sender<u32>) -> Wait;

pub(crate) const FOR_ITEMS: [(&str, ItemWait); 3] = [
    ("recv", |rx| {
        Box::pin(async move {
            let _ = rx.recv().await;
        })
    }),
    ("stream", |mut rx| {
        Box::pin(async move {
            let _ = poll_fn(|context| Pin::new(&mut rx).poll_next(context)).await;
        })
    }),
    ("recv_many", |rx| {
        Box::pin(async move {
            let mut out = Vec::new();
            let _ = rx.recv_many(&mut out, 2).await;
        })
    }),
];

pub(crate) const FOR_ROOM: [(&str, RoomWait); 3] = [
    ("send", |tx| {
        Box::pin(async move {
            let _ = tx.send(b(0), 100).await;
        })
    }),
    ("send_many", |tx| {
        Box::pin(async move {
            let _ = tx.send_many(b(0), [101, 102]).await;
        })
    }),
    ("reserve", |tx| {
        Box::pin(async move {
            let _ = tx.reserve(b(0)).await.map(drop);
        })
    }),
];

pub(crate) fn closed_of_sender(tx: Sender<u32>) -> Wait {
    Box::pin(async move { tx.closed().await })
}

pub(crate) fn closed_of_receiver(rx: Receiver<u32>) -> Wait {
    Box::pin(async move { rx.closed().await })
}
