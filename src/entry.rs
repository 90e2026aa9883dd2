//! [`Entry`]: an item with what is known about it, where that is asked for.

#[cfg(feature = "observe")]
use core::panic::Location;

/// An item of a channel that keeps more than items. A channel that asks for none of it stores the
/// bare items.
pub(crate) struct Entry<T> {
    pub(crate) about: About,
    pub(crate) item: T,
}

/// What is known about an item.
#[derive(Debug)]
pub(crate) struct About {
    /// When it was sent, in nanoseconds of the channel's clock.
    pub(crate) sent: u64,
    /// From when on nobody wants it any more.
    pub(crate) expires: u64,
    /// The units of room it takes.
    pub(crate) units: usize,
    #[cfg_attr(not(feature = "observe"), expect(dead_code, reason = "nobody may ask"))]
    pub(crate) origin: Origin,
}

/// Where an item comes from, if anybody may ask.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The line of the program that sent it.
    #[cfg(feature = "observe")]
    pub(crate) location: &'static Location<'static>,
    /// What it was sent in, on a channel that is observed.
    #[cfg(feature = "tracing")]
    pub(crate) span: Option<Box<tracing::Span>>,
}

impl Origin {
    /// From the line that called the caller.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn here() -> Self {
        Self {
            #[cfg(feature = "observe")]
            location: Location::caller(),
            #[cfg(feature = "tracing")]
            span: None,
        }
    }

    /// Takes the span out; the line stays.
    #[cfg(feature = "observe")]
    pub(crate) fn take(&mut self) -> Self {
        Self {
            location: self.location,
            #[cfg(feature = "tracing")]
            span: self.span.take(),
        }
    }
}

/// What a sender's handle says of all that it sends, and where it is sent from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending {
    /// The life of the item, in nanoseconds.
    pub(crate) ttl: u64,
    /// Whether it has waited for room, on a channel that is observed.
    pub(crate) has_waited: bool,
    #[cfg(feature = "observe")]
    location: &'static Location<'static>,
}

impl Sending {
    /// From the line that called the caller.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn here(ttl: u64) -> Self {
        Self {
            ttl,
            has_waited: false,
            #[cfg(feature = "observe")]
            location: Location::caller(),
        }
    }

    /// Once it has waited for room, or not.
    #[inline(always)]
    pub(crate) fn after(self, has_waited: bool) -> Self {
        Self { has_waited, ..self }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            #[cfg(feature = "observe")]
            location: self.location,
            #[cfg(feature = "tracing")]
            span: None,
        }
    }
}

impl<T> Entry<T> {
    /// When the entry at `this` was sent, and when it expires.
    ///
    /// # Safety
    ///
    /// An entry was written there, whose item may have been moved out since.
    #[inline(always)]
    pub(crate) unsafe fn times(this: *const Self) -> (u64, u64) {
        // SAFETY: the caller's; these two fields stay as they were written.
        unsafe { ((*this).about.sent, (*this).about.expires) }
    }
}
