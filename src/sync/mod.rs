//! The facade: the only place that knows about loom, about reclamation and about stall points.
//!
//! The lock-free core takes its atomics, cells, the segments' allocation, reclamation and the pause
//! from here, so that the same source is built four ways:
//!
//! | build | atomics | reclamation | sizes |
//! |---|---|---|---|
//! | normal | `core`'s | `crossbeam-epoch` | in full |
//! | `cfg(loom)` | loom's | an arena, emptied with the queue | the least ([`IS_MODEL`]) |
//! | `cfg(loom, bandq_loom_epoch)` | loom's | `crossbeam-epoch` under loom | the least |
//! | `cfg(bandq_stall)` | `core`'s, with a stall point before each access | `crossbeam-epoch` | in full |

#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "bandq needs 64-bit atomics: positions are 64-bit so that they never wrap in practice"
);

pub(crate) mod reclaim;
#[cfg(all(bandq_stall, not(loom)))]
pub(crate) mod stall;
pub(crate) mod time;

#[cfg(not(any(loom, bandq_stall)))]
pub(crate) use core::sync::atomic;
#[cfg(loom)]
pub(crate) use loom::sync::atomic;
#[cfg(all(bandq_stall, not(loom)))]
pub(crate) use stall::atomic;

#[cfg(loom)]
pub(crate) use loom::alloc::{alloc, dealloc};
#[cfg(not(loom))]
pub(crate) use std::alloc::{alloc, dealloc};

#[cfg(loom)]
pub(crate) use loom::{hint::spin_loop, sync::Arc, thread_local};
#[cfg(not(loom))]
pub(crate) use {core::hint::spin_loop, std::sync::Arc, std::thread_local};

/// Waits that get longer, up to a bound, for who looks again and again.
#[cfg(not(loom))]
pub(crate) use crossbeam_utils::Backoff;

/// Under loom no wait: it would tell the scheduler to run somebody else.
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
    #[cfg(not(any(loom, bandq_stall)))]
    unsafe {
        ptr::write_bytes(first, 0, count);
    }
    #[cfg(any(loom, bandq_stall))]
    for n in 0..count {
        // SAFETY: the caller's.
        unsafe { (*first.add(n)).zero() };
    }
}

/// Atomics for which [`zero_atomics`] works.
pub(crate) trait Zero {
    /// Stores zero.
    #[cfg(any(loom, bandq_stall))]
    fn zero(&self);
}

impl Zero for atomic::AtomicU8 {
    #[cfg(any(loom, bandq_stall))]
    fn zero(&self) {
        self.store(0, atomic::Ordering::Relaxed); // nobody else looks
    }
}

impl Zero for atomic::AtomicU64 {
    #[cfg(any(loom, bandq_stall))]
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
#[cfg_attr(bandq_stall, track_caller)]
pub(crate) fn load_to_update(word: &atomic::AtomicU64, order: atomic::Ordering) -> u64 {
    #[cfg(loom)]
    return word.fetch_add(0, order);
    #[cfg(not(loom))]
    word.load(order)
}

/// Whether this is a model: the build under loom. Then sizes are the least that still show every
/// transition, and nobody waits for time to pass.
pub(crate) const IS_MODEL: bool = cfg!(loom);

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
