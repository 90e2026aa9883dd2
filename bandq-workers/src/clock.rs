//! Times in eight bytes: nanoseconds since a pool was made, for what is kept of each item.

use std::time::{Duration, Instant};

/// A time of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            epoch: Instant::now(),
        }
    }

    /// That time; the last moment, if it is more than 584 years away.
    pub(crate) fn moment(&self, at: Instant) -> Moment {
        let since = at.saturating_duration_since(self.epoch);
        Moment(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn instant(&self, moment: Moment) -> Instant {
        let since = Duration::from_nanos(moment.0);
        self.epoch.checked_add(since).unwrap_or(self.epoch)
    }

    /// From that moment to that time.
    pub(crate) fn since(&self, moment: Moment, now: Instant) -> Duration {
        now.saturating_duration_since(self.instant(moment))
    }

    pub(crate) fn elapsed(&self, moment: Moment) -> Duration {
        self.since(moment, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_its_time_again() {
        let clock = Clock::new();
        let now = Instant::now();
        assert_eq!(clock.instant(clock.moment(now)), now);
        let later = now + Duration::from_secs(5);
        assert_eq!(
            clock.since(clock.moment(now), later),
            Duration::from_secs(5)
        );
        assert_eq!(clock.since(clock.moment(later), now), Duration::ZERO);
        assert!(clock.moment(now) < clock.moment(later));
    }
}
