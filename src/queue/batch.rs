//! Many items at once: two locked instructions a run of up to 32 instead of for each item.

use super::Queue;
use crate::{band::Band, parcel::Parcel};
use core::{mem, mem::MaybeUninit, ptr};

/// Items a batch push pulls out of its iterator before it claims slots for them, and the most that
/// a batch pop takes from a band before it looks for a more urgent one.
const CHUNK: usize = 32;

/// Larger items are pushed one by one: a chunk of them would not fit a small stack.
const LARGE: usize = 64;

impl<T> Queue<T> {
    /// Appends the items of an iterator to a band, in order, and returns how many: all, unless the
    /// queue is closed; then the rest of what was pulled out is dropped.
    pub(crate) fn push_many(&self, band: usize, items: impl Iterator<Item = T>) -> usize {
        if size_of::<T>() <= LARGE {
            self.push_chunks::<CHUNK>(band, items)
        } else {
            let mut pushed = 0;
            for item in items {
                pushed += usize::from(self.push(band, &mut Parcel::new(item)));
            }
            pushed
        }
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
            let len = chunk.fill(&mut items);
            pushed += chunk.push();
            if len < N {
                return pushed;
            }
        }
    }

    /// Takes up to `limit` items and appends them to `out`; returns how many. Looks afresh for the
    /// most urgent band before each run.
    pub(crate) fn pop_many(&self, out: &mut Vec<(Band, T)>, limit: usize) -> usize {
        let mut taken = 0;
        while taken < limit {
            let Some(run) = self.next(|band| self.pop_run(band, out, limit - taken)) else {
                break;
            };
            taken += run;
        }
        taken
    }

    /// One run: items of one band; `None` if there was none.
    fn pop_run(&self, index: usize, out: &mut Vec<(Band, T)>, limit: usize) -> Option<usize> {
        let fifo = &self.bands[index];
        let limit = limit.min(fifo.len()).min(CHUNK);
        if limit > 0 {
            out.reserve(limit);
            let band = Band::from_index(index);
            let (taken, was_last) = fifo.pop_run(limit, &self.stock, out, |item| (band, item));
            if taken > 0 {
                if was_last {
                    self.took_last(index, fifo);
                }
                return Some(taken);
            }
        }
        self.found_empty(index, fifo);
        None
    }
}

/// Items pulled out of an iterator and not yet pushed. Pushes them when dropped, so also when the
/// iterator panics.
struct Chunk<'q, T, const N: usize> {
    queue: &'q Queue<T>,
    band: usize,
    items: [MaybeUninit<T>; N],
    len: usize,
}

impl<T, const N: usize> Chunk<'_, T, N> {
    /// Pulls items out of the iterator, until it is full or there is none left; returns how many.
    /// If the iterator panics, those before are in the chunk.
    #[inline(always)]
    fn fill(&mut self, items: &mut impl Iterator<Item = T>) -> usize {
        /// Counts in a register, and notes the count in the end, a panic's end too.
        struct Count<'a> {
            noted: &'a mut usize,
            len: usize,
        }

        impl Drop for Count<'_> {
            #[inline(always)]
            fn drop(&mut self) {
                *self.noted = self.len;
            }
        }

        let mut count = Count {
            noted: &mut self.len,
            len: 0,
        };
        for place in &mut self.items {
            let Some(item) = items.next() else {
                break;
            };
            place.write(item);
            count.len += 1;
        }
        count.len
    }

    /// Pushes them; returns how many.
    #[inline(always)]
    fn push(&mut self) -> usize {
        let len = mem::take(&mut self.len);
        if len == 0 {
            return 0;
        }
        let queue = self.queue;
        let items = self.items.as_mut_ptr().cast::<T>();
        // SAFETY: the first `len` are initialised, and `len` is 0 now, so none is used again.
        unsafe {
            let pushed = queue.bands[self.band].push_run(items, len, &queue.stock);
            queue.set.insert(self.band);
            // Only a closed queue leaves any.
            ptr::slice_from_raw_parts_mut(items.add(pushed), len - pushed).drop_in_place();
            pushed
        }
    }
}

impl<T, const N: usize> Drop for Chunk<'_, T, N> {
    fn drop(&mut self) {
        self.push();
    }
}
