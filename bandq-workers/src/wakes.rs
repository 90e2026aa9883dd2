//! Who is to be woken. A waker is foreign code: it is cloned, woken and dropped outside our locks.

use crate::{
    quiet::{lock, quietly},
    sync::Mutex,
};
use std::{
    sync::{Arc, Weak},
    task::Waker,
};

/// The waker of one task, if it waits.
#[derive(Default)]
pub(crate) struct WakerCell(Mutex<Option<Waker>>);

impl WakerCell {
    /// From now on [`wake`](Self::wake) wakes that one. Look at what is waited for after it.
    pub(crate) fn register(&self, waker: &Waker) {
        if lock(&self.0)
            .as_ref()
            .is_some_and(|old| old.will_wake(waker))
        {
            return;
        }
        let waker = waker.clone();
        let old = lock(&self.0).replace(waker);
        drop(old);
    }

    pub(crate) fn wake(&self) {
        let waker = lock(&self.0).take();
        if let Some(waker) = waker {
            quietly(|| waker.wake());
        }
    }
}

/// Those who wait for one thing. One that is dropped waits no longer.
#[derive(Default)]
pub(crate) struct Waiters(Vec<Weak<WakerCell>>);

impl Waiters {
    pub(crate) fn add(&mut self) -> Arc<WakerCell> {
        self.prune();
        let cell = Arc::default();
        self.0.push(Arc::downgrade(&cell));
        cell
    }

    /// Forgets those that are dropped.
    pub(crate) fn prune(&mut self) {
        self.0.retain(|cell| cell.strong_count() > 0);
    }

    /// All of them, to be woken outside the lock.
    pub(crate) fn all(&self) -> Vec<Arc<WakerCell>> {
        self.0.iter().filter_map(Weak::upgrade).collect()
    }

    /// Nobody waits, and nobody has since the last who did was let go.
    pub(crate) fn is_unused(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|cell| cell.strong_count() == 0)
    }
}
