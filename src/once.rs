//! [`OnceBox`]: something that appears once, without a lock.

use crate::sync::atomic::{AtomicPtr, Ordering};
use core::ptr;

/// A place for something that appears once and stays; without a lock.
pub(crate) struct OnceBox<T>(AtomicPtr<T>);

// SAFETY: it owns what is in it, as a `Box` does, and gives out `&T`.
unsafe impl<T: Send> Send for OnceBox<T> {}
// SAFETY: as above; whoever wins puts a `T` there from another thread.
unsafe impl<T: Send + Sync> Sync for OnceBox<T> {}

impl<T> OnceBox<T> {
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Whether it is there: to find out fast that it is not.
    #[inline(always)]
    pub(crate) fn is_set(&self) -> bool {
        !self.0.load(Ordering::Relaxed).is_null() // who uses it gets it
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        // Acquire: pairs with the exchange. (A plain load on x86-64.)
        // SAFETY: what is there came from a box and stays until this is dropped.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Also for one who must not miss what came before a `SeqCst` operation of his own.
    pub(crate) fn get_late(&self) -> Option<&T> {
        // SeqCst: M1; see the module. SAFETY: as in `get`.
        unsafe { self.0.load(Ordering::SeqCst).as_ref() }
    }

    /// What is there, or else what `make` makes. Of several at once, one wins.
    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(there) = self.get() {
            return there;
        }
        let made = Box::into_raw(Box::new(make()));
        // SeqCst: M1; as a release it hands over what was made. Acquire on failure: as in `get`.
        let there = match self.0.compare_exchange(
            ptr::null_mut(),
            made,
            Ordering::SeqCst,
            Ordering::Acquire,
        ) {
            Ok(_) => made,
            Err(there) => {
                // SAFETY: nobody else has seen ours.
                drop(unsafe { Box::from_raw(made) });
                there
            }
        };
        // SAFETY: as in `get`.
        unsafe { &*there }
    }
}

impl<T> Drop for OnceBox<T> {
    fn drop(&mut self) {
        let there = self.0.load(Ordering::Relaxed); // `&mut self` comes after everything
        if !there.is_null() {
            // SAFETY: it came from a box and is ours alone.
            drop(unsafe { Box::from_raw(there) });
        }
    }
}
