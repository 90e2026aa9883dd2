//! kanal: no priority; the fastest async channel, so the one to match. A spinning lock around a
//! deque, and items handed straight to a waiting receiver.

use kanal::{AsyncReceiver, AsyncSender, Receiver, Sender};

use crate::queue::{AsyncQueue, Kind, Peer, Queue};

/// One channel.
#[derive(Debug)]
pub struct Kanal {
    sender: Sender<u64>,
    receiver: Receiver<u64>,
}

impl Queue for Kanal {
    const PEER: Peer = Peer::new("kanal", Kind::Plain);
    type Scratch = ();

    fn new(_: usize) -> Self {
        let (sender, receiver) = kanal::unbounded();
        Kanal { sender, receiver }
    }

    #[inline]
    fn push(&self, _: u8, item: u64) {
        let sent = self.sender.try_send(item);
        assert!(matches!(sent, Ok(true)), "unbounded and open");
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.receiver.try_recv().expect("the channel is open")
    }
}

impl AsyncQueue for Kanal {
    const PEER: Peer = <Kanal as Queue>::PEER;
    type Sender = AsyncSender<u64>;
    type Receiver = AsyncReceiver<u64>;

    fn channel(_: usize, capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => kanal::bounded_async(capacity),
            None => kanal::unbounded_async(),
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
