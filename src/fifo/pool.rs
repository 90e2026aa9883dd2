//! A few emptied segments, kept for the next hand-over of any band of the queue.
//!
//! On glibc the alloc and free of one block per few dozen items was seen to cost over a microsecond
//! an item at some depths, when the top of the heap is trimmed again and again. A handful of spare
//! segments takes the allocator out of the steady state; more would only hold memory.

use super::segment::{Header, Segment};
use crate::sync::{
    Arc, IS_MODEL,
    atomic::{AtomicPtr, Ordering},
    reclaim::Domain,
};
use core::ptr;

/// Spare segments a queue keeps at the most. The contract allows 8; with 4 a queue of 8 used bands
/// stays below 6 KiB a band after a drain. One in models, so that they stay small and still
/// recycle.
const SPARES: usize = if IS_MODEL { 1 } else { 4 };

/// What the FIFOs of a queue have in common: spare segments, and the right to reclaim them.
pub(crate) struct Stock<T> {
    // Declared, hence dropped, first: under loom it is an arena whose closures use the pool.
    pub(super) domain: Domain,
    pub(super) pool: Arc<Pool<T>>,
}

impl<T> Stock<T> {
    pub(crate) fn new() -> Self {
        Self {
            domain: Domain::new(),
            pool: Arc::new(Pool::new()),
        }
    }
}

/// The spare segments of a queue.
pub(super) struct Pool<T> {
    spares: [AtomicPtr<Header<T>>; SPARES],
}

impl<T> Pool<T> {
    pub(super) fn new() -> Self {
        Self {
            spares: core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
        }
    }

    /// A segment with this number, spare or new.
    pub(super) fn take(&self, number: u64) -> Segment<T> {
        for place in &self.spares {
            // Relaxed: only a hint whether the swap is worth it.
            if place.load(Ordering::Relaxed).is_null() {
                continue;
            }
            // Acquire: pairs with the release in `put`; the segment's last users come before us.
            if let Some(segment) = Segment::from_ptr(place.swap(ptr::null_mut(), Ordering::Acquire))
            {
                // SAFETY: the swap made it ours alone; `put` takes only empty ones.
                unsafe { segment.renew(number) };
                return segment;
            }
        }
        Segment::new(number)
    }

    /// Keeps a segment for later, or frees it.
    ///
    /// # Safety
    ///
    /// The caller has it alone and no item is in it.
    pub(super) unsafe fn put(&self, segment: Segment<T>) {
        for place in &self.spares {
            if !place.load(Ordering::Relaxed).is_null() {
                continue; // Relaxed: only a hint
            }
            // Release: pairs with the acquire in `take`.
            if place
                .compare_exchange(
                    ptr::null_mut(),
                    segment.as_ptr(),
                    Ordering::Release,
                    Ordering::Relaxed,
                )
                .is_ok()
            {
                return;
            }
        }
        // SAFETY: the caller has it alone.
        unsafe { segment.free() };
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        for place in &self.spares {
            // Relaxed: `&mut self` comes after everything.
            if let Some(segment) = Segment::from_ptr(place.load(Ordering::Relaxed)) {
                // SAFETY: the pool is the only one to have it.
                unsafe { segment.free() };
            }
        }
    }
}
