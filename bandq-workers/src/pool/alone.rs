//! Workers that go on alone: who has leave, and how the pool learns what they did.
//!
//! A worker that has leave looks for its next job itself, without the pool's lock, so that a job
//! costs neither a task nor a wake of the driver. What it did stands in its [`Notebook`]. Leave is
//! given at the end of a job, while nothing
//! depends on the next one but the channel: the pool runs and is not paused, nobody joins, nothing
//! inside is due, and the number of workers, their names and their limits are of no concern.
//! Whatever changes that takes the leave from all of them first, under the pool's lock. After
//! that the state knows of every job, as if all of it had gone by the lock:
//!
//! * what was done counts as received, begun and done;
//! * a job that runs is one that runs, and its end goes by the lock;
//! * a look under way is one of `receiving`, and its end goes by the lock.
//!
//! A worker begins under the lock of its notebook, with leave, or under the pool's. So after a
//! stop or a pause has taken it, no job begins.

use super::{Ended, Phase, Pool, Running, State, Verdict};
use crate::{
    clock::Moment,
    entry::Entry,
    notebook::{Begun, Fresh, Notebook, Noted},
    quiet::lock,
};
use bandq::{Band, Receiver};
use std::{mem, sync::Arc};

/// Who asks for the next job of a worker, and until when it may have one.
pub(crate) struct Alone<'a, T> {
    /// Of the channel.
    pub(crate) receiver: &'a Receiver<T>,
    pub(crate) notebook: &'a Notebook,
    pub(crate) until: Moment,
    /// The driver knows when a worker ends.
    pub(crate) is_local: bool,
}

impl<T> Pool<T> {
    /// A job has ended so. Whether a look of its worker is under way, to be ended by
    /// [`take_up`](Self::take_up).
    #[inline]
    pub(crate) fn settle_alone(&self, by: &Alone<'_, T>, begun: &Begun, ended: Ended<T>) -> bool {
        let may_look = ended.now < by.until;
        if matches!(ended.verdict, Verdict::Done) {
            match by.notebook.done(begun, ended.ran, may_look) {
                Noted::Looks => return true,
                Noted::Stops => {
                    self.rest(by, begun.worker);
                    return false;
                }
                Noted::Nothing => {}
            }
        }
        let receiver = by.receiver;
        self.settle_and_look(receiver, begun, ended, by.is_local, may_look)
    }

    /// The look is over: the worker's next job, if there is one; else it is free.
    #[inline]
    pub(crate) fn take_up(
        &self,
        by: &Alone<'_, T>,
        worker: usize,
        received: Option<(Band, T)>,
        now: Moment,
    ) -> Option<(T, Fresh)> {
        let band = received.as_ref().map(|(band, _)| *band);
        let fresh = band.and_then(|band| by.notebook.begin(band, now));
        match (fresh, received) {
            (Some(fresh), Some((_, item))) => Some((item, fresh)),
            (_, received) => self.take_up_slowly(by, worker, received, now),
        }
    }

    /// By the pool's lock: there is no leave any more, or nothing was found.
    #[inline(never)]
    fn take_up_slowly(
        &self,
        by: &Alone<'_, T>,
        worker: usize,
        received: Option<(Band, T)>,
        now: Moment,
    ) -> Option<(T, Fresh)> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        state.take_leave_of(worker); // now the look is one of `receiving`
        state.receiving -= 1;
        let fresh = received.and_then(|(band, item)| {
            let meta = state.number(band, now);
            if !state.goes_on() {
                state.give_back(item, &meta, now, false);
                return None;
            }
            if state.is_paused {
                let units = 0; // as in `accepted`
                state.store.put_first(Entry { item, meta, units });
                return None;
            }
            state.crew.begins(band);
            state.start(worker, meta, now, None);
            let fresh = Fresh {
                id: meta.id,
                number: meta.number,
                at: now,
                band,
            };
            Some((item, fresh))
        });
        if fresh.is_none() {
            state.crew.rests(worker);
        }
        let is_watched = state.is_watched();
        self.look_for_joins(guard, Some(by.receiver));
        if is_watched {
            self.tell(lock(&self.state));
        }
        if fresh.is_none() && !by.is_local {
            self.driver.wake();
        }
        fresh
    }

    /// The worker's last job is noted as done, and it looks for no other: it is free.
    fn rest(&self, by: &Alone<'_, T>, worker: usize) {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        state.take_leave_of(worker);
        state.crew.rests(worker);
        if state.is_watched() {
            self.tell(guard);
        } else {
            drop(guard);
        }
        if !by.is_local {
            self.driver.wake();
        }
    }
}

impl<T> State<T> {
    /// Whether a worker may go on alone.
    pub(super) fn may_go_alone(&self, worker: usize, now: Moment) -> bool {
        self.is_simple
            && self.phase == Phase::Running
            && !self.is_paused
            && self.joins.is_empty()
            && self.store.nothing_is_due()
            && self.store.next_at().is_none_or(|at| at > now)
            && self.crew.is_general(worker)
    }

    /// That worker, who looks for its next job, may go on alone.
    pub(super) fn give_leave(&mut self, worker: usize) {
        let next = &mut self.next_id;
        self.notebooks[worker].give(|count| {
            let first = *next;
            *next = first.saturating_add(count as u64);
            first
        });
        self.alone += 1;
    }

    /// Nobody goes on alone any more, and all that they have noted is known.
    pub(super) fn take_leave(&mut self) {
        for worker in 0..self.notebooks.len() {
            if self.alone == 0 {
                return;
            }
            self.take_leave_of(worker);
        }
    }

    pub(super) fn take_leave_of(&mut self, worker: usize) {
        let notebook = Arc::clone(&self.notebooks[worker]);
        let Some(mut page) = notebook.take() else {
            return;
        };
        self.alone -= 1;
        for line in page.lines.drain(..) {
            let band = line.band.index();
            self.received[band] += 1;
            let counts = &mut self.counts[band];
            counts.accepted += 1;
            counts.started += 1;
            counts.done += 1;
            self.times[band].record(line.nanos);
        }
        if let Some(fresh) = page.running.take() {
            let band = fresh.band;
            self.received[band.index()] += 1;
            let counts = &mut self.counts[band.index()];
            counts.accepted += 1;
            counts.started += 1;
            counts.running += 1;
            self.unsettled += 1;
            self.crew.begins(band);
            self.running[worker] = Some(Running::new(&fresh.begun(worker)));
        }
        if mem::take(&mut page.is_looking) {
            self.receiving += 1;
        }
    }
}
