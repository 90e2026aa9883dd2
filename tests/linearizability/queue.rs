//! What is put to the test.

use bandq::{BandQueue, Receiver, Sender};

use crate::support::{Task, b};

/// What is put to the test: bands of numbers.
pub(crate) trait Queue: Send + Sync {
    fn push(&self, band: u8, item: u32);
    fn pop(&self) -> Option<(u8, u32)>;

    fn push_many(&self, band: u8, items: &[u32]) {
        for &item in items {
            self.push(band, item);
        }
    }

    /// Whether nothing is there. A queue without such a call never says so.
    fn is_empty(&self) -> bool {
        false
    }

    /// At most `limit` items.
    fn pop_many(&self, limit: usize) -> Vec<(u8, u32)> {
        (0..limit).map_while(|_| self.pop()).collect()
    }
}

impl Queue for BandQueue<u32> {
    fn push(&self, band: u8, item: u32) {
        BandQueue::push(self, b(band), item).unwrap();
    }

    fn pop(&self) -> Option<(u8, u32)> {
        BandQueue::pop(self).map(|(band, item)| (band.into(), item))
    }

    fn is_empty(&self) -> bool {
        BandQueue::is_empty(self)
    }

    fn push_many(&self, band: u8, items: &[u32]) {
        let pushed = BandQueue::push_many(self, b(band), items.iter().copied());
        assert_eq!(pushed, Ok(items.len()));
    }

    fn pop_many(&self, limit: usize) -> Vec<(u8, u32)> {
        let mut out = Vec::new();
        BandQueue::pop_many(self, &mut out, limit);
        out.into_iter()
            .map(|(band, item)| (band.into(), item))
            .collect()
    }
}

pub(crate) struct Channel(pub(crate) Sender<u32>, pub(crate) Receiver<u32>);

impl Queue for Channel {
    fn push(&self, band: u8, item: u32) {
        self.0.try_send(b(band), item).unwrap();
    }

    fn pop(&self) -> Option<(u8, u32)> {
        let (band, item) = self.1.try_recv().ok()?;
        Some((band.into(), item))
    }

    fn is_empty(&self) -> bool {
        self.1.is_empty()
    }

    fn push_many(&self, band: u8, items: &[u32]) {
        let sent = Task::new(self.0.send_many(b(band), items.iter().copied())).ready();
        assert_eq!(sent, Ok(items.len()));
    }

    fn pop_many(&self, limit: usize) -> Vec<(u8, u32)> {
        let mut out = Vec::new();
        let _ = self.1.try_recv_many(&mut out, limit);
        out.into_iter()
            .map(|(band, item)| (band.into(), item))
            .collect()
    }
}

/// A channel with receivers that come and go waiting, so that its wakes run as well.
pub(crate) struct Waiting(pub(crate) Channel);

impl Queue for Waiting {
    fn push(&self, band: u8, item: u32) {
        self.0.push(band, item);
    }

    fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }

    fn pop(&self) -> Option<(u8, u32)> {
        match Task::new(self.0.1.recv()).poll() {
            std::task::Poll::Ready(got) => {
                let (band, item) = got.unwrap();
                Some((band.into(), item))
            }
            std::task::Poll::Pending => None,
        }
    }
}
