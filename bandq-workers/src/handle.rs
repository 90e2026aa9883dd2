//! The future around the handlers of a worker, one after the other: it catches panics, and drops
//! the handler when its time is over or the pool is cut. Whatever happens to this future itself,
//! the job is settled when it is gone.

use crate::{
    clock::Moment,
    desk::{Desk, End},
    job::{Job, Seat},
    notebook::{Begun, Fresh},
    outcome::Outcome,
    quiet::{catching, quietly},
    timer::Timer,
};
use bandq::{Receiver, Working};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

/// What a worker keeps from job to job.
pub(crate) struct Kit<T, E, H> {
    pub(crate) desk: Arc<Desk<T, E, H>>,
    pub(crate) seat: Arc<Seat<T>>,
    /// By which it is known who works on what.
    receiver: Arc<Receiver<T>>,
}

/// For how long the driver, or a worker, goes on before others have their turn: the other tasks of
/// the thread, or the driver.
pub(crate) const SLICE: Duration = Duration::from_micros(50);

impl<T, E, H> Kit<T, E, H> {
    pub(crate) fn new(
        desk: &Arc<Desk<T, E, H>>,
        receiver: &Arc<Receiver<T>>,
        begun: Begun,
    ) -> Self {
        Self {
            desk: Arc::clone(desk),
            seat: Seat::new(begun, &desk.pool, &desk.receiver, false),
            receiver: Arc::clone(receiver),
        }
    }

    /// For the next job of the worker; with another seat, if somebody else has this one.
    pub(crate) fn renew(&mut self, begun: Begun) {
        if !self.seat.reuse(|_| begun) {
            self.seat = Seat::new(begun, &self.desk.pool, &self.desk.receiver, false);
        }
    }

    /// The same for one that the worker took by itself.
    #[inline]
    fn renew_alone(&mut self, fresh: Fresh) {
        if !self.seat.reuse(|last| fresh.begun(last.worker)) {
            self.renew(fresh.begun(self.seat.begun.worker));
        }
    }

    /// The item is out of the seat.
    #[inline]
    fn job(&self, item: T) -> Job<T> {
        Job::new(item, Arc::clone(&self.seat))
    }

    #[inline]
    fn working(&self) -> Working {
        self.receiver.working(self.seat.begun.meta.band)
    }
}

/// What a handler is started with. The order of the fields is that in which they are dropped: the
/// item has to be home when the job is settled. For the next job of its worker it is filled anew
/// where it is: what is moved around costs as much as the locks.
pub(crate) struct Ticket<T, E, H> {
    job: Option<Job<T>>,
    /// `None` between two jobs, and if nobody can ask for it.
    working: Option<Working>,
    settling: Settling<T, E, H>,
}

/// Settles the job when it is dropped, unless it is settled.
struct Settling<T, E, H> {
    /// `None` when it is.
    kit: Option<Kit<T, E, H>>,
    /// Nobody has said how it ended.
    is_unstarted: bool,
    /// When the handler began; before that, when its worker took the item.
    began: Moment,
}

impl<T, E, H> Ticket<T, E, H> {
    pub(crate) fn new(item: T, kit: Kit<T, E, H>) -> Self {
        Self {
            job: Some(kit.job(item)),
            working: kit.desk.is_observed.then(|| kit.working()),
            settling: Settling {
                began: kit.seat.begun.at,
                kit: Some(kit),
                is_unstarted: true,
            },
        }
    }

    /// The job has ended so. Whether the worker goes on by itself, with the job that is here now.
    #[inline]
    fn end(&mut self, end: End<E>, until: Moment) -> bool {
        self.job = None;
        self.working = None;
        let Some(kit) = &mut self.settling.kit else {
            return false;
        };
        // If it panics in spite of all, the kit is still there, and `Settling` settles the job.
        let began = self.settling.began;
        let next = kit.desk.end_and_go_on(&mut kit.seat, end, began, until);
        let Some((item, fresh)) = next else {
            return false;
        };
        kit.renew_alone(fresh);
        self.job = Some(kit.job(item));
        if kit.desk.is_observed {
            self.working = Some(kit.working());
        }
        self.settling.is_unstarted = true;
        self.settling.began = fresh.at;
        true
    }
}

impl<T, E, H> Drop for Settling<T, E, H> {
    fn drop(&mut self) {
        if let Some(mut kit) = self.kit.take() {
            let end = if self.is_unstarted {
                End::Unstarted
            } else {
                End::Cut
            };
            kit.desk.end(&mut kit.seat, end, self.began);
        }
    }
}

/// Runs the handler to its end, and then for the next jobs of the worker, while that goes on by
/// itself. What it returns serves the worker when it begins again.
///
/// A block, because it holds once what an `async fn` would hold twice.
#[allow(clippy::manual_async_fn, reason = "as said")]
pub(crate) fn handle<T, E, H, F>(
    mut ticket: Ticket<T, E, H>,
) -> impl Future<Output = Option<Kit<T, E, H>>>
where
    H: Fn(Job<T>) -> F,
    F: Future,
    F::Output: Into<Outcome<E>>,
{
    async move {
        // A task may have waited for its first poll, and inside the pool others had theirs before.
        let now = ticket.settling.kit.as_ref()?.desk.pool.clock.now();
        ticket.settling.began = now;
        let until = now.after(SLICE);
        loop {
            let end = job(&mut ticket).await?;
            if !ticket.end(end, until) {
                return ticket.settling.kit.take();
            }
        }
    }
}

/// Runs the handler for one job.
#[allow(clippy::manual_async_fn, reason = "as above")]
fn job<T, E, H, F>(ticket: &mut Ticket<T, E, H>) -> impl Future<Output = Option<End<E>>>
where
    H: Fn(Job<T>) -> F,
    F: Future,
    F::Output: Into<Outcome<E>>,
{
    async move {
        let Ticket {
            job,
            working,
            settling,
        } = ticket;
        let Kit { desk, seat, .. } = settling.kit.as_ref()?;
        let call = &desk.pool.call;
        if call.is_asked() {
            return Some(End::Unstarted);
        }
        if desk.pool.is_paused() {
            return Some(End::Paused);
        }
        settling.is_unstarted = false;
        desk.first(seat);
        let clock = &desk.pool.clock;
        let until = desk
            .time_limit
            .map(|limit| clock.instant(seat.begun.at.after(limit)));
        let mut timer = Timer::default();
        #[cfg(feature = "tracing")]
        let span = working
            .as_ref()
            .map_or_else(tracing::Span::none, Working::span);
        #[cfg(not(feature = "tracing"))]
        let _ = working;
        let end = {
            // In an `Option`, because its drop may panic too.
            let mut future = pin!(Some(async {
                let job = job.take()?; // once, and only if it is polled
                Some((desk.handler)(job).await.into())
            }));
            let mut has_begun = false;
            let end = poll_fn(|context| {
                if call.is_cut() {
                    let end = if has_begun { End::Cut } else { End::Unstarted };
                    return Poll::Ready(end);
                }
                has_begun = true;
                #[cfg(feature = "tracing")]
                let _entered = span.enter();
                let polled = catching(|| match future.as_mut().as_pin_mut() {
                    Some(future) => future.poll(context),
                    None => Poll::Pending, // it is there until the end
                });
                match polled {
                    Err(text) => Poll::Ready(End::Panicked(text)),
                    Ok(Poll::Ready(Some(outcome))) => Poll::Ready(End::Outcome(outcome)),
                    Ok(Poll::Ready(None)) => Poll::Ready(End::Unstarted),
                    Ok(Poll::Pending) if timer.is_due(until, context) => Poll::Ready(End::TimedOut),
                    Ok(Poll::Pending) => {
                        // Only now: most handlers of short work never wait.
                        seat.ears.task.register(context.waker());
                        if call.is_cut() {
                            return Poll::Ready(End::Cut);
                        }
                        Poll::Pending
                    }
                }
            })
            .await;
            quietly(|| future.set(None));
            end
        };
        Some(end)
    }
}
