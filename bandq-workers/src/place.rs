//! Where workers run: inside the pool's own future, or as tasks of a runtime.

use crate::{
    quiet::{lock, quietly},
    sync::{AtomicBool, Mutex},
    wakes::WakerCell,
};
use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Wake, Waker},
};

/// A worker as a task, for [`run_on`](crate::Workers::run_on).
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) trait Place<F: Future> {
    /// What that worker left when it ended, for when it begins again.
    fn left(&mut self, worker: usize) -> Option<F::Output>;

    /// That worker begins; it has ended before.
    fn start(&mut self, worker: usize, future: F);

    /// Polls what is ready to go on, if that is done here. Whether there was anything.
    fn poll(&mut self) -> bool;
}

/// Which workers are to be polled.
struct Ready {
    workers: Mutex<Vec<usize>>,
    /// There may be some, so that the lock need not be taken to see that there are none.
    any: AtomicBool,
    driver: Arc<WakerCell>,
}

struct Bell {
    worker: usize,
    /// It is in the list already.
    is_ready: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // AcqRel: what came before a wake happens before the poll that resets it.
        if !self.is_ready.swap(true, Ordering::AcqRel) {
            lock(&self.ready.workers).push(self.worker);
            self.ready.any.store(true, Ordering::Release); // pairs with the driver's swap
            self.ready.driver.wake();
        }
    }
}

/// Of one worker.
struct Slot<F: Future> {
    /// Kept from handler to handler, so that one costs no allocation.
    future: Pin<Box<Option<F>>>,
    bell: Arc<Bell>,
    waker: Waker,
    left: Option<F::Output>,
}

/// Inside the pool's own future.
pub(crate) struct Inside<F: Future> {
    slots: Vec<Slot<F>>,
    ready: Arc<Ready>,
    /// Those that have begun and were not polled yet.
    fresh: Vec<usize>,
    /// Those of `ready` that are being polled.
    now: Vec<usize>,
}

impl<F: Future> Inside<F> {
    pub(crate) fn new(driver: &Arc<WakerCell>) -> Self {
        let ready = Arc::new(Ready {
            workers: Mutex::default(),
            any: AtomicBool::new(false),
            driver: Arc::clone(driver),
        });
        Self {
            slots: Vec::new(),
            ready,
            fresh: Vec::new(),
            now: Vec::new(),
        }
    }
}

impl<F: Future> Place<F> for Inside<F> {
    fn left(&mut self, worker: usize) -> Option<F::Output> {
        self.slots.get_mut(worker)?.left.take()
    }

    fn start(&mut self, worker: usize, future: F) {
        while self.slots.len() <= worker {
            let bell = Arc::new(Bell {
                worker: self.slots.len(),
                is_ready: AtomicBool::new(false),
                ready: Arc::clone(&self.ready),
            });
            self.slots.push(Slot {
                future: Box::pin(None),
                waker: Waker::from(Arc::clone(&bell)),
                bell,
                left: None,
            });
        }
        self.slots[worker].future.as_mut().set(Some(future));
        self.fresh.push(worker); // nobody need be woken
    }

    fn poll(&mut self) -> bool {
        // In this order: whose handler wakes itself has its next turn after all others.
        let any = &self.ready.any;
        if any.load(Ordering::Relaxed) && any.swap(false, Ordering::Acquire) {
            mem::swap(&mut *lock(&self.ready.workers), &mut self.now);
        }
        let has_polled = !(self.now.is_empty() && self.fresh.is_empty());
        for worker in self.now.drain(..) {
            let slot = &mut self.slots[worker];
            slot.bell.is_ready.swap(false, Ordering::AcqRel); // as in `wake_by_ref`
            slot.poll();
        }
        for worker in self.fresh.drain(..) {
            self.slots[worker].poll();
        }
        has_polled
    }
}

impl<F: Future> Slot<F> {
    fn poll(&mut self) {
        let mut context = Context::from_waker(&self.waker);
        let Some(future) = self.future.as_mut().as_pin_mut() else {
            return;
        };
        if let Poll::Ready(left) = future.poll(&mut context) {
            self.left = Some(left);
            self.future.as_mut().set(None);
        }
    }
}

impl<F: Future> Drop for Slot<F> {
    fn drop(&mut self) {
        // Each alone: two panics would abort.
        quietly(|| self.future.as_mut().set(None));
    }
}

/// As tasks of a runtime.
pub(crate) struct Outside<S, R, L> {
    spawn: S,
    /// What `spawn` returned is kept until that worker begins again: some runtimes cancel a task
    /// whose handle is dropped.
    handles: Vec<Option<R>>,
    /// By worker.
    left: Arc<Mutex<Vec<Option<L>>>>,
}

impl<S, R, L> Outside<S, R, L> {
    pub(crate) fn new(spawn: S) -> Self {
        Self {
            spawn,
            handles: Vec::new(),
            left: Arc::default(),
        }
    }
}

impl<F, S, R> Place<F> for Outside<S, R, F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
    S: FnMut(Task) -> R,
{
    fn left(&mut self, worker: usize) -> Option<F::Output> {
        lock(&self.left).get_mut(worker)?.take()
    }

    fn start(&mut self, worker: usize, future: F) {
        if self.handles.len() <= worker {
            self.handles.resize_with(worker + 1, || None);
            lock(&self.left).resize_with(worker + 1, || None);
        }
        let left = Arc::downgrade(&self.left);
        let task = Box::pin(async move {
            let value = future.await;
            let old = left.upgrade().and_then(|left| {
                let mut left = lock(&left);
                left.get_mut(worker).and_then(|place| place.replace(value))
            });
            drop(old); // outside the lock
        });
        self.handles[worker] = Some((self.spawn)(task));
    }

    fn poll(&mut self) -> bool {
        false
    }
}
