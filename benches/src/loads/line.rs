//! How far apart the processor's cores are: a cache line's way from one to the other. It says how
//! much two threads that write one word can do, whatever the queue.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// Nanoseconds one way: two threads write one word by turns.
pub fn one_way(turns: u64) -> f64 {
    let word = AtomicU64::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for me in 0..2 {
            let word = &word;
            scope.spawn(move || {
                for turn in (me..turns).step_by(2) {
                    while word
                        .compare_exchange_weak(turn, turn + 1, Ordering::AcqRel, Ordering::Relaxed)
                        .is_err()
                    {
                        spin_loop();
                    }
                }
            });
        }
    });
    begun.elapsed().as_nanos() as f64 / turns as f64
}
