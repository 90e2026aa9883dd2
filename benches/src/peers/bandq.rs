//! bandq itself: `BandQueue` where nobody waits, the channel where somebody does.

use std::ops::Range;

use bandq::{Band, BandQueue};

use crate::queue::{AsyncQueue, Kind, Peer, Queue};

/// bandq.
#[derive(Debug)]
pub struct Bandq(BandQueue<u64>);

impl Queue for Bandq {
    const PEER: Peer = Peer::new("bandq", Kind::Ours);
    type Scratch = Vec<(Band, u64)>;

    fn new(bands: usize) -> Self {
        Bandq(BandQueue::new(bands))
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        self.0
            .push(Band::new(band), item)
            .expect("the band is there");
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.0.pop().map(|(_, item)| item)
    }

    #[inline]
    fn push_many(&self, band: u8, items: Range<u64>) {
        self.0
            .push_many(Band::new(band), items)
            .expect("the band is there");
    }

    #[inline]
    fn pop_many(
        &self,
        scratch: &mut Self::Scratch,
        limit: usize,
        mut take: impl FnMut(u64),
    ) -> usize {
        let taken = self.0.pop_many(scratch, limit);
        scratch.drain(..).for_each(|(_, item)| take(item));
        taken
    }
}

impl AsyncQueue for Bandq {
    const PEER: Peer = <Bandq as Queue>::PEER;
    type Sender = bandq::Sender<u64>;
    type Receiver = bandq::Receiver<u64>;

    fn channel(bands: usize, capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => bandq::bounded(bands, capacity),
            None => bandq::unbounded(bands),
        }
    }

    #[inline]
    async fn send(sender: &Self::Sender, band: u8, item: u64) {
        sender
            .send(Band::new(band), item)
            .await
            .expect("the channel is open");
    }

    #[inline]
    async fn recv(receiver: &Self::Receiver) -> Option<u64> {
        receiver.recv().await.ok().map(|(_, item)| item)
    }
}
