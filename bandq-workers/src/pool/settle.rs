//! A job ends: what becomes of its item.

use super::{Begun, Phase, Pool, State, wake_all};
use crate::{
    clock::Moment,
    entry::{Entry, Meta},
    past::Past,
    quiet::lock,
    report::Counts,
    sync::MutexGuard,
};
use bandq::{Band, Receiver};

/// How a job ended, with the item if it goes on.
pub(crate) enum Verdict<T> {
    /// The item was dropped.
    Done,
    /// The hook has had it.
    Dead,
    Taken,
    Retry(T, Again),
    Snooze(T, Option<Moment>),
    Requeue(T),
    /// The handler was dropped.
    Interrupted(T),
    /// It never began.
    Unstarted(T),
}

/// How what failed is tried again.
pub(crate) struct Again {
    /// From then on.
    pub(crate) at: Moment,
    /// If it is another one.
    pub(crate) band: Option<Band>,
    /// After so many failed attempts.
    pub(crate) attempts: u32,
    pub(crate) history: Option<Past>,
}

impl<T> Pool<T> {
    /// So it ended; the worker is free again.
    pub(crate) fn settle(
        &self,
        receiver: &Receiver<T>,
        begun: &Begun,
        verdict: Verdict<T>,
        now: Moment,
        local: bool,
    ) {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        state.settled_at = now;
        let meta = begun.meta;
        let was_stuck = state.leave(begun);
        if !matches!(verdict, Verdict::Unstarted(_)) {
            state.times[meta.origin.index()].record(now.nanos_since(begun.at));
            if state.adaptive.is_some() && state.crew.is_general(begun.worker) {
                state.adapt(receiver, now, &self.clock);
            }
        }
        let mut is_back = false;
        match verdict {
            Verdict::Done => state.close(&meta, was_stuck, |counts| counts.done += 1),
            Verdict::Dead => state.close(&meta, was_stuck, |counts| counts.dead += 1),
            Verdict::Taken => state.close(&meta, was_stuck, |counts| counts.taken += 1),
            Verdict::Interrupted(item) => {
                state.counts[meta.origin.index()].interrupted += 1;
                state.hand_back(item, meta, was_stuck, now, true);
            }
            Verdict::Unstarted(item) => {
                state.counts[meta.origin.index()].started -= 1;
                state.hand_back(item, meta, was_stuck, now, false);
            }
            Verdict::Retry(item, again) => {
                let last = Band::new((state.counts.len() - 1) as u8);
                let meta = Meta {
                    band: again.band.unwrap_or(meta.band).min(last),
                    attempts: again.attempts,
                    history: again.history,
                    ..meta
                };
                let later = Later {
                    at: Some(again.at),
                    now,
                };
                is_back = self.again(state, receiver, item, meta, later, was_stuck);
                state.counts[meta.origin.index()].retried += u64::from(is_back);
            }
            Verdict::Snooze(item, at) => {
                is_back = self.again(state, receiver, item, meta, Later { at, now }, was_stuck);
                state.counts[meta.origin.index()].snoozed += u64::from(is_back);
            }
            Verdict::Requeue(item) => {
                let at_once = Later { at: None, now };
                is_back = self.again(state, receiver, item, meta, at_once, was_stuck);
                state.counts[meta.origin.index()].requeued += u64::from(is_back);
            }
        }
        if state.is_watched() {
            self.tell(guard);
        } else {
            drop(guard);
        }
        if is_back {
            self.wake_takers();
        }
        if !local {
            self.driver.wake();
        }
    }

    /// A job has ended: tells whoever may have waited for it.
    #[cold]
    fn tell(&self, mut guard: MutexGuard<'_, State<T>>) {
        let state = &mut *guard;
        state.pausers.prune();
        let over = state.joins.over(false);
        let pausers = if state.works() {
            Vec::new()
        } else {
            state.pausers.all()
        };
        let ends = state.phase != Phase::Running;
        drop(guard);
        wake_all(&over);
        pausers.iter().for_each(|cell| cell.wake());
        if ends {
            self.end_if_over();
        }
    }

    /// Counts something of a job that goes on.
    pub(crate) fn count(&self, meta: &Meta, count: impl FnOnce(&mut Counts)) {
        count(&mut lock(&self.state).counts[meta.origin.index()]);
    }

    /// Back into the pool, if that still works on anything; else back to the user.
    fn again(
        &self,
        state: &mut State<T>,
        receiver: &Receiver<T>,
        item: T,
        meta: Meta,
        when: Later,
        was_stuck: bool,
    ) -> bool {
        if !state.may_start() {
            state.hand_back(item, meta, was_stuck, when.now, false);
            return false;
        }
        state.counts[meta.origin.index()].waiting += 1;
        let entry = Entry { item, meta };
        match when.at {
            Some(at) if at > when.now => state.store.put_later(at, entry),
            _ => state.put(receiver, entry),
        }
        true
    }
}

/// When an item that goes on is to be had again; at once, if no time is said.
struct Later {
    at: Option<Moment>,
    now: Moment,
}

impl<T> State<T> {
    /// The worker is free; whether the job was reported stuck.
    #[inline]
    fn leave(&mut self, begun: &Begun) -> bool {
        let running = self.running.get_mut(begun.worker).and_then(Option::take);
        let (is_stuck, is_replaced) =
            running.map_or((false, false), |r| (r.is_stuck, r.is_replaced));
        self.crew.free(begun.worker, begun.meta.band, !is_replaced);
        let counts = &mut self.counts[begun.meta.origin.index()];
        if is_stuck {
            counts.stuck -= 1;
            self.stuck.retain(|stuck| stuck.id != begun.meta.id.get());
        } else {
            counts.running -= 1;
        }
        is_stuck
    }

    /// It is settled, unless it was when it was reported stuck.
    fn close(&mut self, meta: &Meta, was_stuck: bool, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts[meta.origin.index()]);
        if !was_stuck {
            self.settled(meta);
        }
    }

    /// Back to the user.
    fn hand_back(&mut self, item: T, meta: Meta, was_stuck: bool, now: Moment, cut: bool) {
        if was_stuck {
            self.unsettled += 1; // for a moment
        }
        self.counts[meta.origin.index()].waiting += 1; // as well
        self.give_back(item, &meta, now, cut);
    }
}
