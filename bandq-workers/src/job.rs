//! A job as a handler sees it, and the place to which its item comes back.

use crate::{
    ears::Ears,
    notebook::{Begun, Notebook},
    pool::{Ended, Pool, Verdict},
    quiet::{lock, quietly},
    sync::Mutex,
    wakes::WakerCell,
};
use bandq::{Band, Receiver};
use std::{
    fmt,
    future::Future,
    mem,
    ops::Deref,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll},
    thread,
    time::Duration,
};

/// What became of a job's item.
enum Home<T> {
    /// It is in the `Job`.
    Out,
    /// The `Job` was dropped.
    Back(T),
    Requeued(T),
    Taken,
    /// The job is over.
    Closed,
}

/// What the `Job` and the pool share. The item comes back here when the `Job` is dropped, and so
/// when a future is that owns it. It serves the next job too, if nobody else has it then.
pub(crate) struct Seat<T> {
    pub(crate) begun: Begun,
    pub(crate) ears: Arc<Ears>,
    pub(crate) notebook: Arc<Notebook>,
    pub(crate) pool: Arc<Pool<T>>,
    pub(crate) receiver: Arc<Receiver<T>>,
    home: Mutex<Home<T>>,
    /// Nobody but the `Job` says how it ends.
    by_hand: bool,
}

/// How the `Job` was let go.
pub(crate) enum LetGo<T> {
    Dropped(T),
    Requeued(T),
    /// Taken, or somebody else has the `Job` now.
    Taken,
}

impl<T> Seat<T> {
    pub(crate) fn new(
        begun: Begun,
        pool: &Arc<Pool<T>>,
        receiver: &Arc<Receiver<T>>,
        by_hand: bool,
    ) -> Arc<Self> {
        let (ears, notebook) = pool.of_worker(begun.worker);
        Arc::new(Self {
            begun,
            ears,
            notebook,
            pool: Arc::clone(pool),
            receiver: Arc::clone(receiver),
            home: Mutex::new(Home::Out),
            by_hand,
        })
    }

    /// For the next job of its worker, which `begun` makes of the last one, if nobody else has it.
    /// Whether it is.
    #[inline]
    pub(crate) fn reuse(self: &mut Arc<Self>, begun: impl FnOnce(&Begun) -> Begun) -> bool {
        let Some(seat) = Arc::get_mut(self) else {
            return false;
        };
        seat.begun = begun(&seat.begun);
        *seat.home_mut() = Home::Out;
        true
    }

    fn home_mut(&mut self) -> &mut Home<T> {
        self.home.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job is over: what comes back later is the user's.
    pub(crate) fn close(self: &mut Arc<Self>) -> LetGo<T> {
        let home = match Arc::get_mut(self) {
            Some(seat) => mem::replace(seat.home_mut(), Home::Closed),
            None => mem::replace(&mut *lock(&self.home), Home::Closed),
        };
        match home {
            Home::Back(item) => LetGo::Dropped(item),
            Home::Requeued(item) => LetGo::Requeued(item),
            Home::Out | Home::Taken | Home::Closed => LetGo::Taken,
        }
    }

    /// Puts something there, if it is out; else gives it back.
    fn put(&self, home: Home<T>) -> Option<Home<T>> {
        let mut place = lock(&self.home);
        if !matches!(*place, Home::Out) {
            return Some(home);
        }
        *place = home;
        None
    }

    fn settle_by_hand(&self, verdict: Verdict<T>) {
        *lock(&self.home) = Home::Closed;
        let now = self.pool.clock.now();
        let ended = Ended {
            verdict,
            ran: now.nanos_since(self.begun.at),
            now,
        };
        self.pool.settle(&self.receiver, &self.begun, ended, false);
    }
}

/// An item that is being worked on. It reads as the item.
///
/// A handler owns it. When the handler ends, or is cut off and so dropped, the item goes back to
/// the pool, which keeps it for the next attempt, gives it back, or drops it when it is done. One
/// that is moved elsewhere, or forgotten, and not there any more when the handler ends, counts as
/// taken.
///
/// ```
/// # use bandq::Band;
/// # use bandq_workers::{Job, Workers};
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded(2);
/// sender.send(Band::new(1), "a report".to_owned()).await.unwrap();
/// drop(sender);
/// let report = Workers::new(receiver)
///     .run(|job: Job<String>| async move {
///         assert_eq!((job.len(), job.band(), job.attempt()), (8, Band::new(1), 1));
///     })
///     .await;
/// assert_eq!(report.done, 1);
/// # });
/// ```
pub struct Job<T> {
    /// `None` only after `take`, `requeue` or `drop`, which own it.
    item: Option<T>,
    seat: Arc<Seat<T>>,
}

impl<T> Job<T> {
    /// In a seat whose item is out.
    pub(crate) fn new(item: T, seat: Arc<Seat<T>>) -> Self {
        Self {
            item: Some(item),
            seat,
        }
    }

    /// The band in which it is worked on.
    #[must_use]
    pub fn band(&self) -> Band {
        self.seat.begun.meta.band
    }

    /// The number of this attempt; the first is 1. Only failures count.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.seat.begun.meta.attempts.saturating_add(1)
    }

    /// How long the pool has had the item, over all attempts. The time in the channel is not in it:
    /// a channel does not tell how long an item was there.
    #[must_use]
    pub fn age(&self) -> Duration {
        let seat = &self.seat;
        seat.pool.clock.now().since(seat.begun.meta.since)
    }

    /// The number of the job, which no other job of the pool has; the same for all attempts. It
    /// does not tell the order: workers take jobs at the same time.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.seat.begun.meta.id.get()
    }

    /// The number of the worker, from 0 on: no two jobs that run at a time have the same. For what
    /// each worker has of its own, a connection or a buffer. It is less than the number of workers,
    /// those that are reserved and [replaced](crate::Workers::replace_stuck) counted. What one
    /// worker gets of one band, it gets in the order of the band, aside from what was put back: for
    /// a retry, or by a pause.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Workers};
    /// # futures_lite::future::block_on(async {
    /// # let (sender, receiver) = bandq::unbounded(2);
    /// # sender.send(Band::new(1), 7).await.unwrap();
    /// # drop(sender);
    /// let workers = Workers::new(receiver).concurrency(8);
    /// let report = workers.run(|job: Job<u32>| async move { assert!(job.worker() < 8) });
    /// assert_eq!(report.await.done, 1);
    /// # });
    /// ```
    #[must_use]
    pub fn worker(&self) -> usize {
        self.seat.begun.worker
    }

    /// Takes the item away from the pool: it is settled as taken, whatever the handler says at its
    /// end, and is not tried again. Always `Some`, since a job can only be taken once.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Outcome, Workers};
    /// # futures_lite::future::block_on(async {
    /// # let (sender, receiver) = bandq::unbounded(2);
    /// # sender.send(Band::new(1), 7).await.unwrap();
    /// # drop(sender);
    /// # let workers = Workers::new(receiver);
    /// let report = workers
    ///     .run(|job: Job<u32>| async move {
    ///         assert_eq!(job.take(), Some(7));
    ///     })
    ///     .await;
    /// assert_eq!((report.taken, report.done), (1, 0));
    /// # });
    /// ```
    #[must_use = "the item is dropped otherwise"]
    pub fn take(mut self) -> Option<T> {
        let item = self.item.take();
        if self.seat.by_hand {
            self.seat.settle_by_hand(Verdict::Taken);
        } else {
            self.seat.put(Home::Taken);
        }
        item
    }

    /// Puts the item back at the end of its band, behind all that is in it then: when the handler
    /// ends, or, with [`Jobs`](crate::Jobs), at once. Never waits for room, and uses up no attempt.
    /// What the handler says at its end does not count then, unless it fails or snoozes.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Outcome, Workers};
    /// # futures_lite::future::block_on(async {
    /// # let (sender, receiver) = bandq::unbounded(2);
    /// # sender.send(Band::new(1), 7).await.unwrap();
    /// # drop(sender);
    /// # let workers = Workers::new(receiver);
    /// let report = workers
    ///     .run(|job: Job<u32>| async move {
    ///         if job.id() == 1 && !job.urgent_waiting() && fastrand::bool() {
    ///             job.requeue();
    ///         }
    ///     })
    ///     .await;
    /// assert_eq!(report.done, 1);
    /// # });
    /// ```
    pub fn requeue(mut self) {
        let Some(item) = self.item.take() else { return };
        if self.seat.by_hand {
            self.seat.settle_by_hand(Verdict::Requeue(item));
        } else {
            drop(self.seat.put(Home::Requeued(item)));
        }
    }

    /// Whether something more urgent waits in the channel: one relaxed load. For a long loop that
    /// would rather stop then, with [`Requeue`](crate::Outcome::Requeue).
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Outcome, Workers};
    /// # futures_lite::future::block_on(async {
    /// # let (sender, receiver) = bandq::unbounded(2);
    /// # sender.send(Band::new(1), 7).await.unwrap();
    /// # drop(sender);
    /// # let workers = Workers::new(receiver);
    /// let report = workers.run(|job: Job<u32>| async move {
    ///     for _row in 0..*job {
    ///         if job.urgent_waiting() {
    ///             return Outcome::<&str>::Requeue;
    ///         }
    ///     }
    ///     Outcome::Done
    /// });
    /// assert_eq!(report.await.done, 1);
    /// # });
    /// ```
    #[must_use]
    pub fn urgent_waiting(&self) -> bool {
        self.seat.receiver.urgent_waiting(self.band())
    }

    /// Is ready when the pool is asked to [stop](crate::Control::stop): whoever can end early, and
    /// in good order, should. Who does not is dropped at the deadline. It is not ready before the
    /// deadline of a [drain](crate::Control::drain), which is to let work be done, and never for
    /// [`Jobs`](crate::Jobs).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Outcome, Workers};
    /// # futures_lite::future::block_on(async {
    /// # let (sender, receiver) = bandq::unbounded(2);
    /// # sender.send(Band::new(1), 7).await.unwrap();
    /// # drop(sender);
    /// # let workers = Workers::new(receiver);
    /// # use std::time::Duration;
    /// let control = workers.control();
    /// let report = workers.run(|job: Job<u32>| {
    ///     drop(control.stop(Duration::from_secs(10)));
    ///     async move {
    ///         job.cancelled().await; // or the work, whichever is first
    ///         Outcome::<&str>::Requeue
    ///     }
    /// });
    /// assert_eq!(report.await.returned[0].item, 7);
    /// # });
    /// ```
    pub fn cancelled(&self) -> Cancelled<T> {
        Cancelled {
            cell: self.seat.ears.add(),
            seat: Arc::clone(&self.seat),
        }
    }
}

impl<T> Deref for Job<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.item.as_ref().expect("there until the job goes")
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        let Some(item) = self.item.take() else { return };
        if !self.seat.by_hand {
            drop(self.seat.put(Home::Back(item)));
        } else if thread::panicking() {
            self.seat.settle_by_hand(Verdict::Requeue(item));
        } else {
            quietly(|| drop(item));
            self.seat.settle_by_hand(Verdict::Done);
        }
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id())
            .field("band", &self.band())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}

/// The future of [`Job::cancelled`].
#[must_use = "futures do nothing unless they are polled"]
pub struct Cancelled<T> {
    cell: Arc<WakerCell>,
    seat: Arc<Seat<T>>,
}

impl<T> Future for Cancelled<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.cell.register(context.waker());
        if self.seat.pool.call.is_asked() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<T> fmt::Debug for Cancelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").finish_non_exhaustive()
    }
}
