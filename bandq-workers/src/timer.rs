//! Time: `async-io`'s timers, or tokio's (feature `tokio`) where there is a tokio runtime.
//!
//! `async-io` is chosen because smol and async-std run on it already, so that a program on either
//! gets no second timer thread; elsewhere it starts one, with the first timer. Both kinds are never
//! early, and late by the operating system's granularity, about a millisecond. A delay of zero
//! needs no timer and is none.

use crate::sync::now;
#[cfg(not(any(loom, bandq_clock)))]
use std::{future::Future, pin::Pin};
use std::{
    task::{Context, Poll},
    time::Instant,
};

#[cfg(not(any(loom, bandq_clock)))]
enum Kind {
    AsyncIo(async_io::Timer),
    #[cfg(feature = "tokio")]
    Tokio(Pin<Box<tokio::time::Sleep>>),
}

#[cfg(not(any(loom, bandq_clock)))]
impl Kind {
    fn new(at: Instant) -> Self {
        #[cfg(feature = "tokio")]
        if tokio::runtime::Handle::try_current().is_ok() {
            return Self::Tokio(Box::pin(tokio::time::sleep_until(at.into())));
        }
        Self::AsyncIo(async_io::Timer::at(at))
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::AsyncIo(timer) => Pin::new(timer).poll(context).map(drop),
            #[cfg(feature = "tokio")]
            Self::Tokio(sleep) => sleep.as_mut().poll(context),
        }
    }
}

/// Nobody is woken by a clock that is set by hand.
#[cfg(any(loom, bandq_clock))]
struct Kind;

#[cfg(any(loom, bandq_clock))]
impl Kind {
    fn new(_at: Instant) -> Self {
        Self
    }

    fn poll(&mut self, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// A timer that may be set to another time at each poll. Small while it is not set.
#[derive(Default)]
pub(crate) struct Timer(Option<Box<(Instant, Kind)>>);

impl Timer {
    /// Whether that time has come; if not, the task is woken then. `None`: never.
    pub(crate) fn is_due(&mut self, at: Option<Instant>, context: &mut Context<'_>) -> bool {
        let Some(at) = at else {
            self.0 = None;
            return false;
        };
        if at <= now() {
            self.0 = None;
            return true;
        }
        if self.0.as_ref().is_none_or(|timer| timer.0 != at) {
            self.0 = Some(Box::new((at, Kind::new(at))));
        }
        let is_due = self
            .0
            .as_mut()
            .is_some_and(|timer| timer.1.poll(context).is_ready());
        if is_due {
            self.0 = None;
        }
        is_due
    }
}
