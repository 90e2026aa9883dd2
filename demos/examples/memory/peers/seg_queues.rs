//! One of crossbeam's `SegQueue` a band, asked in order of urgency.

use crossbeam_queue::SegQueue;

use crate::peer::Peer;
use crate::profile::{BANDS, Load};

pub(crate) struct SegQueues<T>([SegQueue<T>; BANDS]);

impl<T> SegQueues<T> {
    pub(crate) fn new(_: Load) -> Self {
        Self([const { SegQueue::new() }; BANDS])
    }
}

impl<T> Peer<T> for SegQueues<T> {
    fn push(&self, band: u8, item: T) {
        self.0[usize::from(band)].push(item);
    }

    fn pop(&self) -> Option<T> {
        self.0.iter().find_map(SegQueue::pop)
    }
}
