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
    use crate::policy::{
        Rule,
        estimate::{Queued, estimate, is_late},
        simulation::random,
    };
    use std::{
        cmp::Reverse,
        collections::{BinaryHeap, VecDeque},
    };

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

    const WORKERS: usize = 4;
    /// The mean work of an item, and the life of each, in nanoseconds.
    const WORK: u64 = 1_000_000;
    const LIFE: u64 = 50 * WORK;
    const OFFERED: usize = 40_000;

    /// Workers of a strict channel whose items expire, in simulated time.
    struct Load {
        refuses: bool,
        pace: Pace,
        now: u64,
        /// When the items of each band expire, the oldest first.
        bands: Vec<VecDeque<u64>>,
        /// When each worker is free, the first first.
        workers: BinaryHeap<Reverse<u64>>,
        admitted: usize,
        /// Of the admitted ones, those that a worker began in time.
        started: usize,
        /// Of the admitted ones, those that were thrown away after queueing.
        expired: usize,
        /// The longest that a started one has waited.
        longest: u64,
    }

    impl Load {
        /// Twice as much as the workers can do is sent, to the bands by turns, and then what was
        /// admitted is received to the end.
        fn run(bands: usize, refuses: bool) -> Self {
            let mut load = Self {
                refuses,
                pace: Pace::new(bands),
                now: 0,
                bands: vec![VecDeque::new(); bands],
                workers: (0..WORKERS).map(|_| Reverse(0)).collect(),
                admitted: 0,
                started: 0,
                expired: 0,
                longest: 0,
            };
            let mut random = random();
            let mut about = |mean| random() % (2 * mean + 1);
            let mut next = 0;
            for n in 0..OFFERED {
                next += about(WORK / WORKERS as u64 / 2);
                load.receive_until(next, || about(WORK));
                load.now = next;
                load.send(n % bands);
            }
            load.receive_until(u64::MAX, || about(WORK));
            load
        }

        /// As the channel estimates it, and refuses by it.
        fn would_be_late(&self, band: usize) -> bool {
            let queued = self.bands.iter().enumerate().map(|(band, items)| Queued {
                len: items.len(),
                share: self.pace.share(band),
                ..Queued::default()
            });
            let queued: Vec<_> = queued.collect();
            is_late(estimate(Rule::Strict, band, &queued, self.pace.gap()), LIFE)
        }

        fn send(&mut self, band: usize) {
            if !(self.refuses && self.would_be_late(band)) {
                self.admitted += 1;
                self.bands[band].push_back(self.now + LIFE);
            }
        }

        /// All receives up to that time, each by the first worker that is free.
        fn receive_until(&mut self, until: u64, mut work: impl FnMut() -> u64) {
            while let Some(&Reverse(free)) = self.workers.peek() {
                let now = self.now.max(free);
                let band = self.bands.iter().position(|items| !items.is_empty());
                let (Some(band), true) = (band, now <= until) else {
                    return;
                };
                self.now = now;
                let expires = self.bands[band].pop_front().unwrap();
                if expires <= now {
                    self.expired += 1;
                    continue;
                }
                self.started += 1;
                self.longest = self.longest.max(now + LIFE - expires);
                let left_some = self.bands.iter().any(|items| !items.is_empty());
                self.pace.received(band, now.max(1), left_some);
                self.workers.pop();
                self.workers.push(Reverse(now + work()));
            }
        }

        /// A part of what was admitted.
        fn part(&self, of_it: usize) -> f64 {
            of_it as f64 / self.admitted as f64
        }
    }

    #[test]
    fn of_what_is_admitted_by_estimate_nearly_all_starts_in_time() {
        for bands in [1, 4] {
            let [plain, refusing] = [false, true].map(|refuses| Load::run(bands, refuses));
            for load in [&plain, &refusing] {
                assert_eq!(load.started + load.expired, load.admitted);
                // No more is refused than has to be: they are hardly ever idle, and some wait long.
                let all_they_can = (OFFERED / 2) as f64;
                assert!(
                    load.started as f64 > 0.95 * all_they_can,
                    "{}",
                    load.started
                );
                assert!(load.longest > LIFE / 2, "{}", load.longest);
            }
            // Half of what is offered cannot be done.
            let thrown_away = plain.part(plain.expired);
            assert!(
                (0.45..=0.55).contains(&thrown_away),
                "no overload: {thrown_away}"
            );
            // So at least 95 % of it start in time.
            assert!(refusing.part(refusing.expired) < 0.05);
        }
    }
}
