//! flume: no priority; a lock around a deque.

use flume::{Receiver, Sender};

use crate::queue::{AsyncQueue, Kind, Peer, Queue};

/// One channel.
#[derive(Debug)]
pub struct Flume {
    sender: Sender<u64>,
    receiver: Receiver<u64>,
}

impl Queue for Flume {
    const PEER: Peer = Peer::new("flume", Kind::Plain);
    type Scratch = ();

    fn new(_: usize) -> Self {
        let (sender, receiver) = flume::unbounded();
        Flume { sender, receiver }
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

impl AsyncQueue for Flume {
    const PEER: Peer = <Flume as Queue>::PEER;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn channel(_: usize, capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => flume::bounded(capacity),
            None => flume::unbounded(),
        }
    }

    #[inline]
    async fn send(sender: &Self::Sender, _: u8, item: u64) {
        sender.send_async(item).await.expect("the channel is open");
    }

    #[inline]
    async fn recv(receiver: &Self::Receiver) -> Option<u64> {
        receiver.recv_async().await.ok()
    }
}
