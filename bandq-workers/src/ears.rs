//! How a running job hears that it has to end.

use crate::{
    quiet::lock,
    sync::{AtomicU8, Mutex},
    wakes::{Waiters, WakerCell},
};
use std::sync::{Arc, atomic::Ordering};

/// What the whole pool is told. It only ever rises.
#[derive(Default)]
pub(crate) struct Call(AtomicU8);

const ASKED: u8 = 1;
const CUT: u8 = 2;

impl Call {
    /// Handlers are asked to end, and none starts.
    pub(crate) fn ask(&self) {
        // Release, here and below: pairs with the acquires. Who registered a waker before, under
        // its lock, is woken; who does so later sees this.
        self.0.fetch_max(ASKED, Ordering::Release);
    }

    /// Handlers are dropped at their next poll.
    pub(crate) fn cut(&self) {
        self.0.fetch_max(CUT, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Acquire) >= ASKED
    }

    #[inline]
    pub(crate) fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire) >= CUT
    }
}

/// Who is woken when the [`Call`] changes: the future around a handler, and what the handler waits
/// with.
#[derive(Default)]
pub(crate) struct Ears {
    pub(crate) task: WakerCell,
    others: Mutex<Waiters>,
}

impl Ears {
    pub(crate) fn add(&self) -> Arc<WakerCell> {
        lock(&self.others).add()
    }

    pub(crate) fn wake(&self) {
        let others = lock(&self.others).all();
        others.iter().for_each(|cell| cell.wake());
        self.task.wake();
    }
}
