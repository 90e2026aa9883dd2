//! The items: each knows its number, and its drop is counted.
//!
//! One run at a time uses the table below. An item that outlives its run (it was inside something
//! forgotten) is told by its run number and not counted again.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most items of one run.
pub const MOST: usize = 16 * 1024;

const NEW: u8 = 0;
const LIVE: u8 = 1;
const DROPPED: u8 = 2;

static FATE: [AtomicU8; MOST] = [const { AtomicU8::new(NEW) }; MOST];
static MADE: AtomicU32 = AtomicU32::new(0);
static LIVING: AtomicI64 = AtomicI64::new(0);
static RUN: AtomicU32 = AtomicU32::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// One run's count of its items.
pub struct Ledger {
    _alone: MutexGuard<'static, ()>,
}

impl Ledger {
    /// Begins a run with no items; waits for a run on another thread to end.
    pub fn open() -> Self {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let made = MADE.swap(0, Relaxed) as usize;
        for fate in &FATE[..made.min(MOST)] {
            fate.store(NEW, Relaxed);
        }
        LIVING.store(0, Relaxed);
        RUN.fetch_add(1, Relaxed);
        Self { _alone }
    }

    /// Whether `more` items can still be made.
    pub fn has_room(&self, more: usize) -> bool {
        MADE.load(Relaxed) as usize + more <= MOST
    }

    /// The number of items that exist now.
    pub fn living(&self) -> usize {
        usize::try_from(LIVING.load(Relaxed)).expect("more items were dropped than made")
    }

    /// How many items were made so far; their numbers are below this.
    pub fn made(&self) -> u32 {
        MADE.load(Relaxed)
    }

    /// Whether item number `id` was dropped.
    pub fn is_dropped(&self, id: u32) -> bool {
        FATE[id as usize].load(Relaxed) == DROPPED
    }
}

/// One item, `PAD` bytes larger than it needs to be, which sets how many fit a segment.
#[derive(Debug)]
pub struct Item<const PAD: usize = 0> {
    id: u32,
    run: u32,
    // So that the sanitizer sees an item that is dropped twice or read after its drop.
    heap: Box<u32>,
    _pad: [u8; PAD],
}

impl<const PAD: usize> Item<PAD> {
    /// Makes the next item of the open run.
    pub fn new() -> Self {
        let id = MADE.fetch_add(1, Relaxed);
        LIVING.fetch_add(1, Relaxed);
        let before = FATE[id as usize].swap(LIVE, Relaxed);
        assert_eq!(before, NEW, "item {id} was made twice");
        Self {
            id,
            run: RUN.load(Relaxed),
            heap: Box::new(id),
            _pad: [0; PAD],
        }
    }

    /// The item's number.
    pub fn id(&self) -> u32 {
        assert_eq!(self.id, *self.heap, "an item's memory was overwritten");
        self.id
    }
}

impl<const PAD: usize> Default for Item<PAD> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const PAD: usize> Drop for Item<PAD> {
    fn drop(&mut self) {
        let id = self.id();
        if self.run != RUN.load(Relaxed) {
            return;
        }
        let before = FATE[id as usize].swap(DROPPED, Relaxed);
        assert_eq!(before, LIVE, "item {id} was dropped twice");
        LIVING.fetch_sub(1, Relaxed);
    }
}
