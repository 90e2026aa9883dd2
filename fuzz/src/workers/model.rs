//! What must become of each item: the model of a pool.

use std::collections::VecDeque;

use bandq_workers::{BandReport, Cause, Counts, Returned};

use super::Item;
use super::script::{End, Error, Event, Hand, Tell};

/// So long after a deadline a handler may need until it is stuck, in nanoseconds.
pub(super) const GRACE: u64 = 250_000_000;

/// What the setup says.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) bands: usize,
    pub(super) general: usize,
    /// One worker more for the most urgent band.
    pub(super) has_reserved: bool,
    /// At most one at a time of the least urgent band.
    pub(super) is_capped: bool,
    /// Handlers are tasks, polled by hand.
    pub(super) has_tasks: bool,
    /// What failed goes on in the least urgent band.
    pub(super) retry_last: bool,
    pub(super) attempts: u32,
    /// A handler that has to wait is over its time limit.
    pub(super) no_time: bool,
    pub(super) capacity: Option<usize>,
}

/// Where an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the list of its band.
    Due,
    /// Until then.
    Later(u64),
    Running {
        begun: bool,
        reserved: bool,
    },
    Done,
    /// With the cause, and whether the hook had it.
    Dead(Cause, bool),
    Taken,
    Returned {
        interrupted: bool,
    },
}

#[derive(Clone, Debug)]
struct Job {
    band: usize,
    origin: usize,
    attempts: u32,
    number: Option<u64>,
    place: Place,
    /// Whoever has the report has it.
    is_back: bool,
    /// The how many-th it was that was picked first; 0 if it was not.
    came: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Draining(u64),
    Stopping(u64),
    Cut(u64),
}

pub(super) struct Model {
    setup: Setup,
    /// By item; one that was refused is none.
    jobs: Vec<Option<Job>>,
    /// By band, those that are due.
    due: Vec<VecDeque<u32>>,
    /// By band, how many of them were put back by a pause, and go first.
    first: Vec<usize>,
    /// So many were picked for the first time.
    came: u64,
    free: usize,
    reserved_free: usize,
    phase: Phase,
    is_paused: bool,
    /// By the band of the send; what is where is in the jobs.
    counts: Vec<Counts>,
    /// The item whose task is being aborted.
    aborted: Option<u32>,
    /// The driver is gone.
    is_gone: bool,
}

impl Model {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            jobs: Vec::new(),
            due: vec![VecDeque::new(); setup.bands],
            first: vec![0; setup.bands],
            came: 0,
            free: setup.general,
            reserved_free: usize::from(setup.has_reserved),
            phase: Phase::Running,
            is_paused: false,
            counts: vec![Counts::default(); setup.bands],
            aborted: None,
            is_gone: false,
            setup: setup.clone(),
        }
    }

    // What is done from outside.

    pub(super) fn sent(&mut self, item: u32, band: usize) {
        self.jobs.resize(item as usize + 1, None);
        self.jobs[item as usize] = Some(Job {
            band,
            origin: band,
            attempts: 0,
            number: None,
            place: Place::Due,
            is_back: false,
            came: 0,
        });
        self.due[band].push_back(item);
    }

    pub(super) fn pause(&mut self) {
        self.is_paused |= self.phase == Phase::Running;
    }

    pub(super) fn resume(&mut self) {
        self.is_paused = false;
    }

    pub(super) fn ask(&mut self, is_stop: bool, until: u64) {
        self.is_paused = false;
        self.phase = match (self.phase, is_stop) {
            (Phase::Running, false) => Phase::Draining(until),
            (Phase::Draining(at), false) => Phase::Draining(until.min(at)),
            (Phase::Running, true) => Phase::Stopping(until),
            (Phase::Draining(at), true) | (Phase::Stopping(at), _) => {
                Phase::Stopping(until.min(at))
            }
            (Phase::Cut(_), _) => self.phase,
        };
    }

    /// Somebody looks how far the end is.
    pub(super) fn step(&mut self, now: u64) {
        if let Phase::Draining(at) | Phase::Stopping(at) = self.phase {
            if at <= now {
                self.phase = Phase::Cut(now);
            }
        }
    }

    /// The driver goes.
    pub(super) fn abandon(&mut self, now: u64) {
        if !matches!(self.phase, Phase::Cut(_)) {
            self.phase = Phase::Cut(now);
        }
        self.is_gone = true;
    }

    /// The driver looks what is due.
    pub(super) fn look(&mut self, now: u64) {
        if !self.is_active() || self.is_paused {
            return;
        }
        let mut later: Vec<_> = self
            .items()
            .filter_map(|(item, job)| match job.place {
                Place::Later(at) if at <= now => Some((at, job.number, item)),
                _ => None,
            })
            .collect();
        later.sort_unstable();
        for (_, _, item) in later {
            self.put(item);
        }
    }

    /// A task is aborted while `f` runs.
    pub(super) fn abort(&mut self, item: u32) {
        self.aborted = Some(item);
    }

    /// A task has ended, or was aborted, and this is all that was noted. If its handler never
    /// began, it was not to begin.
    pub(super) fn task_is_over(&mut self, item: u32) {
        if let Place::Running { begun, .. } = self.job(item).place {
            assert!(!begun, "item {item} began, and nothing came of it");
            let is_cut = self.is_asked() || self.aborted == Some(item);
            assert!(is_cut || self.is_paused, "item {item} was not begun on");
            let origin = self.leave(item);
            self.counts[origin].started -= 1;
            if is_cut {
                self.job_mut(item).place = Place::Returned { interrupted: false };
            } else {
                self.put_first(item);
            }
        }
        self.aborted = None;
    }

    // What is seen.

    pub(super) fn apply(&mut self, now: u64, event: &Event) {
        match *event {
            Event::Picked(item) => self.picked(item, now),
            Event::Called {
                item,
                job: number,
                attempt,
                band,
            } => {
                assert!(!self.is_asked(), "item {item} began after a stop");
                let job = self.job_mut(item);
                assert_eq!((attempt, band), (job.attempts + 1, job.band), "{job:?}");
                assert!(job.number.is_none_or(|old| old == number), "{job:?}");
                job.number = Some(number);
                let Place::Running { begun, .. } = &mut job.place else {
                    panic!("item {item} was not picked: {job:?}");
                };
                assert!(!*begun, "item {item} began twice");
                *begun = true;
            }
            Event::Waits(item) => {
                if self.setup.no_time {
                    let origin = self.job(item).origin;
                    self.counts[origin].timed_out += 1;
                    self.failed(item, None, Hand::Keep, now);
                }
            }
            Event::Ends(item, tell) => self.ends(item, tell, now),
            Event::Gone(item) => {
                let Place::Running { begun, .. } = self.job(item).place else {
                    return; // as it said
                };
                assert!(begun);
                assert!(
                    matches!(self.phase, Phase::Cut(_)) || self.aborted == Some(item),
                    "item {item} was cut off"
                );
                let origin = self.leave(item);
                self.counts[origin].interrupted += 1;
                self.job_mut(item).place = Place::Returned { interrupted: true };
            }
            Event::Dead {
                item,
                cause,
                failures,
                panics,
            } => {
                let job = self.job_mut(item);
                assert_eq!(job.place, Place::Dead(cause, false), "item {item}");
                assert_eq!(failures as u32, job.attempts + 1, "failures of {item}");
                job.place = Place::Dead(cause, true);
                let origin = job.origin;
                self.counts[origin].hook_panicked += u64::from(panics);
            }
        }
    }

    fn picked(&mut self, item: u32, now: u64) {
        assert!(self.is_active() && !self.is_paused && !self.is_gone);
        if let Phase::Draining(until) = self.phase {
            assert!(until > now, "item {item} was picked after the deadline");
        }
        let next = self.next();
        assert_eq!(next, Some(item), "not the first of the most urgent");
        let band = self.job(item).band;
        self.due[band].pop_front();
        self.first[band] = self.first[band].saturating_sub(1);
        if self.job(item).came == 0 {
            self.came += 1;
            self.job_mut(item).came = self.came;
        }
        let reserved = self.free == 0;
        let free = if reserved {
            &mut self.reserved_free
        } else {
            &mut self.free
        };
        *free -= 1;
        let job = self.job_mut(item);
        let begun = false;
        job.place = Place::Running { begun, reserved };
        let origin = job.origin;
        self.counts[origin].started += 1;
    }

    fn ends(&mut self, item: u32, tell: Tell, now: u64) {
        let Tell { hand, end } = tell;
        let is_cut = matches!(self.phase, Phase::Cut(_));
        assert!(!is_cut, "item {item} went on after the deadline");
        match (end, hand) {
            (End::Retry(error), _) => self.failed(item, Some((error, 0)), hand, now),
            (End::RetryAfter(time), _) => {
                self.failed(item, Some((Error::Passing, time)), hand, now);
            }
            (End::Panic, _) => {
                let origin = self.job(item).origin;
                self.counts[origin].panicked += 1;
                self.failed(item, None, hand, now);
            }
            (End::Dead, _) => {
                let origin = self.leave(item);
                self.counts[origin].failed += 1;
                self.settle(item, hand, Place::Dead(Cause::Said, false));
            }
            (_, Hand::Take) => {
                self.leave(item);
                self.job_mut(item).place = Place::Taken;
            }
            (End::Snooze(time), _) => self.again(item, now + time, now, |c| &mut c.snoozed),
            (End::Requeue, _) | (End::Done, Hand::Requeue) => {
                self.again(item, now, now, |c| &mut c.requeued);
            }
            (End::Done, Hand::Keep) => {
                self.leave(item);
                self.job_mut(item).place = Place::Done;
            }
        }
    }

    /// The worker is free again. Returns the band of the send.
    fn leave(&mut self, item: u32) -> usize {
        let job = self.job(item).clone();
        let Place::Running { reserved, .. } = job.place else {
            panic!("item {item} does not run: {job:?}");
        };
        if reserved {
            self.reserved_free += 1;
        } else {
            self.free += 1;
        }
        job.origin
    }

    fn settle(&mut self, item: u32, hand: Hand, place: Place) {
        let is_taken = hand == Hand::Take;
        self.job_mut(item).place = if is_taken { Place::Taken } else { place };
    }

    fn failed(&mut self, item: u32, error: Option<(Error, u64)>, hand: Hand, now: u64) {
        if let Some((Error::NoFailure, _)) = error {
            if hand == Hand::Take {
                self.leave(item);
                self.job_mut(item).place = Place::Taken;
            } else {
                self.again(item, now, now, |c| &mut c.snoozed);
            }
            return;
        }
        let job = self.job(item).clone();
        self.counts[job.origin].failed += 1;
        let cause = match error {
            Some((Error::Lasting, _)) => Some(Cause::NotTransient),
            _ if job.attempts + 1 >= self.setup.attempts => Some(Cause::Attempts),
            _ => None,
        };
        if cause.is_some() || hand == Hand::Take {
            self.leave(item);
            let place = cause.map_or(Place::Taken, |cause| Place::Dead(cause, false));
            self.settle(item, hand, place);
            return;
        }
        let time = error.map_or(0, |(_, time)| time);
        let last = self.setup.bands - 1;
        let retry_last = self.setup.retry_last;
        // The worker is free in the band in which it worked.
        self.again_with(
            item,
            now + time,
            now,
            |c| &mut c.retried,
            |job| {
                job.attempts += 1;
                if retry_last {
                    job.band = last;
                }
            },
        );
    }

    fn again(&mut self, item: u32, at: u64, now: u64, count: fn(&mut Counts) -> &mut u64) {
        self.again_with(item, at, now, count, |_| ());
    }

    fn again_with(
        &mut self,
        item: u32,
        at: u64,
        now: u64,
        count: fn(&mut Counts) -> &mut u64,
        change: impl FnOnce(&mut Job),
    ) {
        let origin = self.leave(item);
        let is_active = self.is_active();
        let job = self.job_mut(item);
        change(job);
        if !is_active {
            job.place = Place::Returned { interrupted: false };
            return;
        }
        *count(&mut self.counts[origin]) += 1;
        if at > now {
            self.job_mut(item).place = Place::Later(at);
        } else {
            self.put(item);
        }
    }

    fn put(&mut self, item: u32) {
        let job = self.job_mut(item);
        job.place = Place::Due;
        let band = job.band;
        self.due[band].push_back(item);
    }

    /// A pause puts it back, in the order in which such jobs came.
    fn put_first(&mut self, item: u32) {
        let job = self.job_mut(item);
        job.place = Place::Due;
        let (band, came) = (job.band, job.came);
        let first = self.due[band].iter().take(self.first[band]);
        let place = first
            .take_while(|&&other| self.job(other).came < came)
            .count();
        self.due[band].insert(place, item);
        self.first[band] += 1;
    }

    /// A report has it.
    pub(super) fn returned(&mut self, back: &Returned<Item>) {
        let stops = matches!(self.phase, Phase::Stopping(_) | Phase::Cut(_));
        let end = match self.phase {
            Phase::Draining(end) => end,
            _ => u64::MAX,
        };
        let job = self.job_mut(back.item.id());
        let interrupted = match job.place {
            Place::Returned { interrupted } => interrupted,
            Place::Due if stops => false,
            Place::Later(at) if stops || at > end => false,
            _ => panic!("given back: {job:?}"),
        };
        assert!(!job.is_back, "given back twice: {job:?}");
        job.is_back = true;
        assert_eq!(back.interrupted, interrupted, "{job:?}");
        assert_eq!((back.band.index(), back.attempts), (job.band, job.attempts));
        job.place = Place::Returned { interrupted };
    }

    // What is so.

    /// Handlers start.
    fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Draining(_))
    }

    /// Handlers are asked to end.
    fn is_asked(&self) -> bool {
        !self.is_active()
    }

    /// Whether the pool may be at its end, whatever waits.
    pub(super) fn may_have_ended(&self, now: u64) -> bool {
        match self.phase {
            Phase::Running => self.running() == 0,
            Phase::Draining(_) | Phase::Stopping(_) => self.running() == 0,
            Phase::Cut(since) => self.running() == 0 || since + GRACE <= now,
        }
    }

    /// What would be picked now.
    fn next(&self) -> Option<u32> {
        let is_open = |band: usize| {
            let last = self.setup.bands - 1;
            let is_full = self.setup.is_capped && band == last && self.running_in(last) > 0;
            !is_full && (self.free > 0 || (band == 0 && self.reserved_free > 0))
        };
        let mut bands = (0..self.setup.bands).filter(|&band| is_open(band));
        bands.find_map(|band| self.due[band].front().copied())
    }

    /// Whether the driver has something to start.
    pub(super) fn can_start(&self, now: u64) -> bool {
        let is_over = matches!(self.phase, Phase::Draining(until) if until <= now);
        self.is_active() && !is_over && !self.is_paused && self.next().is_some()
    }

    pub(super) fn running(&self) -> usize {
        let is_running = |job: &Job| matches!(job.place, Place::Running { .. });
        self.items().filter(|(_, job)| is_running(job)).count()
    }

    fn running_in(&self, band: usize) -> usize {
        let is_running = |job: &Job| job.band == band && matches!(job.place, Place::Running { .. });
        self.items().filter(|(_, job)| is_running(job)).count()
    }

    pub(super) fn is_quiet(&self) -> bool {
        !self.is_paused || self.running() == 0
    }

    /// The items that are not settled.
    pub(super) fn unsettled(&self) -> Vec<u32> {
        let is_open = |job: &Job| {
            matches!(
                job.place,
                Place::Due | Place::Later(_) | Place::Running { .. }
            )
        };
        let open = self.items().filter(|(_, job)| is_open(job));
        open.map(|(item, _)| item).collect()
    }

    /// Whether one of those still runs, or will.
    pub(super) fn is_open(&self, items: &[u32]) -> bool {
        let unsettled = self.unsettled();
        items.iter().any(|item| unsettled.contains(item))
    }

    /// Whether one of those runs, or waits in a pool that goes on.
    pub(super) fn must_wait(&self, items: &[u32]) -> bool {
        let goes_on = self.is_active();
        items.iter().any(|&item| match self.job(item).place {
            Place::Running { .. } => true,
            Place::Due | Place::Later(_) => goes_on,
            _ => false,
        })
    }

    /// Compares with what a report says of each band: what must be so exactly, and of what waits
    /// and was given back the sum. `inside`: the items that are in the channel, or went with it.
    pub(super) fn audit(&self, bands: &[BandReport], outside: usize) {
        let mut idle = 0;
        for (band, report) in bands.iter().enumerate() {
            let counts: &Counts = report;
            assert!(counts.adds_up(), "band {band}: {counts:?}");
            let mut expected = self.counts[band];
            let (mut running, mut given) = (0, 0);
            for (_, job) in self.items().filter(|(_, job)| job.origin == band) {
                match job.place {
                    Place::Due | Place::Later(_) => idle += 1,
                    Place::Running { .. } => running += 1,
                    Place::Done => expected.done += 1,
                    Place::Dead(_, hook) => {
                        assert!(hook, "the hook has not had it");
                        expected.dead += 1;
                    }
                    Place::Taken => expected.taken += 1,
                    Place::Returned { .. } => {
                        given += 1;
                        idle += 1;
                    }
                }
            }
            assert_eq!(counts.running + counts.stuck, running, "band {band}");
            assert!(counts.returned >= given, "band {band}: {counts:?}, {given}");
            // What is where is compared above and below, the rest as it is.
            expected.accepted = counts.accepted;
            (expected.running, expected.stuck) = (counts.running, counts.stuck);
            (expected.waiting, expected.returned) = (counts.waiting, counts.returned);
            assert_eq!(*counts, expected, "band {band}");
        }
        let inside: u64 = bands.iter().map(|c| c.waiting + c.returned).sum();
        assert_eq!(inside as usize + outside, idle, "waiting, or given back");
    }

    /// At the end: who was not given back, of those that were not settled.
    pub(super) fn missing(&self) -> usize {
        let is_missing = |job: &Job| match job.place {
            Place::Returned { .. } => !job.is_back,
            Place::Due | Place::Later(_) | Place::Running { .. } => true,
            _ => false,
        };
        self.items().filter(|(_, job)| is_missing(job)).count()
    }

    fn items(&self) -> impl Iterator<Item = (u32, &Job)> {
        let jobs = self.jobs.iter().enumerate();
        jobs.filter_map(|(item, job)| Some((item as u32, job.as_ref()?)))
    }

    fn job(&self, item: u32) -> &Job {
        self.jobs[item as usize].as_ref().expect("it was sent")
    }

    fn job_mut(&mut self, item: u32) -> &mut Job {
        self.jobs[item as usize].as_mut().expect("it was sent")
    }
}
