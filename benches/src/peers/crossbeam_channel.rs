//! `crossbeam-channel`: no priority, threads only.

use crossbeam_channel::{Receiver, Sender};

use crate::queue::{Kind, Peer, Queue};

/// One channel, unbounded.
#[derive(Debug)]
pub struct CrossbeamChannel {
    sender: Sender<u64>,
    receiver: Receiver<u64>,
}

impl Queue for CrossbeamChannel {
    const PEER: Peer = Peer::new("crossbeam-channel", Kind::Plain);
    type Scratch = ();

    fn new(_: usize) -> Self {
        let (sender, receiver) = crossbeam_channel::unbounded();
        CrossbeamChannel { sender, receiver }
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
