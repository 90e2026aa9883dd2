//! What is kept of what is over: nothing.

use crate::support::{Watchdog, check_all};
use bandq::Band;
use bandq_workers::{Job, Retry, Workers};
use futures_lite::future::block_on;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    future::Future,
    pin::pin,
    sync::atomic::{AtomicIsize, AtomicUsize, Ordering},
    task::{Context, Waker},
    time::Duration,
};

/// Counts what this thread's test holds; the tests of the other files run beside it, so the counts
/// are by thread.
struct Counting;

thread_local! {
    static BYTES: AtomicIsize = const { AtomicIsize::new(0) };
    static CALLS: AtomicUsize = const { AtomicUsize::new(0) };
}

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = BYTES.try_with(|bytes| bytes.fetch_add(layout.size() as isize, Ordering::Relaxed));
        let _ = CALLS.try_with(|calls| calls.fetch_add(1, Ordering::Relaxed));
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = BYTES.try_with(|bytes| bytes.fetch_sub(layout.size() as isize, Ordering::Relaxed));
        // SAFETY: as the caller says.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn r18_memory_does_not_grow_with_finished_work_that_nobody_collects() {
    let _watchdog = Watchdog::new("r18");
    let (sender, receiver) = bandq::unbounded(1);
    let mut pool = pin!(
        Workers::new(receiver)
            .concurrency(4)
            .retry(Retry::exponential(Duration::ZERO).attempts(2))
            .run(|job: Job<usize>| async move {
                match (*job % 4, job.attempt()) {
                    (0, 1) => Err("again"),
                    (1, _) => panic_quietly(),
                    _ => Ok(()),
                }
            })
    );
    let mut context = Context::from_waker(Waker::noop());
    let mut held = Vec::new();
    for round in 0..20 {
        sender.try_send_many(Band::URGENT, 0..500).unwrap();
        while !sender.is_empty() {
            assert!(pool.as_mut().poll(&mut context).is_pending());
        }
        if round >= 10 {
            held.push(BYTES.with(|bytes| bytes.load(Ordering::Relaxed)));
        }
    }
    let (first, last) = (held[0], held[9]);
    assert!(last - first < 64 * 1024, "{first} → {last} bytes");
    drop(sender);
    let report = block_on(pool);
    check_all(&report, 10_000);
    assert_eq!(
        (report.done, report.dead, report.retried),
        (7500, 2500, 5000)
    );
}

fn panic_quietly() -> Result<(), &'static str> {
    std::panic::resume_unwind(Box::new("quiet"))
}

#[test]
fn a_job_costs_no_allocation() {
    let _watchdog = Watchdog::new("cost");
    let (sender, receiver) = bandq::unbounded(1);
    let mut pool = pin!(
        Workers::new(receiver)
            .concurrency(4)
            .run(|_job: Job<usize>| async {})
    );
    let mut context = Context::from_waker(Waker::noop());
    let mut calls = 0;
    for _ in 0..10 {
        sender.try_send_many(Band::URGENT, 0..1000).unwrap();
        let before = CALLS.with(|calls| calls.load(Ordering::Relaxed));
        while !sender.is_empty() {
            assert!(pool.as_mut().poll(&mut context).is_pending());
        }
        calls = CALLS.with(|calls| calls.load(Ordering::Relaxed)) - before;
    }
    // A few for the channel's own.
    assert!(calls <= 100, "{calls} for 1000 jobs");
}
