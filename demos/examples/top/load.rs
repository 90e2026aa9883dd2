//! The load: a producer for each band, at a rate that can be changed at any time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bandq::{Band, Sender};
use rand::RngExt;
use rand_distr::{Distribution, Exp1};

/// What each band gets at the start, and what one press of a key adds, in items a second.
pub(crate) const START: u32 = 30;
pub(crate) const STEP: u32 = 50;
/// No band gets more: a producer is one thread.
pub(crate) const MAX: u32 = 5000;

/// How long all but the most urgent wait for room.
const PATIENCE: Duration = Duration::from_millis(20);
/// A producer looks at what it is told at least so often.
const LOOK: Duration = Duration::from_millis(20);
/// A producer that was held up for longer than this does not make up for it.
const BACKLOG: Duration = Duration::from_millis(100);

/// What a worker is held by.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Duration,
}

impl Job {
    fn new(band: Band) -> Self {
        let usual = Duration::from_millis(4 + 2 * band.index() as u64);
        Self {
            work: usual.mul_f64(rand::rng().random_range(0.5..1.5)),
        }
    }
}

/// The producers. They end when it is dropped.
#[derive(Debug)]
pub(crate) struct Load {
    told: Arc<Told>,
    producers: Vec<JoinHandle<()>>,
}

/// What the producers are told.
#[derive(Debug)]
struct Told {
    /// In items a second, by band.
    rates: Box<[AtomicU32]>,
    paused: AtomicBool,
    over: AtomicBool,
}

impl Load {
    /// A producer for each band of the channel.
    pub(crate) fn start(sender: &Sender<Job>) -> io::Result<Self> {
        let rates = (0..sender.bands()).map(|_| AtomicU32::new(START)).collect();
        let mut load = Self {
            told: Arc::new(Told {
                rates,
                paused: AtomicBool::new(false),
                over: AtomicBool::new(false),
            }),
            producers: Vec::new(),
        };
        for number in 0..sender.bands() {
            let (told, sender) = (Arc::clone(&load.told), sender.clone());
            let producer = thread::Builder::new()
                .name(format!("producer {number}"))
                .spawn(move || produce(&told, &sender, number))?;
            load.producers.push(producer);
        }
        Ok(load)
    }

    /// What each band gets, in items a second.
    pub(crate) fn rates(&self) -> Vec<u32> {
        let rates = self.told.rates.iter();
        rates.map(|rate| rate.load(Ordering::Relaxed)).collect()
    }

    /// One step more for a band; what it gets now.
    pub(crate) fn more(&self, band: usize) -> u32 {
        self.set(band, |rate| rate.saturating_add(STEP).min(MAX))
    }

    /// One step less for a band; what it gets now.
    pub(crate) fn less(&self, band: usize) -> u32 {
        self.set(band, |rate| rate.saturating_sub(STEP))
    }

    fn set(&self, band: usize, to: impl Fn(u32) -> u32) -> u32 {
        let rate = &self.told.rates[band];
        let now = to(rate.load(Ordering::Relaxed)); // only this thread changes it
        rate.store(now, Ordering::Relaxed);
        now
    }

    /// Stops all load, or lets it go on; whether it is paused now.
    pub(crate) fn pause(&self) -> bool {
        !self.told.paused.fetch_xor(true, Ordering::Relaxed)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.told.paused.load(Ordering::Relaxed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.told.over.store(true, Ordering::Relaxed);
        for producer in self.producers.drain(..) {
            drop(producer.join()); // a panic of its own was reported
        }
    }
}

/// Sends to one band, at random moments, until it is over.
fn produce(told: &Told, sender: &Sender<Job>, number: usize) {
    let band = Band::new(number as u8);
    let mut due = Instant::now();
    while !told.over.load(Ordering::Relaxed) {
        let now = Instant::now();
        let rate = told.rates[number].load(Ordering::Relaxed);
        if rate == 0 || told.paused.load(Ordering::Relaxed) {
            thread::sleep(LOOK);
            due = Instant::now();
            continue;
        }
        if due > now {
            thread::sleep((due - now).min(LOOK));
            continue;
        }
        if !offer(sender, band) {
            return;
        }
        let gap: f64 = Exp1.sample(&mut rand::rng());
        let since = now.checked_sub(BACKLOG).unwrap_or(now);
        due = due.max(since) + Duration::from_secs_f64(gap / f64::from(rate));
    }
}

/// Sends one job; whether the channel is open.
fn offer(sender: &Sender<Job>, band: Band) -> bool {
    let job = Job::new(band);
    if band == Band::URGENT {
        let sent = sender.force_send(band, job);
        !sent.is_err_and(|error| error.error.is_closed())
    } else {
        let sent = sender.send_timeout(band, job, PATIENCE);
        !sent.is_err_and(|error| error.is_closed())
    }
}
