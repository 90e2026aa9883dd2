//! The clock of a channel: nanoseconds since it was made.

use crate::sync::time::Instant;
use core::time::Duration;

/// The time that does not come.
pub(crate) const NEVER: u64 = u64::MAX;

/// Monotonic, because `Instant` is.
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

    /// Now. It does not reach its end within 146 years.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        nanos(self.epoch.elapsed())
    }
}

/// A time in nanoseconds; 146 years for all that is longer.
pub(crate) fn nanos(duration: Duration) -> u64 {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    nanos.min(u64::MAX >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_end_leaves_room_for_sums() {
        assert_eq!(nanos(Duration::from_micros(5)), 5_000);
        assert_eq!(nanos(Duration::MAX), (1 << 62) - 1);
    }
}
