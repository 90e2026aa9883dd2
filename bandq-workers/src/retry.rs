//! When and how often what failed is tried again.

use crate::{quiet::quietly, sync::now};
use bandq::Band;
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// How what failed is tried again: exponential backoff with full jitter, so many attempts, and a
/// budget.
///
/// Without it a pool has the [`Default`]: 100 ms, doubled each time, at most 30 s, 5 attempts, no
/// budget.
///
/// ```
/// use bandq::Band;
/// use bandq_workers::Retry;
/// use std::time::Duration;
///
/// let retry = Retry::exponential(Duration::from_millis(100))
///     .factor(3.0)
///     .cap(Duration::from_secs(1))
///     .attempts(4)
///     .budget(0.2, 10)
///     .band(Band::new(7))
///     .transient(|error: &std::io::Error| error.kind() != std::io::ErrorKind::NotFound);
/// assert_eq!(retry.backoff(1), Duration::from_millis(100));
/// assert_eq!(retry.backoff(2), Duration::from_millis(300));
/// assert_eq!(retry.backoff(9), Duration::from_secs(1));
/// assert!(retry.delay(2) <= Duration::from_millis(300));
/// ```
pub struct Retry<E> {
    base: Duration,
    factor: f64,
    cap: Duration,
    pub(crate) attempts: u32,
    pub(crate) budget: Option<(f64, u32)>,
    pub(crate) band: Option<Band>,
    transient: Option<Test<E>>,
    failure: Option<Test<E>>,
}

type Test<E> = Arc<dyn Fn(&E) -> bool + Send + Sync>;

impl<E> Retry<E> {
    /// The first delay is at most `base`, and each further one at most twice the one before.
    pub fn exponential(base: Duration) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    /// Each delay is at most so many times the one before. What is not a number, or below 1, counts
    /// as 1: all delays are at most the first.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor.max(1.0); // `max` drops what is not a number
        self
    }

    /// No delay is longer than that; the least time of a
    /// [`RetryAfter`](crate::Outcome::RetryAfter) comes on top.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// How often an item is tried in all, the first time counted. 0 counts as 1. Panics and
    /// time limits use up attempts like errors.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// In any ten seconds there are at most `ratio` × first attempts + `reserve` retries. An item
    /// that would be one more is dead at once: while everything fails, retries would only add load.
    #[must_use]
    pub fn budget(mut self, ratio: f64, reserve: u32) -> Self {
        self.budget = Some((ratio.max(0.0), reserve));
        self
    }

    /// What failed goes on in that band, so that urgent work that fails takes nothing from urgent
    /// work that does not. A band that the channel does not have counts as its least urgent one.
    #[must_use]
    pub fn band(mut self, band: impl Into<Band>) -> Self {
        self.band = Some(band.into());
        self
    }

    /// Whether an error may be gone at the next attempt. If it says `false`, the item is dead at
    /// once. If it panics, the error counts as transient.
    #[must_use]
    pub fn transient(mut self, is: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.transient = Some(Arc::new(is));
        self
    }

    /// Whether an error is a failure at all. If it says `false`, the item is tried again after a
    /// delay, and no attempt is used up, none of the budget, and nothing is counted as failed: so
    /// the delay does not grow, and that may go on for ever. If it panics, the error is a failure.
    #[must_use]
    pub fn failure(mut self, is: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.failure = Some(Arc::new(is));
        self
    }

    /// The longest delay after that many failed attempts.
    #[must_use]
    pub fn backoff(&self, failed: u32) -> Duration {
        if self.base.is_zero() {
            return self.base; // times what may be infinite
        }
        let exponent = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.base.as_secs_f64() * self.factor.powi(exponent);
        Duration::try_from_secs_f64(seconds).map_or(self.cap, |delay| delay.min(self.cap))
    }

    /// A delay after that many failed attempts: any from zero to [`backoff`](Self::backoff), each
    /// as likely as any other, so that what failed at one instant does not come back at one.
    #[must_use]
    pub fn delay(&self, failed: u32) -> Duration {
        self.backoff(failed).mul_f64(fastrand::f64())
    }

    pub(crate) fn is_transient(&self, error: &E) -> bool {
        says(self.transient.as_ref(), error)
    }

    pub(crate) fn is_failure(&self, error: &E) -> bool {
        says(self.failure.as_ref(), error)
    }
}

/// True if it is not asked for, or panics.
fn says<E>(test: Option<&Test<E>>, error: &E) -> bool {
    test.is_none_or(|test| quietly(|| test(error)).unwrap_or(true))
}

impl<E> Default for Retry<E> {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            factor: 2.0,
            cap: Duration::from_secs(30),
            attempts: 5,
            budget: None,
            band: None,
            transient: None,
            failure: None,
        }
    }
}

impl<E> Clone for Retry<E> {
    fn clone(&self) -> Self {
        Self {
            transient: self.transient.clone(),
            failure: self.failure.clone(),
            ..*self
        }
    }
}

impl<E> fmt::Debug for Retry<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("base", &self.base)
            .field("factor", &self.factor)
            .field("cap", &self.cap)
            .field("attempts", &self.attempts)
            .field("budget", &self.budget)
            .field("band", &self.band)
            .finish_non_exhaustive()
    }
}

/// So many seconds are looked back at. Of the oldest, a part of which is no longer than that ago,
/// the retries count and the first attempts do not: so there are never too many retries.
const WINDOW: usize = 11;

/// First attempts and retries of the last seconds.
pub(crate) struct Budget {
    ratio: f64,
    reserve: u32,
    began: Instant,
    /// The second that was counted last.
    now: u64,
    seconds: [(u32, u32); WINDOW],
}

impl Budget {
    pub(crate) fn new((ratio, reserve): (f64, u32)) -> Self {
        Self {
            ratio,
            reserve,
            began: now(),
            now: 0,
            seconds: [(0, 0); WINDOW],
        }
    }

    /// The counts of this second, when those that are too old are gone.
    fn second(&mut self) -> &mut (u32, u32) {
        let now = now().saturating_duration_since(self.began).as_secs();
        let gone = (now - self.now).min(WINDOW as u64);
        for second in now + 1 - gone..=now {
            self.seconds[(second % WINDOW as u64) as usize] = (0, 0);
        }
        self.now = now;
        &mut self.seconds[(now % WINDOW as u64) as usize]
    }

    pub(crate) fn first(&mut self) {
        self.second().0 += 1;
    }

    /// Whether there may be one more retry, which is counted then.
    pub(crate) fn retry(&mut self) -> bool {
        self.second();
        let oldest = ((self.now + 1) % WINDOW as u64) as usize;
        let mut firsts = 0.0;
        let mut retries = 0.0;
        for (n, second) in self.seconds.iter().enumerate() {
            if n != oldest {
                firsts += f64::from(second.0);
            }
            retries += f64::from(second.1);
        }
        let may = retries + 1.0 <= firsts * self.ratio + f64::from(self.reserve);
        if may {
            self.second().1 += 1;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_any_up_to_the_backoff() {
        let retry = Retry::<()>::exponential(Duration::from_secs(1)).attempts(9);
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let delay = retry.delay(1).as_secs_f64();
            tenths[((delay * 10.0) as usize).min(9)] += 1;
        }
        assert!(tenths.iter().all(|n| (700..1300).contains(n)), "{tenths:?}");
    }

    #[test]
    fn no_number_overflows() {
        let retry = Retry::<()>::exponential(Duration::MAX).factor(f64::INFINITY);
        assert_eq!(retry.backoff(u32::MAX), Duration::from_secs(30));
        let retry = Retry::<()>::exponential(Duration::MAX).cap(Duration::MAX);
        assert!(retry.delay(1) <= Duration::MAX);
        let nan = Retry::<()>::exponential(Duration::from_secs(1)).factor(f64::NAN);
        assert_eq!(nan.backoff(5), Duration::from_secs(1));
    }

    #[test]
    fn the_budget_is_a_share_of_the_first_attempts_and_a_reserve() {
        let mut budget = Budget::new((0.2, 3));
        assert_eq!((0..100).filter(|_| budget.retry()).count(), 3);
        for _ in 0..50 {
            budget.first();
        }
        assert_eq!((0..100).filter(|_| budget.retry()).count(), 10);
    }

    #[test]
    fn in_any_ten_seconds_there_are_no_more_retries_than_that() {
        let mut budget = Budget::new((1.0, 3));
        let mut retries_after = |millis| {
            budget.began = now() - Duration::from_millis(millis);
            (0..100).filter(|_| budget.retry()).count()
        };
        assert_eq!(retries_after(900), 3);
        assert_eq!(retries_after(10_000), 0); // 9.1 seconds later
        assert_eq!(retries_after(11_000), 3);
        budget.first();
        budget.began = now() - Duration::from_millis(21_000);
        assert!(!budget.retry()); // what began longer ago allows none
    }
}
