//! Run times as a histogram.
//!
//! `bandq::Latencies` cannot be filled from outside of `bandq`, so this is a second, smaller one,
//! on the same crate. It is written under the pool's lock, so its counters need not be atomic.

use histogram::{Config, Histogram};
use std::{fmt, time::Duration};

/// 2 to this power counters for each power of two.
const GROUPING_POWER: u8 = 5;

/// Times of up to 2 to this power, in nanoseconds, are told from each other.
const MAX_VALUE_POWER: u8 = 44;

const LONGEST: u64 = (1 << MAX_VALUE_POWER) - 1;

/// How long handlers ran: of the attempts of one band, however they ended.
///
/// Times of up to 4.8 hours are exact to within 1/32, about 3 %, and longer ones count as that;
/// [`max`](Self::max) is exact. They take some 10 KiB, from the first attempt on.
///
/// ```
/// # use bandq::Band;
/// # use bandq_workers::{Job, Workers};
/// # use std::{thread::sleep, time::Duration};
/// # futures_lite::future::block_on(async {
/// # let (sender, receiver) = bandq::unbounded(2);
/// # sender.send(Band::URGENT, 1).await.unwrap();
/// # drop(sender);
/// let workers = Workers::new(receiver);
/// let report = workers.run(|_job: Job<u32>| async { sleep(Duration::from_millis(5)) });
/// let times = &report.await.bands[0].times;
/// assert_eq!(times.count(), 1);
/// assert!(times.quantile(0.99) >= Some(Duration::from_millis(5)));
/// # });
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RunTimes {
    /// If there is any time.
    histogram: Option<Histogram>,
    count: u64,
    /// In nanoseconds, as are all.
    max: u64,
    sum: u64,
}

impl RunTimes {
    #[inline]
    pub(crate) fn record(&mut self, nanos: u64) {
        let histogram = self.histogram.get_or_insert_with(|| {
            let config = Config::new(GROUPING_POWER, MAX_VALUE_POWER);
            Histogram::with_config(&config.expect("both constants fit"))
        });
        let recorded = histogram.increment(nanos.min(LONGEST));
        debug_assert!(recorded.is_ok(), "no longer than the longest");
        self.count += 1;
        self.max = self.max.max(nanos);
        self.sum = self.sum.saturating_add(nanos);
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum, exact up to 584 years.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// Their mean; `None` if there was none.
    ///
    /// ```
    /// assert_eq!(bandq_workers::RunTimes::default().mean(), None);
    /// ```
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let mean = self.sum.checked_div(self.count)?;
        Some(Duration::from_nanos(mean))
    }

    /// The longest; `None` if there was none.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.max))
    }

    /// The time that this part of all took at the most, 0.99 for the 99th percentile. `None` if
    /// there was none, or the part is not between 0 and 1. Looks at all counters.
    ///
    /// ```
    /// assert_eq!(bandq_workers::RunTimes::default().quantile(0.99), None);
    /// ```
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        if !(0.0..=1.0).contains(&part) || self.count == 0 {
            return None;
        }
        let rank = ((self.count as f64 * part).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        let bucket = self.buckets().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        let last = match bucket {
            Some((last, _)) if last < LONGEST => last.min(self.max),
            _ => self.max,
        };
        Some(Duration::from_nanos(last))
    }

    /// How many took at most so many nanoseconds: those whose counter ends there or before.
    #[cfg(feature = "prometheus")]
    pub(crate) fn count_up_to(&self, nanos: u64) -> u64 {
        let buckets = self.buckets().take_while(|(last, _)| *last <= nanos);
        buckets.map(|(_, count)| count).sum()
    }

    /// The counters that are not 0: up to how many nanoseconds, and how many.
    fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let all = self.histogram.iter().flat_map(Histogram::iter);
        all.filter(|bucket| bucket.count() > 0)
            .map(|bucket| (bucket.end(), bucket.count()))
    }
}

impl fmt::Debug for RunTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunTimes")
            .field("count", &self.count)
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("max", &self.max())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_within_a_thirty_second() {
        let mut time = 100;
        while time <= 10_000_000_000_000 {
            let mut times = RunTimes::default();
            for time in [1, time, 13_000_000_000_000] {
                times.record(time);
            }
            let found = times.quantile(0.5).unwrap().as_nanos() as f64;
            let error = (found - time as f64).abs() / time as f64;
            assert!(error <= 1.0 / 32.0, "{time} ns came out as {found}");
            time = time * 21 / 20;
        }
    }

    #[test]
    fn what_is_longer_than_the_longest_is_known_as_the_longest() {
        let mut times = RunTimes::default();
        for time in [1_000, u64::MAX / 4, u64::MAX] {
            times.record(time);
        }
        let longest = Some(Duration::from_nanos(u64::MAX));
        assert_eq!((times.count(), times.max()), (3, longest));
        assert_eq!(times.quantile(1.0), longest);
        assert_eq!(times.quantile(1.5), None);
        assert!(times.quantile(0.0) < Some(Duration::from_nanos(1_032)));
    }
}
