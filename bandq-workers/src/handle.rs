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
pub(crate) struct Ticket<T, E, H> {
    job: Option<Job<T>>,
    _working: Working,
    settling: Settling<T, E, H>,
}

/// Settles the job when it is dropped.
struct Settling<T, E, H> {
    desk: Arc<Desk<T, E, H>>,
    seat: Arc<Seat<T>>,
    /// How it ended. If nobody said so: it was dropped.
    end: Option<End<E>>,
}

impl<T, E, H> Ticket<T, E, H> {
    /// The item is out of that seat.
    pub(crate) fn new(
        item: T,
        seat: &Arc<Seat<T>>,
        working: Working,
        desk: &Arc<Desk<T, E, H>>,
    ) -> Self {
        let settling = Settling {
            desk: Arc::clone(desk),
            seat: Arc::clone(seat),
            end: Some(End::Unstarted),
        };
        Self {
            job: Some(Job::new(item, Arc::clone(seat))),
            _working: working,
            settling,
        }
    }
}

impl<T, E, H> Drop for Settling<T, E, H> {
    fn drop(&mut self) {
        self.desk
            .end(&self.seat, self.end.take().unwrap_or(End::Cut));
    }
}

/// Runs the handler to its end.
pub(crate) async fn handle<T, E, H, F>(mut ticket: Ticket<T, E, H>)
where
    H: Fn(Job<T>) -> F,
    F: Future,
    F::Output: Into<Outcome<E>>,
{
    let (seat, desk) = (&ticket.settling.seat, &ticket.settling.desk);
    let call = &desk.pool.call;
    let Some(job) = ticket.job.take().filter(|_| !call.is_asked()) else {
        return; // unstarted
    };
    ticket.settling.end = None;
    desk.first(seat);
    let until = desk.time_limit.map(|limit| after(seat.begun.at, limit));
    let mut timer = Timer::default();
    #[cfg(feature = "tracing")]
    let span = ticket._working.span();
    let end = {
        // In an `Option`, because its drop may panic too.
        let mut future = pin!(Some(async { (desk.handler)(job).await.into() }));
        let end = poll_fn(|context| {
            if call.is_cut() {
                return Poll::Ready(End::Cut);
            }
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
    ticket.settling.end = Some(end);
}
