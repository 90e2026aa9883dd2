//! The driver: receives, starts handlers, puts back what is due, ends. It is polled by one task.

use crate::{
    clock::Moment,
    desk::Desk,
    handle::{Kit, SLICE, Ticket},
    intake::{self, Intake, Received},
    notebook::Begun,
    place::Place,
    pool::{Pick, Pool, Presence, Step},
    quiet::quietly,
    report::{Report, Stuck},
    timer::Timer,
};
use bandq::Receiver;
use std::{
    future::Future,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// How an item calls itself.
pub(crate) type Name<T> = Arc<dyn Fn(&T) -> String + Send + Sync>;

/// What is asked about a handler that runs for longer than that.
pub(crate) type Replace = (Duration, Arc<dyn Fn(&Stuck) -> bool + Send + Sync>);

/// So many rounds in one poll at the most, also if no time passes.
const ROUNDS: usize = 64;

pub(crate) struct Driver<T, E, H, M, F, P> {
    /// First, so that handlers which are dropped with it find the pool cut.
    pub(crate) _presence: Presence<T>,
    pub(crate) desk: Arc<Desk<T, E, H>>,
    pub(crate) intake: Intake<T>,
    /// Makes the future of a handler.
    pub(crate) make: M,
    pub(crate) place: P,
    /// A receiver for each worker, by which it is known who works on what.
    pub(crate) workers: Vec<Arc<Receiver<T>>>,
    pub(crate) name: Option<Name<T>>,
    pub(crate) replace: Option<Replace>,
    pub(crate) timer: Timer,
    pub(crate) is_over: bool,
    pub(crate) future: PhantomData<fn() -> F>,
}

impl<T, E, H, M, F, P> Driver<T, E, H, M, F, P>
where
    M: FnMut(Ticket<T, E, H>) -> F,
    F: Future<Output = Option<Kit<T, E, H>>>,
    P: Place<F>,
{
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Report<T>> {
        let desk = Arc::clone(&self.desk);
        let pool = &desk.pool;
        pool.driver.register(context.waker());
        let mut now = pool.clock.now();
        let until = now.after(SLICE);
        for _ in 0..ROUNDS {
            let mut at = None;
            if pool.is_ending() {
                match pool.step(Some(&desk.receiver)) {
                    Step::Ended => return Poll::Ready(pool.last_report(true)),
                    Step::Sleep(until) => at = until,
                }
            }
            let has_started = self.start(pool, now, until, context);
            let has_polled = self.place.poll();
            now = pool.clock.now();
            if has_started || has_polled {
                if now >= until {
                    break;
                }
                continue;
            }
            if self.is_over && pool.end_if_over() {
                return Poll::Ready(pool.last_report(true));
            }
            let next = [at, pool.next_due(), self.look_for_overdue(pool)];
            let next = next.into_iter().flatten().min();
            if !self.timer.is_due(next, context) {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Starts handlers while there are items for them and workers, until then at the most. Whether
    /// it has, or has done something else that may allow the next.
    fn start(
        &mut self,
        pool: &Pool<T>,
        now: Moment,
        until: Moment,
        context: &mut Context<'_>,
    ) -> bool {
        let desk = Arc::clone(&self.desk);
        let receiver = &*desk.receiver;
        let mut has_started = false;
        let mut pick = pool.pick(receiver, now);
        while let Pick::Look { mask, due, now } = pick {
            // Of handlers that are tasks, many may end before the last one starts.
            let now = if desk.is_local { now } else { pool.clock.now() };
            let received = match due {
                _ if self.is_over => Received::Closed,
                Some(due) => match self.intake.look(mask & due.above()) {
                    Some((band, item)) => Received::Item(band, item),
                    None => Received::Nothing,
                },
                None => self.intake.poll(mask, context),
            };
            let (begun, next) = match (received, due) {
                (Received::Item(band, item), _) => {
                    let name = self.name_of(&item);
                    if desk.is_local {
                        pool.accept_and_pick(receiver, (band, item), name, now)
                    } else {
                        // What spawns is foreign code, and may ask the pool to end and wait for
                        // that: no look may be under way meanwhile.
                        (pool.accept(receiver, band, item, name, now), None)
                    }
                }
                (_, Some(due)) => {
                    let Some(entry) = pool.take_due(receiver, due.band) else {
                        return has_started;
                    };
                    let name = self.name_of(&entry.item);
                    (pool.begin(receiver, entry, name, now), None)
                }
                (received, None) => {
                    pool.looked(receiver);
                    if matches!(received, Received::Closed) && !self.is_over {
                        self.is_over = true;
                        pool.set_over();
                    }
                    return has_started;
                }
            };
            has_started = true;
            if let Some((item, begun)) = begun {
                self.begin(item, begun);
            }
            pick = match next {
                Some(next) => next,
                None if now >= until => Pick::Nothing, // tasks may end as fast as they start
                None => pool.pick(receiver, now),
            };
        }
        has_started
    }

    fn name_of(&self, item: &T) -> Option<String> {
        let name = self.name.as_ref()?;
        quietly(|| name(item))
    }

    fn begin(&mut self, item: T, begun: Begun) {
        let worker = begun.worker;
        let desk = &self.desk;
        while self.workers.len() <= worker {
            let mask = desk.pool.mask_of(self.workers.len());
            let all = u64::MAX >> (bandq::Band::MAX_BANDS - desk.receiver.bands());
            let receiver = intake::within(&desk.receiver, mask, all);
            self.workers.push(Arc::new(receiver));
        }
        let left = self.place.left(worker).flatten();
        let kit = match left {
            Some(mut kit) => {
                kit.renew(begun);
                kit
            }
            None => Kit::new(desk, &self.workers[worker], begun),
        };
        let future = (self.make)(Ticket::new(item, kit));
        self.place.start(worker, future);
    }

    /// When to look again.
    fn look_for_overdue(&self, pool: &Pool<T>) -> Option<Instant> {
        let (limit, may_replace) = self.replace.as_ref()?;
        let (overdue, next) = pool.overdue(*limit);
        for (worker, stuck) in overdue {
            if quietly(|| may_replace(&stuck)).unwrap_or(false) {
                pool.replace(worker, stuck.id);
                pool.driver.wake(); // to give it something to do
            }
        }
        next
    }
}
