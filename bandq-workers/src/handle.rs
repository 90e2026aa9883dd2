//! The future around the handlers of a worker, one after the other: it catches panics, and drops
//! the handler when its time is over or the pool is cut. Whatever happens to this future itself,
//! the job is settled when it is gone.

use crate::{
    clock::Moment,
    desk::{Desk, End},
    job::{Job, Seat},
    notebook::Begun,
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

/// So long the driver, or a worker, goes on by itself. Then the other tasks of the thread, or the
/// driver, have their turn.
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
    pub(crate) fn reuse(mut self, begun: Begun) -> Self {
        if !self.seat.reuse(begun) {
            self.seat = Seat::new(begun, &self.desk.pool, &self.desk.receiver, false);
        }
        self
    }
}

/// What a handler is started with. The order of the fields is that in which they are dropped: the
/// item has to be home when the job is settled.
pub(crate) struct Ticket<T, E, H> {
    job: Option<Job<T>>,
    _working: Working,
    settling: Settling<T, E, H>,
}

/// Settles the job when it is dropped, unless it is settled.
struct Settling<T, E, H> {
    /// `None` when it is.
    kit: Option<Kit<T, E, H>>,
    /// Nobody has said how it ended.
    is_unstarted: bool,
}

impl<T, E, H> Ticket<T, E, H> {
    /// The item is out of the seat.
    pub(crate) fn new(item: T, kit: Kit<T, E, H>) -> Self {
        let working = kit.receiver.working(kit.seat.begun.meta.band);
        Self {
            job: Some(Job::new(item, Arc::clone(&kit.seat))),
            _working: working,
            settling: Settling {
                kit: Some(kit),
                is_unstarted: true,
            },
        }
    }

    /// The job has ended so; the worker's next one, if it goes on by itself.
    #[inline]
    fn end(self, end: End<E>, until: Moment) -> Ended<T, E, H> {
        let Self {
            job,
            _working,
            mut settling,
        } = self;
        drop((job, _working));
        // If it panics in spite of all, the kit is still there, and `Settling` settles the job.
        let next = settling
            .kit
            .as_mut()
            .and_then(|kit| kit.desk.end_and_go_on(&mut kit.seat, end, until));
        match (settling.kit.take(), next) {
            (Some(kit), Some((item, begun))) => Ended::Next(Self::new(item, kit.reuse(begun))),
            (kit, _) => Ended::Last(kit),
        }
    }
}

/// What comes after a job.
enum Ended<T, E, H> {
    Next(Ticket<T, E, H>),
    /// The worker is free.
    Last(Option<Kit<T, E, H>>),
}

impl<T, E, H> Drop for Settling<T, E, H> {
    fn drop(&mut self) {
        if let Some(mut kit) = self.kit.take() {
            let end = if self.is_unstarted {
                End::Unstarted
            } else {
                End::Cut
            };
            kit.desk.end(&mut kit.seat, end);
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
        let Kit { desk, seat, .. } = ticket.settling.kit.as_ref()?;
        let now = if desk.is_local {
            seat.begun.at
        } else {
            desk.pool.clock.now() // a task may have waited for its first poll
        };
        let until = now.after(SLICE);
        loop {
            let end = job(&mut ticket).await?;
            match ticket.end(end, until) {
                Ended::Next(next) => ticket = next,
                Ended::Last(kit) => return kit,
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
        let job = ticket.job.take()?;
        let Kit { desk, seat, .. } = ticket.settling.kit.as_ref()?;
        let call = &desk.pool.call;
        if call.is_asked() {
            drop(job);
            return Some(End::Unstarted);
        }
        ticket.settling.is_unstarted = false;
        desk.first(seat);
        let clock = &desk.pool.clock;
        let until = desk
            .time_limit
            .map(|limit| clock.instant(seat.begun.at.after(limit)));
        let mut timer = Timer::default();
        #[cfg(feature = "tracing")]
        let span = ticket._working.span();
        let end = {
            // In an `Option`, because its drop may panic too.
            let mut future = pin!(Some(async { (desk.handler)(job).await.into() }));
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
                    Ok(Poll::Ready(outcome)) => Poll::Ready(End::Outcome(outcome)),
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
