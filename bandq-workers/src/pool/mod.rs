//! What becomes of each item: the state that the driver, the handlers and the controls share.
//!
//! # A job
//!
//! ```text
//!            ┌──────────────── again: retry, snooze, requeue ───────────────┐
//!            ▼                                                              │
//! channel ─► due ─► running ─► done │ dead │ taken                          │
//!    │        │  ▲     │  └─────────────────────────────────► later ────────┘
//!    │        │  └─────┼───────── its time has come ────────────┘
//!    │        ▼        ▼ cut, aborted                           │
//!    └────► returned ◄─┴────────── the pool ends ◄──────────────┘
//!                      └─ does not give way ─► stuck ─ in the end ─► whatever it came to
//! ```
//!
//! An item is accepted when the pool has received it; it gets its number, and is in one of these
//! places ever after. Most go from the channel to a worker without being kept. Done, dead, taken,
//! returned and stuck are *settled*. All changes happen under one lock, or that of a worker's
//! notebook (`alone`), and no foreign code runs under either: items are dropped and hooks called
//! before, wakers woken after it.
//!
//! # The pool
//!
//! ```text
//! Running ──drain──► Draining ──stop──► Stopping ──deadline──► Cut ──all gave way, or──► Ended
//!    │                  │ └───────────deadline──────────────────▲      GRACE is over       ▲
//!    ├──stop────────────┼──────────────► Stopping               │                          │
//!    ├──the driver is dropped───────────────────────────────────┘                          │
//!    └──closed, nothing left──┴────────────────────────────────────────────────────────────┘
//! ```
//!
//! | phase | starts handlers | handlers | what nobody works on |
//! |---|---|---|---|
//! | Running, Draining | yes | run | waits for its turn |
//! | Stopping | no | are asked to end (`Job::cancelled`), may end in time | is returned |
//! | Cut | no | are dropped at their next poll | is returned |
//! | Ended | no | those that still run are stuck | is returned |
//!
//! Anybody may take the next step: the driver, or a future of a control. So a handler that blocks
//! the thread of the driver holds up no stop.
//!
//! # Races
//!
//! * *drain ‖ send.* The pool goes on until a receive says `Closed`. A send that returned `Ok` put
//!   its item in before that, so who stops at `Closed` has seen all of them.
//! * *stop ‖ start.* A start looks at the phase under the lock. An item that was received meanwhile
//!   is returned. The handler's code begins a moment later, at the first poll, which looks at the
//!   call (`Call`) once more; only if it passes that just before may its first instruction come
//!   after the stop's return.
//! * *stop ‖ retry due.* Both under the lock: the item is started before, or returned.
//! * *cancel ‖ complete.* What a poll returned counts; the call is looked at before a poll only.
//!   A result that comes during a stop counts as ever; if it is a retry, the item is returned.
//! * *pause ‖ start.* The same: what a worker has and whose handler has not begun is put back, in
//!   front of its band.
//! * *join ‖ done.* See `joins`. A join registers and counts what is left under the lock.
//! * *alone ‖ all of these.* A worker may take its next job without the lock; whoever changes what
//!   that depends on stops it first. See `alone`.
//! * *stuck ‖ complete.* A job that is reported stuck and then ends is no longer counted stuck but
//!   as what it came to; if its item comes back, it is to be had from `Control::take_returned`.

mod alone;
mod end;
mod join;
mod settle;

use crate::{
    adapt::{Adapt, Meter},
    clock::{Clock, Moment},
    crew::Crew,
    ears::{Call, Ears},
    entry::{Due, Entry, Meta, Store},
    joins::Joins,
    notebook::{Begun, Notebook},
    quiet::lock,
    report::{BandReport, Counts, Report, Returned, Stuck},
    rooms::Rooms,
    sync::{AtomicBool, Mutex},
    times::RunTimes,
    wakes::{Waiters, WakerCell},
};
use bandq::{Band, Receiver};
use std::{
    num::NonZeroU64,
    panic::Location,
    sync::{Arc, Weak, atomic::Ordering},
};

pub(crate) use alone::Alone;
pub(crate) use end::{How, Step};
pub(crate) use settle::{Again, Ended, Verdict};

/// Where the pool stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// Until then.
    Draining(Moment),
    /// Until then.
    Stopping(Moment),
    /// Since then.
    Cut(Moment),
    Ended,
}

/// What works.
#[derive(Clone, Copy)]
struct Running {
    meta: Meta,
    began: Moment,
    is_stuck: bool,
    /// Somebody else was hired in its place.
    is_replaced: bool,
    /// Whether it was asked about that.
    is_overdue: bool,
}

impl Running {
    fn new(begun: &Begun) -> Self {
        Self {
            meta: begun.meta,
            began: begun.at,
            is_stuck: false,
            is_replaced: false,
            is_overdue: false,
        }
    }
}

/// How many workers there are to be.
struct Adaptive {
    adapt: Adapt,
    meter: Meter,
}

struct State<T> {
    phase: Phase,
    is_paused: bool,
    crew: Crew,
    /// If the number of workers is not fixed.
    adaptive: Option<Adaptive>,
    /// By worker.
    running: Vec<Option<Running>>,
    /// By worker: how its item calls itself, as far as items have names.
    names: Vec<Option<String>>,
    /// By worker: those of all its jobs.
    ears: Vec<Arc<Ears>>,
    /// By worker.
    notebooks: Vec<Arc<Notebook>>,
    /// So many workers go on alone.
    alone: usize,
    /// The worker for whom the driver looks, if that is known before it finds something.
    held: Option<usize>,
    /// Whether they may, as far as the pool was set up for it.
    is_simple: bool,
    store: Store<T>,
    rooms: Rooms<T>,
    counts: Vec<Counts>,
    times: Vec<RunTimes>,
    returned: Vec<Returned<T>>,
    stuck: Vec<Stuck>,
    joins: Joins,
    enders: Waiters,
    /// Who has paused the pool, and waits until nothing runs.
    pausers: Waiters,
    /// By band: the number of the last item.
    received: Vec<u64>,
    next_id: NonZeroU64,
    /// Items that are not settled.
    unsettled: u64,
    /// Looks under way, each with an item that may be between the channel and its number, or
    /// between where it was due and its worker.
    receiving: usize,
    /// Somebody gives back what is in the channel; one at a time, so that it keeps its order.
    is_sweeping: bool,
    /// A receive has said `Closed`: nothing will ever come.
    is_over: bool,
    location: &'static Location<'static>,
}

/// What everybody shares.
pub(crate) struct Pool<T> {
    state: Mutex<State<T>>,
    pub(crate) clock: Clock,
    pub(crate) call: Call,
    /// Whether the pool was asked to end, so that the driver need not take the lock to know.
    is_ending: AtomicBool,
    /// What the state says of it, for a handler that is about to begin.
    is_paused: AtomicBool,
    /// Of the driver, or of whoever waits for an item by hand.
    pub(crate) driver: Arc<WakerCell>,
    takers: Mutex<Waiters>,
}

/// What to look for next.
pub(crate) enum Pick {
    /// Nobody is free, or nothing may start.
    Nothing,
    /// An item of those bands, a bit a band. Call `looked` afterwards. In `due` one is there
    /// already; so look in the channel only for what comes before it.
    Look {
        mask: u64,
        due: Option<Due>,
        /// The time of the look.
        now: Moment,
    },
}

impl<T> Pool<T> {
    pub(crate) fn new(bands: usize, crew: Crew, location: &'static Location<'static>) -> Self {
        let clock = Clock::new();
        Self {
            state: Mutex::new(State {
                phase: Phase::Running,
                is_paused: false,
                crew,
                adaptive: None,
                running: Vec::new(),
                names: Vec::new(),
                ears: Vec::new(),
                notebooks: Vec::new(),
                alone: 0,
                held: None,
                is_simple: false,
                store: Store::new(bands),
                rooms: Rooms::new(bands),
                counts: vec![Counts::default(); bands],
                times: vec![RunTimes::default(); bands],
                returned: Vec::new(),
                stuck: Vec::new(),
                joins: Joins::default(),
                enders: Waiters::default(),
                pausers: Waiters::default(),
                received: vec![0; bands],
                next_id: NonZeroU64::MIN,
                unsettled: 0,
                receiving: 0,
                is_sweeping: false,
                is_over: false,
                location,
            }),
            clock,
            call: Call::default(),
            is_ending: AtomicBool::new(false),
            is_paused: AtomicBool::new(false),
            driver: Arc::default(),
            takers: Mutex::default(),
        }
    }

    /// Before the pool runs. `has_questions`: somebody asks about those who work.
    pub(crate) fn hire(
        &self,
        mut crew: Crew,
        adapt: Option<Adapt>,
        has_questions: bool,
        location: &'static Location<'static>,
    ) {
        let mut state = lock(&self.state);
        state.is_simple = crew.is_simple() && adapt.is_none() && !has_questions;
        if let Some(adapt) = &adapt {
            crew.set_cap(adapt.workers());
        }
        let meter = Meter::default();
        state.adaptive = adapt.map(|adapt| Adaptive { adapt, meter });
        state.crew = crew;
        state.location = location;
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire) // pairs with `ask` and `abandon`
    }

    pub(crate) fn is_paused(&self) -> bool {
        // Relaxed: whoever has heard that `pause` returned sees it, since it comes before that; and
        // what follows from it happens under the lock.
        self.is_paused.load(Ordering::Relaxed)
    }

    /// Returns where the caller waits until nothing runs.
    pub(crate) fn pause(&self) -> Arc<WakerCell> {
        let mut state = lock(&self.state);
        if state.phase == Phase::Running {
            state.is_paused = true;
            self.is_paused.store(true, Ordering::Relaxed); // as its load
            state.take_leave();
            state.not_at_capacity();
        }
        state.pausers.add()
    }

    pub(crate) fn resume(&self) {
        let mut state = lock(&self.state);
        state.is_paused = false;
        self.is_paused.store(false, Ordering::Relaxed); // who is too late to see it is put first
        state.not_at_capacity(); // the time of the pause says nothing
        let pausers = state.pausers.all();
        drop(state);
        pausers.iter().for_each(|cell| cell.wake());
        self.driver.wake();
    }

    /// Whether nothing runs, or the pool is not paused any more.
    pub(crate) fn is_quiet(&self) -> bool {
        let state = lock(&self.state); // while it is paused, nobody goes on alone
        !state.is_paused || state.phase == Phase::Ended || !state.works()
    }

    /// Who wants to be told that an item was put back, for jobs by hand.
    pub(crate) fn add_taker(&self) -> Arc<WakerCell> {
        lock(&self.takers).add()
    }

    fn wake_takers(&self) {
        let takers = lock(&self.takers).all();
        takers.iter().for_each(|cell| cell.wake());
    }

    /// What a free worker should look for. A look is under way from then on.
    pub(crate) fn pick(&self, receiver: &Receiver<T>, now: Moment) -> Pick {
        lock(&self.state).pick(receiver, now)
    }

    /// The look is over, without an item of the channel.
    pub(crate) fn looked(&self, receiver: &Receiver<T>) {
        let mut state = lock(&self.state);
        state.receiving -= 1;
        state.let_go();
        if state.crew.is_idle() {
            state.not_at_capacity();
        }
        self.look_for_joins(state, Some(receiver));
    }

    /// The look is over; this was received. `None`: there is no job, the item was given back.
    pub(crate) fn accept(
        &self,
        receiver: &Receiver<T>,
        band: Band,
        item: T,
        name: Option<String>,
        now: Moment,
    ) -> Option<(T, Begun)> {
        let mut guard = lock(&self.state);
        let begun = self.accepted(&mut guard, band, item, name, now);
        self.look_for_joins(guard, Some(receiver));
        begun
    }

    /// The same, and what to look for next; `None`: ask for it.
    pub(crate) fn accept_and_pick(
        &self,
        receiver: &Receiver<T>,
        (band, item): (Band, T),
        name: Option<String>,
        now: Moment,
    ) -> (Option<(T, Begun)>, Option<Pick>) {
        let mut guard = lock(&self.state);
        let begun = self.accepted(&mut guard, band, item, name, now);
        if guard.joins.is_empty() {
            let next = guard.pick(receiver, now);
            return (begun, Some(next));
        }
        self.look_for_joins(guard, Some(receiver)); // while no look is under way
        (begun, None)
    }

    #[inline]
    fn accepted(
        &self,
        state: &mut State<T>,
        band: Band,
        item: T,
        name: Option<String>,
        now: Moment,
    ) -> Option<(T, Begun)> {
        state.receiving -= 1;
        let meta = state.number(band, now);
        if state.goes_on() {
            return state
                .begin(item, meta, now, name)
                .map_err(|item| {
                    // Its room was given back by the receive; of such there is one a look.
                    let units = 0;
                    state.store.put_first(Entry { item, meta, units });
                })
                .ok();
        }
        state.let_go();
        state.give_back(item, &meta, now, false);
        None
    }

    /// Nothing more urgent was in the channel: the one that is due there. The look is over if there
    /// is none, else with `begin`: the pool does not end while the item is on its way.
    pub(crate) fn take_due(&self, receiver: &Receiver<T>, band: Band) -> Option<Entry<T>> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let entry = state.goes_on().then(|| state.store.take(band)).flatten();
        if entry.is_none() {
            state.receiving -= 1;
            state.let_go();
            self.look_for_joins(guard, Some(receiver));
        }
        entry
    }

    /// Begins on what was due. The look is over.
    pub(crate) fn begin(
        &self,
        receiver: &Receiver<T>,
        entry: Entry<T>,
        name: Option<String>,
        now: Moment,
    ) -> Option<(T, Begun)> {
        let Entry { item, meta, units } = entry;
        let mut room = None; // which goes after the lock
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        state.receiving -= 1;
        let begun = if state.goes_on() {
            match state.begin(item, meta, now, name) {
                Ok(begun) => {
                    room = state.rooms.release(meta.band, units);
                    Some(begun)
                }
                Err(item) => {
                    state.store.put_first(Entry { item, meta, units });
                    None
                }
            }
        } else {
            state.let_go();
            room = state.rooms.release(meta.band, units);
            state.give_back(item, &meta, now, false);
            None
        };
        self.look_for_joins(guard, Some(receiver));
        drop(room);
        begun
    }

    /// What it is like now, without the items that were given back.
    pub(crate) fn report(&self) -> Report<T> {
        lock(&self.state).report(Vec::new())
    }

    pub(crate) fn take_returned(&self) -> Vec<Returned<T>> {
        std::mem::take(&mut lock(&self.state).returned)
    }

    /// At the end. For the driver: with the items, unless somebody else has asked for the end.
    pub(crate) fn last_report(&self, of_driver: bool) -> Report<T> {
        let mut state = lock(&self.state);
        let mut returned = Vec::new();
        if !of_driver || state.enders.is_empty() {
            std::mem::swap(&mut state.returned, &mut returned);
        }
        state.report(returned)
    }

    pub(crate) fn mask_of(&self, worker: usize) -> u64 {
        lock(&self.state).crew.mask_of(worker)
    }

    /// By which the jobs of that worker hear, and where it notes them.
    pub(crate) fn of_worker(&self, worker: usize) -> (Arc<Ears>, Arc<Notebook>) {
        let state = lock(&self.state);
        let (ears, notebook) = (&state.ears[worker], &state.notebooks[worker]);
        (Arc::clone(ears), Arc::clone(notebook))
    }
}

impl<T> State<T> {
    /// Whether the pool works on anything; paused or not.
    fn goes_on(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Draining(_))
    }

    #[inline]
    fn pick(&mut self, receiver: &Receiver<T>, now: Moment) -> Pick {
        if self.is_paused || !self.goes_on() {
            return Pick::Nothing;
        }
        if self.store.next_at().is_some_and(|at| at <= now) {
            self.take_leave(); // who goes on alone knows nothing of what is due
            let (received, receiving) = (&self.received, self.receiving);
            while self
                .store
                .ripen(now, |band| behind(receiver, band, received, receiving))
            {}
        }
        let bands = u64::MAX >> (Band::MAX_BANDS - self.counts.len());
        let mask = self.crew.open() & bands;
        if mask == 0 {
            return Pick::Nothing;
        }
        self.receiving += 1;
        if self.is_simple {
            // The driver looks for one worker, who looks for nothing itself meanwhile: so what a
            // worker gets is in order, whoever looked.
            self.held = self.crew.occupy_general();
        }
        let due = self.store.first(mask, &self.received);
        Pick::Look { mask, due, now }
    }

    /// An item that was received gets its number.
    #[inline]
    fn number(&mut self, band: Band, since: Moment) -> Meta {
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        let number = &mut self.received[band.index()];
        *number += 1;
        let meta = Meta::new(id, *number, band, since);
        let counts = &mut self.counts[band.index()];
        counts.accepted += 1;
        counts.waiting += 1;
        self.unsettled += 1;
        self.joins.received(&meta);
        meta
    }

    /// At the end of its band: behind all of it that is in the channel.
    fn put(&mut self, receiver: &Receiver<T>, entry: Entry<T>) {
        self.take_leave(); // as in `pick`
        let behind = behind(receiver, entry.meta.band, &self.received, self.receiving);
        self.store.put(behind, entry);
    }

    /// A worker begins on it; if none is free after all, or the pool was paused, it comes back.
    #[inline]
    fn begin(
        &mut self,
        item: T,
        meta: Meta,
        now: Moment,
        name: Option<String>,
    ) -> Result<(T, Begun), T> {
        if self.is_paused {
            self.let_go();
            return Err(item);
        }
        let worker = match self.held.take() {
            Some(worker) => {
                self.crew.begins(meta.band);
                worker
            }
            // In a simple pool nobody general was free when the look began, and who is now may have
            // looked in the meantime, and have had what comes behind this.
            None => {
                let worker = if self.is_simple {
                    self.crew.occupy_reserved(meta.band)
                } else {
                    self.crew.occupy(meta.band)
                };
                match worker {
                    Some(worker) => worker,
                    None => return Err(item),
                }
            }
        };
        Ok((item, self.start(worker, meta, now, name)))
    }

    /// The worker for whom the driver looked gets nothing.
    fn let_go(&mut self) {
        if let Some(worker) = self.held.take() {
            self.crew.rests(worker);
        }
    }

    /// That worker, who is occupied, begins on an item.
    #[inline]
    fn start(&mut self, worker: usize, meta: Meta, now: Moment, name: Option<String>) -> Begun {
        if self.running.len() <= worker {
            self.running.resize_with(worker + 1, || None);
            self.ears.resize_with(worker + 1, Arc::default);
            self.notebooks.resize_with(worker + 1, Arc::default);
        }
        let begun = Begun {
            meta,
            worker,
            at: now,
        };
        self.running[worker] = Some(Running::new(&begun));
        if name.is_some() && self.names.len() <= worker {
            self.names.resize(worker + 1, None);
        }
        if let Some(place) = self.names.get_mut(worker) {
            *place = name;
        }
        let counts = &mut self.counts[meta.origin.index()];
        counts.waiting -= 1;
        counts.running += 1;
        counts.started += 1;
        begun
    }

    /// An item that waited goes back to the user.
    fn give_back(&mut self, item: T, meta: &Meta, now: Moment, interrupted: bool) {
        let counts = &mut self.counts[meta.origin.index()];
        counts.waiting -= 1;
        counts.returned += 1;
        self.settled(meta);
        self.returned.push(Returned {
            band: meta.band,
            item,
            attempts: meta.attempts,
            age: now.since(meta.since),
            interrupted,
        });
    }

    /// A general worker has ended a job: there may be fewer or more of them from now on.
    fn adapt(&mut self, receiver: &Receiver<T>, now: Moment, clock: &Clock) {
        let Some(adaptive) = &mut self.adaptive else {
            return;
        };
        let Adaptive { adapt, meter } = adaptive;
        let waiting = || (receiver.len() + self.store.due_len()) as u64;
        let at_work = self.crew.general_at_work();
        let now = now.nanos_since(clock.start());
        if let Some(window) = meter.job(adapt, now, at_work, waiting) {
            adapt.decide(window);
            self.crew.set_cap(adapt.workers());
        }
    }

    /// Not all workers have something to do, so what they do says nothing.
    fn not_at_capacity(&mut self) {
        if let Some(adaptive) = &mut self.adaptive {
            adaptive.meter.restart();
        }
    }

    /// Whether the end of a job may be what somebody waits for.
    fn is_watched(&self) -> bool {
        self.phase != Phase::Running || !self.joins.is_empty() || !self.pausers.is_unused()
    }

    fn works(&self) -> bool {
        self.running.iter().any(Option::is_some)
    }

    fn settled(&mut self, meta: &Meta) {
        self.unsettled -= 1;
        self.joins.settled(meta);
    }

    fn report(&mut self, returned: Vec<Returned<T>>) -> Report<T> {
        self.take_leave();
        let mut total = Counts::default();
        self.counts.iter().for_each(|counts| total += *counts);
        let bands = self.counts.iter().zip(&self.times).enumerate();
        let bands = bands.map(|(band, (counts, times))| BandReport {
            band: Band::new(band as u8),
            counts: *counts,
            times: times.clone(),
        });
        Report {
            total,
            concurrency: self.crew.cap(),
            bands: bands.collect(),
            returned,
            stuck: self.stuck.clone(),
        }
    }
}

/// The number of the last item of that band which is in the channel, or on its way out of it.
fn behind<T>(receiver: &Receiver<T>, band: Band, received: &[u64], receiving: usize) -> u64 {
    received[band.index()] + (receiver.band_len(band) + receiving) as u64
}

/// Whoever runs the pool, or will. When it is gone, the pool ends.
pub(crate) struct Presence<T>(pub(crate) Arc<Pool<T>>);

impl<T> Drop for Presence<T> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn wake_all(cells: &[Weak<WakerCell>]) {
    for cell in cells.iter().filter_map(Weak::upgrade) {
        cell.wake();
    }
}
