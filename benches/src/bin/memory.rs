//! `memory PEER BANDS ITEMS`: pushes that many items into the peer's queue, takes them out again,
//! and prints the bytes that were allocated in between and the bytes that are left. A process of
//! its own, because counting slows the allocator down, and because what a peer leaves behind must
//! not be counted as the next one's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::sync::atomic::{AtomicI64, Ordering};

use bandq_benches::groups::memory;

static ALLOCATED: AtomicI64 = AtomicI64::new(0);

/// The system's allocator, with the bytes asked for counted.
struct Counting;

// SAFETY: every call goes to `System` as it came; counting touches nothing but an atomic.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc`'s contract.
        let pointer = unsafe { System.alloc(layout) };
        if !pointer.is_null() {
            ALLOCATED.fetch_add(layout.size() as i64, Ordering::Relaxed);
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(pointer, layout) };
        ALLOCATED.fetch_sub(layout.size() as i64, Ordering::Relaxed);
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps `realloc`'s contract.
        let moved = unsafe { System.realloc(pointer, layout, size) };
        if !moved.is_null() {
            ALLOCATED.fetch_add(size as i64 - layout.size() as i64, Ordering::Relaxed);
        }
        moved
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [peer, bands, items] = arguments.as_slice() else {
        panic!("usage: memory PEER BANDS ITEMS");
    };
    let bands = bands.parse().expect("BANDS is a number");
    let items = items.parse().expect("ITEMS is a number");
    let bytes = memory::count(peer, bands, items, || ALLOCATED.load(Ordering::Relaxed));
    println!("{} {}", bytes.full, bytes.drained);
}
