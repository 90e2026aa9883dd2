//! Handlers that end as they are told, and the log of what they, and the pool, did.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bandq_workers::{Cause, DeadLetter, Job, Outcome};

use super::Item;

/// Due after the clock was moved on. Where nobody can move it, never.
pub(super) const SOON: u64 = if cfg!(bandq_clock) { 1_000_000 } else { FAR };

/// Not due within a run.
pub(super) const FAR: u64 = 1_000_000_000_000;

/// What a handler's error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Error {
    Passing,
    Lasting,
    NoFailure,
}

/// What becomes of the item before the handler's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    Keep,
    Take,
    Requeue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Retry(Error),
    /// After so many nanoseconds.
    RetryAfter(u64),
    Snooze(u64),
    Dead,
    Requeue,
    Panic,
}

/// How a handler is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tell {
    pub(super) hand: Hand,
    pub(super) end: End,
}

impl Tell {
    pub(super) fn from(how: u8) -> Self {
        let hand = match how / 16 {
            12 | 13 => Hand::Take,
            14 | 15 => Hand::Requeue,
            _ => Hand::Keep,
        };
        let end = match how % 16 {
            1 | 2 => End::Retry(Error::Passing),
            3 => End::Retry(Error::Lasting),
            4 => End::Retry(Error::NoFailure),
            5 => End::RetryAfter(SOON),
            6 => End::RetryAfter(FAR),
            7 => End::Snooze(0),
            8 => End::Snooze(SOON),
            9 => End::Snooze(FAR),
            10 => End::Dead,
            11 => End::Requeue,
            12 => End::Panic,
            _ => End::Done,
        };
        Self { hand, end }
    }

    fn outcome(self) -> Outcome<Error> {
        let after = Duration::from_nanos;
        match self.end {
            End::Done => Outcome::Done,
            End::Retry(error) => Outcome::Retry(error),
            End::RetryAfter(time) => Outcome::RetryAfter(after(time), Error::Passing),
            End::Snooze(time) => Outcome::Snooze(after(time)),
            End::Dead => Outcome::Dead(Error::Passing),
            End::Requeue => Outcome::Requeue,
            End::Panic => resume_unwind(Box::new("it was told to")),
        }
    }
}

/// What happened to an item, in order.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The pool has chosen it.
    Picked(u32),
    /// Its handler begins.
    Called {
        item: u32,
        job: u64,
        attempt: u32,
        band: usize,
    },
    /// Its handler was polled and was not told anything.
    Waits(u32),
    /// Its handler ends.
    Ends(u32, Tell),
    /// Its handler's future was dropped.
    Gone(u32),
    /// The hook had it, and whether that panics.
    Dead {
        item: u32,
        cause: Cause,
        failures: usize,
        panics: bool,
    },
}

/// A handler that runs.
struct Part {
    item: u32,
    tell: Option<Tell>,
    waker: Option<Waker>,
}

/// What handlers are told, and what happened. The clock is in nanoseconds.
#[derive(Default)]
pub(super) struct Script {
    parts: Mutex<Vec<Part>>,
    log: Mutex<Vec<(u64, Event)>>,
    clock: AtomicU64,
}

impl Script {
    /// Lets time pass.
    pub(super) fn sleep(&self, nanos: u64) {
        self.clock.fetch_add(nanos, Relaxed);
        #[cfg(bandq_clock)]
        bandq_workers::sleep(Duration::from_nanos(nanos));
        #[cfg(not(bandq_clock))]
        std::thread::sleep(Duration::from_nanos(nanos));
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.load(Relaxed)
    }

    pub(super) fn note(&self, event: Event) {
        self.log.lock().unwrap().push((self.now(), event));
    }

    /// What was noted since the last call.
    pub(super) fn read(&self) -> Vec<(u64, Event)> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    /// The items of the handlers that run and were not told anything.
    pub(super) fn untold(&self) -> Vec<u32> {
        let parts = self.parts.lock().unwrap();
        let untold = parts.iter().filter(|part| part.tell.is_none());
        untold.map(|part| part.item).collect()
    }

    /// Tells the handler of that item how to end.
    pub(super) fn tell(&self, item: u32, tell: Tell, wake: bool) {
        let mut parts = self.parts.lock().unwrap();
        let Some(part) = parts.iter_mut().find(|part| part.item == item) else {
            return;
        };
        part.tell = Some(tell);
        let waker = if wake { part.waker.take() } else { None };
        drop(parts);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn bury(&self, letter: DeadLetter<Item, Error>) {
        let item = letter.item.id();
        let panics = item % 5 == 4;
        self.note(Event::Dead {
            item,
            cause: letter.cause,
            failures: letter.failures.len(),
            panics,
        });
        if panics {
            resume_unwind(Box::new("the hook was told to"));
        }
    }

    /// The future of a handler.
    pub(super) fn begin(self: Arc<Self>, job: Job<Item>) -> Running {
        let item = job.item_id();
        self.note(Event::Called {
            item,
            job: job.id(),
            attempt: job.attempt(),
            band: job.band().index(),
        });
        self.parts.lock().unwrap().push(Part {
            item,
            tell: None,
            waker: None,
        });
        Running {
            script: self,
            item,
            job: Some(job),
        }
    }
}

trait ItemId {
    fn item_id(&self) -> u32;
}

impl ItemId for Job<Item> {
    fn item_id(&self) -> u32 {
        Item::id(self)
    }
}

pub(super) struct Running {
    script: Arc<Script>,
    item: u32,
    job: Option<Job<Item>>,
}

impl Future for Running {
    type Output = Outcome<Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut parts = self.script.parts.lock().unwrap();
        let part = parts.iter_mut().find(|part| part.item == self.item);
        let part = part.expect("it runs");
        let Some(tell) = part.tell else {
            part.waker = Some(context.waker().clone());
            drop(parts);
            self.script.note(Event::Waits(self.item));
            return Poll::Pending;
        };
        drop(parts);
        // So that no two ends have the same time.
        self.script.sleep(1);
        self.script.note(Event::Ends(self.item, tell));
        match tell.hand {
            Hand::Keep => {}
            Hand::Take => drop(self.job.take().and_then(Job::take)),
            Hand::Requeue => {
                if let Some(job) = self.job.take() {
                    job.requeue();
                }
            }
        }
        Poll::Ready(tell.outcome())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let item = self.item;
        self.script.parts.lock().unwrap().retain(|p| p.item != item);
        self.script.note(Event::Gone(item));
    }
}
