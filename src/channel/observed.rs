//! What a channel that is observed takes note of, beyond its entries: who came in vain, who waited
//! for room, and for how long.

use super::{core::Core, managed::Taken};
use crate::{
    band::Band,
    error::{SendError, TrySendError},
    record::Record,
};
use core::mem;

impl<T> Core<T> {
    pub(super) fn record(&self) -> Option<&Record> {
        self.managed()?.entries()?.record.as_ref()
    }

    pub(super) fn now(&self) -> Option<u64> {
        let entries = self.managed()?.entries()?;
        entries.record.as_ref()?;
        Some(entries.clock.now())
    }

    /// An item, or a reservation, comes back to its sender, who does not wait.
    #[cold]
    pub(super) fn came_back(&self, band: Band, error: TrySendError<()>) -> TrySendError<()> {
        if let Some(record) = self.record() {
            record.refused(band, &error);
        }
        error
    }

    /// Several were received at once.
    pub(super) fn forget_last(&self) {
        if let Some(record) = self.record() {
            record.forget_last();
        }
    }

    /// One was evicted.
    pub(super) fn note_eviction(&self, victim: &Taken) {
        if let (Some(record), Some(now)) = (self.record(), self.now()) {
            record.evicted(victim.band, &victim.about, now);
        }
    }
}

/// A sender's wait for room.
#[derive(Debug, Default)]
pub(super) struct Put {
    /// Since when; 0 if it does not wait, or nobody observes it.
    since: u64,
    /// Whether what it got last was waited for.
    pub(super) has_waited: bool,
}

impl Put {
    /// Whether it has waited for what it tries to get.
    #[inline(always)]
    pub(super) fn waits(&self) -> bool {
        self.since != 0
    }

    /// What a look for room has found: an outcome, or `None`, and the sender waits.
    #[inline(always)]
    pub(super) fn looked<T, R>(
        &mut self,
        core: &Core<T>,
        band: Band,
        outcome: Option<Result<R, SendError<()>>>,
    ) -> Option<Result<R, SendError<()>>> {
        match outcome {
            Some(Ok(ready)) => {
                self.has_waited = self.waits();
                if self.has_waited {
                    self.is_over(core, band);
                }
                Some(Ok(ready))
            }
            Some(Err(error)) => {
                self.since = 0;
                _ = core.came_back(band, error.into());
                Some(Err(error))
            }
            None => {
                self.begin(core);
                None
            }
        }
    }

    #[cold]
    fn begin<T>(&mut self, core: &Core<T>) {
        if self.since == 0 {
            self.since = core.now().map_or(0, |now| now.max(1));
        }
    }

    #[cold]
    fn is_over<T>(&mut self, core: &Core<T>, band: Band) {
        let since = mem::take(&mut self.since);
        if let (Some(record), Some(now)) = (core.record(), core.now()) {
            record.put(band, now.saturating_sub(since));
        }
    }
}
