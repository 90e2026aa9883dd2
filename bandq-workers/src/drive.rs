//! The driver: receives, starts handlers, puts back what is due, ends. It is polled by one task.

use crate::{
    desk::Desk,
    entry::Entry,
    handle::Ticket,
    intake::{self, Intake, Received},
    job::Job,
    place::Place,
    pool::{Begun, Pick, Pool, Presence, Step},
    quiet::quietly,
    report::{Report, Stuck},
    timer::Timer,
};
use bandq::Receiver;
use std::{
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// How an item calls itself.
pub(crate) type Name<T> = Arc<dyn Fn(&T) -> String + Send + Sync>;

/// What is asked about a handler that runs for longer than that.
pub(crate) type Replace = (Duration, Arc<dyn Fn(&Stuck) -> bool + Send + Sync>);

/// So many rounds in one poll; then other tasks of the thread have their turn.
const ROUNDS: usize = 64;

pub(crate) struct Driver<T, E, M, F, P> {
    /// First, so that handlers which are dropped with it find the pool cut.
    pub(crate) _presence: Presence<T>,
    pub(crate) desk: Arc<Desk<T, E>>,
    pub(crate) intake: Intake<T>,
    /// Makes the future of a handler.
    pub(crate) make: M,
    pub(crate) place: P,
    /// A receiver for each worker, by which it is known who works on what.
    pub(crate) workers: Vec<Receiver<T>>,
    pub(crate) name: Option<Name<T>>,
    pub(crate) replace: Option<Replace>,
    pub(crate) timer: Timer,
    pub(crate) is_over: bool,
    pub(crate) future: PhantomData<fn() -> F>,
}

impl<T, E, M, F, P> Driver<T, E, M, F, P>
where
    M: FnMut(Ticket<T, E>) -> F,
    P: Place<F>,
{
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Report<T>> {
        let desk = Arc::clone(&self.desk);
        let pool = &desk.pool;
        pool.driver.register(context.waker());
        for _ in 0..ROUNDS {
            let mut at = None;
            if pool.is_ending() {
                match pool.step(Some(&desk.receiver)) {
                    Step::Ended => return Poll::Ready(pool.last_report(true)),
                    Step::Sleep(until) => at = until,
                }
            }
            let mut is_busy = false;
            while self.start_one(pool, context) {
                is_busy = true;
            }
            is_busy |= self.place.poll();
            if is_busy {
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

    /// Whether a handler was started, or something else was done that may allow the next.
    fn start_one(&mut self, pool: &Pool<T>, context: &mut Context<'_>) -> bool {
        let Pick::Look { mask, due } = pool.pick(&self.desk.receiver) else {
            return false;
        };
        let receiver = Arc::clone(&self.desk.receiver);
        let received = match due {
            _ if self.is_over => Received::Closed,
            Some(due) => match self.intake.look(mask & due.above()) {
                Some((band, item)) => Received::Item(band, item),
                None => Received::Nothing,
            },
            None => self.intake.poll(mask, context),
        };
        match (received, due) {
            (Received::Item(band, item), _) => {
                let name = self.name_of(&item);
                if let Some((item, begun)) = pool.accept(&receiver, band, item, name) {
                    self.start(item, begun);
                }
                true
            }
            (_, Some(due)) => {
                let Some(entry) = pool.take_due(&receiver, due.band) else {
                    return false;
                };
                self.start_due(pool, entry);
                true
            }
            (received, None) => {
                pool.looked(&receiver);
                if matches!(received, Received::Closed) && !self.is_over {
                    self.is_over = true;
                    pool.set_over();
                }
                false
            }
        }
    }

    fn start_due(&mut self, pool: &Pool<T>, entry: Entry<T>) {
        let name = self.name_of(&entry.item);
        if let Some((item, begun)) = pool.begin(&self.desk.receiver, entry, name) {
            self.start(item, begun);
        }
    }

    fn name_of(&self, item: &T) -> Option<String> {
        let name = self.name.as_ref()?;
        quietly(|| name(item))
    }

    fn start(&mut self, item: T, begun: Begun) {
        let worker = begun.worker;
        let band = begun.meta.band;
        let desk = &self.desk;
        while self.workers.len() <= worker {
            let mask = desk.pool.mask_of(self.workers.len());
            let all = u64::MAX >> (bandq::Band::MAX_BANDS - desk.receiver.bands());
            self.workers.push(intake::within(&desk.receiver, mask, all));
        }
        let working = self.workers[worker].working(band);
        let job = Job::new(item, begun, &desk.pool, &desk.receiver, false);
        let future = (self.make)(Ticket::new(job, working, desk));
        self.place.start(worker, future);
    }

    /// When to look again.
    fn look_for_overdue(&self, pool: &Pool<T>) -> Option<std::time::Instant> {
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
