//! What a look at the clock takes.

use std::hint::black_box;
use std::time::Instant;

/// Nanoseconds for one.
pub fn looks(looks: u64) -> f64 {
    let begun = Instant::now();
    for _ in 0..looks {
        black_box(Instant::now());
    }
    begun.elapsed().as_nanos() as f64 / looks as f64
}
