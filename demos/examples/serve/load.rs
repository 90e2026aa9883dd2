//! The load: who sends what, how often; who works; and what happens then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bandq::{
    Band, BuildError, Builder, Receiver, RecvTimeoutError, Sender, Snapshot, TrySendError,
};

use crate::ledger::{BANDS, Event, Ledger};

const URGENT: Band = Band::URGENT;
const NORMAL: Band = Band::new(1);
const BATCH: Band = Band::new(2);

/// There is room for the jobs of so many seconds.
const ROOM: f64 = 0.2;
const LIFE: Duration = Duration::from_millis(100);
const WORKERS: usize = 2;
/// What the workers could do, of what is sent.
const STRENGTH: f64 = 1.25;
/// What each worker is held up for, once in a period.
const LONG_JOB: Duration = Duration::from_millis(400);
const PERIOD: Duration = Duration::from_secs(1);

/// What stays in the channel at the end.
const LEFT: [Band; 6] = [URGENT, BATCH, BATCH, BATCH, BATCH, BATCH];

/// Knows itself when it was sent.
struct Job(Instant);

/// How a job is sent.
#[derive(Clone, Copy)]
enum Way {
    /// If it must be, less urgent ones have to go.
    Force,
    /// If there is room.
    Try,
    /// When there is room.
    Wait,
}

/// Which part of the jobs is of which band, and how they are sent.
const SHARES: [(Band, Way, f64); 4] = [
    (URGENT, Way::Force, 0.1),
    (NORMAL, Way::Try, 0.4),
    (BATCH, Way::Try, 0.4),
    (BATCH, Way::Wait, 0.1),
];

pub(crate) struct Load {
    receiver: Receiver<Job>,
    ledger: Arc<Ledger>,
    /// Nobody sends any more.
    stop: Arc<AtomicBool>,
    director: JoinHandle<()>,
}

impl Load {
    /// So many jobs a second, for so long.
    pub(crate) fn start(rate: u32, lasts: Option<Duration>) -> Result<Self, BuildError> {
        let rate = f64::from(rate);
        let capacity = ((rate * ROOM) as usize).max(LEFT.len() + 2);
        let ledger = Arc::new(Ledger::new(capacity));
        let expired = Arc::clone(&ledger);
        let (sender, receiver) = Builder::new(BANDS)
            .capacity(capacity)
            .ttl(NORMAL, LIFE)
            .on_expired(move |band, _| expired.add(band, Event::Expired))
            .observe()
            .build()?;
        let stop = Arc::new(AtomicBool::new(false));
        let crew = Crew {
            sender,
            receiver: receiver.clone(),
            ledger: Arc::clone(&ledger),
            stop: Arc::clone(&stop),
        };
        let director = thread::spawn(move || crew.run(rate, lasts));
        Ok(Self {
            receiver,
            ledger,
            stop,
            director,
        })
    }

    pub(crate) fn receiver(&self) -> &Receiver<impl Send + 'static> {
        &self.receiver
    }

    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    /// Ends it, and says what the channel was like at the end.
    pub(crate) fn stop(self) -> Snapshot {
        self.stop.store(true, Ordering::Relaxed);
        self.director.thread().unpark();
        if self.director.join().is_err() {
            eprintln!("serve: the load has panicked");
        }
        self.receiver.snapshot()
    }
}

/// Those who send and work.
#[derive(Clone)]
struct Crew {
    sender: Sender<Job>,
    receiver: Receiver<Job>,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
}

impl Crew {
    fn run(self, rate: f64, lasts: Option<Duration>) {
        let rest = AtomicBool::new(false); // for workers
        thread::scope(|scope| {
            let began = Instant::now();
            for _ in 0..WORKERS {
                let (crew, rest) = (self.clone(), &rest);
                let work = Duration::from_secs_f64(WORKERS as f64 / (STRENGTH * rate));
                scope.spawn(move || crew.work(work, began, rest));
            }
            let producers: Vec<_> = SHARES
                .into_iter()
                .map(|(band, way, share)| {
                    let crew = self.clone();
                    let every = Duration::from_secs_f64(1.0 / (rate * share));
                    scope.spawn(move || crew.produce(band, way, every))
                })
                .collect();
            while !self.stop.load(Ordering::Relaxed) {
                match lasts.map(|lasts| lasts.saturating_sub(began.elapsed())) {
                    Some(Duration::ZERO) => self.stop.store(true, Ordering::Relaxed),
                    Some(left) => thread::park_timeout(left),
                    None => thread::park(),
                }
            }
            for producer in producers {
                _ = producer.join(); // a panic was reported by its thread
            }
            rest.store(true, Ordering::Relaxed);
        });
        self.leave();
    }

    fn produce(&self, band: Band, way: Way, every: Duration) {
        let mut next = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            self.send(band, way);
            // One who was held up does not make up for it.
            next = (next + every).max(Instant::now() - every);
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    fn send(&self, band: Band, way: Way) {
        let job = Job(Instant::now());
        let outcome = match way {
            Way::Try => self.sender.try_send(band, job),
            Way::Wait => self.sender.send_blocking(band, job).map_err(Into::into),
            Way::Force => match self.sender.force_send(band, job) {
                Ok(gone) => {
                    for (band, _) in gone {
                        self.ledger.add(band, Event::Evicted);
                    }
                    Ok(())
                }
                Err(error) => Err(error.error), // without weights, nothing went in vain
            },
        };
        self.ledger.add(
            band,
            match outcome {
                Ok(()) => Event::Sent,
                Err(TrySendError::Full(_)) => Event::Full,
                Err(_) => Event::Closed,
            },
        );
    }

    fn work(&self, each: Duration, began: Instant, rest: &AtomicBool) {
        let mut next_long = began;
        loop {
            let (band, job) = match self.receiver.recv_timeout(LIFE) {
                Ok(received) => received,
                Err(RecvTimeoutError::Timeout) if !rest.load(Ordering::Relaxed) => continue,
                Err(_) => return,
            };
            let _working = self.receiver.working(band);
            self.ledger.received(band, job.0.elapsed());
            let is_long = band == BATCH && Instant::now() >= next_long;
            if is_long {
                next_long = Instant::now() + PERIOD;
            }
            thread::sleep(if is_long { LONG_JOB } else { each });
        }
    }

    /// What is there at rest: some that nobody takes, and one for each band that comes too late.
    fn leave(&self) {
        for band in LEFT {
            self.send(band, Way::Try);
        }
        self.sender.close();
        for band in [URGENT, NORMAL, BATCH] {
            self.send(band, Way::Try);
        }
        self.ledger.rest();
    }
}
