//! The facade: the only place that knows about loom, and about a clock that is set by hand.
//!
//! Mutexes, atomics and the clock come from here, so that the same source is built three ways:
//!
//! | build | mutexes, atomics | clock | timers |
//! |---|---|---|---|
//! | normal | `std`'s | `Instant::now` | the runtime's |
//! | `cfg(loom)` | loom's | stands still until `sleep` | none: who waits for a time looks again |
//! | `cfg(bandq_clock)` | `std`'s | the same | the same |
//!
//! `Arc` and `Weak` are `std`'s throughout: loom has no `Weak`. So in a model the last handle of a
//! pool has to go on the main thread, after the others were joined.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8},
};

#[cfg(not(any(loom, bandq_clock)))]
pub(crate) use real::now;

#[cfg(any(loom, bandq_clock))]
pub(crate) use by_hand::now;
#[cfg(any(loom, bandq_clock))]
pub use by_hand::sleep;

#[cfg(not(any(loom, bandq_clock)))]
mod real {
    use std::time::Instant;

    #[inline]
    pub(crate) fn now() -> Instant {
        Instant::now()
    }
}

/// One clock a thread; loom runs all threads of an execution on one.
#[cfg(any(loom, bandq_clock))]
mod by_hand {
    use std::{
        cell::Cell,
        time::{Duration, Instant},
    };

    thread_local! {
        static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
    }

    pub(crate) fn now() -> Instant {
        let now = NOW.get().unwrap_or_else(Instant::now);
        NOW.set(Some(now));
        now
    }

    /// Lets time pass.
    pub fn sleep(time: Duration) {
        let now = now();
        NOW.set(now.checked_add(time).or(Some(now)));
    }
}
