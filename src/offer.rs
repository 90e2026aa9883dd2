//! [`Offer`]: an item on its way in.

use core::{fmt, mem::MaybeUninit};

/// An item that is offered to a queue, which takes it once or leaves it.
///
/// It is passed down by reference, from the call that was given the item to the slot into which it is
/// copied, so that an item of many KiB is not copied at each step where the compiler does not
/// optimize. Whoever offers it gets it back by [`into_inner`](Self::into_inner) if it was not taken.
pub(crate) struct Offer<T> {
    item: MaybeUninit<T>,
    /// Whether `item` is initialised and still ours.
    is_there: bool,
}

impl<T> Offer<T> {
    /// Nothing, to be filled by [`put`](Self::put).
    pub(crate) const fn none() -> Self {
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

    /// Offers the next item; what was there has been taken.
    #[inline]
    pub(crate) fn put(&mut self, item: T) {
        debug_assert!(!self.is_there);
        self.item.write(item);
        self.is_there = true;
    }

    #[inline(always)]
    pub(crate) fn is_there(&self) -> bool {
        self.is_there
    }

    /// Where the item lies, so long as it is there.
    #[inline(always)]
    pub(crate) fn as_ptr(&self) -> *const T {
        debug_assert!(self.is_there);
        self.item.as_ptr()
    }

    /// Notes that the item was moved out of [`as_ptr`](Self::as_ptr).
    ///
    /// # Safety
    ///
    /// It was, or will be before anybody else looks: this is not its owner any more.
    #[inline(always)]
    pub(crate) unsafe fn set_taken(&mut self) {
        self.is_there = false;
    }

    /// The item, if it was not taken.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<T> {
        if !self.is_there {
            return None;
        }
        self.is_there = false;
        // SAFETY: it was there, and is not any more.
        Some(unsafe { self.item.assume_init_read() })
    }

    /// The item, which was not taken.
    ///
    /// # Panics
    ///
    /// If it was: the caller knows that it was not, from the error it was given.
    #[inline]
    pub(crate) fn into_inner(mut self) -> T {
        assert!(self.is_there, "an item that was taken cannot be given back");
        self.is_there = false;
        // SAFETY: it was there, and is not any more.
        unsafe { self.item.assume_init_read() }
    }
}

impl<T> Drop for Offer<T> {
    #[inline]
    fn drop(&mut self) {
        if self.is_there {
            // SAFETY: it is there, and nobody uses it after this.
            unsafe { self.item.assume_init_drop() };
        }
    }
}

impl<T> fmt::Debug for Offer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("is_there", &self.is_there)
            .finish_non_exhaustive()
    }
}
