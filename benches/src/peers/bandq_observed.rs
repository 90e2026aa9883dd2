//! bandq's channel, observed: what does it cost to see?

use bandq::{Band, Builder, Receiver, Sender};

use crate::queue::{Kind, Peer, Queue};

/// A channel without a bound that is observed.
#[derive(Debug)]
pub struct BandqObserved(Sender<u64>, Receiver<u64>);

impl Queue for BandqObserved {
    const PEER: Peer = Peer::new("bandq, observed", Kind::Ours);
    type Scratch = ();

    fn new(bands: usize) -> Self {
        let (sender, receiver) = Builder::new(bands)
            .observe()
            .build()
            .expect("a number of bands");
        BandqObserved(sender, receiver)
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        self.0
            .try_send(Band::new(band), item)
            .expect("the channel is open");
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.1.try_recv().ok().map(|(_, item)| item)
    }
}
