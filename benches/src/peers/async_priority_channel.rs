//! `async-priority-channel`: a heap behind a lock, with futures; the only published async priority
//! channel. It does not keep the order of items of one priority.

use std::cmp::Reverse;
use std::ops::Range;

use async_priority_channel::{Receiver, Sender};

use crate::queue::{AsyncQueue, Kind, Peer, Queue};

type Urgency = Reverse<u8>;

/// One channel.
#[derive(Debug)]
pub struct AsyncPriorityChannel {
    sender: Sender<u64, Urgency>,
    receiver: Receiver<u64, Urgency>,
}

impl Queue for AsyncPriorityChannel {
    const PEER: Peer = Peer::new("async-priority-channel", Kind::Priority);
    type Scratch = ();

    fn new(_: usize) -> Self {
        let (sender, receiver) = async_priority_channel::unbounded();
        AsyncPriorityChannel { sender, receiver }
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        let sent = self.sender.try_send(item, Reverse(band));
        assert!(sent.is_ok(), "unbounded and open");
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.receiver.try_recv().ok().map(|(item, _)| item)
    }

    #[inline]
    fn push_many(&self, band: u8, items: Range<u64>) {
        let sent = self
            .sender
            .try_sendv(items.map(|item| (item, Reverse(band))).peekable());
        assert!(sent.is_ok(), "unbounded and open");
    }
}

impl AsyncQueue for AsyncPriorityChannel {
    const PEER: Peer = <AsyncPriorityChannel as Queue>::PEER;
    type Sender = Sender<u64, Urgency>;
    type Receiver = Receiver<u64, Urgency>;

    fn channel(_: usize, capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => async_priority_channel::bounded(capacity as u64),
            None => async_priority_channel::unbounded(),
        }
    }

    #[inline]
    async fn send(sender: &Self::Sender, band: u8, item: u64) {
        let sent = sender.send(item, Reverse(band)).await;
        assert!(sent.is_ok(), "the channel is open");
    }

    #[inline]
    async fn recv(receiver: &Self::Receiver) -> Option<u64> {
        receiver.recv().await.ok().map(|(item, _)| item)
    }
}
