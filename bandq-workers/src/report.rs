//! What became of the items.

use crate::times::RunTimes;
use bandq::Band;
use std::{
    fmt,
    ops::{AddAssign, Deref},
    panic::Location,
    time::Duration,
};

/// How many items, and how often what: of one band, or of all.
///
/// An item that is accepted is in one place at a time, so at every moment
/// `accepted = done + dead + taken + returned + stuck + running + waiting`. At the end of a pool
/// `running` and `waiting` are zero.
///
/// An item counts in the band in which it was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Items that the pool has received, or found in the channel when it was stopped.
    pub accepted: u64,
    /// Items whose handler said [`Done`](crate::Outcome::Done).
    pub done: u64,
    /// Items that are not tried again: the dead-letter hook had them, if there is one.
    pub dead: u64,
    /// Items that a handler has [taken](crate::Job::take).
    pub taken: u64,
    /// Items that were given back: by a drain or a stop, or because the task of their handler, or
    /// the pool itself, was dropped.
    pub returned: u64,
    /// Items whose handler did not give way to a stop.
    pub stuck: u64,
    /// Items that are being worked on.
    pub running: u64,
    /// Items that wait inside the pool: for their next attempt, or for a worker.
    pub waiting: u64,
    /// How often a handler was started.
    pub started: u64,
    /// How often one failed, in any way.
    pub failed: u64,
    /// How often one panicked; in `failed` as well.
    pub panicked: u64,
    /// How often one was over its time limit; in `failed` as well.
    pub timed_out: u64,
    /// How often a failed item was put back for another attempt.
    pub retried: u64,
    /// How often an item was put back without a failure, for later.
    pub snoozed: u64,
    /// How often an item was put back without a failure, at once.
    pub requeued: u64,
    /// How often a handler was cut off. That is no failure, and uses up no attempt.
    pub interrupted: u64,
    /// How often the dead-letter hook panicked.
    pub hook_panicked: u64,
}

impl Counts {
    /// Whether each accepted item is in one place.
    ///
    /// ```
    /// # use bandq_workers::Counts;
    /// assert!(Counts::default().adds_up());
    /// ```
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let settled = self.done + self.dead + self.taken + self.returned + self.stuck;
        self.accepted == settled + self.running + self.waiting
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.done += other.done;
        self.dead += other.dead;
        self.taken += other.taken;
        self.returned += other.returned;
        self.stuck += other.stuck;
        self.running += other.running;
        self.waiting += other.waiting;
        self.started += other.started;
        self.failed += other.failed;
        self.panicked += other.panicked;
        self.timed_out += other.timed_out;
        self.retried += other.retried;
        self.snoozed += other.snoozed;
        self.requeued += other.requeued;
        self.interrupted += other.interrupted;
        self.hook_panicked += other.hook_panicked;
    }
}

/// What became of the items of one band. It reads as its [`counts`](Self::counts):
/// `report.bands[0].done`.
///
/// ```
/// # use bandq::Band;
/// # use bandq_workers::Workers;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded(2);
/// sender.send(Band::URGENT, 1).await.unwrap();
/// drop(sender);
/// let report = Workers::new(receiver).run(|_job| async {}).await;
/// let urgent = &report.bands[0];
/// assert_eq!((urgent.band, urgent.done, urgent.running), (Band::URGENT, 1, 0));
/// println!("half of them took less than {:?}", urgent.times.quantile(0.5));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BandReport {
    /// The band in which the items were sent.
    pub band: Band,
    /// How many, and how often what.
    pub counts: Counts,
    /// How long the handlers ran, of all attempts that have ended.
    pub times: RunTimes,
}

impl Deref for BandReport {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.counts
    }
}

/// What became of the items of a pool. It reads as its [`total`](Self::total): `report.done`.
///
/// ```
/// # use bandq::Band;
/// # use bandq_workers::Workers;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded(2);
/// sender.send(Band::URGENT, 1).await.unwrap();
/// drop(sender);
/// let report = Workers::new(receiver).run(|_job| async {}).await;
/// assert_eq!((report.accepted, report.done), (1, 1));
/// assert_eq!(report.bands[0].done, 1);
/// assert!(report.adds_up() && report.returned.is_empty());
/// # });
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Report<T> {
    /// The sum over all bands.
    pub total: Counts,
    /// How many workers there may be now, apart from those who are
    /// [reserved](crate::Workers::reserved): a fixed number, unless it
    /// [adapts](crate::Workers::adaptive). `None` for jobs by hand.
    pub concurrency: Option<usize>,
    /// By band.
    pub bands: Vec<BandReport>,
    /// The items that were given back. They can be had once: whoever waited for the end that it
    /// asked for has them, or the future of the pool if nobody was about to; else
    /// [`take_returned`](crate::Control::take_returned). The number of them is in every report.
    pub returned: Vec<Returned<T>>,
    /// The jobs whose handlers did not give way.
    pub stuck: Vec<Stuck>,
}

impl<T> Deref for Report<T> {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.total
    }
}

impl<T> fmt::Debug for Report<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("total", &self.total)
            .field("returned", &self.returned.len())
            .field("stuck", &self.stuck)
            .finish_non_exhaustive()
    }
}

/// For people: one line for all, one for each stuck job.
impl<T> fmt::Display for Report<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            accepted,
            done,
            dead,
            taken,
            returned,
            ..
        } = self.total;
        write!(f, "{accepted} accepted: {done} done, {dead} dead, ")?;
        write!(
            f,
            "{taken} taken, {returned} returned, {} stuck",
            self.stuck.len()
        )?;
        self.stuck
            .iter()
            .try_for_each(|stuck| write!(f, "\nstuck: {stuck}"))
    }
}

/// An item that was given back.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Returned<T> {
    /// The band in which it was to be worked on next.
    pub band: Band,
    /// The item.
    pub item: T,
    /// How many attempts it had used up. To be interrupted uses up none.
    pub attempts: u32,
    /// How long the pool had it.
    pub age: Duration,
    /// Whether a handler was at work on it, and was cut off.
    pub interrupted: bool,
}

impl<T> fmt::Debug for Returned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned")
            .field("band", &self.band)
            .field("attempts", &self.attempts)
            .field("age", &self.age)
            .field("interrupted", &self.interrupted)
            .finish_non_exhaustive()
    }
}

/// A job whose handler did not give way to a stop, so that its item could not be had back; or one
/// that runs for so long that the pool [asks](crate::Workers::replace_stuck) about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stuck {
    /// The [number](crate::Job::id) of the job.
    pub id: u64,
    /// Its band.
    pub band: Band,
    /// The number of its attempt.
    pub attempt: u32,
    /// How long the pool had the item.
    pub age: Duration,
    /// For how long the handler had been running.
    pub running: Duration,
    /// What the item calls itself, if the pool was told [how](crate::Workers::named).
    pub name: Option<String>,
    /// Where the pool was started.
    pub location: &'static Location<'static>,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} of band {}", self.id, self.band)?;
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        let Self {
            attempt,
            age,
            running,
            location,
            ..
        } = self;
        write!(
            f,
            ", attempt {attempt}, for {running:.1?}, {age:.1?} old, at {location}"
        )
    }
}
