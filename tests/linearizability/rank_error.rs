//! The rank error, measured, and that the measure notices a queue without priority.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bandq::BandQueue;

use crate::histories;
use crate::queue::Queue;
use crate::rank::{RANK_BANDS, Spread, ranks, run_receivers};
use crate::support::{Watchdog, XorShift, b};

#[test]
fn rank_error_is_0_with_one_receiver_and_always_excused_with_more() {
    let _watchdog =
        Watchdog::with_limit("rank_error", Duration::from_secs(120 + histories() / 100));
    let items = (histories() as usize * 4).clamp(4_000, 400_000);
    println!("receivers | at begin p50 p99 max | passed over p50 p99 max | delay p50 p99 max");
    for receivers in [1, 2, 4, 8] {
        let queue = BandQueue::new(RANK_BANDS);
        let log = run_receivers(&queue, receivers, items, receivers as u64);
        let ranks = ranks(&log);
        let show = |s: &Spread| format!("{} {} {}", s.0, s.1, s.2);
        println!(
            "{receivers} | {} | {} | {}",
            show(&ranks.at_begin),
            show(&ranks.passed_over),
            show(&ranks.delay)
        );
        if receivers == 1 {
            assert_eq!(ranks.at_begin.2, 0, "a more urgent item was there");
        }
        assert_eq!(ranks.inexcusable, 0, "with {receivers} receivers");
    }
}

/// A queue that takes from its bands in turns: what the measure is to notice.
struct InTurns([Mutex<VecDeque<u32>>; RANK_BANDS], AtomicUsize);

impl Queue for InTurns {
    fn push(&self, band: u8, item: u32) {
        self.0[usize::from(band)].lock().unwrap().push_back(item);
    }

    fn pop(&self) -> Option<(u8, u32)> {
        let first = self.1.fetch_add(1, Ordering::Relaxed);
        (0..RANK_BANDS).find_map(|n| {
            let band = (first + n) % RANK_BANDS;
            let item = self.0[band].lock().unwrap().pop_front()?;
            Some((band as u8, item))
        })
    }
}

#[test]
fn control_a_queue_without_priority_has_a_rank_error_without_excuse() {
    let _watchdog = Watchdog::new("rank_error_control");
    for receivers in [1, 4] {
        let queue = InTurns(Default::default(), AtomicUsize::new(0));
        let ranks = ranks(&run_receivers(&queue, receivers, 4_000, 1));
        assert!(ranks.at_begin.2 > 0 && ranks.passed_over.2 > 0 && ranks.delay.2 > 0);
        assert!(ranks.inexcusable > 0);
    }
}

/// Items taken in batches are of one receive each: with one receiver the rank error is 0 as well.
#[test]
fn rank_error_of_batches_is_0_with_one_receiver() {
    let _watchdog = Watchdog::new("rank_error_of_batches");
    const ITEMS: usize = 10_000;
    let queue = BandQueue::new(RANK_BANDS);
    let pushed: [AtomicU64; RANK_BANDS] = Default::default();
    let mut got = [0; RANK_BANDS];
    thread::scope(|s| {
        let (queue, pushed) = (&queue, &pushed);
        s.spawn(move || {
            let mut rng = XorShift::new(1);
            let mut left = ITEMS;
            while left > 0 {
                let run = left.min(rng.below(50) as usize + 1);
                let band = rng.below(RANK_BANDS as u64) as usize;
                queue.push_many(b(band as u8), 0..run).unwrap();
                pushed[band].fetch_add(run as u64, Ordering::SeqCst);
                left -= run;
            }
        });
        let mut total = 0;
        let mut rng = XorShift::new(2);
        let mut out = Vec::new();
        while total < ITEMS {
            let there: Vec<u64> = pushed.iter().map(|n| n.load(Ordering::SeqCst)).collect();
            out.clear();
            total += queue.pop_many(&mut out, rng.below(100) as usize + 1);
            for &(band, _) in &out {
                for i in 0..band.index() {
                    assert!(got[i] >= there[i], "a more urgent item was there");
                }
                got[band.index()] += 1;
            }
            if out.is_empty() {
                thread::yield_now();
            }
        }
    });
}
