//! [`Entry`]: an item with what is known about it, where that is asked for.

/// An item of a channel that keeps more than items: when it was sent, until when it is wanted, and
/// how much room it takes. A channel that asks for none of that stores the bare items.
pub(crate) struct Entry<T> {
    /// When it was sent, in nanoseconds of the channel's clock.
    pub(crate) sent: u64,
    /// From when on nobody wants it any more.
    pub(crate) expires: u64,
    /// The units of room it takes.
    pub(crate) units: usize,
    pub(crate) item: T,
}

impl<T> Entry<T> {
    /// When the entry at `this` was sent, and when it expires.
    ///
    /// # Safety
    ///
    /// An entry was written there, whose item may have been moved out since.
    #[inline(always)]
    pub(crate) unsafe fn times(this: *const Self) -> (u64, u64) {
        // SAFETY: the caller's; these two fields stay as they were written.
        unsafe { ((*this).sent, (*this).expires) }
    }
}
