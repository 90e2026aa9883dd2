//! The counting allocator: every byte that this process asks for, in one of two ledgers.
//!
//! What counts is the size asked for; an allocator rounds it up, as it likes. A block that grows
//! counts once, at its new size; an allocator that has to move it holds both for a moment.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::Relaxed};

/// What is allocated now, the most that ever was, and how often.
#[derive(Debug)]
pub(crate) struct Ledger {
    live: AtomicIsize,
    peak: AtomicIsize,
    allocations: AtomicUsize,
}

/// The queue's: all but the payload.
pub(crate) static QUEUE: Ledger = Ledger::new();
/// What items own outside of the queue, as a `String` its characters.
pub(crate) static PAYLOAD: Ledger = Ledger::new();
/// Whether the allocator is called for a payload. One thread measures, so one flag will do.
static IS_PAYLOAD: AtomicBool = AtomicBool::new(false);

impl Ledger {
    const fn new() -> Self {
        Self {
            live: AtomicIsize::new(0),
            peak: AtomicIsize::new(0),
            allocations: AtomicUsize::new(0),
        }
    }

    /// Bytes allocated now.
    pub(crate) fn live(&self) -> isize {
        self.live.load(Relaxed)
    }

    /// The most bytes that were allocated at a time since `begin`.
    pub(crate) fn peak(&self) -> isize {
        self.peak.load(Relaxed)
    }

    /// Blocks allocated or grown since `begin`.
    pub(crate) fn allocations(&self) -> usize {
        self.allocations.load(Relaxed)
    }

    /// The peak is what is allocated now, and the count of allocations begins again.
    pub(crate) fn begin(&self) {
        self.peak.store(self.live(), Relaxed);
        self.allocations.store(0, Relaxed);
    }

    fn add(&self, bytes: isize) {
        let live = self.live.fetch_add(bytes, Relaxed) + bytes;
        self.peak.fetch_max(live, Relaxed);
        self.allocations.fetch_add(1, Relaxed);
    }

    fn subtract(&self, bytes: isize) {
        self.live.fetch_sub(bytes, Relaxed);
    }
}

/// What `work` allocates and frees is a payload's.
pub(crate) fn payload<R>(work: impl FnOnce() -> R) -> R {
    IS_PAYLOAD.store(true, Relaxed);
    let result = work();
    IS_PAYLOAD.store(false, Relaxed);
    result
}

fn ledger() -> &'static Ledger {
    if IS_PAYLOAD.load(Relaxed) {
        &PAYLOAD
    } else {
        &QUEUE
    }
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to `System` as it came, and what that returns is returned; beside it,
// only atomics are touched.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, passed on.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            ledger().add(layout.size() as isize);
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(block, layout) };
        ledger().subtract(layout.size() as isize);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise, passed on.
        let moved = unsafe { System.realloc(block, layout, size) };
        if !moved.is_null() {
            ledger().add(size as isize - layout.size() as isize);
        }
        moved
    }
}
