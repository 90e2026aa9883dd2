//! [`Workers`]: how a pool is set up and run.

use crate::{
    adapt::Adapt,
    control::Control,
    crew::Crew,
    desk::{DeadLetter, Desk, Hook},
    drive::{Driver, Name, Replace},
    handle::{Kit, Ticket, handle},
    intake::{Intake, mask},
    job::Job,
    outcome::Outcome,
    place::{Inside, Outside, Place, Task},
    pool::{Pool, Presence},
    report::{Report, Stuck},
    retry::{Budget, Retry},
    sync::Mutex,
    timer::Timer,
};
use bandq::{Band, Receiver};
use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    ops::RangeInclusive,
    panic::Location,
    sync::Arc,
    time::Duration,
};

/// More workers than this are no more than that: each takes sixteen bytes, also if it never works.
const MOST: usize = 1_000_000;

/// A pool of workers: an async handler for each item of a channel, by priority.
///
/// `T` is the item, `E` the handlers' error.
///
/// ```
/// use bandq::Band;
/// use bandq_workers::{Job, Outcome, Retry, Workers};
/// use std::time::Duration;
///
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::bounded(4, 1000);
/// sender.send(Band::new(2), "a report").await.unwrap();
/// sender.send(Band::URGENT, "an alarm").await.unwrap();
/// drop(sender); // the pool ends when everything is done
///
/// let report = Workers::new(receiver)
///     .concurrency(8)
///     .retry(Retry::exponential(Duration::from_millis(1)).attempts(3))
///     .time_limit(Duration::from_secs(5))
///     .run(|job: Job<&str>| async move {
///         match job.attempt() {
///             1 => Err("not yet"),
///             _ => Ok(()),
///         }
///     })
///     .await;
/// assert_eq!((report.done, report.retried), (2, 2));
/// # });
/// ```
#[must_use = "it does nothing until it runs"]
pub struct Workers<T, E = std::convert::Infallible> {
    receiver: Arc<Receiver<T>>,
    presence: Presence<T>,
    concurrency: RangeInclusive<usize>,
    reserved: Vec<(RangeInclusive<Band>, usize)>,
    limits: Vec<(Band, usize)>,
    retry: Retry<E>,
    time_limit: Option<Duration>,
    hook: Option<Hook<T, E>>,
    name: Option<Name<T>>,
    replace: Option<Replace>,
}

impl<T, E> Workers<T, E> {
    /// One worker on that channel.
    #[track_caller]
    pub fn new(receiver: Receiver<T>) -> Self {
        let bands = receiver.bands();
        let crew = Crew::new(bands, Some(1));
        Self {
            presence: Presence(Arc::new(Pool::new(bands, crew, Location::caller()))),
            receiver: Arc::new(receiver),
            concurrency: 1..=1,
            reserved: Vec::new(),
            limits: Vec::new(),
            retry: Retry::default(),
            time_limit: None,
            hook: None,
            name: None,
            replace: None,
        }
    }

    /// So many handlers run at a time, never more. 0 counts as 1, and more than a million as a
    /// million.
    pub fn concurrency(mut self, workers: usize) -> Self {
        let workers = workers.clamp(1, MOST);
        self.concurrency = workers..=workers;
        self
    }

    /// In place of a fixed [`concurrency`](Self::concurrency), as many workers as pay: never more
    /// than the end of the range, nor fewer than its start. 0 counts as 1, more than a million as a
    /// million; a range that ends before its start is only that.
    ///
    /// While all workers are busy and items wait for longer than a handler runs, the number is
    /// raised, as long as 1 % more workers bring more than 0.1 % more jobs a second; else it is
    /// lowered. So it finds the number beyond which handlers only wait for each other: for the
    /// places of a connection pool, the cores, a lock, a service that is at its limit. Handlers
    /// may take more time than with fewer workers; a [time limit](Self::time_limit) should allow
    /// for it.
    ///
    /// It begins with the least number and doubles it while that pays. Then it alternates, for 16
    /// jobs each worker, between a fifth fewer and a fifth more, and goes towards what was better
    /// by the slope of the jobs a second: the stochastic approximation of Kiefer and Wolfowitz
    /// (1952), on what the thread pool of .NET climbs (Hellerstein, Morrison and Eilebrecht, 2009).
    /// In simulations of bottlenecks of 1 to 48 places, of work that is partly serial, and of
    /// workers who hinder each other, it does within a tenth of what the best fixed number does.
    ///
    /// [`Report::concurrency`] says how many there are. [`reserved`](Self::reserved) workers come
    /// on top, as ever, and are left alone.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Workers};
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::unbounded(1);
    /// sender.try_send_many(Band::URGENT, 0..10_000).unwrap();
    /// drop(sender);
    /// let workers = Workers::new(receiver).adaptive(2..=32);
    /// let report = workers.run(|_job: Job<u32>| async {}).await;
    /// assert_eq!(report.done, 10_000);
    /// assert!((2..=32).contains(&report.concurrency.unwrap()));
    /// # });
    /// ```
    pub fn adaptive(mut self, workers: RangeInclusive<usize>) -> Self {
        let least = (*workers.start()).clamp(1, MOST);
        self.concurrency = least..=(*workers.end()).clamp(least, MOST);
        self
    }

    /// So many more workers, who take only from those bands. So an urgent item starts while all the
    /// others are at long work. They begin only when no other worker is free. May be called for
    /// several ranges; bands that the channel does not have are left out.
    pub fn reserved(mut self, bands: RangeInclusive<Band>, workers: usize) -> Self {
        self.reserved.push((bands, workers.min(MOST)));
        self
    }

    /// At most so many handlers run at a time for items of that band. 0 counts as 1. A band that
    /// the channel does not have is left out. Each job is then handed out by the pool, with a task
    /// of its own in [`run_on`](Self::run_on).
    pub fn band_concurrency(mut self, band: impl Into<Band>, workers: usize) -> Self {
        self.limits.push((band.into(), workers.max(1)));
        self
    }

    /// How what failed is tried again.
    pub fn retry(mut self, retry: Retry<E>) -> Self {
        self.retry = retry;
        self
    }

    /// A handler that runs for longer is dropped, and has failed. It is looked at when it waits:
    /// one that blocks its thread is dropped when it waits next, and if it ends first, what it
    /// returned counts. The time begins when a worker takes the item, so with
    /// [`run_on`](Self::run_on) the wait for a thread of the runtime is part of it.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// What becomes of items that are not tried again. Without it they are dropped. It runs where
    /// the handler ran; if it panics, nothing else happens.
    pub fn dead_letter(mut self, hook: impl Fn(DeadLetter<T, E>) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// How an item calls itself, for reports about stuck jobs. It is asked for each job; one that
    /// panics has no name. As with [`band_concurrency`](Self::band_concurrency), the pool hands out
    /// each job.
    pub fn named(mut self, name: impl Fn(&T) -> String + Send + Sync + 'static) -> Self {
        self.name = Some(Arc::new(name));
        self
    }

    /// Asks about each handler that runs for longer than that, once. If the answer is `true`, one
    /// more worker begins in place of the one that hangs, until that comes back. A panic is a no.
    /// Of use with [`run_on`](Self::run_on): a handler that blocks the thread of
    /// [`run`](Self::run) blocks all. As with [`band_concurrency`](Self::band_concurrency), the
    /// pool hands out each job.
    pub fn replace_stuck(
        mut self,
        after: Duration,
        may: impl Fn(&Stuck) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.replace = Some((after, Arc::new(may)));
        self
    }

    /// Steers the pool, before it runs and while it does.
    #[must_use]
    pub fn control(&self) -> Control<T> {
        Control {
            pool: Arc::clone(&self.presence.0),
            receiver: Arc::downgrade(&self.receiver),
        }
    }

    /// The pool as one future, in which all handlers run: for any runtime, or a thread with
    /// `block_on`. Ends when the channel is closed and everything is done, or a
    /// [`Control`] says so.
    ///
    /// # Panics
    ///
    /// No handler's panic gets out. With the feature `tokio`, the first timer panics on a tokio
    /// runtime without time.
    ///
    /// # Cancel safety
    ///
    /// When it is dropped, so are the handlers, and this receiver of the channel. What is in the
    /// channel stays there if there is another receiver, else it is dropped with it. The items that
    /// were with the pool are to be had from [`Control::take_returned`].
    #[track_caller]
    pub fn run<H, F>(self, handler: H) -> impl Future<Output = Report<T>>
    where
        H: Fn(Job<T>) -> F,
        F: Future,
        F::Output: Into<Outcome<E>>,
    {
        let place = Inside::new(&self.presence.0.driver);
        drive(self.driver(handler, handle, place, true))
    }

    /// The pool as a future, and each worker as a task that `spawn` starts: on as many threads as
    /// the runtime has. `spawn` may be `tokio::spawn`, `smol::spawn`, `async_std::task::spawn`, or
    /// any closure that sees to it that the task is polled. Otherwise as [`run`](Self::run).
    ///
    /// A task begins with one handler. If that ends within 50 µs, the worker does its next job in
    /// the same task, and so on for some 128 jobs or that time; so a short job does not cost a
    /// task. No two handlers run in one task at a time. A job has a task of its own while the pool
    /// drains, somebody joins or something is due for a retry, and in a pool with
    /// [`band_concurrency`](Self::band_concurrency), [`adaptive`](Self::adaptive),
    /// [`named`](Self::named) or [`replace_stuck`](Self::replace_stuck).
    ///
    /// # Panics
    ///
    /// As with [`run`](Self::run). A panic of `spawn` goes to whoever polls the pool.
    ///
    /// # Cancel safety
    ///
    /// As with [`run`](Self::run), but the handlers are dropped at their next poll, and this
    /// receiver of the channel goes with the last of them. Until then the channel takes items.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use bandq_workers::{Job, Workers};
    /// # smol::block_on(async {
    /// let (sender, receiver) = bandq::unbounded(1);
    /// sender.send(Band::URGENT, 2).await.unwrap();
    /// drop(sender);
    /// let pool = Workers::new(receiver).concurrency(8);
    /// let report = pool.run_on(smol::spawn, |job: Job<u32>| async move {
    ///     println!("{}", *job);
    /// });
    /// assert_eq!(report.await.done, 1);
    /// # });
    /// ```
    #[track_caller]
    pub fn run_on<S, R, H, F>(self, spawn: S, handler: H) -> impl Future<Output = Report<T>>
    where
        S: FnMut(Task) -> R,
        H: Fn(Job<T>) -> F + Send + Sync + 'static,
        F: Future + Send + 'static,
        F::Output: Into<Outcome<E>>,
        T: Send + 'static,
        E: Send + 'static,
    {
        let place = Outside::new(spawn);
        drive(self.driver(handler, handle, place, false))
    }

    #[track_caller]
    fn driver<H, M, F, P>(
        self,
        handler: H,
        make: M,
        place: P,
        is_local: bool,
    ) -> Driver<T, E, H, M, F, P>
    where
        M: FnMut(Ticket<T, E, H>) -> F,
        F: Future<Output = Option<Kit<T, E, H>>>,
        P: Place<F>,
    {
        let mut crew = Crew::new(self.receiver.bands(), Some(*self.concurrency.end()));
        for (range, workers) in &self.reserved {
            crew.add(mask(range), *workers);
        }
        for (band, workers) in &self.limits {
            crew.limit(*band, *workers);
        }
        let (least, most) = self.concurrency.clone().into_inner();
        let adapt = (least < most).then(|| Adapt::new(least, most));
        let has_questions = self.name.is_some() || self.replace.is_some();
        self.presence
            .0
            .hire(crew, adapt, has_questions, Location::caller());
        Driver {
            intake: Intake::new(&self.receiver),
            desk: Arc::new(Desk {
                handler,
                pool: Arc::clone(&self.presence.0),
                is_observed: self.receiver.snapshot().observed_for.is_some(),
                receiver: self.receiver,
                budget: self
                    .retry
                    .budget
                    .map(|budget| Mutex::new(Budget::new(budget))),
                retry: self.retry,
                hook: self.hook,
                time_limit: self.time_limit,
                histories: Mutex::default(),
                is_local,
            }),
            _presence: self.presence,
            make,
            place,
            workers: Vec::new(),
            name: self.name,
            replace: self.replace,
            timer: Timer::default(),
            is_over: false,
            future: PhantomData,
        }
    }
}

/// The driver is there before the first poll, and goes with the future.
fn drive<T, E, H, M, F, P>(mut driver: Driver<T, E, H, M, F, P>) -> impl Future<Output = Report<T>>
where
    M: FnMut(Ticket<T, E, H>) -> F,
    F: Future<Output = Option<Kit<T, E, H>>>,
    P: Place<F>,
{
    poll_fn(move |context| driver.poll(context))
}

impl<T, E> fmt::Debug for Workers<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("concurrency", &self.concurrency)
            .field("reserved", &self.reserved)
            .field("band_concurrency", &self.limits)
            .field("retry", &self.retry)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}
