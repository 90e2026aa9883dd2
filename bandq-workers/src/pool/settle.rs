//! A job ends: what becomes of its item.

use super::{Phase, Pool, State, wake_all};
use crate::{
    clock::Moment,
    entry::{Entry, Meta},
    notebook::Begun,
    past::Past,
    quiet::{lock, quietly},
    report::Counts,
    sync::MutexGuard,
};
use bandq::{Band, HeldRoom, Receiver};

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
    /// Nor did this: the pool was paused.
    Paused(T),
}

/// A job that has ended.
pub(crate) struct Ended<T> {
    pub(crate) verdict: Verdict<T>,
    /// How long its handler ran, in nanoseconds.
    pub(crate) ran: u64,
    /// The time when the verdict was found.
    pub(crate) now: Moment,
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
        ended: Ended<T>,
        local: bool,
    ) {
        self.settle_and_look(receiver, begun, ended, local, false);
    }

    /// So it ended. If it may, the worker goes on alone, and its look for the next job is under
    /// way; else it is free again. Whether it goes on.
    pub(super) fn settle_and_look(
        &self,
        receiver: &Receiver<T>,
        begun: &Begun,
        ended: Ended<T>,
        local: bool,
        may_look: bool,
    ) -> bool {
        let Ended { verdict, ran, now } = ended;
        // Before the lock is taken, and what is not needed of it goes after it: a weigher and
        // wakers are foreign code.
        let mut room = verdict.room(receiver, begun.meta.band);
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let meta = begun.meta;
        state.take_leave_of(begun.worker); // so that its job is one that the state knows of
        let Left {
            was_stuck,
            is_replaced,
        } = state.leave(begun);
        let has_run = !matches!(verdict, Verdict::Unstarted(_) | Verdict::Paused(_));
        if has_run {
            state.times[meta.origin.index()].record(ran);
        }
        let is_back = match verdict {
            Verdict::Done => state.close(&meta, was_stuck, |counts| counts.done += 1),
            Verdict::Dead => state.close(&meta, was_stuck, |counts| counts.dead += 1),
            Verdict::Taken => state.close(&meta, was_stuck, |counts| counts.taken += 1),
            goes_on => {
                let by = Leaving {
                    receiver,
                    meta,
                    now,
                    was_stuck,
                };
                self.go_on(state, by, goes_on, &mut room)
            }
        };
        let goes_on = may_look && !is_replaced && state.may_go_alone(begun.worker, now);
        if goes_on {
            state.give_leave(begun.worker);
        } else if is_replaced {
            state.crew.retires(begun.worker);
        } else {
            state.crew.rests(begun.worker);
        }
        if has_run && state.adaptive.is_some() && state.crew.is_general(begun.worker) {
            state.adapt(receiver, now, &self.clock); // which asks who else is at work
        }
        if state.is_watched() {
            self.tell(guard);
        } else {
            drop(guard);
        }
        if is_back {
            self.wake_takers();
        }
        if !local && (is_back || !goes_on) {
            self.driver.wake();
        }
        goes_on
    }

    /// With an item. Whether it is in the pool again. Apart, because most jobs are done.
    #[inline(never)]
    fn go_on(
        &self,
        state: &mut State<T>,
        by: Leaving<'_, T>,
        verdict: Verdict<T>,
        room: &mut Option<HeldRoom<T>>,
    ) -> bool {
        let Leaving {
            meta,
            now,
            was_stuck,
            ..
        } = by;
        let origin = meta.origin.index();
        let last = last_band(state.counts.len());
        let mut again = |item, meta, at| self.again(state, &by, item, meta, at, room);
        match verdict {
            Verdict::Done | Verdict::Dead | Verdict::Taken => false, // they do not
            Verdict::Interrupted(item) => {
                state.counts[origin].interrupted += 1;
                state.hand_back(item, meta, was_stuck, now, true);
                false
            }
            Verdict::Unstarted(item) => {
                state.counts[origin].started -= 1;
                state.hand_back(item, meta, was_stuck, now, false);
                false
            }
            Verdict::Paused(item) => {
                state.counts[origin].started -= 1;
                if !state.goes_on() {
                    state.hand_back(item, meta, was_stuck, now, false);
                    return false;
                }
                state.counts[origin].waiting += 1;
                let units = state.rooms.keep(room);
                state.store.put_first(Entry { item, meta, units });
                true
            }
            Verdict::Retry(item, next) => {
                let band = next.band.unwrap_or(meta.band);
                let meta = Meta {
                    band: band.min(last),
                    attempts: next.attempts,
                    history: next.history,
                    ..meta
                };
                let is_back = again(item, meta, Some(next.at));
                state.counts[origin].retried += u64::from(is_back);
                is_back
            }
            Verdict::Snooze(item, at) => {
                let is_back = again(item, meta, at);
                state.counts[origin].snoozed += u64::from(is_back);
                is_back
            }
            Verdict::Requeue(item) => {
                let is_back = again(item, meta, None);
                state.counts[origin].requeued += u64::from(is_back);
                is_back
            }
        }
    }

    /// A job has ended: tells whoever may have waited for it.
    #[cold]
    pub(super) fn tell(&self, mut guard: MutexGuard<'_, State<T>>) {
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
        by: &Leaving<'_, T>,
        item: T,
        meta: Meta,
        at: Option<Moment>,
        room: &mut Option<HeldRoom<T>>,
    ) -> bool {
        if !state.goes_on() {
            state.hand_back(item, meta, by.was_stuck, by.now, false);
            return false;
        }
        state.counts[meta.origin.index()].waiting += 1;
        let units = state.rooms.keep(room);
        let meta = Meta {
            has_begun: true,
            ..meta
        };
        let entry = Entry { item, meta, units };
        match at {
            Some(at) if at > by.now => state.store.put_later(at, entry),
            _ => state.put(by.receiver, entry),
        }
        true
    }
}

impl<T> Verdict<T> {
    /// The room that the item keeps, if it goes on; none if the channel's weigher panics.
    #[inline]
    fn room(&self, receiver: &Receiver<T>, band: Band) -> Option<HeldRoom<T>> {
        let (item, band) = match self {
            Self::Done | Self::Dead | Self::Taken => return None,
            Self::Interrupted(_) | Self::Unstarted(_) => return None,
            Self::Retry(item, again) => (item, again.band.unwrap_or(band)),
            Self::Snooze(item, _) | Self::Requeue(item) | Self::Paused(item) => (item, band),
        };
        let band = band.min(last_band(receiver.bands()));
        quietly(|| receiver.hold_room(band, item))
    }
}

/// The least urgent of so many.
fn last_band(bands: usize) -> Band {
    Band::new(bands.saturating_sub(1) as u8)
}

/// What there is to know of a job that runs no longer.
#[derive(Default)]
struct Left {
    /// It was reported stuck.
    was_stuck: bool,
    /// Somebody else was hired in the place of its worker.
    is_replaced: bool,
}

/// A job whose worker is free again.
struct Leaving<'a, T> {
    receiver: &'a Receiver<T>,
    meta: Meta,
    now: Moment,
    was_stuck: bool,
}

impl<T> State<T> {
    /// The job runs no longer; its worker is still occupied.
    #[inline]
    fn leave(&mut self, begun: &Begun) -> Left {
        let running = self.running.get_mut(begun.worker).and_then(Option::take);
        let left = running.map_or(Left::default(), |running| Left {
            was_stuck: running.is_stuck,
            is_replaced: running.is_replaced,
        });
        self.crew.ends(begun.meta.band);
        let counts = &mut self.counts[begun.meta.origin.index()];
        if left.was_stuck {
            counts.stuck -= 1;
            self.stuck.retain(|stuck| stuck.id != begun.meta.id.get());
        } else {
            counts.running -= 1;
        }
        left
    }

    /// It is settled, unless it was when it was reported stuck. It is not in the pool again.
    #[inline]
    fn close(&mut self, meta: &Meta, was_stuck: bool, count: impl FnOnce(&mut Counts)) -> bool {
        count(&mut self.counts[meta.origin.index()]);
        if !was_stuck {
            self.settled(meta);
        }
        false
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
