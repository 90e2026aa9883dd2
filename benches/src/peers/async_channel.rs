//! `async-channel`: no priority; the interface that bandq follows.

use async_channel::{Receiver, Sender};

use crate::queue::{AsyncQueue, Kind, Peer, Queue};

/// One channel.
#[derive(Debug)]
pub struct AsyncChannel {
    sender: Sender<u64>,
    receiver: Receiver<u64>,
}

impl Queue for AsyncChannel {
    const PEER: Peer = Peer::new("async-channel", Kind::Plain);
    type Scratch = ();

    fn new(_: usize) -> Self {
        let (sender, receiver) = async_channel::unbounded();
        AsyncChannel { sender, receiver }
    }

    #[inline]
    fn push(&self, _: u8, item: u64) {
        self.sender.try_send(item).expect("unbounded and open");
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.receiver.try_recv().ok()
    }
}

impl AsyncQueue for AsyncChannel {
    const PEER: Peer = <AsyncChannel as Queue>::PEER;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn channel(_: usize, capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => async_channel::bounded(capacity),
            None => async_channel::unbounded(),
        }
    }

    #[inline]
    async fn send(sender: &Self::Sender, _: u8, item: u64) {
        sender.send(item).await.expect("the channel is open");
    }

    #[inline]
    async fn recv(receiver: &Self::Receiver) -> Option<u64> {
        receiver.recv().await.ok()
    }
}
