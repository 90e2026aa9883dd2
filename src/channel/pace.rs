//! How fast things are received: what an estimate of a wait goes by.
//!
//! Measured is the time from one receive to the next where the first left something behind, so that
//! it says how fast the receivers are and not how much there is to do; and how the receives are
//! spread over the bands. Both are decaying means: after [`WINDOW`] receives all sums are halved.
//! They are kept in relaxed words, each for itself: an update that is lost or counted twice shifts
//! a mean by a part in hundreds.

use crate::sync::atomic::{AtomicU64, Ordering};

/// Receives after which what was measured counts half.
const WINDOW: u64 = 512;

/// The fewest gaps that a mean is made of.
const ENOUGH: u64 = 16;

pub(super) struct Pace {
    /// When the last receive was, if it left something behind; else 0.
    last: AtomicU64,
    gaps: AtomicU64,
    /// Their sum, in nanoseconds.
    time: AtomicU64,
    received: AtomicU64,
    by_band: Box<[AtomicU64]>,
}

impl Pace {
    pub(super) fn new(bands: usize) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            last: zero(),
            gaps: zero(),
            time: zero(),
            received: zero(),
            by_band: (0..bands).map(|_| zero()).collect(),
        }
    }

    /// An item of a band was received at `now`, which is not 0, and something was left behind, or
    /// not.
    pub(super) fn received(&self, band: usize, now: u64, left_some: bool) {
        let last = self
            .last
            .swap(if left_some { now } else { 0 }, Ordering::Relaxed);
        if last != 0 {
            self.gaps.fetch_add(1, Ordering::Relaxed);
            self.time
                .fetch_add(now.saturating_sub(last), Ordering::Relaxed);
        }
        self.by_band[band].fetch_add(1, Ordering::Relaxed);
        let received = self.received.fetch_add(1, Ordering::Relaxed) + 1;
        if received >= WINDOW {
            self.halve(received);
        }
    }

    #[cold]
    fn halve(&self, received: u64) {
        // Relaxed: one of those who come here at once does it.
        let mine = self.received.compare_exchange(
            received,
            received / 2,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if mine.is_ok() {
            for sum in [&self.gaps, &self.time].into_iter().chain(&self.by_band) {
                let half = sum.load(Ordering::Relaxed) / 2;
                sum.fetch_sub(half, Ordering::Relaxed);
            }
        }
    }

    /// The mean time from receive to receive, in nanoseconds; `None` if too few were seen.
    pub(super) fn gap(&self) -> Option<f64> {
        let gaps = self.gaps.load(Ordering::Relaxed);
        (gaps >= ENOUGH).then(|| self.time.load(Ordering::Relaxed) as f64 / gaps as f64)
    }

    /// A band's part of the receives.
    pub(super) fn share(&self, band: usize) -> f64 {
        let all = self.received.load(Ordering::Relaxed).max(1);
        (self.by_band[band].load(Ordering::Relaxed) as f64 / all as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_is_that_between_receives_that_leave_something_behind() {
        let pace = Pace::new(2);
        assert_eq!(pace.gap(), None);
        for n in 1..=1_000 {
            let now = n * 1_000_000;
            pace.received(0, now, true); // busy: 100 ns a receive
            pace.received(1, now + 100, false); // then idle
        }
        assert_eq!(pace.gap(), Some(100.0));
        assert!((pace.share(0) - 0.5).abs() < 0.01);
    }

    #[test]
    fn what_was_measured_long_ago_counts_for_little() {
        let pace = Pace::new(1);
        let mut now = 1;
        for gap in [1_000, 10] {
            for _ in 0..10 * WINDOW {
                now += gap;
                pace.received(0, now, true);
            }
        }
        assert!(pace.gap().unwrap() < 11.0);
    }
}
