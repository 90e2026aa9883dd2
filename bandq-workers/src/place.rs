//! Where handlers run: inside the pool's own future, or as tasks of a runtime.

use crate::{
    quiet::lock,
    sync::{AtomicBool, Mutex},
    wakes::WakerCell,
};
use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Wake, Waker},
};

/// A handler as a task of its own, for [`run_on`](crate::Workers::run_on).
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) trait Place<F> {
    /// That worker begins; it has ended before.
    fn start(&mut self, worker: usize, future: F);

    /// Polls what is ready to go on, if that is done here. Whether anything was.
    fn poll(&mut self) -> bool;
}

/// Which workers are to be polled.
struct Ready {
    workers: Mutex<Vec<usize>>,
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
            self.ready.driver.wake();
        }
    }
}

struct Seat<F> {
    /// Kept from handler to handler, so that one costs no allocation.
    future: Pin<Box<Option<F>>>,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Inside the pool's own future.
pub(crate) struct Inside<F> {
    seats: Vec<Seat<F>>,
    ready: Arc<Ready>,
    /// Those of `ready` that are being polled.
    now: Vec<usize>,
}

impl<F> Inside<F> {
    pub(crate) fn new(driver: &Arc<WakerCell>) -> Self {
        let ready = Arc::new(Ready {
            workers: Mutex::default(),
            driver: Arc::clone(driver),
        });
        Self {
            seats: Vec::new(),
            ready,
            now: Vec::new(),
        }
    }
}

impl<F: Future<Output = ()>> Place<F> for Inside<F> {
    fn start(&mut self, worker: usize, future: F) {
        while self.seats.len() <= worker {
            let bell = Arc::new(Bell {
                worker: self.seats.len(),
                is_ready: AtomicBool::new(false),
                ready: Arc::clone(&self.ready),
            });
            self.seats.push(Seat {
                future: Box::pin(None),
                waker: Waker::from(Arc::clone(&bell)),
                bell,
            });
        }
        let seat = &mut self.seats[worker];
        seat.future.as_mut().set(Some(future));
        // AcqRel: as in `wake_by_ref`. The driver need not be woken.
        if !seat.bell.is_ready.swap(true, Ordering::AcqRel) {
            lock(&self.ready.workers).push(worker);
        }
    }

    fn poll(&mut self) -> bool {
        mem::swap(&mut *lock(&self.ready.workers), &mut self.now);
        let any = !self.now.is_empty();
        for worker in self.now.drain(..) {
            let seat = &mut self.seats[worker];
            seat.bell.is_ready.swap(false, Ordering::AcqRel); // as in `wake_by_ref`
            let mut context = Context::from_waker(&seat.waker);
            if let Some(future) = seat.future.as_mut().as_pin_mut() {
                if future.poll(&mut context).is_ready() {
                    seat.future.as_mut().set(None);
                }
            }
        }
        any
    }
}

/// As tasks of a runtime. What its `spawn` returned is kept until that worker's next handler
/// begins: some runtimes cancel a task whose handle is dropped.
pub(crate) struct Outside<S, R> {
    pub(crate) spawn: S,
    pub(crate) handles: Vec<Option<R>>,
}

impl<F, S, R> Place<F> for Outside<S, R>
where
    F: Future<Output = ()> + Send + 'static,
    S: FnMut(Task) -> R,
{
    fn start(&mut self, worker: usize, future: F) {
        if self.handles.len() <= worker {
            self.handles.resize_with(worker + 1, || None);
        }
        self.handles[worker] = Some((self.spawn)(Box::pin(future)));
    }

    fn poll(&mut self) -> bool {
        false
    }
}
