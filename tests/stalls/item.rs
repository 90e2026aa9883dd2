//! The items, and what is left of them: every item, and every segment, is counted.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicIsize, AtomicUsize, Ordering},
};

use bandq::BandQueue;

use crate::support::b;

/// How large the items of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// 8 bytes: a segment has 256 slots.
    Small,
    /// 800 bytes: a segment has two slots, so every other push and pop meets a hand-over.
    Large,
    /// 1.2 KiB: a segment has one slot.
    Single,
}

impl Shape {
    pub(crate) const ALL: [Self; 3] = [Self::Small, Self::Large, Self::Single];

    /// The bytes of an item beyond those of a small one, in words.
    pub(crate) const LARGE: usize = 99;
    pub(crate) const SINGLE: usize = 149;
}

/// One item: who sent it, and as which of its items for that band.
pub(crate) struct Item<const PAD: usize> {
    pub(crate) from: u32,
    pub(crate) number: u32,
    /// Copies of the number: a torn or stale copy would show.
    padding: [u64; PAD],
}

static ITEMS: AtomicIsize = AtomicIsize::new(0);

impl<const PAD: usize> Item<PAD> {
    pub(crate) fn new(from: usize, number: u32) -> Self {
        ITEMS.fetch_add(1, Ordering::Relaxed);
        Self {
            from: from as u32,
            number,
            padding: [u64::from(number); PAD],
        }
    }
}

impl<const PAD: usize> Drop for Item<PAD> {
    fn drop(&mut self) {
        ITEMS.fetch_sub(1, Ordering::Relaxed);
        assert!(
            self.padding
                .iter()
                .all(|&word| word == u64::from(self.number)),
            "a torn item"
        );
    }
}

/// Items made and not dropped.
pub(crate) fn items() -> isize {
    ITEMS.load(Ordering::SeqCst)
}

/// Counts the segments of one shape: allocations of exactly their size.
struct Counting;

/// The size that is counted, and the largest one seen while it is being found out.
static SIZE: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);
static SEGMENTS: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call goes to the system allocator as it is; we only count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match SIZE.load(Ordering::Relaxed) {
            0 => _ = LARGEST.fetch_max(layout.size(), Ordering::Relaxed),
            size => _ = SEGMENTS.fetch_add(isize::from(size == layout.size()), Ordering::Relaxed),
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if SIZE.load(Ordering::Relaxed) == layout.size() {
            SEGMENTS.fetch_sub(1, Ordering::Relaxed);
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts the segments of items of this size from now on. No queue of such items may be there.
pub(crate) fn count_segments<const PAD: usize>() {
    catch_up(); // this thread is registered for reclamation after that
    let measure = || {
        let queue = BandQueue::<Item<PAD>>::new(1);
        let item = Item::new(0, 0);
        LARGEST.store(0, Ordering::Relaxed);
        assert!(queue.push(b(0), item).is_ok()); // allocates its first segment
        LARGEST.load(Ordering::Relaxed)
    };
    SIZE.store(0, Ordering::Relaxed);
    // Now and then the collector allocates something as well.
    let size = (0..3).map(|_| measure()).min().unwrap();
    SIZE.store(size, Ordering::Relaxed);
    SEGMENTS.store(0, Ordering::Relaxed);
}

/// Segments that are allocated.
pub(crate) fn segments() -> isize {
    SEGMENTS.load(Ordering::SeqCst)
}

/// One item a segment, and of another size than the items under test.
const ONE_SLOT: usize = 130;

/// Gives reclamation what it needs to collect once or more: hand-overs, in a queue of its own.
pub(crate) fn catch_up() {
    let queue = BandQueue::<[u64; ONE_SLOT]>::new(1);
    for _ in 0..64 {
        queue.push(b(0), [0; ONE_SLOT]).unwrap();
        queue.pop().unwrap();
    }
}
