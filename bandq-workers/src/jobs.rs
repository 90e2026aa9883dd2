//! [`Jobs`]: jobs without a handler.

use crate::{
    control::Join,
    crew::Crew,
    entry::Due,
    intake::range,
    job::{Job, Seat},
    notebook::Begun,
    pool::{Pick, Pool, Presence},
    report::Report,
};
use bandq::{Band, Receiver, RecvError, TryRecvError};
use std::{
    fmt,
    future::{Future, poll_fn},
    panic::Location,
    pin::pin,
    sync::Arc,
    task::Poll,
};

/// Jobs by hand, for a loop of your own. Clone it for each consumer.
///
/// A job that is dropped is done, [`take`](Job::take) takes its item away, and
/// [`requeue`](Job::requeue) puts it back at the end of its band, without waiting for room. One
/// that is dropped by a panic is put back.
///
/// ```
/// # use bandq::Band;
/// # use bandq_workers::Jobs;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::bounded(1, 1);
/// let jobs = Jobs::new(receiver);
/// sender.send(Band::URGENT, 1).await.unwrap();
/// let joined = jobs.join();
///
/// let job = jobs.recv().await.unwrap();
/// sender.send(Band::URGENT, 2).await.unwrap(); // full again
/// job.requeue();
/// for _ in 0..2 {
///     let job = jobs.recv().await.unwrap();
///     println!("{}", *job);
/// }
/// joined.await;
/// assert_eq!(jobs.report().done, 2);
/// # });
/// ```
pub struct Jobs<T> {
    receiver: Arc<Receiver<T>>,
    pool: Arc<Pool<T>>,
    /// With the last clone nobody is left to take anything.
    presence: Arc<Presence<T>>,
}

impl<T> Jobs<T> {
    /// The jobs of that channel.
    #[track_caller]
    #[must_use]
    pub fn new(receiver: Receiver<T>) -> Self {
        let bands = receiver.bands();
        let crew = Crew::new(bands, None);
        let pool = Arc::new(Pool::new(bands, crew, Location::caller()));
        Self {
            presence: Arc::new(Presence(Arc::clone(&pool))),
            pool,
            receiver: Arc::new(receiver),
        }
    }

    /// The next job: by band, and what was put back behind what was in its band then.
    ///
    /// # Errors
    ///
    /// The channel is closed and empty, and nothing was put back. A job that somebody else still
    /// has may be put back later; whoever puts one back has to call this again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped has taken nothing.
    pub async fn recv(&self) -> Result<Job<T>, RecvError> {
        let cell = self.pool.add_taker();
        let mut recv = pin!(self.receiver.recv());
        poll_fn(|context| {
            cell.register(context.waker());
            loop {
                // Workers are never few, so there is nothing to wait for but an item.
                let now = self.pool.clock.now();
                let Pick::Look { due, .. } = self.pool.pick(&self.receiver, now) else {
                    return Poll::Pending;
                };
                if let Some(due) = due {
                    match self.first(due) {
                        Some(job) => return Poll::Ready(Ok(job)),
                        None => continue,
                    }
                }
                match recv.as_mut().poll(context) {
                    Poll::Ready(Ok((band, item))) => {
                        return match self.accept(band, item) {
                            Some(begun) => Poll::Ready(Ok(self.job(begun))),
                            None => Poll::Pending,
                        };
                    }
                    Poll::Ready(Err(error)) => {
                        self.pool.looked(&self.receiver);
                        return Poll::Ready(Err(error));
                    }
                    Poll::Pending => {
                        self.pool.looked(&self.receiver);
                        return Poll::Pending;
                    }
                }
            }
        })
        .await
    }

    /// The next job, if there is one.
    ///
    /// # Errors
    ///
    /// As those of [`Receiver::try_recv`].
    pub fn try_recv(&self) -> Result<Job<T>, TryRecvError> {
        loop {
            let now = self.pool.clock.now();
            let Pick::Look { due, .. } = self.pool.pick(&self.receiver, now) else {
                return Err(TryRecvError::Empty);
            };
            if let Some(due) = due {
                match self.first(due) {
                    Some(job) => return Ok(job),
                    None => continue,
                }
            }
            match self.receiver.try_recv() {
                Ok((band, item)) => {
                    if let Some(begun) = self.accept(band, item) {
                        return Ok(self.job(begun));
                    }
                }
                Err(error) => {
                    self.pool.looked(&self.receiver);
                    return Err(error);
                }
            }
        }
    }

    /// Waits until everything is settled that was sent before the call: done or taken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    pub fn join(&self) -> Join<T> {
        Join::new(&self.pool, Arc::downgrade(&self.receiver))
    }

    /// What became of the items so far.
    #[must_use]
    pub fn report(&self) -> Report<T> {
        self.pool.report()
    }

    /// What is due, or what comes before it in the channel. `None`: somebody else has had it.
    fn first(&self, due: Due) -> Option<Job<T>> {
        let above = due.above();
        let received = (above != 0)
            .then(|| self.receiver.within(range(above)).try_recv().ok())
            .flatten();
        let begun = match received {
            Some((band, item)) => self.accept(band, item),
            None => {
                let entry = self.pool.take_due(&self.receiver, due.band)?;
                let now = self.pool.clock.now();
                self.pool.begin(&self.receiver, entry, None, now)
            }
        };
        Some(self.job(begun?))
    }

    fn accept(&self, band: Band, item: T) -> Option<(T, Begun)> {
        let now = self.pool.clock.now();
        self.pool.accept(&self.receiver, band, item, None, now)
    }

    fn job(&self, (item, begun): (T, Begun)) -> Job<T> {
        Job::new(item, Seat::new(begun, &self.pool, &self.receiver, true))
    }
}

impl<T> Clone for Jobs<T> {
    fn clone(&self) -> Self {
        Self {
            receiver: Arc::clone(&self.receiver),
            pool: Arc::clone(&self.pool),
            presence: Arc::clone(&self.presence),
        }
    }
}

impl<T> fmt::Debug for Jobs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jobs").field(&self.report()).finish()
    }
}
