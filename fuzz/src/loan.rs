//! Handles that a future borrows, and the place for forgotten things.
//!
//! bandq's futures and permits borrow the handle they came from. A program of random calls keeps
//! them beside each other, so the borrow is made by hand: the handle stays in a box of its own, and
//! whoever holds the future drops or forgets it before the handle. After `mem::forget` of a future
//! safe code may drop the handle, and so do we.

use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// Owns something that is lent out.
pub struct Loan<H>(NonNull<H>);

impl<H> Loan<H> {
    /// Keeps `handle` where it does not move.
    pub fn new(handle: H) -> Self {
        Self(NonNull::from(Box::leak(Box::new(handle))))
    }

    /// Lends it.
    ///
    /// # Safety
    ///
    /// What holds the reference is dropped or forgotten before the loan is dropped.
    pub unsafe fn lend(&self) -> &'static H {
        // SAFETY: the box lives until the loan is dropped, and the caller keeps to that.
        unsafe { self.0.as_ref() }
    }

    /// Lends it for change.
    ///
    /// # Safety
    ///
    /// As for [`lend`](Self::lend), and nothing else is lent or read meanwhile.
    pub unsafe fn lend_mut(&mut self) -> &'static mut H {
        // SAFETY: as above, and there is no second reference.
        unsafe { self.0.as_mut() }
    }

    /// Looks at what is no longer lent.
    ///
    /// # Safety
    ///
    /// Nothing lent for change is left.
    pub unsafe fn seen(&mut self) -> &mut H {
        // SAFETY: as above.
        unsafe { self.0.as_mut() }
    }
}

impl<H> Drop for Loan<H> {
    fn drop(&mut self) {
        // SAFETY: made from a box, and whatever was lent is gone.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// Anything at all.
trait Thing {}

impl<T> Thing for T {}

/// What was forgotten. It stays reachable, so that the leak checker, which runs as well, reports
/// only what the library leaks by itself.
struct Grave {
    _thing: Box<dyn Thing>,
}

// SAFETY: a thing in a grave is never used again, nor dropped.
unsafe impl Send for Grave {}

static GRAVES: Mutex<Vec<Grave>> = Mutex::new(Vec::new());

/// Forgets `thing`: it is neither used nor dropped any more.
pub fn forget<T: 'static>(thing: T) {
    GRAVES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Grave {
            _thing: Box::new(thing),
        });
}
