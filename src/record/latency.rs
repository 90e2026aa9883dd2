//! Times as histograms.
//!
//! The histogram is the crate `histogram`'s atomic one: an array of counters whose widths grow with
//! the value, one relaxed addition a time. `hdrhistogram`, the other well-kept one, has no way to
//! record from several threads without a lock or a recorder for each thread, and its newest
//! releases need a later Rust than bandq's. With 2⁶ counters for each power of two a time is off by
//! 1/64 at the most, below 1.6 %; up to 2⁴⁴ ns, almost five hours, that takes 2,496 counters, 19.5
//! KiB, allocated with the first time that is recorded. Longer ones count as the last.

use crate::{
    once::OnceBox,
    sync::atomic::{AtomicU64, Ordering},
};
use core::fmt;
use histogram::{AtomicHistogram, Config, Histogram};
use std::time::Duration;

/// 2 to this power counters for each power of two.
const GROUPING_POWER: u8 = 6;

/// Times of up to 2 to this power, in nanoseconds, are told from each other.
const MAX_VALUE_POWER: u8 = 44;

const LONGEST: u64 = (1 << MAX_VALUE_POWER) - 1;

fn config() -> Config {
    Config::new(GROUPING_POWER, MAX_VALUE_POWER).expect("both constants fit")
}

/// Records times.
pub(crate) struct Recorder {
    histogram: OnceBox<AtomicHistogram>,
    /// The longest, as it was.
    max: AtomicU64,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            histogram: OnceBox::new(),
            max: AtomicU64::new(0),
        }
    }

    /// Records a time in nanoseconds.
    #[inline]
    pub(super) fn record(&self, nanos: u64) {
        let histogram = self
            .histogram
            .get_or_init(|| AtomicHistogram::with_config(&config()));
        // Relaxed, both: numbers, which order nothing. The load spares the write nearly always.
        // Before the addition, so that a look in between finds no time that is longer.
        if nanos > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(nanos, Ordering::Relaxed);
        }
        let recorded = histogram.increment(nanos.min(LONGEST));
        debug_assert!(recorded.is_ok(), "no longer than the longest");
    }

    pub(super) fn load(&self) -> Latencies {
        let histogram = self.histogram.get().map(AtomicHistogram::load);
        Latencies {
            count: count(histogram.as_ref()),
            histogram,
            max: self.max.load(Ordering::Relaxed),
        }
    }
}

/// How long things took: a part of a [`Snapshot`](crate::Snapshot).
///
/// Times of up to 4.8 hours are exact to within 1/64, less than 1.6 %, and longer ones count as
/// that; [`max`](Self::max) is exact.
///
/// ```
/// # use bandq::{Band, Builder};
/// # use std::{thread::sleep, time::Duration};
/// let (sender, receiver) = Builder::new(1).observe().build()?;
/// sender.try_send(Band::URGENT, "an item")?;
/// sleep(Duration::from_millis(5));
/// receiver.try_recv()?;
/// let waits = &receiver.snapshot().bands[0].get;
/// assert_eq!(waits.count(), 1);
/// assert!(waits.quantile(0.99) >= Some(Duration::from_millis(5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Latencies {
    /// If there is any time.
    histogram: Option<Histogram>,
    count: u64,
    /// In nanoseconds.
    max: u64,
}

impl Latencies {
    /// With so many times of nothing more.
    pub(super) fn with_zeros(mut self, zeros: u64) -> Self {
        if zeros > 0 {
            let histogram = self
                .histogram
                .get_or_insert_with(|| Histogram::with_config(&config()));
            let added = histogram.add(0, zeros);
            debug_assert!(added.is_ok(), "zero is no longer than the longest");
            self.count += zeros;
        }
        self
    }

    /// How many there were.
    ///
    /// ```
    /// let (_, receiver) = bandq::Builder::<u32>::new(1).observe().build()?;
    /// assert_eq!(receiver.snapshot().bands[0].get.count(), 0);
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean, off by less than 1 %; `None` if there was none.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// let (sender, receiver) = Builder::new(1).observe().build()?;
    /// assert_eq!(sender.snapshot().bands[0].get.mean(), None);
    /// sender.try_send(Band::URGENT, "an item")?;
    /// receiver.try_recv()?;
    /// let waits = &sender.snapshot().bands[0].get;
    /// assert!(waits.mean() > None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| nanos(self.sum_of_nanos() / self.count as f64))
    }

    /// Their sum, off by less than 1 %.
    ///
    /// ```
    /// # use std::time::Duration;
    /// assert_eq!(bandq::Latencies::default().sum(), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn sum(&self) -> Duration {
        nanos(self.sum_of_nanos())
    }

    fn sum_of_nanos(&self) -> f64 {
        // Each as the middle of its counter.
        let of = |(first, last, count): (u64, u64, u64)| (first + last) as f64 / 2.0 * count as f64;
        self.buckets().map(of).sum()
    }

    /// The longest; `None` if there was none.
    ///
    /// ```
    /// assert_eq!(bandq::Latencies::default().max(), None);
    /// ```
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.max))
    }

    /// The time that this part of all took at the most, 0.99 for the 99th percentile. `None` if
    /// there was none, or the part is not between 0 and 1. Looks at 2,496 counters.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// let (sender, receiver) = Builder::new(1).observe().build()?;
    /// for _ in 0..100 {
    ///     sender.try_send(Band::URGENT, ())?;
    ///     receiver.try_recv()?;
    /// }
    /// let waits = &receiver.snapshot().bands[0].get;
    /// assert!(waits.quantile(0.5) <= waits.quantile(0.99));
    /// assert_eq!(waits.quantile(1.0), waits.max());
    /// assert_eq!(waits.quantile(99.0), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        if !(0.0..=1.0).contains(&part) || self.count == 0 {
            return None;
        }
        let rank = ((self.count as f64 * part).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        let bucket = self.buckets().find(|(_, _, count)| {
            seen += count;
            seen >= rank
        });
        let last = bucket.map_or(self.max, |(_, last, _)| match last {
            LONGEST if rank == self.count => self.max,
            last => last,
        });
        Some(Duration::from_nanos(last.min(self.max)))
    }

    /// How many took at most so long: those whose counter ends there or before.
    #[cfg(feature = "prometheus")]
    pub(crate) fn count_up_to(&self, nanos: u64) -> u64 {
        let buckets = self.buckets().take_while(|(_, last, _)| *last <= nanos);
        buckets.map(|(_, _, count)| count).sum()
    }

    /// Those that were not there yet in an earlier one of the same band: the times of the last
    /// second, say. Of the longest, its counter is known, so [`max`](Self::max) is off by up to
    /// 1.6 %.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// # use std::{thread::sleep, time::Duration};
    /// let (sender, receiver) = Builder::new(1).observe().build()?;
    /// sender.try_send(Band::URGENT, "one that waits")?;
    /// sleep(Duration::from_millis(20));
    /// receiver.try_recv()?;
    /// let before = receiver.snapshot().bands[0].get.clone();
    /// sender.try_send(Band::URGENT, "and one that does not")?;
    /// receiver.try_recv()?;
    /// let since = receiver.snapshot().bands[0].get.since(&before);
    /// assert_eq!(since.count(), 1);
    /// assert!(since.max() < before.max());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let (Some(now), Some(before)) = (&self.histogram, &earlier.histogram) else {
            return self.clone();
        };
        // Of another band there may be more; then there is nothing to tell.
        let histogram = now.checked_sub(before).ok();
        let mut since = Self {
            count: count(histogram.as_ref()),
            histogram,
            max: 0,
        };
        if since.count == 0 {
            return Self::default();
        }
        let longest = since.buckets().last().map_or(0, |(_, last, _)| last);
        since.max = longest.min(self.max);
        since
    }

    /// How many took longer than that, for certain.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn count_at_least(&self, time: Duration) -> u64 {
        let nanos = crate::clock::nanos(time);
        let longer = self.buckets().filter(|(first, ..)| *first > nanos);
        longer.map(|(.., count)| count).sum()
    }

    /// The least time that the longest may have been; `None` if there was none.
    pub(crate) fn longest_at_least(&self) -> Option<Duration> {
        let (first, ..) = self.buckets().last()?;
        Some(Duration::from_nanos(first))
    }

    /// The counters that are not 0: from and up to how many nanoseconds, and how many.
    fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        let all = self.histogram.iter().flat_map(Histogram::iter);
        all.filter(|bucket| bucket.count() > 0)
            .map(|bucket| (bucket.start(), bucket.end(), bucket.count()))
    }
}

#[cfg(test)]
impl Latencies {
    /// Those of these times, in nanoseconds.
    pub(crate) fn of(times: impl IntoIterator<Item = u64>) -> Self {
        let recorder = Recorder::new();
        times.into_iter().for_each(|time| recorder.record(time));
        recorder.load()
    }
}

fn count(histogram: Option<&Histogram>) -> u64 {
    histogram.map_or(0, |histogram| histogram.as_slice().iter().sum())
}

fn nanos(nanos: f64) -> Duration {
    Duration::from_nanos(nanos as u64) // which saturates
}

impl fmt::Debug for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latencies")
            .field("count", &self.count)
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("max", &self.max())
            .finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Latencies {
    /// As numbers, in seconds.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let mut all = serializer.serialize_struct("Latencies", 6)?;
        all.serialize_field("count", &self.count)?;
        all.serialize_field("mean", &seconds(self.mean()))?;
        all.serialize_field("p50", &seconds(self.quantile(0.5)))?;
        all.serialize_field("p99", &seconds(self.quantile(0.99)))?;
        all.serialize_field("p999", &seconds(self.quantile(0.999)))?;
        all.serialize_field("max", &seconds(self.max()))?;
        all.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_within_1_6_percent_from_100_ns_to_100_s() {
        let mut time = 100;
        while time <= 100_000_000_000 {
            for time in [time - 1, time, time + time / 3, time + time / 7] {
                // Of three, the middle one.
                let times = Latencies::of([time, 1, 130_000_000_000]);
                let found = times.quantile(0.5).unwrap().as_nanos() as f64;
                let error = (found - time as f64).abs() / time as f64;
                assert!(error <= 0.016, "{time} ns came out as {found}");
            }
            time = time * 21 / 20;
        }
    }

    #[test]
    fn quantiles_are_ranks() {
        let times = Latencies::of((1..=100).map(|n| n * 1_000_000));
        for (part, expected) in [(0.0, 1), (0.01, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            let found = times.quantile(part).unwrap().as_secs_f64() * 1e3;
            assert!(
                (found / expected as f64 - 1.0).abs() < 0.016,
                "{part}: {found} ms"
            );
        }
        assert_eq!(times.max(), Some(Duration::from_millis(100)));
        let mean = times.mean().unwrap().as_secs_f64() * 1e3;
        assert!((mean / 50.5 - 1.0).abs() < 0.01, "{mean} ms");
        for part in [-0.1, 1.1, f64::NAN] {
            assert_eq!(times.quantile(part), None);
        }
    }

    #[test]
    fn what_is_longer_than_the_longest_counts_as_it_and_the_maximum_is_exact() {
        let times = Latencies::of([36_000_000_000_000]);
        assert_eq!(times.max(), Some(Duration::from_secs(36_000)));
        assert_eq!(times.quantile(0.5), Some(Duration::from_secs(36_000)));
    }

    #[test]
    fn of_several_that_are_longer_than_the_longest_only_the_last_is_the_maximum() {
        let times = Latencies::of([20_000_000_000_000, 36_000_000_000_000]);
        assert_eq!(times.quantile(0.5), Some(Duration::from_nanos(LONGEST)));
        assert_eq!(times.quantile(1.0), Some(Duration::from_secs(36_000)));
    }

    #[test]
    fn of_no_times_there_is_no_mean_no_longest_and_no_quantile() {
        let none = Latencies::default();
        let all = [
            none.mean(),
            none.max(),
            none.longest_at_least(),
            none.quantile(1.0),
        ];
        assert_eq!(
            (all, none.count(), none.sum()),
            ([None; 4], 0, Duration::ZERO)
        );
    }

    #[test]
    #[cfg(not(target_family = "wasm"))]
    fn a_time_that_is_just_the_limit_took_no_longer() {
        let times = Latencies::of([99, 100, 101]); // each has its own counter
        let longer = |nanos| times.count_at_least(Duration::from_nanos(nanos));
        assert_eq!([98, 99, 100, 101].map(longer), [3, 2, 1, 0]);
    }

    #[test]
    fn hours_are_told_from_each_other() {
        assert!(Latencies::of([600_000_000_000]).mean() > Some(Duration::from_secs(590)));
        let times =
            Latencies::of([[140_000_000_000; 99].as_slice(), &[7_200_000_000_000]].concat());
        assert!(times.quantile(0.5) < Some(Duration::from_secs(150)));
    }

    #[test]
    fn since_is_what_came_between() {
        let recorder = Recorder::new();
        (0..100).for_each(|_| recorder.record(1_000_000_000));
        let before = recorder.load();
        assert_eq!(before.since(&before), Latencies::default());
        assert_eq!(before.since(&before).quantile(0.5), None);
        (0..10).for_each(|_| recorder.record(1_000));
        let since = recorder.load().since(&before);
        assert_eq!(since.count(), 10);
        assert!(since.max() < Some(Duration::from_nanos(1_017)));
        assert!(since.longest_at_least() > Some(Duration::from_nanos(983)));
        assert_eq!(
            recorder.load().since(&Latencies::default()),
            recorder.load()
        );
        // Of another band: nothing, and no panic.
        assert_eq!(before.since(&Latencies::of([5; 200])).count(), 0);
    }

    #[test]
    fn zeros_are_times_of_nothing() {
        let times = Latencies::of([1_000_000]).with_zeros(99);
        assert_eq!(times.count(), 100);
        assert_eq!(times.quantile(0.99), Some(Duration::ZERO));
        assert_eq!(times.max(), Some(Duration::from_millis(1)));
        assert_eq!(Latencies::of([]).with_zeros(0), Latencies::default());
    }
}
