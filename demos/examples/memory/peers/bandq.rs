//! bandq: the queue alone, and the channel as its builder makes it.

use std::time::Duration;

use bandq::{Band, BandQueue, Builder, Policy, Receiver, Sender};

use crate::peer::Peer;
use crate::profile::{BANDS, Load};

/// Far longer than a run: what is taken next is then the same in every run.
const STEP: Duration = Duration::from_secs(3600);

pub(crate) struct Queue<T>(BandQueue<T>);

impl<T> Queue<T> {
    pub(crate) fn new(_: Load) -> Self {
        Self(BandQueue::new(BANDS))
    }
}

impl<T: Send> Peer<T> for Queue<T> {
    fn push(&self, band: u8, item: T) {
        let pushed = self.0.push(Band::new(band), item);
        assert!(pushed.is_ok(), "the band is there");
    }

    fn pop(&self) -> Option<T> {
        self.0.pop().map(|(_, item)| item)
    }
}

pub(crate) struct Channel<T>(Sender<T>, Receiver<T>);

impl<T> Channel<T> {
    pub(crate) fn unbounded(_: Load) -> Self {
        Self::build(Builder::new(BANDS))
    }

    pub(crate) fn bounded(load: Load) -> Self {
        Self::build(Builder::new(BANDS).capacity(load.items))
    }

    pub(crate) fn ageing(_: Load) -> Self {
        Self::build(Builder::new(BANDS).policy(Policy::ageing(STEP)))
    }

    pub(crate) fn observed(_: Load) -> Self {
        Self::build(Builder::new(BANDS).observe())
    }

    fn build(builder: Builder<T>) -> Self {
        let (sender, receiver) = builder.build().expect("values that are allowed");
        Self(sender, receiver)
    }
}

impl<T: Send> Peer<T> for Channel<T> {
    fn push(&self, band: u8, item: T) {
        let sent = self.0.try_send(Band::new(band), item);
        assert!(sent.is_ok(), "open, and there is room");
    }

    fn pop(&self) -> Option<T> {
        self.1.try_recv().ok().map(|(_, item)| item)
    }
}
