//! Channels without bands: first in, first out.

use crate::peer::Peer;
use crate::profile::Load;

pub(crate) struct AsyncChannel<T>(async_channel::Sender<T>, async_channel::Receiver<T>);

impl<T> AsyncChannel<T> {
    pub(crate) fn unbounded() -> Self {
        let (sender, receiver) = async_channel::unbounded();
        Self(sender, receiver)
    }

    pub(crate) fn bounded(load: Load) -> Self {
        let (sender, receiver) = async_channel::bounded(load.items);
        Self(sender, receiver)
    }
}

impl<T> Peer<T> for AsyncChannel<T> {
    fn push(&self, _: u8, item: T) {
        let sent = self.0.try_send(item);
        assert!(sent.is_ok(), "open, and there is room");
    }

    fn pop(&self) -> Option<T> {
        self.1.try_recv().ok()
    }
}

pub(crate) struct Flume<T>(flume::Sender<T>, flume::Receiver<T>);

impl<T> Flume<T> {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = flume::unbounded();
        Self(sender, receiver)
    }
}

impl<T> Peer<T> for Flume<T> {
    fn push(&self, _: u8, item: T) {
        let sent = self.0.try_send(item);
        assert!(sent.is_ok(), "open, without a bound");
    }

    fn pop(&self) -> Option<T> {
        self.1.try_recv().ok()
    }
}

pub(crate) struct Kanal<T>(kanal::Sender<T>, kanal::Receiver<T>);

impl<T> Kanal<T> {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = kanal::unbounded();
        Self(sender, receiver)
    }
}

impl<T> Peer<T> for Kanal<T> {
    fn push(&self, _: u8, item: T) {
        let sent = self.0.try_send(item);
        assert!(matches!(sent, Ok(true)), "open, without a bound");
    }

    fn pop(&self) -> Option<T> {
        self.1.try_recv().ok().flatten()
    }
}
