//! The service: one channel, its workers, and what can be changed while it runs.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bandq::{Band, BuildError, Builder, Policy, Receiver, Snapshot};

use crate::load::{Job, Load};

/// More workers than this is taken for a slip of the keyboard.
pub(crate) const MAX_WORKERS: usize = 64;

/// The capacity at the start, and the greatest.
const CAPACITY: usize = 200;
const MAX_CAPACITY: usize = 102_400;

/// How long the last band's items live.
const LIFE: Duration = Duration::from_secs(2);
/// An item counts as one band more urgent for each of these that it has waited.
const AGEING_STEP: Duration = Duration::from_millis(200);
/// A worker looks whether it is dismissed at least so often.
const LOOK: Duration = Duration::from_millis(50);

/// The policies that there are to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Strict,
    Weighted,
    Ageing,
}

impl Order {
    fn next(self) -> Self {
        match self {
            Self::Strict => Self::Weighted,
            Self::Weighted => Self::Ageing,
            Self::Ageing => Self::Strict,
        }
    }

    fn policy(self, bands: usize) -> Policy {
        match self {
            Self::Strict => Policy::strict(),
            Self::Weighted => Policy::weighted(weights(bands)),
            Self::Ageing => Policy::ageing(AGEING_STEP),
        }
    }

    /// For people.
    fn name(self, bands: usize) -> String {
        match self {
            Self::Strict => "strict".to_owned(),
            Self::Weighted => {
                let weights: Vec<_> = weights(bands).map(|weight| weight.to_string()).collect();
                format!("weighted {}", weights.join(":"))
            }
            Self::Ageing => format!("ageing, a band each {AGEING_STEP:?}"),
        }
    }
}

/// The last band weighs 1, each one above it one more.
fn weights(bands: usize) -> impl Iterator<Item = u32> {
    (1..=bands as u32).rev()
}

/// A channel with producers and workers. All of them end when it is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) load: Load,
    receiver: Receiver<Job>,
    workers: Vec<Worker>,
    /// Those that are dismissed and may not have ended yet.
    dismissed: Vec<Worker>,
    order: Order,
}

#[derive(Debug)]
struct Worker {
    dismissed: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Service {
    pub(crate) fn start(bands: usize, workers: usize) -> Result<Self, Box<dyn Error>> {
        let mut builder = Builder::new(bands).capacity(CAPACITY).observe();
        if bands > 1 {
            builder = builder
                .evictable_from(Band::new(1))
                .ttl(Band::new(bands as u8 - 1), LIFE);
        }
        let (sender, receiver) = builder.build()?;
        let mut service = Self {
            load: Load::start(&sender)?,
            receiver,
            workers: Vec::new(),
            dismissed: Vec::new(),
            order: Order::Strict,
        };
        for _ in 0..workers {
            service.hire()?;
        }
        Ok(service)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.receiver.snapshot()
    }

    /// The policy, for people.
    pub(crate) fn policy(&self) -> String {
        self.order.name(self.receiver.bands())
    }

    pub(crate) fn workers(&self) -> usize {
        self.workers.len()
    }

    /// One worker more.
    pub(crate) fn hire(&mut self) -> io::Result<()> {
        if self.workers.len() == MAX_WORKERS {
            return Err(io::Error::other(format!("{MAX_WORKERS} are the most")));
        }
        let dismissed = Arc::new(AtomicBool::new(false));
        let (stop, receiver) = (Arc::clone(&dismissed), self.receiver.clone());
        let thread = thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || work(&receiver, &stop))?;
        self.workers.push(Worker { dismissed, thread });
        Ok(())
    }

    /// One worker less, once it is done with what it works on; whether there was one.
    pub(crate) fn dismiss(&mut self) -> bool {
        self.dismissed.retain(|worker| !worker.thread.is_finished());
        let Some(worker) = self.workers.pop() else {
            return false;
        };
        worker.dismissed.store(true, Ordering::Relaxed);
        self.dismissed.push(worker);
        true
    }

    /// The next policy.
    pub(crate) fn reorder(&mut self) -> Result<(), BuildError> {
        let order = self.order.next();
        self.receiver
            .set_policy(order.policy(self.receiver.bands()))?;
        self.order = order;
        Ok(())
    }

    /// Twice the capacity, up to a limit.
    pub(crate) fn widen(&self) -> Result<(), BuildError> {
        self.resize(|capacity| (capacity * 2).min(MAX_CAPACITY))
    }

    /// Half the capacity; at least 1.
    pub(crate) fn narrow(&self) -> Result<(), BuildError> {
        self.resize(|capacity| (capacity / 2).max(1))
    }

    fn resize(&self, to: impl Fn(usize) -> usize) -> Result<(), BuildError> {
        let capacity = self.receiver.capacity().unwrap_or(CAPACITY);
        self.receiver.set_capacity(to(capacity))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.receiver.close(); // which wakes whoever waits
        let all = self.workers.drain(..).chain(self.dismissed.drain(..));
        let all: Vec<_> = all.collect();
        for worker in &all {
            worker.dismissed.store(true, Ordering::Relaxed);
        }
        for worker in all {
            drop(worker.thread.join()); // a panic of its own was reported
        }
    }
}

/// Works on what comes, until it is dismissed.
fn work(receiver: &Receiver<Job>, dismissed: &AtomicBool) {
    while !dismissed.load(Ordering::Relaxed) {
        match receiver.recv_timeout(LOOK) {
            Ok((band, job)) => {
                let _working = receiver.working(band);
                thread::sleep(job.work);
            }
            Err(error) if error.is_timeout() => {}
            Err(_) => return, // closed
        }
    }
}
