//! `crossbeam_queue::SegQueue`: no priority, and the queue whose speed bandq wants to match.

use crossbeam_queue::SegQueue;

use crate::queue::{Kind, Peer, Queue};

/// One lock-free FIFO.
#[derive(Debug)]
pub struct PlainSegQueue(SegQueue<u64>);

impl Queue for PlainSegQueue {
    const PEER: Peer = Peer::new("SegQueue", Kind::Plain);
    type Scratch = ();

    fn new(_: usize) -> Self {
        PlainSegQueue(SegQueue::new())
    }

    #[inline]
    fn push(&self, _: u8, item: u64) {
        self.0.push(item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.0.pop()
    }
}
