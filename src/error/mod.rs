//! Error types. Every error of an operation that was given an item gives it back.
//!
//! `Debug` and `Display` never print the item, so they need nothing of it.

mod build;

pub use build::BuildError;

use crate::band::Band;
use core::fmt;
use std::error::Error;

/// Writes `Debug` without the item, `Display` and `Error` for errors that carry one.
macro_rules! carries_item {
    ($name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl<T> $name<T> {
            /// The item that was not sent.
            pub fn into_inner(self) -> T {
                match self { $(Self::$variant(item) => item,)+ }
            }
        }

        impl $name<()> {
            /// The same error with the item that it is about.
            #[inline]
            pub(crate) fn with<T>(self, item: T) -> $name<T> {
                match self { $(Self::$variant(()) => $name::$variant(item),)+ }
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant(_) => concat!(stringify!($variant), "(..)"),)+
                })
            }
        }

        impl<T> fmt::Display for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant(_) => $text,)+ })
            }
        }

        impl<T> Error for $name<T> {}
    };
}

/// Writes `Display` and `Error` for errors that are only a reason.
macro_rules! reason {
    ($name:ident { $($variant:pat => $text:literal),+ $(,)? }) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($variant => $text,)+ })
            }
        }

        impl Error for $name {}
    };
}

/// There are fewer bands than that. Gives the item back.
///
/// ```
/// use bandq::{Band, BandQueue};
///
/// let error = BandQueue::new(1).push(Band::new(1), "item").unwrap_err();
/// assert_eq!(error.to_string(), "there is no such band");
/// assert_eq!(error.into_inner(), "item");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NoSuchBand<T>(pub T);

impl<T> NoSuchBand<T> {
    /// The item that was not pushed.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for NoSuchBand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoSuchBand(..)")
    }
}

impl<T> fmt::Display for NoSuchBand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such band")
    }
}

impl<T> Error for NoSuchBand<T> {}

/// A send failed for good. Gives the item back.
///
/// ```
/// use bandq::{Band, SendError, unbounded};
///
/// let (sender, receiver) = unbounded(1);
/// drop(receiver);
/// let error = sender.send_blocking(Band::URGENT, "item").unwrap_err();
/// assert_eq!(error, SendError::Closed("item"));
/// assert_eq!(error.to_string(), "the channel is closed");
/// assert!(error.is_closed());
/// assert_eq!(error.into_inner(), "item");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError<T> {
    /// The channel is closed.
    Closed(T),
    /// The channel has fewer bands than that.
    NoSuchBand(T),
    /// It would take more room than its band may ever use.
    TooHeavy(T),
    /// It would expire before it is reached; see [`Builder::refuse_late`].
    ///
    /// [`Builder::refuse_late`]: crate::Builder::refuse_late
    Late(T),
}

carries_item!(SendError {
    Closed => "the channel is closed",
    NoSuchBand => "the channel has no such band",
    TooHeavy => "more than its band may ever use",
    Late => "it would expire before it is reached",
});

impl<T> SendError<T> {
    /// Whether it failed because the channel is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// A send without waiting failed. Gives the item back.
///
/// ```
/// use bandq::{Band, TrySendError, bounded};
///
/// let (sender, receiver) = bounded(1, 1);
/// sender.try_send(Band::URGENT, 1).unwrap();
/// let error = sender.try_send(Band::URGENT, 2).unwrap_err();
/// assert_eq!(error, TrySendError::Full(2));
/// assert!(error.is_full() && !error.is_closed());
/// receiver.try_recv().unwrap();
/// sender.try_send(Band::URGENT, error.into_inner()).unwrap();
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// There is no room at the moment.
    Full(T),
    /// The channel is closed.
    Closed(T),
    /// The channel has fewer bands than that.
    NoSuchBand(T),
    /// It would take more room than its band may ever use.
    TooHeavy(T),
    /// It would expire before it is reached; see [`Builder::refuse_late`].
    ///
    /// [`Builder::refuse_late`]: crate::Builder::refuse_late
    Late(T),
}

carries_item!(TrySendError {
    Full => "the channel is full",
    Closed => "the channel is closed",
    NoSuchBand => "the channel has no such band",
    TooHeavy => "more than its band may ever use",
    Late => "it would expire before it is reached",
});

impl<T> TrySendError<T> {
    /// Whether it failed for lack of room, so that a later try may succeed.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether it failed because the channel is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// A send with a time limit failed. Gives the item back.
///
/// ```
/// use bandq::{Band, SendTimeoutError, bounded};
/// use std::time::Duration;
///
/// let (sender, _receiver) = bounded(1, 1);
/// sender.try_send(Band::URGENT, 1).unwrap();
/// let error = sender.send_timeout(Band::URGENT, 2, Duration::ZERO).unwrap_err();
/// assert_eq!(error, SendTimeoutError::Timeout(2));
/// assert!(error.is_timeout() && !error.is_closed());
/// assert_eq!(error.into_inner(), 2);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendTimeoutError<T> {
    /// There was no room in time.
    Timeout(T),
    /// The channel is closed.
    Closed(T),
    /// The channel has fewer bands than that.
    NoSuchBand(T),
    /// It would take more room than its band may ever use.
    TooHeavy(T),
    /// It would expire before it is reached; see [`Builder::refuse_late`].
    ///
    /// [`Builder::refuse_late`]: crate::Builder::refuse_late
    Late(T),
}

carries_item!(SendTimeoutError {
    Timeout => "there was no room in time",
    Closed => "the channel is closed",
    NoSuchBand => "the channel has no such band",
    TooHeavy => "more than its band may ever use",
    Late => "it would expire before it is reached",
});

impl<T> SendTimeoutError<T> {
    /// Whether the time was over.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether it failed because the channel is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// Writes what the errors of batch sends have in common.
macro_rules! part_of_the_way {
    ($name:ident) => {
        impl<T> $name<T> {
            /// The item that was not sent.
            pub fn into_inner(self) -> T {
                self.error.into_inner()
            }

            /// Whether it failed because the channel is closed.
            pub fn is_closed(&self) -> bool {
                self.error.is_closed()
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("sent", &self.sent)
                    .field("error", &self.error)
                    .finish()
            }
        }

        impl<T> fmt::Display for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}, after {} items", self.error, self.sent)
            }
        }

        impl<T> Error for $name<T> {}
    };
}

/// A batch send failed part of the way.
///
/// The first `sent` items are in the channel, the next one is in `error`, and the rest were never
/// taken out of the iterator: pass `&mut iter` to keep them.
///
/// ```
/// use bandq::{Band, SendError};
///
/// let (sender, receiver) = bandq::unbounded(1);
/// receiver.close();
/// let mut items = 1..=3;
/// let error = sender.send_many_blocking(Band::URGENT, &mut items).unwrap_err();
/// assert_eq!((error.sent, error.error), (0, SendError::Closed(1)));
/// assert_eq!(items, 2..=3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendManyError<T> {
    /// How many items were sent.
    pub sent: usize,
    /// Why the next one was not, with that item.
    pub error: SendError<T>,
}

part_of_the_way!(SendManyError);

/// A batch send without waiting stopped part of the way.
///
/// The first `sent` items are in the channel, the next one is in `error`, and the rest were never
/// taken out of the iterator: pass `&mut iter` to keep them.
///
/// ```
/// use bandq::{Band, TrySendError};
///
/// let (sender, _receiver) = bandq::bounded(1, 2);
/// let error = sender.try_send_many(Band::URGENT, 1..=3).unwrap_err();
/// assert_eq!((error.sent, error.error), (2, TrySendError::Full(3)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TrySendManyError<T> {
    /// How many items were sent.
    pub sent: usize,
    /// Why the next one was not, with that item.
    pub error: TrySendError<T>,
}

part_of_the_way!(TrySendManyError);

impl<T> TrySendManyError<T> {
    /// Whether it stopped for lack of room, so that a later try may go on.
    pub fn is_full(&self) -> bool {
        self.error.is_full()
    }
}

/// The channel is closed and empty: nothing will ever come.
///
/// ```
/// use bandq::{RecvError, unbounded};
///
/// let (sender, receiver) = unbounded::<u32>(1);
/// drop(sender);
/// assert_eq!(receiver.recv_blocking(), Err(RecvError));
/// assert_eq!(RecvError.to_string(), "the channel is closed and empty");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecvError;

reason!(RecvError { Self => "the channel is closed and empty" });

/// A forced send failed: the item that was to be sent, with the reason, and the items that had been
/// taken out for it by then. Nothing is lost.
///
/// ```
/// use bandq::{Band, Builder, TrySendError};
///
/// let (sender, _receiver) = Builder::new(2).capacity(1).build()?;
/// sender.try_send(Band::URGENT, "urgent")?;
/// let error = sender.force_send(Band::new(1), "less urgent").unwrap_err();
/// assert_eq!(error.error, TrySendError::Full("less urgent"));
/// assert!(error.evicted.is_empty());
/// assert_eq!(error.to_string(), "the channel is full");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ForceSendError<T> {
    /// Why it failed, with the item.
    pub error: TrySendError<T>,
    /// What had gone by then: usually nothing. Else the channel was closed meanwhile, or, with
    /// weights, all that may go did not suffice.
    pub evicted: Vec<(Band, T)>,
}

impl<T> ForceSendError<T> {
    /// The item that was not sent.
    pub fn into_inner(self) -> T {
        self.error.into_inner()
    }
}

impl<T> fmt::Debug for ForceSendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForceSendError")
            .field("error", &self.error)
            .field("evicted", &self.evicted.len())
            .finish()
    }
}

impl<T> fmt::Display for ForceSendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<T> Error for ForceSendError<T> {}

/// A receive without waiting got nothing.
///
/// ```
/// use bandq::{TryRecvError, unbounded};
///
/// let (sender, receiver) = unbounded::<u32>(1);
/// assert!(receiver.try_recv().unwrap_err().is_empty());
/// sender.close();
/// assert!(receiver.try_recv().unwrap_err().is_closed());
/// assert_eq!(TryRecvError::Empty.to_string(), "the channel is empty");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// Nothing is there at the moment.
    Empty,
    /// The channel is closed and empty: nothing will ever come.
    Closed,
}

reason!(TryRecvError {
    Self::Empty => "the channel is empty",
    Self::Closed => "the channel is closed and empty",
});

impl TryRecvError {
    /// Whether nothing was there, so that a later try may succeed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether the channel is closed and empty.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

/// A receive with a time limit got nothing.
///
/// ```
/// use bandq::{RecvTimeoutError, unbounded};
/// use std::time::Duration;
///
/// let (sender, receiver) = unbounded::<u32>(1);
/// assert!(receiver.recv_timeout(Duration::ZERO).unwrap_err().is_timeout());
/// sender.close();
/// assert!(receiver.recv_timeout(Duration::ZERO).unwrap_err().is_closed());
/// assert_eq!(RecvTimeoutError::Timeout.to_string(), "nothing came in time");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// Nothing came in time.
    Timeout,
    /// The channel is closed and empty: nothing will ever come.
    Closed,
}

reason!(RecvTimeoutError {
    Self::Timeout => "nothing came in time",
    Self::Closed => "the channel is closed and empty",
});

impl RecvTimeoutError {
    /// Whether the time was over.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }

    /// Whether the channel is closed and empty.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

// The conversions of crossbeam-channel, and those from `NoSuchBand`, so that `?` works.

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Closed(item) => Self::Closed(item),
            SendError::NoSuchBand(item) => Self::NoSuchBand(item),
            SendError::TooHeavy(item) => Self::TooHeavy(item),
            SendError::Late(item) => Self::Late(item),
        }
    }
}

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Closed(item) => Self::Closed(item),
            SendError::NoSuchBand(item) => Self::NoSuchBand(item),
            SendError::TooHeavy(item) => Self::TooHeavy(item),
            SendError::Late(item) => Self::Late(item),
        }
    }
}

impl<T> From<NoSuchBand<T>> for SendError<T> {
    fn from(error: NoSuchBand<T>) -> Self {
        Self::NoSuchBand(error.0)
    }
}

impl<T> From<NoSuchBand<T>> for TrySendError<T> {
    fn from(error: NoSuchBand<T>) -> Self {
        Self::NoSuchBand(error.0)
    }
}

impl<T> From<NoSuchBand<T>> for SendTimeoutError<T> {
    fn from(error: NoSuchBand<T>) -> Self {
        Self::NoSuchBand(error.0)
    }
}

impl From<RecvError> for TryRecvError {
    fn from(RecvError: RecvError) -> Self {
        Self::Closed
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(RecvError: RecvError) -> Self {
        Self::Closed
    }
}

impl<T> TrySendError<T> {
    /// The error of a send that waits: none while there is only no room yet.
    #[inline]
    pub(crate) fn final_one(self) -> Option<SendError<T>> {
        match self {
            Self::Full(_) => None,
            Self::Closed(item) => Some(SendError::Closed(item)),
            Self::NoSuchBand(item) => Some(SendError::NoSuchBand(item)),
            Self::TooHeavy(item) => Some(SendError::TooHeavy(item)),
            Self::Late(item) => Some(SendError::Late(item)),
        }
    }
}
