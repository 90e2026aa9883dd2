//! Times in eight bytes: nanoseconds since a pool was made.

use crate::sync;
use std::time::{Duration, Instant};

/// Longer than any program runs, and yet far from any overflow.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// A time of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// So long after it.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(nanos(delay.min(FAR))))
    }

    /// How long it is after that one, if it is.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The same in nanoseconds.
    pub(crate) fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Exact up to 584 years.
fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_secs().saturating_mul(1_000_000_000);
    nanos.saturating_add(u64::from(duration.subsec_nanos()))
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { epoch: sync::now() }
    }

    #[inline]
    pub(crate) fn now(&self) -> Moment {
        Moment(nanos(sync::now().saturating_duration_since(self.epoch)))
    }

    pub(crate) fn start(&self) -> Moment {
        Moment(0)
    }

    /// For a timer.
    pub(crate) fn instant(&self, moment: Moment) -> Instant {
        let since = Duration::from_nanos(moment.0);
        self.epoch
            .checked_add(since.min(FAR + FAR))
            .unwrap_or(self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_as_far_apart_as_their_times() {
        let clock = Clock::new();
        let now = clock.now();
        let later = now.after(Duration::from_secs(5));
        assert_eq!(later.since(now), Duration::from_secs(5));
        assert_eq!(now.since(later), Duration::ZERO);
        assert_eq!(
            clock.instant(later) - clock.instant(now),
            Duration::from_secs(5)
        );
        assert!(now < later && later < now.after(Duration::MAX));
        assert!(clock.instant(now.after(Duration::MAX)) > clock.instant(later));
    }
}
