//! How a pool ends: drain, stop, cut.

use super::{Phase, Pool, State, wake_all};
use crate::{clock::Moment, ears::Ears, quiet::lock, report::Stuck, wakes::WakerCell};
use bandq::{Receiver, TryRecvError};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

/// So long after the deadline a handler may need until it is dropped; after that it is stuck.
/// Handlers that do not block their thread need microseconds, and then nobody waits any longer;
/// on a machine that is busy with other things it may be some milliseconds.
const GRACE: Duration = Duration::from_millis(250);

/// A send that began before the channel was closed, or somebody else who sweeps it, may need so
/// long to finish.
const IN_FLIGHT: Duration = Duration::from_millis(1);

/// So many items are taken out of the channel at a time to be given back.
const AT_ONCE: usize = 256;

/// How a pool is asked to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Work off what is there.
    Drain,
    /// Start nothing.
    Stop,
}

/// What comes next.
pub(crate) enum Step {
    Ended,
    /// Nothing until then, if ever, or until somebody is woken.
    Sleep(Option<Instant>),
}

impl<T> Pool<T> {
    /// The end begins, or comes earlier than it would have. Returns where the caller waits for it.
    pub(crate) fn ask(
        &self,
        how: How,
        time: Duration,
        receiver: Option<&Receiver<T>>,
    ) -> Arc<WakerCell> {
        let until = self.clock.now().after(time);
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        state.take_leave(); // and none is given until the pool has ended
        state.is_paused = false;
        self.is_paused.store(false, Ordering::Relaxed); // as in `resume`
        let is_ending = &self.is_ending;
        is_ending.store(true, Ordering::Release); // pairs with the driver's look at it
        match (state.phase, how) {
            (Phase::Running, How::Drain) => state.phase = Phase::Draining(until),
            (Phase::Draining(at), How::Drain) => state.phase = Phase::Draining(until.min(at)),
            (Phase::Running, How::Stop) => state.phase = Phase::Stopping(until),
            (Phase::Draining(at), How::Stop) | (Phase::Stopping(at), _) => {
                state.phase = Phase::Stopping(until.min(at));
            }
            (Phase::Cut(_) | Phase::Ended, _) => {}
        }
        if matches!(state.phase, Phase::Stopping(_)) {
            self.call.ask();
        }
        let mut others = state.enders.all();
        others.extend(state.pausers.all());
        let cell = state.enders.add();
        let ears = if self.call.is_asked() {
            state.ears()
        } else {
            Vec::new()
        };
        drop(guard);
        if let Some(receiver) = receiver {
            receiver.close();
        }
        ears.iter().for_each(|ears| ears.wake());
        others.iter().for_each(|cell| cell.wake());
        self.driver.wake();
        cell
    }

    /// A receive has said `Closed`.
    pub(crate) fn set_over(&self) {
        lock(&self.state).is_over = true;
    }

    /// The driver is gone. What is in the channel is not ours any more.
    pub(crate) fn abandon(&self) {
        let mut guard = lock(&self.state);
        guard.is_over = true;
        self.is_ending.store(true, Ordering::Release); // as above
        if !matches!(guard.phase, Phase::Ended | Phase::Cut(_)) {
            let ears = self.cut(&mut guard, self.clock.now());
            drop(guard);
            ears.iter().for_each(|ears| ears.wake());
        } else {
            drop(guard);
        }
        self.end_if_over();
    }

    /// From now on handlers are dropped.
    fn cut(&self, state: &mut State<T>, now: Moment) -> Vec<Arc<Ears>> {
        state.take_leave();
        state.phase = Phase::Cut(now);
        self.call.cut();
        state.ears()
    }

    /// Takes the next step, as far as it can be taken now.
    pub(crate) fn step(&self, receiver: Option<&Receiver<T>>) -> Step {
        let now = self.clock.now();
        let mut guard = lock(&self.state);
        if let Phase::Draining(deadline) | Phase::Stopping(deadline) = guard.phase {
            if deadline <= now {
                let ears = self.cut(&mut guard, now);
                drop(guard);
                ears.iter().for_each(|ears| ears.wake());
                guard = lock(&self.state);
            }
        }
        let stops = matches!(guard.phase, Phase::Stopping(_) | Phase::Cut(_));
        let mut in_flight = false;
        if stops && guard.is_sweeping {
            in_flight = true;
        } else if stops && !guard.is_over {
            guard.is_sweeping = true;
            guard.receiving += AT_ONCE; // so many may be on their way
            drop(guard);
            let is_over = self.sweep(receiver);
            guard = lock(&self.state);
            guard.is_sweeping = false;
            guard.receiving -= AT_ONCE;
            guard.is_over |= is_over;
            in_flight = !is_over;
        }
        drop(guard);
        if self.end_if_over() {
            return Step::Ended;
        }
        let state = lock(&self.state);
        let mut at = match state.phase {
            Phase::Running => None,
            Phase::Draining(deadline) | Phase::Stopping(deadline) => Some(deadline),
            Phase::Cut(since) => Some(since.after(GRACE)),
            Phase::Ended => return Step::Ended,
        };
        if in_flight || (stops && state.receiving > 0) {
            at = Some(now.after(IN_FLIGHT));
        }
        Step::Sleep(at.map(|at| self.clock.instant(at)))
    }

    /// Gives back what is in the channel. Whether that was all of it.
    fn sweep(&self, receiver: Option<&Receiver<T>>) -> bool {
        let Some(receiver) = receiver else {
            return true;
        };
        receiver.close(); // in case it was not the caller of `ask` who did
        let mut items = Vec::new();
        loop {
            let result = receiver.try_recv_many(&mut items, AT_ONCE);
            if !items.is_empty() {
                let mut guard = lock(&self.state);
                let now = self.clock.now();
                for (band, item) in items.drain(..) {
                    let meta = guard.number(band, now);
                    guard.give_back(item, &meta, now, false);
                }
            }
            match result {
                Ok(_) => {}
                Err(TryRecvError::Empty) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Whether the pool has ended; it ends here, if there is nothing left to wait for.
    pub(crate) fn end_if_over(&self) -> bool {
        let now = self.clock.now();
        let mut rooms = Vec::new(); // which go after the lock
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        if state.phase == Phase::Ended {
            return true;
        }
        state.take_leave();
        let stops = matches!(state.phase, Phase::Stopping(_) | Phase::Cut(_));
        let works = state.works();
        let waits_in_vain = || match state.phase {
            _ if stops => true,
            // What is due after the deadline is not worth waiting for.
            Phase::Draining(end) => state.store.next_at().is_none_or(|at| at > end),
            _ => state.store.next_at().is_none(),
        };
        if stops || (!works && state.is_over && state.store.nothing_is_due() && waits_in_vain()) {
            rooms.extend(state.rooms.release_all());
            for entry in state.store.drain() {
                state.give_back(entry.item, &entry.meta, now, false);
            }
        }
        let gave_way = match state.phase {
            Phase::Cut(since) => !works || since.after(GRACE) <= now,
            _ => !works,
        };
        let is_empty = state.store.nothing_is_due() && state.store.next_at().is_none();
        if !(gave_way && is_empty && state.is_over && state.receiving == 0) {
            let over = state.joins.over(false); // by what was given back, here or before
            drop(guard);
            wake_all(&over);
            return false;
        }
        state.phase = Phase::Ended;
        state.name_stuck(now);
        let joins = state.joins.over(true);
        let mut enders = state.enders.all();
        enders.extend(state.pausers.all());
        #[cfg(feature = "tracing")]
        let (cut, stuck) = state.cut_short();
        drop(guard);
        #[cfg(feature = "tracing")]
        crate::trace::cut_short(&cut, &stuck);
        wake_all(&joins);
        enders.iter().for_each(|cell| cell.wake());
        self.driver.wake();
        true
    }

    /// When something is due that waits inside.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let state = lock(&self.state);
        if state.is_paused {
            return None;
        }
        state.store.next_at().map(|at| self.clock.instant(at))
    }

    /// Of the handlers that run for longer than `limit`, those that nobody was asked about yet; and
    /// when there may be the next one.
    pub(crate) fn overdue(&self, limit: Duration) -> (Vec<(usize, Stuck)>, Option<Instant>) {
        let now = self.clock.now();
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let (names, location) = (&state.names, state.location);
        let (mut overdue, mut next) = (Vec::new(), None);
        for (worker, running) in state.running.iter_mut().enumerate() {
            let Some(running) = running.as_mut().filter(|running| !running.is_overdue) else {
                continue;
            };
            let at = running.began.after(limit);
            if at <= now {
                running.is_overdue = true;
                overdue.push((worker, running.stuck(now, name_of(names, worker), location)));
            } else {
                next = Some(next.map_or(at, |next: Moment| next.min(at)));
            }
        }
        (overdue, next.map(|at| self.clock.instant(at)))
    }

    /// Hires somebody in place of that worker, if it is still at that job.
    pub(crate) fn replace(&self, worker: usize, id: u64) {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        if let Some(Some(running)) = state.running.get_mut(worker) {
            if running.meta.id.get() == id && !running.is_replaced {
                running.is_replaced = true;
                state.crew.replace(worker);
            }
        }
    }
}

fn name_of(names: &[Option<String>], worker: usize) -> Option<String> {
    names.get(worker).cloned().flatten()
}

impl super::Running {
    fn stuck(
        &self,
        now: Moment,
        name: Option<String>,
        location: &'static std::panic::Location<'static>,
    ) -> Stuck {
        Stuck {
            id: self.meta.id.get(),
            band: self.meta.band,
            attempt: self.meta.attempts + 1,
            age: now.since(self.meta.since),
            running: now.since(self.began),
            name,
            location,
        }
    }
}

impl<T> State<T> {
    /// Of all workers: a [`Cancelled`](crate::Cancelled) may be waited for when its job is over.
    fn ears(&self) -> Vec<Arc<Ears>> {
        self.ears.clone()
    }

    /// Those who still work are stuck.
    fn name_stuck(&mut self, now: Moment) {
        for (worker, running) in self.running.iter_mut().enumerate() {
            let Some(running) = running else { continue };
            running.is_stuck = true;
            let meta = running.meta;
            let name = name_of(&self.names, worker);
            self.stuck.push(running.stuck(now, name, self.location));
            let counts = &mut self.counts[meta.origin.index()];
            counts.running -= 1;
            counts.stuck += 1;
            self.unsettled -= 1;
            self.joins.settled(&meta);
        }
    }

    /// What was cut short, to be said.
    #[cfg(feature = "tracing")]
    fn cut_short(&self) -> (Vec<(bandq::Band, u32, bool)>, Vec<Stuck>) {
        let returned = self.returned.iter();
        let cut = returned.map(|item| (item.band, item.attempts, item.interrupted));
        (cut.collect(), self.stuck.clone())
    }
}
