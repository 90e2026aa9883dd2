//! How a running pool is steered and ended from outside.

use crate::{
    pool::{How, Pool, Step},
    report::{Report, Returned},
    timer::Timer,
    wakes::WakerCell,
};
use bandq::Receiver;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

/// Steers a pool from outside. Clone it for everybody who needs it; it keeps no channel open.
///
/// Calls take effect when they are made; the futures that some of them return only tell when that
/// is over. So `control.stop(time)` stops the pool also if its future is dropped, as long as the
/// pool itself is polled, or another of these futures: somebody has to see that the time is over.
///
/// ```
/// # use bandq::Band;
/// # use bandq_workers::{Job, Workers};
/// # use std::time::Duration;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded(1);
/// let workers = Workers::new(receiver);
/// let control = workers.control();
/// let pool = workers.run(|_job: Job<u32>| async {});
/// let others = async {
///     sender.send(Band::URGENT, 1).await.unwrap();
///     control.join().await; // it is done
///     control.drain(Duration::from_secs(10)).await
/// };
/// let (_, report) = futures_lite::future::zip(pool, others).await;
/// assert_eq!((report.done, report.returned.len()), (1, 0));
/// assert!(sender.is_closed());
/// # });
/// ```
pub struct Control<T> {
    pub(crate) pool: Arc<Pool<T>>,
    pub(crate) receiver: Weak<Receiver<T>>,
}

impl<T> Control<T> {
    /// When this has returned, no handler starts until [`resume`](Self::resume), or a drain (but
    /// for a thread that was on its way into one, as with [`stop`](Self::stop)); those that run go
    /// on. The future is ready when none runs any more, or the pause is over; nobody needs it.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Workers};
    /// # use std::time::Duration;
    /// # let (sender, receiver) = bandq::unbounded(1);
    /// # sender.try_send(Band::URGENT, 7).unwrap();
    /// let workers: Workers<u32> = Workers::new(receiver);
    /// let control = workers.control();
    /// control.pause();
    /// let pool = std::thread::spawn(|| {
    ///     futures_lite::future::block_on(workers.run(|_job: Job<u32>| async {}))
    /// });
    /// assert_eq!(control.report().started, 0);
    /// control.resume();
    /// drop(sender);
    /// assert_eq!(pool.join().unwrap().done, 1);
    /// ```
    pub fn pause(&self) -> Quiet<T> {
        Quiet {
            cell: Some(self.pool.pause()),
            pool: Arc::clone(&self.pool),
            receiver: self.receiver.clone(),
            timer: Timer::default(),
        }
    }

    /// Ends a [`pause`](Self::pause). The future is ready at once; nobody needs it.
    pub fn resume(&self) -> Quiet<T> {
        self.pool.resume();
        Quiet {
            cell: None,
            pool: Arc::clone(&self.pool),
            receiver: self.receiver.clone(),
            timer: Timer::default(),
        }
    }

    /// Closes the channel and works off what is in it, for so long at the most; then handlers that
    /// still run are dropped. Ready when the pool has ended, a quarter of a second after that time
    /// at the latest. For handlers that should be [asked](crate::Job::cancelled) to end before they
    /// are dropped, drain for a while and then [`stop`](Self::stop).
    ///
    /// One deadline holds for all bands. What waits for an attempt that is due after it is given
    /// back as soon as the rest is done. After a `drain` or `stop`, a further call can only bring
    /// the end closer.
    ///
    /// # Cancel safety
    ///
    /// The drain goes on without its future. Then the future of the pool has the report, with the
    /// items that were given back; if the pool had ended before this one was dropped, the items are
    /// to be had from [`take_returned`](Self::take_returned).
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Workers};
    /// # use std::time::Duration;
    /// # let (sender, receiver) = bandq::unbounded(1);
    /// # sender.try_send(Band::URGENT, 7).unwrap();
    /// let workers: Workers<u32> = Workers::new(receiver);
    /// let control = workers.control();
    /// drop(control.drain(Duration::from_secs(10)));
    /// assert!(sender.is_closed());
    /// let report = futures_lite::future::block_on(workers.run(|_job: Job<u32>| async {}));
    /// assert_eq!((report.done, report.returned.len()), (1, 0));
    /// ```
    pub fn drain(&self, time: Duration) -> Ending<T> {
        self.end(How::Drain, time)
    }

    /// Closes the channel. When this has returned, no handler starts any more. (A thread that was
    /// already on its way into one may need a moment to its first instruction.) Those that run are
    /// asked to end ([`Job::cancelled`](crate::Job::cancelled)), and are dropped after that time;
    /// what nobody works on is given back. Ready when the pool has ended.
    ///
    /// A handler that blocks its thread cannot be dropped. A quarter of a second after the deadline
    /// it is reported as stuck, and holds up nobody.
    ///
    /// # Cancel safety
    ///
    /// As with [`drain`](Self::drain).
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Workers};
    /// # use std::time::Duration;
    /// # let (sender, receiver) = bandq::unbounded(1);
    /// # sender.try_send(Band::URGENT, 7).unwrap();
    /// let workers: Workers<u32> = Workers::new(receiver);
    /// let control = workers.control();
    /// drop(control.stop(Duration::from_secs(10)));
    /// let report = futures_lite::future::block_on(workers.run(|_job: Job<u32>| async {}));
    /// assert_eq!((report.started, report.returned[0].item), (0, 7));
    /// ```
    pub fn stop(&self, time: Duration) -> Ending<T> {
        self.end(How::Stop, time)
    }

    fn end(&self, how: How, time: Duration) -> Ending<T> {
        let receiver = self.receiver.upgrade();
        Ending {
            cell: self.pool.ask(how, time, receiver.as_deref()),
            pool: Arc::clone(&self.pool),
            receiver: self.receiver.clone(),
            timer: Timer::default(),
        }
    }

    /// Waits until everything is settled that was sent before the call: done, dead, taken, given
    /// back, or stuck. What comes later does not hold it up. The end of the pool is also its end.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Workers};
    /// # use std::time::Duration;
    /// # let (sender, receiver) = bandq::unbounded(1);
    /// # sender.try_send(Band::URGENT, 7).unwrap();
    /// let workers: Workers<u32> = Workers::new(receiver);
    /// let control = workers.control();
    /// let pool = workers.run(|_job: Job<u32>| async {});
    /// futures_lite::future::block_on(futures_lite::future::or(
    ///     async {
    ///         control.join().await;
    ///         assert_eq!(control.report().done, 1);
    ///     },
    ///     async {
    ///         pool.await; // not before its channel is closed
    ///     },
    /// ));
    /// ```
    pub fn join(&self) -> Join<T> {
        Join::new(&self.pool, self.receiver.clone())
    }

    /// What the pool is like now: by band, how many items are where, how often what, and how long
    /// handlers ran. Its `returned` is empty; see [`take_returned`](Self::take_returned).
    ///
    /// The pool waits while it is made: some microseconds, mostly for the run times, which are
    /// copied, 10 KiB for each band that has had a job.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Workers};
    /// # let (sender, receiver) = bandq::unbounded(1);
    /// # sender.try_send(Band::URGENT, 7).unwrap();
    /// # drop(sender);
    /// let workers: Workers<u32> = Workers::new(receiver);
    /// let control = workers.control();
    /// let pool = workers.run(|_job: Job<u32>| async {});
    /// # let pool = futures_lite::future::block_on(pool);
    /// let report = control.report();
    /// println!("{} running, {} done", report.running, report.bands[0].done);
    /// # assert_eq!((pool.done, report.done), (1, 1));
    /// ```
    #[must_use]
    pub fn report(&self) -> Report<T> {
        self.pool.report()
    }

    /// The items that were given back and are in nobody's report yet: those of jobs that were
    /// aborted, or that were reported stuck and gave way later.
    #[must_use]
    pub fn take_returned(&self) -> Vec<Returned<T>> {
        self.pool.take_returned()
    }
}

impl<T> Clone for Control<T> {
    fn clone(&self) -> Self {
        Self {
            pool: Arc::clone(&self.pool),
            receiver: self.receiver.clone(),
        }
    }
}

impl<T> fmt::Debug for Control<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Control").field(&self.report()).finish()
    }
}

/// The future of [`Control::drain`] and [`Control::stop`]. The end comes also without it.
pub struct Ending<T> {
    pool: Arc<Pool<T>>,
    receiver: Weak<Receiver<T>>,
    cell: Arc<WakerCell>,
    timer: Timer,
}

impl<T> Future for Ending<T> {
    type Output = Report<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Report<T>> {
        let this = &mut *self;
        loop {
            this.cell.register(context.waker());
            let receiver = this.receiver.upgrade();
            match this.pool.step(receiver.as_deref()) {
                Step::Ended => return Poll::Ready(this.pool.last_report(false)),
                Step::Sleep(at) if this.timer.is_due(at, context) => {}
                Step::Sleep(_) => return Poll::Pending,
            }
        }
    }
}

impl<T> fmt::Debug for Ending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").finish_non_exhaustive()
    }
}

/// Takes the steps of a pool that ends, as far as they can be taken now: for whoever waits for
/// something else, since the driver may be blocked, or gone.
fn help_to_end<T>(
    pool: &Pool<T>,
    receiver: &Weak<Receiver<T>>,
    timer: &mut Timer,
    context: &mut Context<'_>,
) {
    while pool.is_ending() {
        match pool.step(receiver.upgrade().as_deref()) {
            Step::Sleep(at) if timer.is_due(at, context) => {}
            Step::Sleep(_) | Step::Ended => return,
        }
    }
}

/// The future of [`Control::pause`] and [`Control::resume`], which take effect without it.
pub struct Quiet<T> {
    pool: Arc<Pool<T>>,
    receiver: Weak<Receiver<T>>,
    timer: Timer,
    /// Of a pause; none of a resume, which waits for nothing.
    cell: Option<Arc<WakerCell>>,
}

impl<T> Future for Quiet<T> {
    type Output = Report<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Report<T>> {
        let this = &mut *self;
        if let Some(cell) = &this.cell {
            cell.register(context.waker());
            help_to_end(&this.pool, &this.receiver, &mut this.timer, context);
            if !this.pool.is_quiet() {
                return Poll::Pending;
            }
        }
        Poll::Ready(this.pool.report())
    }
}

impl<T> fmt::Debug for Quiet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quiet").finish_non_exhaustive()
    }
}

/// The future of a `join`.
#[must_use = "futures do nothing unless they are polled"]
pub struct Join<T> {
    pool: Arc<Pool<T>>,
    receiver: Weak<Receiver<T>>,
    cell: Arc<WakerCell>,
    timer: Timer,
    /// `None` when it is over.
    key: Option<u64>,
}

impl<T> Join<T> {
    pub(crate) fn new(pool: &Arc<Pool<T>>, receiver: Weak<Receiver<T>>) -> Self {
        let cell = Arc::default();
        let key = pool.begin_join(receiver.upgrade().as_deref(), &cell);
        Self {
            pool: Arc::clone(pool),
            receiver,
            cell,
            timer: Timer::default(),
            key,
        }
    }
}

impl<T> Future for Join<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.cell.register(context.waker());
        help_to_end(&this.pool, &this.receiver, &mut this.timer, context);
        let Some(key) = this.key else {
            return Poll::Ready(());
        };
        let receiver = this.receiver.upgrade();
        if this.pool.is_joining(key, receiver.as_deref()) {
            return Poll::Pending;
        }
        this.key = None;
        Poll::Ready(())
    }
}

impl<T> Drop for Join<T> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.pool.end_join(key);
        }
    }
}

impl<T> fmt::Debug for Join<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").finish_non_exhaustive()
    }
}
