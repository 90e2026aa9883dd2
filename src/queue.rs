//! [`BandQueue`]: a FIFO a band, and the set that says where to look.
//!
//! A pop takes the most urgent band of the set and pops there. Since the set is a hint (see
//! `bitmap`), a pop that found nothing looks into every band itself before it says so.

use crate::{
    band::Band,
    bitmap::{BandSet, Bands},
    error::NoSuchBand,
    segment::{Fifo, Popped, Shared, Unpublished},
    slip::Slip,
};
use core::{fmt, mem, mem::MaybeUninit, ptr};
use crossbeam_utils::CachePadded;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
};

/// A lock-free queue of up to 64 bands; the most urgent item comes out first, and within a band the
/// oldest.
///
/// This is the core on its own: it never waits and never closes. For sending and receiving with
/// `await`, blocking calls, capacity and close see [`unbounded`](crate::unbounded) and
/// [`bounded`](crate::bounded).
///
/// Any number of threads may push and pop through a shared reference. `push` and `pop` are
/// **lock-free**, the allocator aside: a thread stopped at any instruction of them stops no other
/// thread, in any band. Both take constant time whatever the depth; `pop` on an empty queue looks at
/// each band. Memory is allocated for about 2 KiB of items at a time.
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
    set: CachePadded<BandSet>,
    bands: Box<[Fifo<T>]>,
    shared: Shared<T>,
}

/// Items a batch push pulls out of its iterator before it claims slots for them, and the most that a
/// batch pop takes from a band before it looks for a more urgent one.
const CHUNK: usize = 32;

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
        Self::with_fifos((0..bands).map(|_| Fifo::new()).collect())
    }

    fn with_fifos(bands: Box<[Fifo<T>]>) -> Self {
        Self {
            set: CachePadded::new(BandSet::default()),
            bands,
            shared: Shared::new(),
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
        if band >= self.bands.len() {
            return Err(NoSuchBand(item));
        }
        // The queue on its own is never closed.
        self.push_open(band, item).map_err(NoSuchBand)
    }

    /// Takes the oldest item of the most urgent non-empty band. Lock-free.
    ///
    /// It never takes an item while a more urgent one is there whose push happened before this pop
    /// began, unless another pop that began earlier has just emptied that band and not yet returned.
    /// `None` means that each band was empty at some moment of the call.
    ///
    /// Bounded, but not always as short as can be: a pop that meets a running push waits for it a
    /// few times, for about a microsecond, before it goes past it; one that loses a claim to another thread pauses for 0.4
    /// to 14 µs before it tries again, as a push does; and one that took a band's last item may let a few more gather for about
    /// a microsecond before it returns, because one by one they would cost more. Where none gather it soon
    /// stops to: one such pop in four thousand still tries.
    ///
    /// ```
    /// # use bandq::{Band, BandQueue};
    /// let queue = BandQueue::new(1);
    /// assert_eq!(queue.pop(), None);
    /// queue.push(Band::URGENT, 1).unwrap();
    /// assert_eq!(queue.pop(), Some((Band::URGENT, 1)));
    /// ```
    #[inline]
    pub fn pop(&self) -> Option<(Band, T)> {
        let listed = self.set.load();
        let mut bands = listed;
        while let Some(band) = bands.next() {
            if let Some(item) = self.pop_band(band) {
                return Some((Band::from_index(band), item));
            }
        }
        self.pop_unlisted(listed)
    }

    /// Appends the items of an iterator to a band, in order, and returns how many. They need not be
    /// contiguous: other pushes to the band may come in between.
    ///
    /// Costs two locked instructions for up to 32 items instead of for each. Items are pulled out of
    /// the iterator up to 32 at a time before slots are claimed for them, so it may do anything, also
    /// use this queue. If it panics, what it yielded before is in the queue.
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
        if band >= self.bands.len() {
            return Err(NoSuchBand(()));
        }
        let items = items.into_iter();
        // Large items one by one: a chunk of them would not fit a small stack.
        Ok(if size_of::<T>() <= 64 {
            self.push_chunks::<CHUNK>(band, items)
        } else {
            items.fold(0, |count, item| {
                count + usize::from(self.push_open(band, item).is_ok())
            })
        })
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
        let mut taken = 0;
        while taken < limit {
            let run = self.pop_run(out, limit - taken);
            if run == 0 {
                break;
            }
            taken += run;
        }
        taken
    }

    /// The number of items in all bands. Exact when no operation runs; while some do, it counts
    /// every item whose push returned and that no pop has begun to take, and may count running ones.
    /// Looks at each band.
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
        self.bands
            .iter()
            .fold(0, |sum, band| sum.saturating_add(band.len()))
    }

    /// The number of items in one band; 0 if the queue has no such band. As exact as [`len`].
    ///
    /// [`len`]: Self::len
    #[must_use]
    pub fn band_len(&self, band: impl Into<Band>) -> usize {
        self.bands.get(band.into().index()).map_or(0, Fifo::len)
    }

    /// Whether nothing is there: each band was empty at some moment of the call.
    ///
    /// ```
    /// assert!(bandq::BandQueue::<u8>::new(3).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bands.iter().all(Fifo::is_empty)
    }

    /// The number of bands it was made with.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// [`push`](Self::push) into a band that exists; gives the item back if the queue is closed.
    #[inline]
    pub(crate) fn push_open(&self, band: usize, item: T) -> Result<(), T> {
        self.bands[band].push(item, &self.shared)?;
        self.set.insert(band);
        Ok(())
    }

    #[cfg(feature = "internals")]
    pub(crate) fn set(&self) -> &BandSet {
        &self.set
    }

    #[inline(always)]
    fn pop_band(&self, band: usize) -> Option<T> {
        let fifo = &self.bands[band];
        match fifo.pop(&self.shared, Unpublished::Leave) {
            Some(Popped { item, was_last }) => {
                if was_last {
                    self.took_last(band, fifo);
                }
                Some(item)
            }
            None => {
                self.found_empty(band, fifo);
                None
            }
        }
    }

    /// A pop took what looked like a band's last item: takes the band out of the set, or lets some more gather
    /// first, if that pays (see [`slip`](crate::slip)).
    #[inline(always)]
    fn took_last(&self, band: usize, fifo: &Fifo<T>) {
        if fifo.slip().is_due() {
            self.step_back(band, fifo);
        } else {
            self.emptied(band, fifo);
        }
    }

    #[cold]
    fn step_back(&self, band: usize, fifo: &Fifo<T>) {
        let before = self.set.load();
        Slip::pause();
        let here = fifo.len();
        fifo.slip().learn(here + self.set.load().not_in(before));
        if here == 0 {
            self.emptied(band, fifo);
        }
    }

    /// A band of the set had nothing.
    #[cold]
    fn found_empty(&self, band: usize, fifo: &Fifo<T>) {
        // Somebody else may have taken it out meanwhile.
        if self.set.load().contains(band) {
            self.emptied(band, fifo);
        }
    }

    /// The band looked empty: takes it out of the set, unless something came in meanwhile.
    #[inline(always)]
    fn emptied(&self, band: usize, fifo: &Fifo<T>) {
        self.set.clear(band);
        if !fifo.is_empty() {
            self.set.restore(band);
        }
    }

    /// The look into the bands that the set did not show when it was `listed`, for an item in one of
    /// them all the same.
    #[cold]
    fn pop_unlisted(&self, listed: Bands) -> Option<(Band, T)> {
        self.bands.iter().enumerate().find_map(|(band, fifo)| {
            if listed.contains(band) || fifo.is_empty() {
                return None;
            }
            let Popped { item, was_last } = fifo.pop(&self.shared, Unpublished::Leave)?;
            if !was_last {
                self.set.restore(band);
            }
            Some((Band::from_index(band), item))
        })
    }

    /// One run: items of one band, or one that the set does not show.
    fn pop_run(&self, out: &mut Vec<(Band, T)>, limit: usize) -> usize {
        let listed = self.set.load();
        let mut bands = listed;
        while let Some(index) = bands.next() {
            let fifo = &self.bands[index];
            let limit = limit.min(fifo.len()).min(CHUNK);
            if limit > 0 {
                out.reserve(limit);
                let band = Band::from_index(index);
                let (taken, was_last) = fifo.pop_run(limit, &self.shared, out, |item| (band, item));
                if was_last {
                    self.took_last(index, fifo);
                }
                if taken > 0 {
                    return taken;
                }
            } else {
                self.found_empty(index, fifo);
            }
        }
        self.pop_unlisted(listed).map_or(0, |found| {
            out.push(found);
            1
        })
    }

    fn push_chunks<const N: usize>(
        &self,
        band: usize,
        mut items: impl Iterator<Item = T>,
    ) -> usize {
        let mut chunk = Chunk {
            queue: self,
            band,
            items: [const { MaybeUninit::uninit() }; N],
            len: 0,
        };
        let mut pushed = 0;
        loop {
            for place in &mut chunk.items {
                let Some(item) = items.next() else {
                    return pushed + chunk.len; // dropping the chunk pushes the rest
                };
                place.write(item);
                chunk.len += 1;
            }
            chunk.push();
            pushed += N;
        }
    }

    /// Closes every band: no push that begins after this succeeds. May be called by many, and by
    /// whoever sees that somebody else has begun to.
    pub(crate) fn close(&self) {
        for band in &self.bands {
            band.close();
        }
    }

    /// The pop of a closed queue. Slots that are still unpublished are poisoned, so their pushes
    /// fail, and `None` is for ever.
    pub(crate) fn pop_closed(&self) -> Option<(Band, T)> {
        self.bands.iter().enumerate().find_map(|(band, fifo)| {
            let Popped { item, .. } = fifo.pop(&self.shared, Unpublished::Poison)?;
            Some((Band::from_index(band), item))
        })
    }

    /// Drops every item. If dropping one panics, the rest are dropped all the same and the first
    /// panic is returned.
    pub(crate) fn drop_items(&self) -> Result<(), Box<dyn Any + Send>> {
        let mut outcome = Ok(());
        while let Some(item) = self.pop_closed() {
            let dropped = catch_unwind(AssertUnwindSafe(move || drop(item)));
            outcome = outcome.and(dropped);
        }
        outcome
    }
}

/// Items pulled out of an iterator and not yet pushed. Pushes them when dropped, so also when the
/// iterator panics.
struct Chunk<'q, T, const N: usize> {
    queue: &'q BandQueue<T>,
    band: usize,
    items: [MaybeUninit<T>; N],
    len: usize,
}

impl<T, const N: usize> Chunk<'_, T, N> {
    fn push(&mut self) {
        let len = mem::take(&mut self.len);
        if len == 0 {
            return;
        }
        let queue = self.queue;
        let items = self.items.as_ptr().cast::<T>();
        // SAFETY: the first `len` are initialised, and `len` is 0 now, so none is used again.
        unsafe {
            let pushed = queue.bands[self.band].push_run(items, len, &queue.shared);
            queue.set.insert(self.band);
            // Only a closed queue leaves any, and a queue with this method is never closed.
            ptr::slice_from_raw_parts_mut(items.add(pushed).cast_mut(), len - pushed)
                .drop_in_place();
        }
    }
}

impl<T, const N: usize> Drop for Chunk<'_, T, N> {
    fn drop(&mut self) {
        self.push();
    }
}

impl<T> Drop for BandQueue<T> {
    fn drop(&mut self) {
        if !mem::needs_drop::<T>() {
            return; // the bands free their segments
        }
        if let Err(panic) = self.drop_items() {
            if !thread::panicking() {
                resume_unwind(panic);
            }
        }
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_the_set_does_not_show_is_found() {
        let queue = BandQueue::new(3);
        queue.push(Band::new(2), 'x').unwrap();
        queue.set.clear(2); // as a consumer does that is stopped before its re-check
        assert_eq!(queue.pop(), Some((Band::new(2), 'x')));
        queue.push(Band::new(2), 'y').unwrap();
        queue.set.clear(2);
        let mut out = Vec::new();
        assert_eq!(queue.pop_many(&mut out, 5), 1);
    }

    #[test]
    fn a_closed_queue_gives_up_every_running_push_before_it_says_empty() {
        let queue = BandQueue::<u64>::new(2);
        for _ in 0..5 {
            queue.bands[1].stop_in_push(32, &queue.shared);
        }
        queue.close();
        assert_eq!(queue.pop_closed(), None);
        assert_eq!(queue.len(), 0, "slots in which an item may still appear");
    }

    #[test]
    fn the_set_is_empty_after_a_drain() {
        let queue = BandQueue::new(64);
        for band in 0..64 {
            queue.push(Band::new(band), band).unwrap();
        }
        for band in 0..64 {
            assert_eq!(queue.pop(), Some((Band::new(band), band)));
        }
        assert_eq!(queue.set.load().next(), None);
    }
}
