//! A few emptied segments, kept for the next hand-over of any band of the queue.
//!
//! On glibc the alloc and free of one block per few dozen items was seen to cost over a microsecond
//! an item at some depths, when the top of the heap is trimmed again and again. A handful of spare
//! segments takes the allocator out of the steady state; more would only hold memory.

use super::slots::{Header, Segment};
use crate::sync::atomic::{AtomicPtr, Ordering};
use core::ptr;

/// Spare segments a queue keeps at the most. The contract allows 8; with 4 a queue of 8 used bands
/// stays below 6 KiB a band after a drain.
#[cfg(not(loom))]
const SPARES: usize = 4;
/// One, so that models stay small and still recycle.
#[cfg(loom)]
const SPARES: usize = 1;

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
