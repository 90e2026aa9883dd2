//! Where words lie in memory: apart from others that are written by other threads.
//!
//! `CachePadded` does it by alignment, and an alignment above 16 bytes makes an allocation several
//! times as slow with glibc, which cuts aligned blocks out of larger ones. A channel that lives for
//! one item is mostly allocation. So what need not begin with a cache line is [`Spaced`], and what
//! does, the ends of the bands, is an [`AlignedSlice`].

use core::{
    alloc::Layout,
    marker::PhantomData,
    ops::Deref,
    ptr::{self, NonNull},
    slice,
};
use std::alloc::{alloc, dealloc, handle_alloc_error};

/// Bytes that keep two words apart: two cache lines of 64 bytes, because processors fetch them in
/// pairs, or one of 128.
const APART: usize = 128;

/// A value with room around it, so that none of its neighbours is in a cache line of it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Spaced<T> {
    before: [u8; APART],
    value: T,
    after: [u8; APART],
}

impl<T> Spaced<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            before: [0; APART],
            value,
            after: [0; APART],
        }
    }
}

impl<T> Deref for Spaced<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A slice of its own, aligned by hand: in a block that is larger by the alignment.
pub(crate) struct AlignedSlice<T> {
    first: NonNull<T>,
    len: usize,
    /// What was allocated.
    block: NonNull<u8>,
    _owns: PhantomData<T>,
}

// SAFETY: it owns its elements, as a `Box<[T]>` does.
unsafe impl<T: Send> Send for AlignedSlice<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for AlignedSlice<T> {}

impl<T> AlignedSlice<T> {
    /// That many elements, at least one, each made by `make`.
    ///
    /// # Panics
    ///
    /// If they do not fit the address space. `make` must not panic: what it made before would leak.
    pub(crate) fn new(len: usize, make: impl Fn() -> T) -> Self {
        let layout = Self::layout(len);
        // SAFETY: the size is above zero.
        let block = unsafe { alloc(layout) };
        let Some(block) = NonNull::new(block) else {
            handle_alloc_error(layout)
        };
        // SAFETY: less than the alignment, by which the block is larger.
        let first = unsafe { block.add(block.align_offset(align_of::<T>())) }.cast::<T>();
        for n in 0..len {
            // SAFETY: inside the block, aligned, and ours alone.
            unsafe { first.add(n).write(make()) };
        }
        Self {
            first,
            len,
            block,
            _owns: PhantomData,
        }
    }

    fn layout(len: usize) -> Layout {
        let size = size_of::<T>()
            .checked_mul(len)
            .and_then(|size| size.checked_add(align_of::<T>()));
        size.and_then(|size| Layout::from_size_align(size, 1).ok())
            .expect("the slice is too large for the address space")
    }
}

impl<T> Deref for AlignedSlice<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` elements lie there, initialised, for as long as this lives.
        unsafe { slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> Drop for AlignedSlice<T> {
    fn drop(&mut self) {
        let elements = ptr::slice_from_raw_parts_mut(self.first.as_ptr(), self.len);
        // SAFETY: they are initialised, and nobody uses them or the block after this, which was
        // allocated with this layout.
        unsafe {
            elements.drop_in_place();
            dealloc(self.block.as_ptr(), Self::layout(self.len));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[repr(align(128))]
    struct Large(Arc<()>);

    #[test]
    fn elements_are_aligned_and_dropped_once() {
        let count = Arc::new(());
        for len in [1, 2, 64] {
            let slice = AlignedSlice::new(len, || Large(Arc::clone(&count)));
            assert_eq!((slice.len(), Arc::strong_count(&count)), (len, len + 1));
            assert!(slice.iter().all(|large| (&raw const *large).is_aligned()));
            assert!(Arc::ptr_eq(&slice[len - 1].0, &count));
            drop(slice);
            assert_eq!(Arc::strong_count(&count), 1);
        }
    }

    #[test]
    fn a_spaced_value_shares_no_line_with_its_neighbours() {
        let pair = [Spaced::new(1_u8), Spaced::new(2)];
        let [a, b] = pair.each_ref().map(|spaced| (&raw const **spaced).addr());
        assert!(b - a >= APART);
        assert_eq!(*pair[1], 2);
    }
}
