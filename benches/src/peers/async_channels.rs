//! One `async-channel` a band, asked in order of urgency: what people write today in async code.
//! The receiving task does it with a biased `select!`, a polling thread with `try_recv`.

use async_channel::{Receiver, Sender};

use crate::queue::{AsyncQueue, Kind, Peer, Queue};

/// The bands that the `select!` below is written for.
const BANDS: usize = 8;

/// A channel a band.
#[derive(Debug)]
pub struct AsyncChannels(Box<[(Sender<u64>, Receiver<u64>)]>);

impl Queue for AsyncChannels {
    const PEER: Peer = Peer::new("N async-channel, biased", Kind::Priority);
    type Scratch = ();

    fn new(bands: usize) -> Self {
        AsyncChannels((0..bands).map(|_| async_channel::unbounded()).collect())
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        let (sender, _) = &self.0[usize::from(band)];
        sender.try_send(item).expect("unbounded and open");
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.0
            .iter()
            .find_map(|(_, receiver)| receiver.try_recv().ok())
    }
}

impl AsyncQueue for AsyncChannels {
    const PEER: Peer = <AsyncChannels as Queue>::PEER;
    type Sender = [Sender<u64>; BANDS];
    type Receiver = [Receiver<u64>; BANDS];

    /// The capacity is shared out evenly among the bands.
    fn channel(bands: usize, capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        assert_eq!(bands, BANDS, "the select! has an arm for each band");
        let channels = [(); BANDS].map(|()| match capacity {
            Some(capacity) => async_channel::bounded(capacity.div_ceil(BANDS)),
            None => async_channel::unbounded(),
        });
        let senders = channels.each_ref().map(|(sender, _)| sender.clone());
        (senders, channels.map(|(_, receiver)| receiver))
    }

    #[inline]
    async fn send(senders: &Self::Sender, band: u8, item: u64) {
        senders[usize::from(band)]
            .send(item)
            .await
            .expect("the channel is open");
    }

    #[inline]
    async fn recv([a, b, c, d, e, f, g, h]: &Self::Receiver) -> Option<u64> {
        tokio::select! {
            biased;
            Ok(item) = a.recv() => Some(item),
            Ok(item) = b.recv() => Some(item),
            Ok(item) = c.recv() => Some(item),
            Ok(item) = d.recv() => Some(item),
            Ok(item) = e.recv() => Some(item),
            Ok(item) = f.recv() => Some(item),
            Ok(item) = g.recv() => Some(item),
            Ok(item) = h.recv() => Some(item),
            else => None,
        }
    }
}
