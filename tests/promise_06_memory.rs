//! Promise 6: memory is proportional to the items held. A band that was never used owns no
//! segment; after a drain a few segments stay, and no more. Every allocation of this process is
//! counted.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use bandq::{BandQueue, Policy, bounded, unbounded};
use support::hand::poll_stream;
use support::{Task, Watchdog, b, counting_waker};

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call goes to the system allocator as it is; we only count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = layout.size() as isize;
        let live = LIVE.fetch_add(size, Ordering::Relaxed) + size;
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A segment of `u64` is no larger than this.
const SEGMENT: isize = 4 * 1024;
/// Spare segments a queue may keep.
const POOL: isize = 8;
/// What the test harness itself may allocate beside a test.
const NOISE: isize = 8 * 1024;

/// One test at a time, since the counts are of the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn live() -> isize {
    LIVE.load(Ordering::SeqCst)
}

/// Runs `f`; returns what it returns and by how much the live bytes have grown.
fn growth<R>(f: impl FnOnce() -> R) -> (R, isize) {
    let before = live();
    let result = f();
    (result, live() - before)
}

/// Enough further operations for the reclamation to catch up: four hand-overs from one segment
/// to the next, and a few more.
fn catch_up() {
    let queue = BandQueue::new(1);
    for n in 0..2_048u64 {
        queue.push(b(0), n).unwrap();
        queue.pop();
    }
}

const LARGE: usize = 64 * 1024;
type Large = [u8; LARGE];

#[test]
fn a_band_that_was_never_used_owns_no_segment() {
    let _alone = alone();
    catch_up();
    let (queue, empty) = growth(|| BandQueue::<Large>::new(64));
    assert!(empty < LARGE as isize, "{empty} bytes with no item");
    let ((), one) = growth(|| queue.push(b(63), [1; LARGE]).unwrap());
    assert!(one >= LARGE as isize - NOISE, "{one} bytes for one item");
    assert!(one < 2 * LARGE as isize, "{one} bytes for one item");
    let ((), three) = growth(|| {
        queue.push(b(0), [1; LARGE]).unwrap();
        queue.push(b(9), [1; LARGE]).unwrap();
    });
    assert!(three < 4 * LARGE as isize, "{three} bytes for two items");
    drop(queue);

    let ((_tx, _rx), empty) = growth(|| bounded::<Large>(64, 1_000_000));
    assert!(empty < LARGE as isize, "{empty} bytes with no item");
}

#[test]
fn looking_into_bands_and_sending_to_none_allocates_nothing() {
    let _alone = alone();
    let (tx, rx) = unbounded::<Large>(64);
    let ((), grown) = growth(|| {
        for i in 0..64 {
            assert!(rx.try_recv().is_err());
            assert_eq!(rx.band_len(b(i)), 0);
        }
        assert!(rx.is_empty());
        assert_eq!(rx.try_iter().count() + rx.drain().count(), 0);
        rx.close();
        assert!(tx.try_reserve(b(0)).is_err());
    });
    assert!(grown < NOISE, "{grown} bytes");
}

#[test]
fn an_empty_queue_costs_a_few_cache_lines_a_band() {
    let _alone = alone();
    for bands in [1, 8, 64] {
        let (_queue, grown) = growth(|| BandQueue::<u64>::new(bands));
        assert!(grown <= 512 * bands as isize + 4_096, "{bands}: {grown}");
    }
}

/// The bytes an item of this type costs when `n` of them are held.
fn bytes_per_item<T: Clone>(item: &T, bands: u8, n: usize) -> f64 {
    let queue = BandQueue::new(usize::from(bands));
    let ((), grown) = growth(|| {
        for i in 0..n {
            queue
                .push(b((i % usize::from(bands)) as u8), item.clone())
                .unwrap();
        }
    });
    assert_eq!(queue.len(), n);
    grown as f64 / n as f64
}

#[test]
fn bytes_held_are_proportional_to_the_items() {
    let _alone = alone();
    for (bands, n) in [(1, 50_000), (8, 50_000), (64, 100_000)] {
        let bytes = bytes_per_item(&7u64, bands, n);
        println!("{bands} bands, u64: {bytes:.1} bytes an item");
        assert!(bytes <= 18.0, "{bytes}");
    }
    let bound = |size: f64| size * 1.25 + 32.0;
    let of = [
        (1.0, bytes_per_item(&7u8, 2, 20_000)),
        (24.0, bytes_per_item(&[7u64; 3], 2, 20_000)),
        (256.0, bytes_per_item(&[7u64; 32], 2, 5_000)),
        (1024.0, bytes_per_item(&[7u64; 128], 2, 2_000)),
        (4096.0, bytes_per_item(&[7u64; 512], 2, 1_000)),
        (65_536.0, bytes_per_item(&[7u8; LARGE], 2, 50)),
    ];
    for (size, bytes) in of {
        println!("items of {size} bytes: {bytes:.1} bytes an item");
        assert!(bytes <= bound(size), "items of {size} bytes cost {bytes}");
    }
}

#[test]
fn after_a_drain_two_segments_a_used_band_and_a_small_pool_stay() {
    let _alone = alone();
    for (bands, used) in [(64, 1u8), (8, 8), (64, 64)] {
        catch_up();
        let queue = BandQueue::new(bands);
        let ((), left) = growth(|| {
            for n in 0..60_000u64 {
                queue.push(b((n % u64::from(used)) as u8), n).unwrap();
            }
            while queue.pop().is_some() {}
            catch_up();
        });
        println!("{used} bands used: {left} bytes stay");
        let bound = (2 * isize::from(used) + POOL) * SEGMENT + NOISE;
        assert!(left <= bound, "{used} bands used: {left} of {bound} bytes");
    }
}

#[test]
fn the_lag_of_reclamation_is_a_few_segments() {
    let _alone = alone();
    const LAG: isize = 8;
    catch_up();
    let queue = BandQueue::new(1);
    let ((), left) = growth(|| {
        for n in 0..60_000u64 {
            queue.push(b(0), n).unwrap();
        }
        while queue.pop().is_some() {}
    });
    let bound = (2 + POOL + LAG) * SEGMENT + NOISE;
    assert!(left <= bound, "{left} of {bound} bytes");
}

#[test]
fn the_drain_of_a_channel_gives_the_memory_back() {
    let _alone = alone();
    let _watchdog = Watchdog::new("the_drain_of_a_channel_gives_the_memory_back");
    catch_up();
    let (tx, rx) = unbounded(4);
    let mut grown = [0; 4];
    for (round, grown) in grown.iter_mut().enumerate() {
        let ((), left) = growth(|| {
            thread::scope(|s| {
                for sender in 0..3u64 {
                    let tx = &tx;
                    s.spawn(move || {
                        for n in 0..10_000 {
                            tx.try_send(b((n % 4) as u8), sender * n).unwrap();
                        }
                    });
                }
            });
            thread::scope(|s| {
                for _ in 0..2 {
                    let rx = &rx;
                    s.spawn(move || while rx.try_recv().is_ok() {});
                }
            });
            catch_up();
        });
        println!("round {round}: {left} bytes stay");
        *grown = left;
    }
    let bound = (2 * 4 + POOL) * SEGMENT + NOISE;
    let all: isize = grown.iter().sum();
    assert!(all <= bound, "{all} of {bound} bytes after 4 rounds");
}

#[test]
fn large_items_stay_in_no_more_than_two_segments_a_band_and_the_pool() {
    let _alone = alone();
    catch_up();
    let queue = BandQueue::new(2);
    let ((), left) = growth(|| {
        for _ in 0..60 {
            queue.push(b(1), [0u8; LARGE]).unwrap();
        }
        while queue.pop().is_some() {}
        catch_up();
    });
    let bound = (2 + POOL) * (LARGE as isize + 512) + NOISE;
    assert!(left <= bound, "{left} of {bound} bytes");
}

#[test]
fn steady_use_holds_no_more_than_its_depth_needs() {
    let _alone = alone();
    catch_up();
    for depth in [1, 300, 3_000] {
        let queue = BandQueue::new(2);
        let before = live();
        for n in 0..depth {
            queue.push(b(1), n).unwrap();
        }
        PEAK.store(live(), Ordering::SeqCst);
        for n in 0..50_000 {
            queue.push(b((n % 2) as u8), n).unwrap();
            queue.pop();
        }
        let peak = PEAK.load(Ordering::SeqCst) - before;
        let lag = 8;
        let bound = (depth as isize / 250 + 2 * 2 + POOL + lag) * SEGMENT + NOISE;
        assert!(peak <= bound, "depth {depth}: peak {peak} of {bound} bytes");
    }
}

#[test]
fn dropped_queues_give_everything_back() {
    let _alone = alone();
    catch_up();
    let ((), left) = growth(|| {
        for i in 0..300u64 {
            let queue = BandQueue::new(8);
            for n in 0..i * 10 {
                queue.push(b((n % 8) as u8), n).unwrap();
            }
            for _ in 0..i * 5 {
                queue.pop();
            }
            drop(queue);
            let (tx, rx) = bounded(8, 4_000);
            for n in 0..i * 10 {
                tx.try_send(b((n % 8) as u8), n).unwrap();
            }
            drop(rx);
        }
        catch_up();
    });
    assert!(left <= NOISE, "{left} bytes");
}

#[test]
fn dropped_channels_give_back_what_policies_lives_and_parts_of_the_bands_took() {
    let _alone = alone();
    catch_up();
    let ((), left) = growth(|| {
        for _ in 0..500 {
            let (tx, rx) = unbounded::<u64>(8);
            rx.set_policy(Policy::weighted([1; 8])).unwrap();
            rx.set_policy(Policy::weighted([2; 8])).unwrap();
            tx.try_send(b(1), 1).unwrap();
            tx.with_ttl(Duration::MAX).try_send(b(1), 2).unwrap();
            for band in 0..8 {
                drop(rx.within(b(0)..=b(band)));
            }
        }
        catch_up();
    });
    assert!(left <= NOISE, "{left} bytes");
}

/// A channel whose last receiver has gone holds no more than an empty one, though a sender lives.
#[test]
fn a_channel_without_receivers_gives_its_items_memory_back() {
    let _alone = alone();
    catch_up();
    let (tx, rx) = unbounded(1);
    let ((), left) = growth(|| {
        for _ in 0..2_000 {
            tx.try_send(b(0), vec![0u8; 1_000]).unwrap();
        }
        drop(rx);
        catch_up();
    });
    let bound = (2 + POOL) * 3 * SEGMENT + NOISE;
    assert!(left <= bound, "{left} of {bound} bytes");
}

#[test]
fn waiters_that_went_leave_nothing_behind() {
    let _alone = alone();
    let (tx, rx) = bounded(2, 1);
    tx.try_send(b(0), 0u64).unwrap();
    rx.try_recv().unwrap();
    let (waker, _) = counting_waker();
    let round = || {
        for n in 0..2_000 {
            let recv = Task::waiting(rx.recv());
            tx.try_send(b(0), n).unwrap();
            let send = Task::waiting(tx.send(b(0), n));
            let reserve = Task::waiting(tx.reserve(b(0)));
            drop((send, reserve, recv));
            rx.try_recv().unwrap();
            drop(tx.try_reserve(b(1)).unwrap());
            drop(Task::waiting(rx.closed()));
            let mut stream = rx.clone();
            assert!(poll_stream(&mut stream, &waker).is_pending());
        }
        for _ in 0..50 {
            assert!(rx.recv_timeout(Duration::from_micros(1)).is_err());
        }
    };
    round();
    let ((), left) = growth(round);
    assert!(left <= NOISE, "{left} bytes");
}

#[test]
fn a_batch_receive_reserves_for_what_it_takes_not_for_its_limit() {
    let _alone = alone();
    let (tx, rx) = unbounded(1);
    for n in 0..10u64 {
        tx.try_send(b(0), n).unwrap();
    }
    let mut buffer = Vec::new();
    let before = live();
    assert_eq!(Task::new(rx.recv_many(&mut buffer, usize::MAX)).ready(), 10);
    assert!(live() - before < NOISE);
    for n in 0..10 {
        tx.try_send(b(0), n).unwrap();
    }
    let _ = rx.try_recv_many(&mut buffer, usize::MAX);
    let queue = BandQueue::new(1);
    queue.push(b(0), 1u64).unwrap();
    assert_eq!(queue.pop_many(&mut buffer, usize::MAX), 1);
    assert_eq!(buffer.len(), 21);
    assert!(buffer.capacity() < 1_000, "{}", buffer.capacity());
}
