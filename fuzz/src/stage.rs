//! Threads that act out a program, and who of them may go on.
//!
//! The threads are started once and parked between runs, as starting one costs more than a run.
//!
//! In a build with `--cfg bandq_stall` the library stops before each of its atomic accesses and
//! asks here. One thread runs at a time, and goes on until the schedule, which is part of the
//! input, says that it is another's turn. So the run is decided by the input, down to the single
//! access, but for what earlier inputs left behind: garbage to reclaim, and the counter of empty
//! looks.
//!
//! In a normal build all threads run at once, and the input only says in which order the calls
//! begin, loosely: each thread waits a moment for the calls that should have begun before.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};

/// The most threads of a run.
pub const MOST: usize = 4;

/// Accesses after which a run is said to be stuck. With one thread at a time nothing but a loop
/// that waits for a thread that does not run can take as long.
#[cfg(bandq_stall)]
const STUCK: usize = 1_000_000;

/// How long a thread waits for calls that should begin before its own.
const PATIENCE: usize = 40;

/// One part of a run, played by one thread.
pub type Part = Box<dyn FnOnce() + Send>;

/// How a part ended; an error is what it panicked with.
type Outcome = thread::Result<()>;

/// The turn goes to thread `to`, modulo their number, after `after` more accesses.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// Accesses until then.
    pub after: u8,
    /// The thread that goes on.
    pub to: u8,
}

/// What the threads of one run share.
pub struct Stage {
    /// The thread whose turn it is.
    turn: AtomicUsize,
    threads: Vec<Thread>,
    plan: Mutex<Plan>,
    /// Calls begun.
    begun: AtomicUsize,
    /// How many calls may begin before their time.
    slack: usize,
}

struct Plan {
    switches: std::vec::IntoIter<Switch>,
    next: Option<Switch>,
    acting: Vec<bool>,
    #[cfg(bandq_stall)]
    points: usize,
}

impl Plan {
    /// Whose turn comes after a point of thread `me`, if it is another's.
    #[cfg(bandq_stall)]
    fn point(&mut self, me: usize) -> Option<usize> {
        self.points += 1;
        assert!(
            self.points < STUCK,
            "a thread waits for one that is stopped"
        );
        let next = self.next.as_mut()?;
        if next.after > 0 {
            next.after -= 1;
            return None;
        }
        let to = next.to as usize;
        self.next = self.switches.next();
        let others = self.others(me);
        (!others.is_empty()).then(|| others[to % others.len()])
    }

    /// Whose turn comes when thread `me` has ended.
    fn end(&mut self, me: usize) -> Option<usize> {
        self.acting[me] = false;
        let to = self.next.take().map_or(0, |next| next.to as usize);
        self.next = self.switches.next();
        let others = self.others(me);
        (!others.is_empty()).then(|| others[to % others.len()])
    }

    fn others(&self, me: usize) -> Vec<usize> {
        (0..self.acting.len())
            .filter(|&other| other != me && self.acting[other])
            .collect()
    }
}

impl Stage {
    /// Waits, a moment only, until call number `index` of the program should begin; a stall point.
    pub fn begin(self: &Arc<Self>, me: usize, index: usize) {
        if cfg!(bandq_stall) {
            self.point(me, 0);
            return;
        }
        for _ in 0..PATIENCE {
            if self.begun.load(Ordering::Relaxed) + self.slack >= index {
                break;
            }
            std::hint::spin_loop();
        }
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(not(bandq_stall))]
    fn point(&self, _me: usize, _site: usize) {}

    #[cfg(bandq_stall)]
    fn point(&self, me: usize, site: usize) {
        let to = lock(&self.plan).point(me);
        if let Some(to) = to {
            sites::left(site);
            self.pass(to);
            self.wait(me);
            sites::resumed(site);
        }
    }

    fn pass(&self, to: usize) {
        self.turn.store(to, Ordering::Release);
        self.threads[to].unpark();
    }

    #[cfg(bandq_stall)]
    fn wait(&self, me: usize) {
        while self.turn.load(Ordering::Acquire) != me {
            thread::park();
        }
    }

    /// Plays a part on this thread.
    fn act(self: &Arc<Self>, me: usize, part: Part) -> Outcome {
        #[cfg(bandq_stall)]
        {
            self.wait(me);
            let stage = self.clone();
            bandq::__internals::stall::set_hook(Some(Box::new(move |site| {
                stage.point(me, sites::name(site));
            })));
        }
        let outcome = catch_unwind(AssertUnwindSafe(part));
        #[cfg(bandq_stall)]
        bandq::__internals::stall::set_hook(None);
        let to = lock(&self.plan).end(me);
        if let (true, Some(to)) = (cfg!(bandq_stall), to) {
            self.pass(to);
        }
        outcome
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The parked threads; the caller is the first of a run, so there is one less.
struct Troupe {
    work: Vec<Sender<Job>>,
    threads: Vec<Thread>,
}

/// A part for a parked thread.
struct Job {
    stage: Arc<Stage>,
    me: usize,
    part: Part,
    curtain: Arc<Curtain>,
}

/// Counts the parts that have not ended.
struct Curtain {
    left: AtomicUsize,
    /// How the last part ended that panicked.
    outcome: Mutex<Outcome>,
    caller: Thread,
}

fn troupe() -> &'static Troupe {
    static TROUPE: OnceLock<Troupe> = OnceLock::new();
    TROUPE.get_or_init(|| {
        let mut troupe = Troupe {
            work: Vec::new(),
            threads: Vec::new(),
        };
        for _ in 1..MOST {
            let (work, jobs) = channel::<Job>();
            let thread = thread::spawn(move || {
                for job in jobs {
                    let Job {
                        stage,
                        me,
                        part,
                        curtain,
                    } = job;
                    let outcome = stage.act(me, part);
                    drop(stage);
                    if outcome.is_err() {
                        *lock(&curtain.outcome) = outcome;
                    }
                    // Release: what the part did comes before the caller goes on.
                    if curtain.left.fetch_sub(1, Ordering::Release) == 1 {
                        curtain.caller.unpark();
                    }
                }
            });
            troupe.work.push(work);
            troupe.threads.push(thread.thread().clone());
        }
        troupe
    })
}

/// Plays all parts, the first on this thread, and waits for their end. `parts` makes them from the
/// stage that they share.
pub fn play(
    switches: Vec<Switch>,
    slack: usize,
    count: usize,
    mut part: impl FnMut(usize, &Arc<Stage>) -> Part,
) {
    let troupe = troupe();
    let mut switches = switches.into_iter();
    let next = switches.next();
    let mut threads = vec![thread::current()];
    threads.extend_from_slice(&troupe.threads[..count - 1]);
    let stage = Arc::new(Stage {
        turn: AtomicUsize::new(0),
        threads,
        plan: Mutex::new(Plan {
            switches,
            next,
            acting: vec![true; count],
            #[cfg(bandq_stall)]
            points: 0,
        }),
        begun: AtomicUsize::new(0),
        slack,
    });
    let curtain = Arc::new(Curtain {
        left: AtomicUsize::new(count - 1),
        outcome: Mutex::new(Ok(())),
        caller: thread::current(),
    });
    let first = part(0, &stage);
    for me in 1..count {
        let job = Job {
            stage: stage.clone(),
            me,
            part: part(me, &stage),
            curtain: curtain.clone(),
        };
        troupe.work[me - 1].send(job).expect("a thread has ended");
    }
    let mine = stage.act(0, first);
    // Acquire: pairs with the release above.
    while curtain.left.load(Ordering::Acquire) != 0 {
        thread::park();
    }
    let theirs = mem::replace(&mut *lock(&curtain.outcome), Ok(()));
    if let Err(panic) = mine.and(theirs) {
        resume_unwind(panic);
    }
}

/// Tells the fuzzer which accesses a switch went between, so that it looks for new ones.
#[cfg(bandq_stall)]
mod sites {
    use std::panic::Location;
    use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

    const COUNTERS: usize = 4096;

    /// libFuzzer reads and clears this section like the counters of the compiler.
    #[unsafe(link_section = "__libfuzzer_extra_counters")]
    #[used]
    static SEEN: [AtomicU8; COUNTERS] = [const { AtomicU8::new(0) }; COUNTERS];

    static LAST: AtomicUsize = AtomicUsize::new(0);

    pub(super) fn name(site: &Location<'_>) -> usize {
        let file = site.file().as_bytes();
        let tail = file.len().saturating_sub(8);
        file[tail..].iter().fold(
            site.line() as usize * 64 + site.column() as usize,
            |name, &byte| name.wrapping_mul(31).wrapping_add(byte as usize),
        )
    }

    pub(super) fn left(site: usize) {
        LAST.store(site, Relaxed);
    }

    pub(super) fn resumed(site: usize) {
        let pair = LAST.load(Relaxed).wrapping_mul(7919).wrapping_add(site);
        let pair = pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
        SEEN[pair % COUNTERS].fetch_add(1, Relaxed);
    }
}
