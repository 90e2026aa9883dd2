//! [`Parcel`]: a place for one item on its way in or out.

use core::{
    fmt,
    mem::{self, MaybeUninit},
};

/// A place for one item, passed by reference between the call that a user makes and the slot of the
/// queue. A push takes the item out of it, or leaves it; a pop puts one in.
///
/// So an item of many KiB is not copied at each step where the compiler does not optimize, and a
/// thread's stack bears as large items as with other channels (`tests/unwind_and_stack.rs`).
pub(crate) struct Parcel<T> {
    item: MaybeUninit<T>,
    /// Whether `item` is initialised, and ours.
    is_there: bool,
}

impl<T> Parcel<T> {
    #[inline(always)]
    pub(crate) const fn empty() -> Self {
        Self {
            item: MaybeUninit::uninit(),
            is_there: false,
        }
    }

    #[inline(always)]
    pub(crate) const fn new(item: T) -> Self {
        Self {
            item: MaybeUninit::new(item),
            is_there: true,
        }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_there
    }

    /// Puts an item into an empty one.
    #[inline(always)]
    pub(crate) fn put(&mut self, item: T) {
        debug_assert!(!self.is_there);
        self.item.write(item);
        self.is_there = true;
    }

    /// Copies the item at `item` into an empty one.
    ///
    /// # Safety
    ///
    /// It is valid, and nobody uses it after this.
    #[inline(always)]
    pub(crate) unsafe fn put_from(&mut self, item: *const T) {
        debug_assert!(!self.is_there);
        // SAFETY: the caller's.
        unsafe { self.item.as_mut_ptr().copy_from_nonoverlapping(item, 1) };
        self.is_there = true;
    }

    /// Lends it to something out of line. A small item is moved to another parcel for so long, and
    /// back: once the address of this one is given away, it lives in memory and not in registers,
    /// which costs a send and a receive 17 instructions more, even if nothing is ever lent.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn lend<R>(&mut self, borrower: impl FnOnce(&mut Self) -> R) -> R {
        const SMALL: usize = 64;
        if size_of::<T>() > SMALL {
            return borrower(self);
        }
        let mut lent = mem::replace(self, Self::empty());
        let result = borrower(&mut lent);
        *self = lent;
        result
    }

    /// The item, if there is one, to look at.
    pub(crate) fn as_ref(&self) -> Option<&T> {
        // SAFETY: it is there.
        self.is_there
            .then(|| unsafe { self.item.assume_init_ref() })
    }

    /// Where the item lies, so long as it is there.
    #[inline(always)]
    pub(crate) fn as_ptr(&self) -> *const T {
        debug_assert!(self.is_there);
        self.item.as_ptr()
    }

    /// Notes that the item was copied out of [`as_ptr`](Self::as_ptr).
    ///
    /// # Safety
    ///
    /// It was, and whoever has the copy owns it.
    #[inline(always)]
    pub(crate) unsafe fn set_taken(&mut self) {
        debug_assert!(self.is_there);
        self.is_there = false;
    }

    /// The item, if there is one.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<T> {
        if !self.is_there {
            return None;
        }
        self.is_there = false;
        // SAFETY: it was there, and is not any more.
        Some(unsafe { self.item.assume_init_read() })
    }

    /// The item.
    ///
    /// # Panics
    ///
    /// If there is none; the caller knows that there is.
    #[inline(always)]
    pub(crate) fn unwrap(&mut self) -> T {
        assert!(self.is_there, "an item that is not there");
        self.is_there = false;
        // SAFETY: it was there, and is not any more.
        unsafe { self.item.assume_init_read() }
    }
}

impl<T> Drop for Parcel<T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.is_there {
            // SAFETY: it is there, and nobody uses it after this.
            unsafe { self.item.assume_init_drop() };
        }
    }
}

impl<T> fmt::Debug for Parcel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel")
            .field("is_there", &self.is_there)
            .finish_non_exhaustive()
    }
}
