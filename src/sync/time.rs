//! The time that passes. In a model it stands still until it is told to move on, so that every
//! execution is determined by its schedule.

#[cfg(any(loom, feature = "__internals"))]
use core::time::Duration;

#[cfg(not(loom))]
pub(crate) use std::time::Instant;

/// Lets time pass.
#[cfg(all(feature = "__internals", not(loom)))]
pub(crate) fn sleep(duration: Duration) {
    std::thread::sleep(duration);
}

#[cfg(loom)]
pub(crate) use model::*;

#[cfg(loom)]
mod model {
    use super::Duration;
    use loom::sync::atomic::{AtomicU64, Ordering};

    loom::lazy_static! {
        /// One clock an execution, in nanoseconds. Who reads it may be late, but never reads less
        /// than before, nor than whoever it comes after.
        static ref NOW: AtomicU64 = AtomicU64::new(0);
    }

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Instant(u64);

    impl Instant {
        pub(crate) fn now() -> Self {
            Self(NOW.load(Ordering::Relaxed)) // a clock orders nothing
        }

        pub(crate) fn elapsed(&self) -> Duration {
            Duration::from_nanos(Self::now().0 - self.0)
        }
    }

    #[cfg(feature = "__internals")]
    pub(crate) fn sleep(duration: Duration) {
        let nanos = duration.as_nanos() as u64;
        NOW.fetch_add(nanos, Ordering::Relaxed); // as above
    }
}
