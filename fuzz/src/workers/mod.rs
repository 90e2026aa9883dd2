//! Target `workers`: life cycles of a pool, against a model.
//!
//! One thread: the pool, its handlers' tasks and its controls' futures are polled by hand, and the
//! clock, with `--cfg bandq_clock`, is moved by hand. So what starts next, what becomes of each
//! item, who has been woken and what each report says is known exactly, but for when a pool that
//! stops gives back what waits. Without that cfg nothing is due later, and grace is real time.

mod model;
mod script;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use arbitrary::Arbitrary;
use bandq::{Band, Sender};
use bandq_workers::{Control, Ending, Join, Quiet, Report, Retry, Returned, Task, Workers};

use crate::flag::Flag;
use crate::item::{self, Ledger};
use crate::program::Program;
use model::{GRACE, Model, Setup};
use script::{Error, Event, Script, Tell};

type Item = item::Item<0>;
type Pool = Pin<Box<dyn Future<Output = Report<Item>>>>;

/// The most futures of a kind that are kept.
const MOST_KEPT: usize = 4;

/// A deadline behind what is due soon, and before what is due far off; and one behind that.
const LONG: [u64; 2] = [script::FAR / 2, script::FAR * 2];

/// One step.
#[derive(Arbitrary, Clone, Copy, Debug)]
#[expect(
    missing_docs,
    reason = "named like the calls they stand for, and their arguments"
)]
pub enum Op {
    Send { band: u8, count: u8 },
    PollPool { unasked: bool },
    Tell { which: u8, how: u8, wake: bool },
    TellAll { how: u8 },
    PollTask { which: u8 },
    AbortTask { which: u8 },
    Sleep { time: u8 },
    Pause,
    Resume,
    End { time: u8, is_stop: bool, keep: bool },
    PollEnding { which: u8 },
    DropEnding { which: u8 },
    Join,
    DropJoin { which: u8 },
    DropPool { sure: u8 },
    DropSender { sure: u8 },
    TakeReturned,
}

impl Setup {
    fn from([one, two]: [u8; 2]) -> Self {
        let bit = |value: u8, by: u8| value / by % 2 == 1;
        Self {
            bands: usize::from(one % 3) + 1,
            general: usize::from(one / 3 % 3) + 1,
            has_reserved: bit(one, 9),
            is_capped: bit(one, 18),
            has_tasks: bit(one, 36),
            retry_last: bit(one, 72),
            attempts: u32::from(two % 3) + 1,
            no_time: two / 3 % 4 == 3,
            capacity: bit(two, 12).then_some(4),
        }
    }
}

/// What waits, and who is woken.
struct Waits<F> {
    flag: Arc<Flag>,
    future: F,
}

impl<F: Future + Unpin> Waits<F> {
    fn new(future: F) -> Self {
        let flag = Flag::new();
        Self { flag, future }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        self.flag.reset();
        let waker = self.flag.waker();
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker))
    }
}

struct World {
    setup: Setup,
    model: Model,
    script: Arc<Script>,
    sender: Option<Sender<Item>>,
    control: Control<Item>,
    /// `None` when it has ended, or was dropped.
    pool: Option<Waits<Pool>>,
    /// Those that `spawn` got; each with the item that was picked for it.
    spawned: Arc<Mutex<Vec<Task>>>,
    tasks: Vec<(u32, Waits<Task>)>,
    endings: Vec<Waits<Ending<Item>>>,
    joins: Vec<(Vec<u32>, Waits<Join<Item>>)>,
    quiet: Option<Waits<Quiet<Item>>>,
    back: Vec<Returned<Item>>,
    sent: usize,
    /// Items that went with the channel, which goes with the last task.
    lost: usize,
    /// The pool was, before its end.
    is_dropped: bool,
    has_ended: bool,
    ledger: Ledger,
}

/// Runs a program. The setup is the pool's.
pub fn run(program: &Program<Op>) {
    let mut world = World::new(Setup::from(program.setup));
    for &op in &program.steps {
        world.step(op);
        world.audit();
    }
    world.finish();
}

impl World {
    fn new(setup: Setup) -> Self {
        let ledger = Ledger::open();
        let script = Arc::<Script>::default();
        let (sender, receiver) = match setup.capacity {
            Some(units) => bandq::bounded(setup.bands, units),
            None => bandq::unbounded(setup.bands),
        };
        let last = (setup.bands - 1) as u8;
        let mut retry = Retry::exponential(Duration::ZERO)
            .attempts(setup.attempts)
            .transient(|error| *error != Error::Lasting)
            .failure(|error| *error != Error::NoFailure);
        if setup.retry_last {
            retry = retry.band(Band::new(last));
        }
        let (hook, name, handler) = (script.clone(), script.clone(), script.clone());
        let mut workers = Workers::new(receiver)
            .concurrency(setup.general)
            .retry(retry)
            .dead_letter(move |letter| hook.bury(letter))
            .named(move |item: &Item| {
                name.note(Event::Picked(item.id()));
                String::new()
            });
        if setup.has_reserved {
            workers = workers.reserved(Band::URGENT..=Band::URGENT, 1);
        }
        if setup.is_capped {
            workers = workers.band_concurrency(Band::new(last), 1);
        }
        if setup.no_time {
            workers = workers.time_limit(Duration::ZERO);
        }
        let control = workers.control();
        let spawned = Arc::<Mutex<Vec<Task>>>::default();
        let tasks = Arc::clone(&spawned);
        let handler = move |job| Arc::clone(&handler).begin(job);
        let pool: Pool = if setup.has_tasks {
            Box::pin(workers.run_on(move |task| tasks.lock().unwrap().push(task), handler))
        } else {
            Box::pin(workers.run(handler))
        };
        let pool = Waits::new(pool);
        pool.flag.waker().wake();
        Self {
            model: Model::new(&setup),
            setup,
            script,
            sender: Some(sender),
            control,
            pool: Some(pool),
            spawned,
            tasks: Vec::new(),
            endings: Vec::new(),
            joins: Vec::new(),
            quiet: None,
            back: Vec::new(),
            sent: 0,
            lost: 0,
            is_dropped: false,
            has_ended: false,
            ledger,
        }
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Send { band, count } => {
                for _ in 0..=count % 4 {
                    self.send(band);
                }
            }
            Op::PollPool { unasked } => self.poll_pool(unasked),
            Op::Tell { which, how, wake } => {
                let untold = self.script.untold();
                if let Some(&item) = pick(&untold, which) {
                    self.script.tell(item, Tell::from(how), wake);
                }
            }
            Op::TellAll { how } => {
                for item in self.script.untold() {
                    self.script.tell(item, Tell::from(how), true);
                }
                self.poll_pool(false);
                for task in (0..self.tasks.len()).rev() {
                    self.poll_task(task);
                }
            }
            Op::PollTask { which } => {
                if let Some(task) = index(self.tasks.len(), which) {
                    self.poll_task(task);
                }
            }
            Op::AbortTask { which } => {
                if let Some(task) = index(self.tasks.len(), which) {
                    self.abort_task(task);
                }
            }
            Op::Sleep { time } => self.sleep(time),
            Op::Pause => {
                self.model.pause();
                self.quiet = Some(Waits::new(self.control.pause()));
            }
            Op::Resume => {
                self.model.resume();
                drop(self.control.resume());
            }
            Op::End {
                time,
                is_stop,
                keep,
            } => self.end(time, is_stop, keep),
            Op::PollEnding { which } => {
                if let Some(ending) = index(self.endings.len(), which) {
                    self.poll_ending(ending);
                }
            }
            Op::DropEnding { which } => {
                if let Some(ending) = index(self.endings.len(), which) {
                    self.endings.swap_remove(ending);
                }
            }
            Op::Join => {
                if self.joins.len() < MOST_KEPT {
                    let items = self.model.unsettled();
                    self.joins.push((items, Waits::new(self.control.join())));
                }
            }
            Op::DropJoin { which } => {
                if let Some(join) = index(self.joins.len(), which) {
                    self.joins.swap_remove(join);
                }
            }
            // Rarely, as little is left to see after it.
            Op::DropPool { sure } if sure >= 224 => self.drop_pool(),
            Op::DropSender { sure } if sure >= 192 => self.sender = None,
            Op::DropPool { .. } | Op::DropSender { .. } => {}
            Op::TakeReturned => self.take_returned(),
        }
    }

    fn send(&mut self, band: u8) {
        let Some(sender) = &self.sender else { return };
        if !self.ledger.has_room(1) {
            return;
        }
        let band = Band::new(band % self.setup.bands as u8);
        let item = Item::new();
        let id = item.id();
        if sender.try_send(band, item).is_ok() {
            self.sent += 1;
            self.model.sent(id, band.index());
        }
    }

    fn sleep(&mut self, time: u8) {
        if time >= 224 {
            self.script.sleep(2 * GRACE);
        } else if cfg!(bandq_clock) {
            self.script.sleep(10 * script::SOON);
        }
        if let Some(pool) = &self.pool {
            pool.flag.waker().wake(); // a timer would
        }
    }

    fn end(&mut self, time: u8, is_stop: bool, keep: bool) {
        let time = match time % 4 {
            0 => 0,
            1 | 2 => LONG[0],
            _ => LONG[1],
        };
        let until = Duration::from_nanos(time);
        self.model.ask(is_stop, self.script.now() + time);
        let ending = if is_stop {
            self.control.stop(until)
        } else {
            self.control.drain(until)
        };
        if keep && self.endings.len() < MOST_KEPT {
            self.endings.push(Waits::new(ending));
        }
    }

    fn poll_pool(&mut self, unasked: bool) {
        let Some(pool) = &mut self.pool else { return };
        if !unasked && !pool.flag.is_set() {
            return;
        }
        let now = self.script.now();
        self.model.step(now);
        self.model.look(now);
        let polled = pool.poll();
        self.read();
        if let Poll::Ready(report) = polled {
            self.ended(report);
            self.pool = None; // and handlers that are stuck
            self.read();
        }
        // The driver asked for the next turn of its own accord, or has nothing to do.
        self.audit();
    }

    fn poll_task(&mut self, task: usize) {
        let (item, task_) = &mut self.tasks[task];
        let item = *item;
        let is_over = task_.poll().is_ready();
        self.read();
        if is_over {
            self.model.task_is_over(item);
            drop(self.tasks.swap_remove(task));
        }
    }

    fn abort_task(&mut self, task: usize) {
        let (item, task) = self.tasks.swap_remove(task);
        self.model.abort(item);
        drop(task);
        self.read();
        self.model.task_is_over(item);
    }

    fn poll_ending(&mut self, ending: usize) {
        self.model.step(self.script.now());
        if let Poll::Ready(report) = self.endings[ending].poll() {
            drop(self.endings.swap_remove(ending));
            self.ended(report);
        }
    }

    fn drop_pool(&mut self) {
        let Some(pool) = self.pool.take() else { return };
        self.is_dropped = true;
        self.model.abandon(self.script.now());
        drop(pool);
        self.read();
    }

    /// A report of the end.
    fn ended(&mut self, report: Report<Item>) {
        assert!(self.model.may_have_ended(self.script.now()), "{report:?}");
        assert_eq!((report.running, report.waiting), (0, 0), "{report:?}");
        if !self.is_dropped {
            assert_eq!(report.accepted as usize, self.sent, "{report:?}");
        }
        assert_eq!(report.stuck.len(), self.model.running());
        self.has_ended = true;
        self.keep(report.returned);
    }

    fn take_returned(&mut self) {
        let back = self.control.take_returned();
        self.keep(back);
    }

    fn keep(&mut self, back: Vec<Returned<Item>>) {
        back.iter().for_each(|back| self.model.returned(back));
        self.back.extend(back);
    }

    /// What was noted, to the model.
    fn read(&mut self) {
        let mut spawned: VecDeque<_> = self.spawned.lock().unwrap().drain(..).collect();
        for (now, event) in self.script.read() {
            self.model.apply(now, &event);
            if let (Event::Picked(item), true) = (event, self.setup.has_tasks) {
                let task = spawned.pop_front().expect("a task for each");
                self.tasks.push((item, Waits::new(task)));
            }
        }
        assert!(spawned.is_empty());
    }

    /// After each step: every account, and who must have been woken.
    fn audit(&mut self) {
        let now = self.script.now();
        let report = self.control.report();
        if self.pool.is_none() && self.tasks.is_empty() {
            self.lost = self.sent - report.accepted as usize;
        }
        let inside = self.sent - self.lost - report.accepted as usize;
        if let Some(sender) = &self.sender {
            assert_eq!(sender.len(), inside, "{report:?}");
            if let (Some(units), Some(_)) = (self.setup.capacity, &self.pool) {
                let used = inside + report.waiting as usize; // what waits keeps its room
                let left = units.saturating_sub(used);
                assert_eq!(sender.available(), Some(left), "{report:?}");
            }
        }
        self.model.audit(&report.bands, inside + self.lost);
        if let Some(pool) = &self.pool {
            let is_idle = self.model.can_start(now) && !pool.flag.is_set();
            assert!(!is_idle, "the pool sleeps beside work");
        }
        if !self.joins.is_empty() || self.quiet.is_some() {
            self.model.step(now); // who waits takes the steps as well
        }
        let may_have_ended = self.model.may_have_ended(now);
        let mut joins = std::mem::take(&mut self.joins);
        joins.retain_mut(|(items, join)| {
            let is_over = join.poll().is_ready();
            if is_over {
                let is_early = self.model.must_wait(items) && !may_have_ended;
                assert!(!is_early, "joined before {items:?}");
            } else {
                assert!(!self.has_ended, "a join waits at the end");
                assert!(self.model.is_open(items), "a join waits for nothing");
            }
            !is_over
        });
        self.joins = joins;
        if let Some(quiet) = &mut self.quiet {
            let is_quiet = quiet.poll().is_ready();
            if self.model.is_quiet() {
                assert!(is_quiet, "a pause waits for nothing");
            } else {
                assert!(!is_quiet || may_have_ended, "quiet beside a handler");
            }
            if is_quiet {
                self.quiet = None;
            }
        }
    }

    /// The pool ends, and all is somewhere.
    fn finish(mut self) {
        self.end(0, true, true);
        for _ in 0..3 {
            for ending in (0..self.endings.len()).rev() {
                self.poll_ending(ending);
            }
            self.poll_pool(true);
            for task in (0..self.tasks.len()).rev() {
                self.poll_task(task);
            }
            self.audit();
        }
        assert!(self.has_ended || !self.endings.is_empty() || self.pool.is_none());
        while !self.tasks.is_empty() {
            self.abort_task(0);
        }
        self.drop_pool();
        self.audit();
        self.take_returned();
        assert_eq!(self.model.running(), 0);
        assert_eq!(self.model.missing(), self.lost, "items are missing");
        let report = self.control.report();
        assert_eq!(report.total.returned as usize, self.back.len());
        assert_eq!(self.ledger.living(), self.back.len());
        self.back.clear();
        assert_eq!(self.ledger.living(), 0);
    }
}

fn index(len: usize, which: u8) -> Option<usize> {
    (len > 0).then(|| usize::from(which) % len)
}

fn pick<T>(of: &[T], which: u8) -> Option<&T> {
    index(of.len(), which).map(|index| &of[index])
}
