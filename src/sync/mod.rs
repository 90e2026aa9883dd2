//! The facade: the only place that knows about loom, about reclamation and about pause points.
//!
//! Everything above takes its atomics, cells, allocation, reclamation and waiting hints from here,
//! so that the same source is built three ways:
//!
//! | build | atomics | reclamation | segment |
//! |---|---|---|---|
//! | normal | `core` | `crossbeam-epoch` | sized by bytes |
//! | `cfg(loom)` | loom's | an arena, emptied with the queue | 2 slots |
//! | `cfg(loom, bandq_loom_epoch)` | loom's | `crossbeam-epoch` under loom | 2 slots |
//! | `cfg(bandq_pause)` | `core`, with a numbered pause point before each access | `crossbeam-epoch` | sized by bytes |

#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "bandq needs 64-bit atomics: positions are 64-bit so that they never wrap in practice"
);

#[cfg(all(bandq_pause, not(loom)))]
pub(crate) mod pause;
pub(crate) mod reclaim;

#[cfg(not(any(loom, bandq_pause)))]
pub(crate) use core::sync::atomic;
#[cfg(loom)]
pub(crate) use loom::sync::atomic;
#[cfg(all(bandq_pause, not(loom)))]
pub(crate) use pause::atomic;

#[cfg(loom)]
pub(crate) use loom::alloc::{alloc, dealloc};
#[cfg(not(loom))]
pub(crate) use std::alloc::{alloc, dealloc};

#[cfg(loom)]
pub(crate) use loom::{hint::spin_loop, sync::Arc};
#[cfg(not(loom))]
pub(crate) use {core::hint::spin_loop, std::sync::Arc};

/// Pauses that get longer, up to a bound, for who looks again and again.
#[cfg(not(loom))]
pub(crate) use crossbeam_utils::Backoff;

/// Under loom no pause: it would tell the scheduler to run somebody else.
#[cfg(loom)]
pub(crate) struct Backoff;

#[cfg(loom)]
impl Backoff {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn snooze(&self) {}

    pub(crate) fn is_completed(&self) -> bool {
        true
    }
}

pub(crate) use self::cell::UnsafeCell;

use core::{mem::MaybeUninit, ptr};

/// How many slots a segment of `size`-byte items has.
///
/// About 2 KiB of items, at most 256, at least one. So for items of 1 to 8, 16, 32 or 64 bytes the lanes fill their words, and a batch
/// of 32 that begins with a word stays in one.
#[cfg(not(loom))]
pub(crate) const fn slots_per_segment(size: usize) -> usize {
    const BYTES: usize = 2048;
    const MOST: usize = 256;
    if size == 0 {
        return MOST;
    }
    let fit = BYTES / size;
    if fit == 0 {
        1
    } else if fit > MOST {
        MOST
    } else {
        fit
    }
}

/// Two slots under loom, so that handing over to the next segment is part of every model.
#[cfg(loom)]
pub(crate) const fn slots_per_segment(_size: usize) -> usize {
    2
}

/// How often a consumer looks at a claimed slot of `size`-byte items before it gives the slot up.
///
/// A producer needs a few nanoseconds between claim and publish, and about a tenth of a nanosecond
/// a byte to copy the item in; a look costs a pause instruction, 10 to 40 ns. So the bound is
/// reached only when the producer was preempted or stopped in between.
#[cfg(not(loom))]
pub(crate) const fn looks_at_slot(size: usize) -> usize {
    64 + size / 16
}

/// One look under loom, which explores the schedule in which it comes too early.
#[cfg(loom)]
pub(crate) const fn looks_at_slot(_size: usize) -> usize {
    1
}

/// Copies a run of items into the cells that start at `to`.
///
/// # Safety
///
/// `count` items at `items` are valid, as many cells from `to` on are this thread's to write.
#[inline(always)]
pub(crate) unsafe fn write_cells<T>(
    to: *mut UnsafeCell<MaybeUninit<T>>,
    items: *const T,
    count: usize,
) {
    // SAFETY: the caller's; a cell is `repr(transparent)`.
    #[cfg(not(loom))]
    unsafe {
        ptr::copy_nonoverlapping(items, to.cast::<T>(), count);
    }
    #[cfg(loom)]
    for n in 0..count {
        // SAFETY: the caller's.
        unsafe {
            (*to.add(n)).with_mut(|cell| ptr::copy_nonoverlapping(items.add(n), cell.cast(), 1));
        }
    }
}

/// Sets atomics that this thread has alone to zero.
///
/// # Safety
///
/// `count` atomics, of a kind for which all bits zero is the value zero, lie from `first` on, and
/// nobody else accesses them.
pub(crate) unsafe fn zero_atomics<A: Zero>(first: *mut A, count: usize) {
    // SAFETY: the caller's.
    #[cfg(not(any(loom, bandq_pause)))]
    unsafe {
        ptr::write_bytes(first, 0, count);
    }
    #[cfg(any(loom, bandq_pause))]
    for n in 0..count {
        // SAFETY: the caller's.
        unsafe { (*first.add(n)).zero() };
    }
}

/// Atomics for which [`zero_atomics`] works.
pub(crate) trait Zero {
    /// Stores zero.
    #[cfg(any(loom, bandq_pause))]
    fn zero(&self);
}

impl Zero for atomic::AtomicU8 {
    #[cfg(any(loom, bandq_pause))]
    fn zero(&self) {
        self.store(0, atomic::Ordering::Relaxed); // nobody else looks
    }
}

impl Zero for atomic::AtomicU64 {
    #[cfg(any(loom, bandq_pause))]
    fn zero(&self) {
        self.store(0, atomic::Ordering::Relaxed); // nobody else looks
    }
}

/// The fence that loom needs between a `SeqCst` write and a `SeqCst` read of another location.
///
/// By the C++20 rules that Rust follows, all `SeqCst` operations are in one total order, so a
/// `SeqCst` read-modify-write followed by a `SeqCst` load needs no fence between them; on x86-64
/// that load is a plain `mov`. loom treats `SeqCst` accesses as `AcqRel` and knows only
/// `fence(SeqCst)`, so its build has the fence and ours has the accesses. What the models prove is
/// the protocol; that the accesses give the same order is the language's promise.
#[inline(always)]
pub(crate) fn model_fence() {
    #[cfg(loom)]
    atomic::fence(atomic::Ordering::SeqCst);
}

/// The load that begins a compare-exchange loop.
///
/// loom 0.7 remembers one last access a word. A thread that loads a word and then writes it has
/// itself as that last access, so loom does not see that the write may also come before an earlier
/// load by somebody else, and never tries that order: `push ‖ pop` was one execution. A load that
/// is a read-modify-write does conflict with that other load. It reads the newest value only, which
/// costs the executions in which an older one makes the compare-exchange fail.
#[inline(always)]
#[cfg_attr(bandq_pause, track_caller)]
pub(crate) fn load_to_update(word: &atomic::AtomicU64, order: atomic::Ordering) -> u64 {
    #[cfg(loom)]
    return word.fetch_add(0, order);
    #[cfg(not(loom))]
    word.load(order)
}

/// Whether threads pause to get more done together (`slip`, `segment::contention`). Not under loom: a pause orders nothing, and
/// tells loom's scheduler to run somebody else.
pub(crate) const MAY_PAUSE: bool = cfg!(not(loom));

mod cell {
    /// `UnsafeCell` with loom's interface, so that loom can track every access to an item.
    #[cfg(not(loom))]
    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

    #[cfg(not(loom))]
    impl<T> UnsafeCell<T> {
        #[inline(always)]
        pub(crate) const fn new(value: T) -> Self {
            Self(core::cell::UnsafeCell::new(value))
        }

        #[inline(always)]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        #[inline(always)]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }

    #[cfg(loom)]
    pub(crate) use loom::cell::UnsafeCell;
}
