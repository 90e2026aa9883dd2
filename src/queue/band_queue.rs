//! [`BandQueue`]: the queue on its own, which never closes.

use super::Queue;
use crate::{band::Band, error::NoSuchBand, parcel::Parcel};
use core::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A lock-free queue of up to 64 bands; the most urgent item comes out first, and within a band the
/// oldest.
///
/// This is the core on its own: it never waits and never closes. For sending and receiving with
/// `await`, blocking calls, capacity and close see [`unbounded`](crate::unbounded) and
/// [`bounded`](crate::bounded).
///
/// Any number of threads may push and pop through a shared reference. `push` and `pop` are
/// **lock-free**, the allocator aside: a thread stopped at any instruction of them stops no other
/// thread, in any band. Both take constant time whatever the depth; `pop` on an empty queue looks
/// at each band. Memory is allocated for about 2 KiB of items at a time.
///
/// ```
/// use bandq::{Band, BandQueue};
///
/// let queue = BandQueue::new(2);
/// queue.push(Band::new(1), "report")?;
/// queue.push(Band::URGENT, "alarm")?;
/// queue.push(Band::new(1), "backup")?;
///
/// assert_eq!(queue.pop(), Some((Band::URGENT, "alarm")));
/// assert_eq!(queue.pop(), Some((Band::new(1), "report")));
/// assert_eq!(queue.pop(), Some((Band::new(1), "backup")));
/// assert_eq!(queue.pop(), None);
/// # Ok::<(), bandq::NoSuchBand<&str>>(())
/// ```
pub struct BandQueue<T> {
    queue: Queue<T>,
}

// As `SegQueue` is: no `&T` is ever handed out, and a panic of foreign code, an item's drop or an
// iterator, finds the queue in order: it runs between operations.
impl<T> UnwindSafe for BandQueue<T> {}
impl<T> RefUnwindSafe for BandQueue<T> {}

impl<T> BandQueue<T> {
    /// An empty queue with this many bands. Allocates a few cache lines a band; a band's first
    /// segment comes with its first item.
    ///
    /// # Panics
    ///
    /// Unless `bands` is in `1..=64`.
    ///
    /// ```
    /// let queue = bandq::BandQueue::<u64>::new(8);
    /// assert_eq!(queue.bands(), 8);
    /// ```
    #[must_use]
    pub fn new(bands: usize) -> Self {
        assert!(
            (1..=Band::MAX_BANDS).contains(&bands),
            "a queue has 1 to 64 bands, not {bands}"
        );
        Self {
            queue: Queue::new(bands),
        }
    }

    /// Appends an item to a band. Lock-free; allocates once a segment.
    ///
    /// # Errors
    ///
    /// [`NoSuchBand`] with the item, if the queue has no such band.
    ///
    /// ```
    /// use bandq::{Band, BandQueue, NoSuchBand};
    ///
    /// let queue = BandQueue::new(2);
    /// assert_eq!(queue.push(Band::new(1), 'x'), Ok(()));
    /// assert_eq!(queue.push(Band::new(2), 'y'), Err(NoSuchBand('y')));
    /// ```
    #[inline]
    pub fn push(&self, band: impl Into<Band>, item: T) -> Result<(), NoSuchBand<T>> {
        let band = band.into().index();
        if band >= self.bands() {
            return Err(NoSuchBand(item));
        }
        let pushed = self.queue.push(band, &mut Parcel::new(item));
        debug_assert!(pushed, "this queue is never closed");
        Ok(())
    }

    /// Takes the oldest item of the most urgent non-empty band. Lock-free.
    ///
    /// It never takes an item while a more urgent one is there whose push happened before this pop
    /// began, unless another pop that began earlier found that band empty and has not yet returned.
    /// `None` means that there was one instant within the call at which no item whose push had
    /// returned was in any band; it takes a second look at each band to know that.
    ///
    /// Each of its waits is bounded, and counted in the processor's pause instructions (their
    /// number and what they come to stand in `src/spin/mod.rs`): a pop that meets a running push
    /// looks again a few times before it goes past it; one that loses a claim to another thread
    /// pauses before it tries again, as a push does; and one that took a band's last item may let a
    /// few more gather before it returns, where that was seen to pay.
    ///
    /// ```
    /// # use bandq::{Band, BandQueue};
    /// let queue = BandQueue::new(1);
    /// assert_eq!(queue.pop(), None);
    /// queue.push(Band::URGENT, 1).unwrap();
    /// assert_eq!(queue.pop(), Some((Band::URGENT, 1)));
    /// ```
    #[inline(always)]
    pub fn pop(&self) -> Option<(Band, T)> {
        let mut parcel = Parcel::empty();
        let band = self.queue.pop(&mut parcel)?;
        Some((band, parcel.unwrap()))
    }

    /// Appends the items of an iterator to a band, in order, and returns how many. They need not be
    /// contiguous: other pushes to the band may come in between.
    ///
    /// Costs two locked instructions for up to 32 items instead of for each; items above 64 bytes
    /// go one by one. They are pulled out of the iterator before slots are claimed for them, so it
    /// may do anything, also use this queue. If it panics, what it yielded before is in the queue.
    ///
    /// # Errors
    ///
    /// [`NoSuchBand`] if the queue has no such band; nothing was taken out of the iterator then.
    ///
    /// ```
    /// # use bandq::{Band, BandQueue};
    /// let queue = BandQueue::new(1);
    /// assert_eq!(queue.push_many(Band::URGENT, 0..100), Ok(100));
    /// assert_eq!(queue.pop(), Some((Band::URGENT, 0)));
    /// ```
    pub fn push_many(
        &self,
        band: impl Into<Band>,
        items: impl IntoIterator<Item = T>,
    ) -> Result<usize, NoSuchBand<()>> {
        let band = band.into().index();
        if band >= self.bands() {
            return Err(NoSuchBand(()));
        }
        Ok(self.queue.push_many(band, items.into_iter()))
    }

    /// Takes up to `limit` items and appends them to `out`; returns how many. Lock-free, but for
    /// the vector's growth. It looks afresh for the most urgent band before each run of items, and
    /// never reserves room for more than what is there.
    ///
    /// ```
    /// # use bandq::{Band, BandQueue};
    /// let queue = BandQueue::new(2);
    /// queue.push_many(Band::new(1), [10, 11, 12]).unwrap();
    /// queue.push(Band::URGENT, 1).unwrap();
    ///
    /// let mut out = Vec::new();
    /// assert_eq!(queue.pop_many(&mut out, 3), 3);
    /// let items: Vec<_> = out.into_iter().map(|(_, item)| item).collect();
    /// assert_eq!(items, [1, 10, 11]);
    /// ```
    pub fn pop_many(&self, out: &mut Vec<(Band, T)>, limit: usize) -> usize {
        self.queue.pop_many(out, limit)
    }

    /// The number of items in all bands. Exact when no operation runs; while some do, it counts
    /// every item whose push returned and that no pop has begun to take, and may count running
    /// ones. Looks at each band.
    ///
    /// ```
    /// # use bandq::{Band, BandQueue};
    /// let queue = BandQueue::new(4);
    /// queue.push(Band::new(1), ()).unwrap();
    /// queue.push(Band::new(3), ()).unwrap();
    /// assert_eq!((queue.len(), queue.band_len(Band::new(3))), (2, 1));
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// The number of items in one band; 0 if the queue has no such band. As exact as [`len`].
    ///
    /// [`len`]: Self::len
    ///
    /// ```
    /// # use bandq::{Band, BandQueue};
    /// let queue = BandQueue::new(2);
    /// queue.push_many(Band::new(1), ['a', 'b']).unwrap();
    /// assert_eq!((queue.band_len(Band::URGENT), queue.band_len(Band::new(1))), (0, 2));
    /// assert_eq!(queue.band_len(Band::new(63)), 0);
    /// ```
    #[must_use]
    pub fn band_len(&self, band: impl Into<Band>) -> usize {
        self.queue.band_len(band.into().index())
    }

    /// Whether nothing was there: there was one instant within the call at which no item whose push
    /// had returned was in any band. Items of pushes that run may count as being there. Looks at
    /// each band, and twice if all are empty.
    ///
    /// ```
    /// assert!(bandq::BandQueue::<u8>::new(3).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The number of bands it was made with.
    ///
    /// ```
    /// assert_eq!(bandq::BandQueue::<u8>::new(3).bands(), 3);
    /// ```
    #[must_use]
    pub fn bands(&self) -> usize {
        self.queue.bands()
    }

    #[cfg(feature = "__internals")]
    pub(crate) fn queue(&self) -> &Queue<T> {
        &self.queue
    }
}

impl<T> fmt::Debug for BandQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BandQueue")
            .field("bands", &self.bands())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
