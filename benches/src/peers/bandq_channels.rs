//! bandq's channel without waiting, bounded or not: what does the bound cost?

use bandq::{Band, Receiver, Sender};

use crate::queue::{AsyncQueue, Kind, Peer, Queue};

/// A channel with room for that many items, or without a bound. Who finds it full yields.
#[derive(Debug)]
pub struct BandqChannel<const CAPACITY: usize>(Sender<u64>, Receiver<u64>);

/// Without a bound.
pub const UNBOUNDED: usize = 0;

/// With a bound that nobody ever reaches: what the counting costs, and not the waiting.
pub const NEVER_FULL: usize = 1 << 40;

fn channel<const CAPACITY: usize>(bands: usize) -> (Sender<u64>, Receiver<u64>) {
    match CAPACITY {
        UNBOUNDED => bandq::unbounded(bands),
        capacity => bandq::bounded(bands, capacity),
    }
}

const fn peer<const CAPACITY: usize>() -> Peer {
    let name = match CAPACITY {
        UNBOUNDED => "bandq, unbounded",
        NEVER_FULL => "bandq, never full",
        _ => "bandq, bounded",
    };
    Peer::new(name, Kind::Ours)
}

impl<const CAPACITY: usize> Queue for BandqChannel<CAPACITY> {
    const PEER: Peer = peer::<CAPACITY>();
    type Scratch = ();

    fn new(bands: usize) -> Self {
        let (sender, receiver) = channel::<CAPACITY>(bands);
        BandqChannel(sender, receiver)
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        while self.0.try_send(Band::new(band), item).is_err() {
            std::thread::yield_now();
        }
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.1.try_recv().ok().map(|(_, item)| item)
    }
}

impl<const CAPACITY: usize> AsyncQueue for BandqChannel<CAPACITY> {
    const PEER: Peer = peer::<CAPACITY>();
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    /// With its own capacity, whatever is asked for.
    fn channel(bands: usize, _: Option<usize>) -> (Sender<u64>, Receiver<u64>) {
        channel::<CAPACITY>(bands)
    }

    #[inline]
    async fn send(sender: &Sender<u64>, band: u8, item: u64) {
        let sending = sender.send(Band::new(band), item);
        sending.await.expect("the channel is open");
    }

    #[inline]
    async fn recv(receiver: &Receiver<u64>) -> Option<u64> {
        receiver.recv().await.ok().map(|(_, item)| item)
    }
}
