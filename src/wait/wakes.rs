//! The wakes that a notifier owes, and the cell in which a waiter keeps its task's waker.
//!
//! `event-listener` clones, wakes and drops the wakers that it is given while it holds its mutex.
//! So it is never given a task's. It is given a waker of ours, a [`WakerCell`], whose wake only
//! links the cell into the list of the notifier that is running on this thread. When
//! `event-listener` has let its mutex go, the notifier takes the task's waker out of each cell and
//! wakes it.
//!
//! # The states of a cell
//!
//! The task's waker lies in the cell from the beginning. Two sides use it: the waiter, to replace
//! it when it is polled with another one; and whoever takes it out, once: the notifier to wake it,
//! or the waiter to drop it when it has stopped waiting.
//!
//! ```text
//!             waiter: begin                  anybody: take
//!    FREE ───────────────────▶ REPLACING ───────────────────▶ REPLACING | TAKEN
//!     │  ◀───────────────────     │                                │
//!     │       waiter: end         │                                │ waiter: end, takes it
//!     │ anybody: take                                              ▼
//!     └───────────────────────────────────────────────────────▶  TAKEN
//! ```
//!
//! Whoever sets `TAKEN` from `FREE` has the waker. Whoever sets it from `REPLACING` leaves it to
//! the waiter, which is being polled at this moment and looks for its item itself: since the
//! notifier marked its listener before, the waiter's next question to the listener says "woken".
//! Nobody waits for the other side, whatever step it is stopped at.

use crate::quiet::quietly;
use crate::sync::{
    UnsafeCell,
    atomic::{AtomicU8, Ordering},
    thread_local,
};
use core::{
    cell::Cell,
    mem::{self, ManuallyDrop},
    ptr,
    task::Waker,
};
use std::{sync::Arc, task::Wake};

/// The waker is the waiter's to replace, or anybody's to take.
const FREE: u8 = 0;
/// The waiter is replacing the waker.
const REPLACING: u8 = 1;
/// The waker was taken out, or, with `REPLACING`, is the waiter's to take out.
const TAKEN: u8 = 2;

thread_local! {
    /// The cells that were woken on this thread by the notifier that is running, the latest first;
    /// null while none is. Plain pointers, so that it works while the thread is torn down.
    #[allow(clippy::missing_const_for_thread_local, reason = "loom's has no const form")]
    static WOKEN: Cell<*const WakerCell> = Cell::new(ptr::null());
}

/// A task's waker, for the time of one wait.
pub(super) struct WakerCell {
    state: AtomicU8,
    waker: UnsafeCell<Option<Waker>>,
    /// The next cell in the notifier's list; only that notifier's thread uses it.
    next: Cell<*const WakerCell>,
}

// SAFETY: `waker` is used by whoever `state` says has it, one at a time, and a `Waker` may be used
// on any thread. `next` is used by one thread only: the notifier's, from the one wake on that a
// listener gives.
unsafe impl Send for WakerCell {}
// SAFETY: as above.
unsafe impl Sync for WakerCell {}

impl WakerCell {
    pub(super) fn new(waker: Waker) -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU8::new(FREE),
            waker: UnsafeCell::new(Some(waker)),
            next: Cell::new(ptr::null()),
        })
    }

    /// Runs `f` with what `event-listener` is given: a waker that only notes that this cell is to
    /// be woken.
    pub(super) fn with_proxy<R>(self: &Arc<Self>, f: impl FnOnce(&Waker) -> R) -> R {
        // SAFETY: the pointer is an `Arc`'s, which lives until `f` has ended; this copy of it is
        // never dropped, so it counts for nothing.
        let copy = unsafe { Arc::from_raw(Arc::as_ptr(self)) };
        let proxy = ManuallyDrop::new(Waker::from(copy));
        f(&proxy)
    }

    /// The waiter, polled: this is the waker from now on, unless the old one was taken already.
    ///
    /// Only the waiter calls this. If the clone panics, nothing has changed.
    pub(super) fn replace(&self, waker: &Waker) {
        let Some(is_same) = self.access(|old| old.as_ref().is_some_and(|old| old.will_wake(waker)))
        else {
            return;
        };
        if !is_same {
            // Cloned before, dropped after: foreign code runs while the cell is free.
            let mut waker = Some(waker.clone());
            let _ = self.access(|old| mem::swap(old, &mut waker));
            drop_quietly(waker);
        }
    }

    /// Begins and ends a replacement; `None` if the waker was taken before that, or meanwhile.
    fn access<R>(&self, f: impl FnOnce(&mut Option<Waker>) -> R) -> Option<R> {
        // A test, only to spare the write where the waker is gone.
        if self.state.load(Ordering::Relaxed) != FREE {
            return None;
        }
        // Relaxed, both: the waiter itself wrote what is there.
        self.state
            .compare_exchange(FREE, REPLACING, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        // SAFETY: while the state says so, only the waiter uses the waker; `f` is ours and runs no
        // foreign code.
        let result = self.waker.with_mut(|waker| f(unsafe { &mut *waker }));
        // Release: pairs with `take`, for what was written. Relaxed on failure: as above.
        match self
            .state
            .compare_exchange(REPLACING, FREE, Ordering::Release, Ordering::Relaxed)
        {
            Ok(_) => Some(result),
            Err(_) => {
                // Left to us.
                // SAFETY: the state is `REPLACING | TAKEN`, which nobody changes any more.
                let waker = self.waker.with_mut(|waker| unsafe { (*waker).take() });
                drop_quietly(waker);
                None
            }
        }
    }

    /// Takes the waker out, if it is still there and not being replaced.
    pub(super) fn take(&self) -> Option<Waker> {
        // Relaxed: a test, only to spare the write.
        if self.state.load(Ordering::Relaxed) & TAKEN != 0 {
            return None;
        }
        // Acquire: pairs with the end of a replacement. (With the waiter's `new`, the mutex of
        // `event-listener` does.)
        if self.state.fetch_or(TAKEN, Ordering::Acquire) != FREE {
            return None;
        }
        // SAFETY: we have set `TAKEN` from `FREE`, so it is ours.
        self.waker.with_mut(|waker| unsafe { (*waker).take() })
    }
}

impl Wake for WakerCell {
    /// Called by `event-listener`, under its mutex, within [`collect`]. Once: a listener is woken
    /// once, and each has a cell of its own.
    fn wake(self: Arc<Self>) {
        WOKEN.with(|first| {
            self.next.set(first.get());
            first.set(Arc::into_raw(self));
        });
    }
}

/// Runs something that calls [`WakerCell::wake`], and returns the wakes that are owed for it.
pub(super) fn collect<R>(f: impl FnOnce() -> R) -> (R, Wakes) {
    let result = f();
    let mut latest = WOKEN.with(|first| first.replace(ptr::null()));
    // Turned round: waiters are woken in the order in which they began to wait.
    let mut first = ptr::null();
    while !latest.is_null() {
        // SAFETY: linked by `wake` with a reference that is ours now.
        let cell = unsafe { &*latest };
        latest = cell.next.replace(first);
        first = cell;
    }
    (result, Wakes { first })
}

/// Tasks that are to be woken. Dropping it wakes them, in order.
///
/// It runs foreign code, so it is dropped where no lock is held and no slot is claimed, and when
/// the operation is over that owes the wakes. A waker that panics does not keep the others from
/// being woken, and its panic ends here, after the panic hook has reported it: the operation that
/// wakes is somebody else's, and has succeeded.
#[derive(Debug)]
#[must_use = "dropping it wakes; when, is a decision"]
pub(crate) struct Wakes {
    first: *const WakerCell,
}

impl Wakes {
    #[inline(always)]
    pub(crate) const fn none() -> Self {
        Self { first: ptr::null() }
    }

    #[cold]
    fn wake(&mut self) {
        while !self.first.is_null() {
            // SAFETY: linked by `WakerCell::wake`, each with one reference, which is ours.
            let cell = unsafe { Arc::from_raw(self.first) };
            self.first = cell.next.get();
            if let Some(waker) = cell.take() {
                quietly(|| waker.wake());
            }
        }
    }
}

impl Drop for Wakes {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.first.is_null() {
            self.wake();
        }
    }
}

/// Drops a waker; if that panics, the panic ends here.
pub(super) fn drop_quietly(waker: Option<Waker>) {
    if let Some(waker) = waker {
        quietly(|| drop(waker));
    }
}
