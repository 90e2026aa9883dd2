//! Who waits until everything is settled: begins, looks, ends. What that means is in `joins`.

use super::{Phase, Pool, State, wake_all};
use crate::{quiet::lock, sync::MutexGuard, wakes::WakerCell};
use bandq::{Band, Receiver};
use std::sync::Arc;

impl<T> Pool<T> {
    /// Lets go whoever waited for what is over now. Takes the lock, to release it before it wakes.
    pub(super) fn look_for_joins(
        &self,
        mut guard: MutexGuard<'_, State<T>>,
        receiver: Option<&Receiver<T>>,
    ) {
        if guard.joins.is_empty() {
            return;
        }
        let state = &mut *guard;
        if state.receiving == 0 {
            let bands = 0..state.counts.len();
            let empty = bands
                .filter(|band| receiver.is_some_and(|r| r.band_len(Band::new(*band as u8)) == 0))
                .fold(0, |empty, band| empty | 1 << band);
            state.joins.seen_empty(empty, &state.received);
        }
        let over = state.joins.over(state.phase == Phase::Ended);
        drop(guard);
        wake_all(&over);
    }

    /// Begins to wait until everything is settled that was sent before.
    pub(crate) fn begin_join(
        &self,
        receiver: Option<&Receiver<T>>,
        cell: &Arc<WakerCell>,
    ) -> Option<u64> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        if state.phase == Phase::Ended {
            return None;
        }
        state.take_leave();
        // A receive that is under way has counted its item on one side, both, or none.
        let extra = state.receiving as u64;
        let len = |band| receiver.map_or(0, |r| r.band_len(Band::new(band as u8)) as u64 + extra);
        let targets = (0..state.counts.len())
            .map(|band| state.received[band] + len(band))
            .collect();
        let left = state.unsettled;
        let cell = Arc::downgrade(cell);
        let key = state.joins.begin(targets, &state.received, left, cell);
        let is_waiting = left > 0 || {
            self.look_for_joins(guard, receiver);
            lock(&self.state).joins.is_waiting(key)
        };
        is_waiting.then_some(key)
    }

    /// Whether that join still waits.
    pub(crate) fn is_joining(&self, key: u64, receiver: Option<&Receiver<T>>) -> bool {
        self.look_for_joins(lock(&self.state), receiver);
        lock(&self.state).joins.is_waiting(key)
    }

    pub(crate) fn end_join(&self, key: u64) {
        lock(&self.state).joins.end(key);
    }
}
