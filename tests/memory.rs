//! Promise 6 in figures: bytes per item, bytes left after a burst, and what a stopped thread costs.
//! Every allocation of this process is counted. Prints with `--nocapture`.
//!
//! `BANDQ_MEMORY_ITEMS`: the size of a burst (the figures in TESTING.md are from 10000000). A
//! thread is stopped in its allocation of a segment; built with `--cfg bandq_stall`, as
//! `.ci/stalls` does, also at other places of a push and of a pop.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicIsize, AtomicUsize, Ordering},
    },
    thread,
};

use bandq::BandQueue;
use support::{Watchdog, XorShift, b, env_number};

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static SEGMENTS: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call goes to the system allocator as it is; we only count, and stop a thread that
// asked for it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        if layout.size() == SEGMENT {
            SEGMENTS.fetch_add(1, Ordering::Relaxed);
            if STOP_IN_ALLOCATION.get() {
                STOP_IN_ALLOCATION.set(false);
                stand();
            }
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        if layout.size() == SEGMENT {
            SEGMENTS.fetch_sub(1, Ordering::Relaxed);
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The size of a segment of `u64` (checked): header, lanes, done bytes, 256 items.
const SEGMENT: usize = 16 + 8 * 8 + 256 + 256 * 8;
/// Items that it has room for.
const SLOTS: usize = 256;
/// Used bands.
const BANDS: usize = 8;
/// Spare segments that a queue keeps.
const POOL: usize = 4;
/// What is left of a queue of 8 used bands at the most, at rest: at most two segments a band and
/// the pool.
const AT_REST: isize = ((2 * BANDS + POOL) * SEGMENT) as isize;
/// The goal, smaller than what the above allows.
const GOAL_PER_BAND: isize = 6 * 1024;
/// Hand-overs from segment to segment, anywhere in the process, after which reclamation has caught
/// up, but for what waited for a stopped thread.
const FURTHER: usize = 256;
/// What the collector keeps for the whole process: its part of each live thread, and the notes that
/// it has not thrown away yet.
const COLLECTOR: isize = 32 * 1024;

/// One test at a time, since the counts are of the whole process.
fn alone() -> (MutexGuard<'static, ()>, Watchdog) {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    hand_over(FURTHER); // what earlier tests left behind
    (alone, Watchdog::new("memory"))
}

fn live() -> isize {
    LIVE.load(Ordering::SeqCst)
}

fn segments() -> isize {
    SEGMENTS.load(Ordering::SeqCst)
}

/// Further operations: as many hand-overs, in a queue of its own with one item a segment.
fn hand_over(times: usize) {
    type OneSlot = [u64; 130];
    let queue = BandQueue::<OneSlot>::new(1);
    for _ in 0..times.div_ceil(2) {
        queue.push(b(0), [0; 130]).unwrap();
        queue.pop().unwrap();
    }
}

/// Hand-overs until no more than `bytes` are allocated; `None` if `most` are not enough.
fn hand_overs_until(bytes: isize, most: usize) -> Option<usize> {
    const STEP: usize = 8;
    (0..=most).step_by(STEP).find(|_| {
        let there = live() <= bytes;
        if !there {
            hand_over(STEP);
        }
        there
    })
}

#[test]
fn bytes_per_item() {
    let _alone = alone();
    for bands in [1, BANDS] {
        let before = live();
        let queue = BandQueue::new(bands);
        for item in 0..1_000_000u64 {
            queue.push(b((item % bands as u64) as u8), item).unwrap();
        }
        let each = (live() - before) as f64 / 1e6;
        println!("{bands} bands, 1000000 items of 8 bytes: {each:.3} bytes an item");
        assert!(each <= 9.75);
    }
    fn of_size<const WORDS: usize>() {
        let before = live();
        let queue = BandQueue::new(1);
        let items = 32 << 20 >> WORDS.ilog2() >> 3;
        for _ in 0..items {
            queue.push(b(0), [1u64; WORDS]).unwrap();
        }
        let each = (live() - before) as f64 / items as f64;
        let bytes = WORDS * 8;
        println!("1 band, {items} items of {bytes} bytes: {each:.1} bytes an item");
        assert!(each <= bytes as f64 * 1.02 + 48.0);
    }
    of_size::<4>();
    of_size::<32>();
    of_size::<128>();
    of_size::<512>();
}

#[test]
fn a_band_without_items_owns_no_segment() {
    let _alone = alone();
    let before = (live(), segments());
    let queue = BandQueue::new(64);
    assert_eq!(segments() - before.1, 0);
    let empty = live() - before.0;
    println!(
        "a queue of 64 bands: {empty} bytes, {} a band, no segment",
        empty / 64
    );
    queue.push(b(63), 1u64).unwrap();
    assert_eq!(
        segments() - before.1,
        1,
        "or the size of a segment has changed"
    );
    queue.pop().unwrap();
    assert_eq!(segments() - before.1, 1);
}

#[test]
fn after_a_burst() {
    let _alone = alone();
    let items = env_number("BANDQ_MEMORY_ITEMS", 1_000_000);
    let before = (live(), segments());
    let queue = BandQueue::new(BANDS);
    for item in 0..items {
        queue.push(b((item % BANDS as u64) as u8), item).unwrap();
    }
    let peak = live() - before.0;
    while queue.pop().is_some() {}
    report("one thread", items, peak, before);
    drop(queue);
    assert_eq!(segments(), before.1);
}

#[test]
fn after_a_burst_through_eight_threads() {
    let _alone = alone();
    let items = env_number("BANDQ_MEMORY_ITEMS", 1_000_000);
    let before = (live(), segments());
    let queue = BandQueue::new(BANDS);
    let peak = AtomicIsize::new(0);
    let received = AtomicUsize::new(0);
    thread::scope(|scope| {
        let producers = (0..4).map(|producer| {
            let (queue, peak) = (&queue, &peak);
            scope.spawn(move || {
                let mut rng = XorShift::new(producer);
                for item in 0..items / 4 {
                    queue.push(b(rng.below(BANDS as u64) as u8), item).unwrap();
                }
                peak.fetch_max(live(), Ordering::Relaxed);
            })
        });
        let consumers = (0..4).map(|_| {
            scope.spawn(|| {
                while received.load(Ordering::Relaxed) < (items / 4 * 4) as usize {
                    match queue.pop() {
                        Some(_) => _ = received.fetch_add(1, Ordering::Relaxed),
                        None => thread::yield_now(),
                    }
                }
            })
        });
        // The scope itself does not wait for the threads' thread-locals to be dropped.
        for thread in producers.chain(consumers).collect::<Vec<_>>() {
            thread.join().unwrap();
        }
    });
    let peak = peak.load(Ordering::Relaxed) - before.0;
    report("4 producers, 4 consumers", items, peak, before);
    drop(queue);
    hand_over(FURTHER);
    assert_eq!(segments(), before.1);
}

/// Checks what a drained queue of 8 bands keeps, now and after some hand-overs more.
fn report(name: &str, items: u64, peak: isize, before: (isize, isize)) {
    let left = (live() - before.0, segments() - before.1);
    // A thread that was preempted inside a hand-over makes what others empty meanwhile wait.
    let waited = (left.1 as usize).saturating_sub(2 * BANDS + POOL);
    let most = FURTHER + 4 * waited;
    let further = hand_overs_until(before.0 + AT_REST + COLLECTOR, most);
    let rest = (live() - before.0, segments() - before.1);
    println!(
        "{name}, burst of {items}: {peak} bytes at the peak, \
         {} left after the drain ({} segments); \
         {} further hand-overs later {} ({} segments), {} a band in segments",
        left.0,
        left.1,
        further.map_or("too many".to_string(), |n| n.to_string()),
        rest.0,
        rest.1,
        rest.1 * SEGMENT as isize / BANDS as isize
    );
    assert!(further.is_some(), "memory does not come back");
    assert!(
        rest.1 as usize <= 2 * BANDS + POOL,
        "more than two segments a band and the pool"
    );
    assert!(rest.1 * SEGMENT as isize <= GOAL_PER_BAND * BANDS as isize);
}

#[test]
fn threads_that_come_and_go() {
    let _alone = alone();
    let queue = BandQueue::<[u64; 130]>::new(1); // every push is a hand-over
    let one = || {
        thread::scope(|scope| {
            scope.spawn(|| {
                queue.push(b(0), [0; 130]).unwrap();
                queue.pop().unwrap();
            });
        });
    };
    (0..64).for_each(|_| one());
    let before = live();
    (0..2000).for_each(|_| one());
    let growth = live() - before;
    println!("2000 threads that push and pop once and end: {growth} bytes more");
    assert!(growth <= COLLECTOR);
}

// A stopped thread.

thread_local! {
    /// Whether this thread stops when it next allocates a segment.
    static STOP_IN_ALLOCATION: Cell<bool> = const { Cell::new(false) };
}

#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Free,
    Standing,
    Released,
}

static STOP: (Mutex<Stop>, Condvar) = (Mutex::new(Stop::Free), Condvar::new());

/// Stands still until `move_on`.
fn stand() {
    let mut stop = STOP.0.lock().unwrap();
    *stop = Stop::Standing;
    STOP.1.notify_all();
    while *stop == Stop::Standing {
        stop = STOP.1.wait(stop).unwrap();
    }
    *stop = Stop::Free;
    STOP.1.notify_all();
}

fn wait_until_it_stands() {
    let mut stop = STOP.0.lock().unwrap();
    while *stop != Stop::Standing {
        stop = STOP.1.wait(stop).unwrap();
    }
}

fn move_on() {
    *STOP.0.lock().unwrap() = Stop::Released;
    STOP.1.notify_all();
}

/// Bytes that a queue may grow by for each item that passes it while a thread is stopped: the
/// item's part of its segment, and as much again for the collector's note of it.
const SLOPE: f64 = 2.0 * SEGMENT as f64 / SLOTS as f64;

/// Runs `work` in a thread until it stops itself by `stand`, lets items pass through the queue
/// beside it, then lets it move on.
fn with_a_stopped_thread(
    place: &str,
    items: u64,
    work: impl FnOnce(&BandQueue<u64>) + Send + 'static,
) {
    let before = live();
    let queue = Arc::new(BandQueue::<u64>::new(BANDS));
    for item in 0..1000 {
        queue.push(b((item % 4) as u8), item).unwrap();
    }
    while queue.pop().is_some() {}
    let stopped = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || work(&queue))
    };
    wait_until_it_stands();

    // Band 0 is the stopped thread's; band 1 another one of the same queue.
    let slope = |queue: &BandQueue<u64>, band: u8| {
        let before = live();
        for item in 0..items {
            queue.push(b(band), item).unwrap();
            queue.pop().unwrap();
        }
        (live() - before) as f64 / items as f64
    };
    let same = slope(&queue, 0);
    let other = slope(&queue, 1);
    let elsewhere = slope(&BandQueue::new(2), 1);
    println!(
        "stopped {place}: {same:.2} bytes more an item that passes the same band, \
         {other:.2} another band, {elsewhere:.2} another queue"
    );
    assert!(same <= SLOPE && other <= SLOPE && elsewhere <= SLOPE);

    move_on();
    stopped.join().unwrap();
    while queue.pop().is_some() {}
    // The next hand-over in that band sweeps; the collector's share comes with hand-overs anywhere.
    for item in 0..2 * SLOTS as u64 {
        queue.push(b(0), item).unwrap();
        queue.pop().unwrap();
    }
    let waited = (items / SLOTS as u64) as usize;
    let further = hand_overs_until(before + AT_REST + COLLECTOR, FURTHER + 4 * waited);
    println!(
        "  after it moved on, {} hand-overs until {} bytes are left, {} segments",
        further.map_or("too many".to_string(), |n| n.to_string()),
        live() - before,
        segments()
    );
    assert!(further.is_some(), "memory does not come back");
}

#[test]
fn stopped_in_the_allocator() {
    let _alone = alone();
    with_a_stopped_thread(
        "in its allocation of a segment, visiting",
        200_000,
        |queue| {
            // The pool's spares first.
            STOP_IN_ALLOCATION.set(true);
            let mut item = 0;
            while STOP_IN_ALLOCATION.get() {
                queue.push(b(0), item).unwrap();
                item += 1;
            }
        },
    );
}

#[cfg(all(bandq_stall, feature = "__internals"))]
mod paused {
    //! Stopped at other places: the function in whose text the access stands, by its first line.

    use super::{alone, b, stand, with_a_stopped_thread};
    use bandq::{__internals::stall, BandQueue};

    /// Stops this thread before an access in `function` of a source file.
    fn stop_in(text: &'static str, file: &'static str, function: &str, nth: u32) {
        let lines = || (1u32..).zip(text.lines());
        let (first, _) = lines()
            .find(|(_, line)| line.contains(&format!("fn {function}")))
            .unwrap();
        let (last, _) = lines()
            .find(|(n, line)| *n > first && *line == "    }")
            .unwrap();
        let mut count = 0;
        let hook = move |location: &'static std::panic::Location<'static>| {
            if location.file().ends_with(file) && (first..=last).contains(&location.line()) {
                count += 1;
                if count == nth {
                    stand();
                }
            }
        };
        stall::set_hook(Some(Box::new(hook)));
    }

    const SWEEP: &str = include_str!("../src/fifo/sweep.rs");
    const HAND_OVER: &str = include_str!("../src/fifo/handover.rs");
    const SEGMENT: &str = include_str!("../src/fifo/segment.rs");

    fn push(queue: &BandQueue<u64>) {
        for item in 0..1000 {
            queue.push(b(0), item).unwrap();
        }
        stall::set_hook(None);
    }

    fn pop(queue: &BandQueue<u64>) {
        for item in 0..1000 {
            queue.push(b(0), item).unwrap();
        }
        while queue.pop().is_some() {}
        stall::set_hook(None);
    }

    #[test]
    fn stopped_between_claim_and_publish() {
        let _alone = alone();
        with_a_stopped_thread("between claim and publish", 200_000, |queue| {
            stop_in(SEGMENT, "segment.rs", "publish(", 100);
            push(queue);
        });
    }

    #[test]
    fn stopped_between_claim_and_finish() {
        let _alone = alone();
        with_a_stopped_thread(
            "between the claim of a pop and its last access",
            200_000,
            |queue| {
                stop_in(SEGMENT, "segment.rs", "finish(", 100);
                pop(queue);
            },
        );
    }

    #[test]
    fn stopped_in_a_sweep() {
        let _alone = alone();
        with_a_stopped_thread(
            "in a sweep, with the chain in its hands",
            200_000,
            |queue| {
                stop_in(SWEEP, "sweep.rs", "sweep(", 2);
                pop(queue);
            },
        );
    }

    #[test]
    fn stopped_in_a_hand_over() {
        let _alone = alone();
        with_a_stopped_thread("in a hand-over at the head, visiting", 200_000, |queue| {
            stop_in(HAND_OVER, "handover.rs", "advance_head(", 2);
            pop(queue);
        });
    }
}
