//! A clock for all threads.

use std::sync::atomic::{AtomicU64, Ordering};

/// A clock whose every look is later than the one before, on whichever thread.
#[derive(Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    pub(crate) fn now(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}
