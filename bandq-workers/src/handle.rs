//! The future around one handler: it catches panics, and drops the handler when its time is over or
//! the pool is cut. Whatever happens to this future itself, the job is settled when it is gone.

use crate::{
    desk::{Desk, End},
    job::{Job, Seat},
    outcome::Outcome,
    quiet::{catching, quietly},
    timer::{Timer, after},
};
use bandq::Working;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

/// What a handler is started with. The order of the fields is that in which they are dropped: the
/// item has to be home when the job is settled.
pub(crate) struct Ticket<T, E> {
    job: Option<Job<T>>,
    _working: Working,
    settling: Settling<T, E>,
}

/// Settles the job when it is dropped.
struct Settling<T, E> {
    desk: Arc<Desk<T, E>>,
    seat: Arc<Seat<T>>,
    /// How it ended. If nobody said so: it was dropped.
    end: Option<End<E>>,
}

impl<T, E> Ticket<T, E> {
    pub(crate) fn new(job: Job<T>, working: Working, desk: &Arc<Desk<T, E>>) -> Self {
        let settling = Settling {
            desk: Arc::clone(desk),
            seat: Arc::clone(job.seat()),
            end: Some(End::Unstarted),
        };
        Self {
            job: Some(job),
            _working: working,
            settling,
        }
    }
}

impl<T, E> Drop for Settling<T, E> {
    fn drop(&mut self) {
        self.desk
            .end(&self.seat, self.end.take().unwrap_or(End::Cut));
    }
}

/// Runs the handler to its end.
pub(crate) async fn handle<T, E, H, F>(handler: Arc<H>, mut ticket: Ticket<T, E>)
where
    H: Fn(Job<T>) -> F,
    F: Future,
    F::Output: Into<Outcome<E>>,
{
    let seat = Arc::clone(&ticket.settling.seat);
    let desk = Arc::clone(&ticket.settling.desk);
    let call = &desk.pool.call;
    let Some(job) = ticket.job.take().filter(|_| !call.is_asked()) else {
        return; // unstarted
    };
    ticket.settling.end = None;
    desk.first(&seat);
    let until = desk.time_limit.map(|limit| after(seat.begun.at, limit));
    let mut timer = Timer::default();
    #[cfg(feature = "tracing")]
    let span = ticket._working.span();
    let end = {
        // In an `Option`, because its drop may panic too.
        let mut future = pin!(Some(async move { handler(job).await.into() }));
        let mut has_begun = false;
        let end = poll_fn(|context| {
            seat.begun.ears.task.register(context.waker());
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
                Ok(Poll::Pending) => Poll::Pending,
            }
        })
        .await;
        quietly(|| future.set(None));
        end
    };
    ticket.settling.end = Some(end);
}
