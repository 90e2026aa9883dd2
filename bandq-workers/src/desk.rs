//! What is decided at the end of a handler: again, dead, done; and what the dead-letter hook gets.

use crate::{
    clock::Moment,
    job::{LetGo, Seat},
    notebook::Fresh,
    outcome::{Failure, Outcome},
    past::{Histories, Past},
    pool::{Again, Alone, Ended, Pool, Verdict},
    quiet::{discard, lock, quietly},
    report::Counts,
    retry::{Budget, Retry},
    sync::Mutex,
};
use bandq::{Band, Receiver};
use std::{fmt, sync::Arc, time::Duration};

/// Why an item is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The handler [said so](Outcome::Dead).
    Said,
    /// The error is not [transient](Retry::transient).
    NotTransient,
    /// It has used up its [attempts](Retry::attempts).
    Attempts,
    /// There is nothing left of the [budget](Retry::budget).
    Budget,
}

/// An item that is not tried again.
///
/// ```
/// # use bandq::Band;
/// # use bandq_workers::{Cause, DeadLetter, Failure, Job, Outcome, Workers};
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded(1);
/// sender.send(Band::URGENT, 7).await.unwrap();
/// drop(sender);
/// let report = Workers::new(receiver)
///     .dead_letter(|letter: DeadLetter<u32, &str>| {
///         assert_eq!((letter.item, letter.cause), (7, Cause::Said));
///         assert_eq!(letter.failures, [Failure::Error("no such page")]);
///     })
///     .run(|_job: Job<u32>| async { Outcome::Dead("no such page") })
///     .await;
/// assert_eq!(report.dead, 1);
/// # });
/// ```
#[non_exhaustive]
pub struct DeadLetter<T, E> {
    /// The item.
    pub item: T,
    /// The band in which it was worked on last.
    pub band: Band,
    /// How long the pool had it.
    pub age: Duration,
    /// Why it is dead.
    pub cause: Cause,
    /// All its failed attempts, the oldest first.
    pub failures: Vec<Failure<E>>,
}

impl<T, E: fmt::Debug> fmt::Debug for DeadLetter<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("band", &self.band)
            .field("age", &self.age)
            .field("cause", &self.cause)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

pub(crate) type Hook<T, E> = Arc<dyn Fn(DeadLetter<T, E>) + Send + Sync>;

/// How a handler ended.
pub(crate) enum End<E> {
    Outcome(Outcome<E>),
    Panicked(String),
    TimedOut,
    Cut,
    Unstarted,
    /// Neither did it start: the pool is paused.
    Paused,
}

/// Where all handlers of a pool end.
pub(crate) struct Desk<T, E, H> {
    pub(crate) handler: H,
    pub(crate) pool: Arc<Pool<T>>,
    pub(crate) receiver: Arc<Receiver<T>>,
    pub(crate) retry: Retry<E>,
    pub(crate) budget: Option<Mutex<Budget>>,
    pub(crate) hook: Option<Hook<T, E>>,
    pub(crate) time_limit: Option<Duration>,
    /// The failures of the items that are tried again, if there is a hook to have them.
    pub(crate) histories: Mutex<Histories<E>>,
    /// Handlers are polled by the driver, so that it knows when one ends.
    pub(crate) is_local: bool,
    /// The channel is: somebody may ask it who works on what.
    pub(crate) is_observed: bool,
}

impl<T, E, H> Desk<T, E, H> {
    /// A handler begins.
    #[inline]
    pub(crate) fn first(&self, seat: &Seat<T>) {
        if let Some(budget) = &self.budget {
            if !seat.begun.meta.has_begun {
                lock(budget).first();
            }
        }
    }

    /// A handler that began then has ended, and was dropped. Its worker is free.
    pub(crate) fn end(&self, seat: &mut Arc<Seat<T>>, end: End<E>, began: Moment) {
        let ended = self.decide(seat, end, began);
        let receiver = &self.receiver;
        self.pool
            .settle(receiver, &seat.begun, ended, self.is_local);
    }

    /// The same, and the next job of its worker, if that goes on by itself: until then at the most.
    pub(crate) fn end_and_go_on(
        &self,
        seat: &mut Arc<Seat<T>>,
        end: End<E>,
        began: Moment,
        until: Moment,
    ) -> Option<(T, Fresh)> {
        let ended = self.decide(seat, end, began);
        let now = ended.now;
        let by = Alone {
            receiver: &*self.receiver,
            notebook: &seat.notebook,
            until,
            is_local: self.is_local,
        };
        if !self.pool.settle_alone(&by, &seat.begun, ended) {
            return None;
        }
        // A panic of a hook that is called meanwhile must not leave the look under way for ever.
        let received = quietly(|| self.receiver.try_recv().ok()).flatten();
        self.pool.take_up(&by, seat.begun.worker, received, now)
    }

    /// What becomes of the item.
    #[inline(always)] // a verdict is large, and moved otherwise
    fn decide(&self, seat: &mut Arc<Seat<T>>, end: End<E>, began: Moment) -> Ended<T> {
        let clock = &self.pool.clock;
        let let_go = seat.close();
        let seat = &**seat;
        let (verdict, ended, now) = match (end, let_go) {
            (End::Outcome(Outcome::Done), LetGo::Dropped(item)) => {
                self.forget(seat);
                discard(item); // before anybody is told that it is done; part of the job's time
                let now = clock.now();
                (Verdict::Done, now, now)
            }
            (End::Unstarted, LetGo::Dropped(item)) => {
                self.forget(seat);
                (Verdict::Unstarted(item), began, clock.now())
            }
            (End::Paused, LetGo::Dropped(item)) => (Verdict::Paused(item), began, clock.now()),
            (end, let_go) => {
                let ended = clock.now();
                let verdict = self.decide_slowly(seat, end, let_go, ended);
                (verdict, ended, clock.now()) // hooks and predicates have had their time
            }
        };
        let ran = ended.nanos_since(began);
        self.receiver.charge(seat.begun.meta.band, ran / 1000);
        Ended { verdict, ran, now }
    }

    /// The same where it is not simply done. Apart, because most jobs are.
    #[inline(never)]
    fn decide_slowly(
        &self,
        seat: &Seat<T>,
        end: End<E>,
        let_go: LetGo<T>,
        now: Moment,
    ) -> Verdict<T> {
        match (end, let_go) {
            (End::Cut, LetGo::Dropped(item) | LetGo::Requeued(item)) => {
                self.forget(seat);
                Verdict::Interrupted(item)
            }
            (End::Cut | End::Unstarted | End::Paused, _) => self.gone(seat),
            (End::Panicked(text), let_go) => {
                self.count(seat, |counts| counts.panicked += 1);
                self.failed(seat, let_go, Failure::Panicked(text), now)
            }
            (End::TimedOut, let_go) => {
                self.count(seat, |counts| counts.timed_out += 1);
                self.failed(seat, let_go, Failure::TimedOut, now)
            }
            (End::Outcome(outcome), let_go) => self.outcome(seat, let_go, outcome, now),
        }
    }

    fn outcome(
        &self,
        seat: &Seat<T>,
        let_go: LetGo<T>,
        outcome: Outcome<E>,
        now: Moment,
    ) -> Verdict<T> {
        match (outcome, let_go) {
            (Outcome::Retry(error), let_go) => {
                self.failed(seat, let_go, Failure::Error(error), now)
            }
            (Outcome::RetryAfter(least, error), let_go) => {
                self.failed(seat, let_go, Failure::Error(error), now.after(least))
            }
            (Outcome::Dead(error), let_go) => {
                self.count(seat, |counts| counts.failed += 1);
                self.bury(seat, let_go, Failure::Error(error), Cause::Said)
            }
            (_, LetGo::Taken) => self.gone(seat),
            (Outcome::Snooze(delay), LetGo::Dropped(item) | LetGo::Requeued(item)) => {
                let at = (!delay.is_zero()).then(|| now.after(delay));
                Verdict::Snooze(item, at)
            }
            (_, LetGo::Requeued(item)) | (Outcome::Requeue, LetGo::Dropped(item)) => {
                Verdict::Requeue(item)
            }
            (Outcome::Done, LetGo::Dropped(item)) => {
                self.forget(seat);
                discard(item); // before anybody is told that it is done
                Verdict::Done
            }
        }
    }

    /// The item is not ours any more.
    fn gone(&self, seat: &Seat<T>) -> Verdict<T> {
        self.forget(seat);
        Verdict::Taken
    }

    /// Not to be tried again before `least`.
    fn failed(
        &self,
        seat: &Seat<T>,
        let_go: LetGo<T>,
        failure: Failure<E>,
        least: Moment,
    ) -> Verdict<T> {
        let attempts = seat.begun.meta.attempts.saturating_add(1);
        let is_failure = match &failure {
            Failure::Error(error) => self.retry.is_failure(error),
            _ => true,
        };
        if !is_failure {
            discard(failure);
            return match let_go {
                LetGo::Dropped(item) | LetGo::Requeued(item) => {
                    Verdict::Snooze(item, Some(least.after(self.retry.delay(attempts))))
                }
                LetGo::Taken => self.gone(seat),
            };
        }
        self.count(seat, |counts| counts.failed += 1);
        let is_transient = match &failure {
            Failure::Error(error) => self.retry.is_transient(error),
            _ => true,
        };
        let cause = if !is_transient {
            Cause::NotTransient
        } else if attempts >= self.retry.attempts {
            Cause::Attempts
        } else if self.budget.as_ref().is_some_and(|b| !lock(b).retry()) {
            Cause::Budget
        } else {
            let item = match let_go {
                LetGo::Dropped(item) | LetGo::Requeued(item) => item,
                LetGo::Taken => {
                    discard(failure);
                    return self.gone(seat);
                }
            };
            let again = Again {
                at: least.after(self.retry.delay(attempts)),
                band: self.retry.band,
                attempts,
                history: self.remember(seat, failure),
            };
            return Verdict::Retry(item, again);
        };
        self.bury(seat, let_go, failure, cause)
    }

    /// The hook gets it.
    fn bury(
        &self,
        seat: &Seat<T>,
        let_go: LetGo<T>,
        failure: Failure<E>,
        cause: Cause,
    ) -> Verdict<T> {
        let (LetGo::Dropped(item) | LetGo::Requeued(item)) = let_go else {
            discard(failure);
            return self.gone(seat);
        };
        let meta = &seat.begun.meta;
        let mut failures = self.history(seat);
        failures.push(failure);
        let letter = DeadLetter {
            item,
            band: meta.band,
            age: self.pool.clock.now().since(meta.since),
            cause,
            failures,
        };
        let ran = quietly(|| match &self.hook {
            Some(hook) => hook(letter),
            None => drop(letter),
        });
        if ran.is_none() {
            self.count(seat, |counts| counts.hook_panicked += 1);
        }
        Verdict::Dead
    }

    /// One more failure of a job that is tried again.
    fn remember(&self, seat: &Seat<T>, failure: Failure<E>) -> Option<Past> {
        if self.hook.is_none() {
            discard(failure);
            return None;
        }
        Some(lock(&self.histories).add(seat.begun.meta.history, failure))
    }

    /// Nobody asks for the failures of a job that is not tried again.
    fn forget(&self, seat: &Seat<T>) {
        if seat.begun.meta.history.is_some() {
            self.history(seat).into_iter().for_each(discard); // each alone: two panics would abort
        }
    }

    /// The failures of a job that is not tried again.
    fn history(&self, seat: &Seat<T>) -> Vec<Failure<E>> {
        let past = seat.begun.meta.history;
        past.map_or_else(Vec::new, |past| lock(&self.histories).take(past))
    }

    fn count(&self, seat: &Seat<T>, count: impl FnOnce(&mut Counts)) {
        self.pool.count(&seat.begun.meta, count);
    }
}
