//! What single changes of the code were found to break without any other test noticing: how memory
//! is asked for (promise 6), and large items in batches (promise 8).
//!
//! Every allocation of this process is laid out so that bytes which were not asked for show: it
//! lies at a multiple of its alignment and of nothing greater, so that debug builds report whatever
//! needs more, and the bytes behind it are looked at when it is given back.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use bandq::BandQueue;
use support::b;

struct Strict;

/// Allocations behind which something was written.
static OVERRUN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The size of this thread's largest allocation.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// Bytes behind each allocation, and what is in them.
const BEHIND: usize = 16;
const UNTOUCHED: u8 = 0xA5;

/// Room for it at twice its alignment, shifted by its alignment, and for what is behind.
fn outer(layout: Layout) -> Layout {
    let size = layout.align() + layout.size() + BEHIND;
    Layout::from_size_align(size, 2 * layout.align()).unwrap()
}

// SAFETY: each block lies inside one of the system allocator's, at its alignment.
unsafe impl GlobalAlloc for Strict {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(layout.size())));
        // SAFETY: `outer` has a size above zero, and room for all that is written.
        unsafe {
            let base = System.alloc(outer(layout));
            if base.is_null() {
                return base;
            }
            let block = base.add(layout.align());
            block.add(layout.size()).write_bytes(UNTOUCHED, BEHIND);
            block
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: it came from `alloc` with this layout.
        unsafe {
            let behind = std::slice::from_raw_parts(block.add(layout.size()), BEHIND);
            if behind.iter().any(|&byte| byte != UNTOUCHED) {
                OVERRUN.fetch_add(1, Ordering::Relaxed);
            }
            System.dealloc(block.sub(layout.align()), outer(layout));
        }
    }
}

#[global_allocator]
static STRICT: Strict = Strict;

/// Bytes a segment takes for items of this type.
fn segment<T>(item: T) -> usize {
    BandQueue::new(1).push(b(0), ()).unwrap(); // what a thread needs once
    let queue = BandQueue::new(1);
    LARGEST.set(0);
    queue.push(b(0), item).unwrap();
    LARGEST.get()
}

#[test]
fn a_segment_takes_about_2_kib_of_items_and_little_else() {
    fn check<T>(item: T) {
        let (size, align) = (size_of::<T>(), align_of::<T>());
        let slots = 2048usize.checked_div(size).unwrap_or(256).clamp(1, 256);
        // Link and number; two bits and a byte a slot; what aligns the items.
        let most = 16 + 8 * slots.div_ceil(32) + slots + (align - 1) + slots * size;
        let bytes = segment(item);
        assert!(
            bytes >= slots * size && bytes <= most,
            "{size}: {bytes}, not {most}"
        );
    }
    check(());
    check(0_u8);
    check([0_u8; 3]);
    check(0_u64);
    check([0_u64; 4]);
    check([0_u64; 100]);
    check([0_u8; 5000]);
}

#[test]
fn no_byte_is_used_that_was_not_asked_for() {
    #[derive(Clone)]
    #[repr(align(64))]
    struct Aligned(u8);

    fn pass<T: Clone>(item: &T) {
        let queue = BandQueue::new(2);
        for _ in 0..3 {
            for _ in 0..300 {
                queue.push(b(1), item.clone()).unwrap();
            }
            let batch = std::iter::repeat_n(item.clone(), 300);
            assert_eq!(queue.push_many(b(0), batch), Ok(300));
            assert_eq!(queue.pop_many(&mut Vec::new(), 300), 300);
            assert_eq!(std::iter::from_fn(|| queue.pop()).take(300).count(), 300);
        }
        queue.push(b(0), item.clone()).unwrap();
    }
    pass(&());
    pass(&1_u8);
    pass(&[1_u8; 3]);
    pass(&1_u16);
    pass(&1_u64);
    pass(&1_u128);
    pass(&[1_u8; 2048]);
    pass(&[1_u8; 5000]);
    pass(&Aligned(1));
    assert_eq!(Aligned(1).0, 1);
    assert_eq!(OVERRUN.load(Ordering::Relaxed), 0);
}

#[test]
fn a_batch_of_large_items_fits_a_small_stack() {
    const LARGE: usize = 64 * 1024;
    let queue = BandQueue::new(1);
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(24 * LARGE)
            .spawn_scoped(scope, || {
                let items = (0..40_u8).map(|n| [n; LARGE]);
                assert_eq!(queue.push_many(b(0), items), Ok(40));
            })
            .unwrap();
    });
    for n in 0..40 {
        assert_eq!(queue.pop().map(|(_, item)| item[0]), Some(n));
    }
}
