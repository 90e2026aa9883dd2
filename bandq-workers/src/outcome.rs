//! How a handler ends, and how it fails.

use std::{convert::Infallible, error::Error, fmt, time::Duration};

/// What a handler says at its end.
///
/// A handler may return anything that becomes one: `Result<(), E>` (an error is a
/// [`Retry`](Self::Retry)), or `()` if it never fails.
///
/// ```
/// use bandq_workers::Outcome;
///
/// let outcome: Outcome<&str> = Err("no answer").into();
/// assert_eq!(outcome, Outcome::Retry("no answer"));
/// assert_eq!(Outcome::<&str>::from(Ok(())), Outcome::Done);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<E> {
    /// The work is done.
    Done,
    /// It failed. It is tried again, after a delay that [`Retry`](crate::Retry) chooses, or is dead
    /// if that allows no further attempt.
    Retry(E),
    /// It failed, and may be tried again after that time at the earliest: the delay that
    /// [`Retry`](crate::Retry) chooses comes on top.
    RetryAfter(Duration, E),
    /// Not now: again after that time, or at once if it is zero. No failure, and no attempt used.
    Snooze(Duration),
    /// It failed, and no further attempt would help.
    Dead(E),
    /// Back to the end of its band, at once. No failure, and no attempt used.
    Requeue,
}

impl<E> From<Result<(), E>> for Outcome<E> {
    fn from(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) => Self::Retry(error),
        }
    }
}

impl From<()> for Outcome<Infallible> {
    fn from((): ()) -> Self {
        Self::Done
    }
}

/// One failed attempt.
///
/// ```
/// use bandq_workers::Failure;
///
/// assert_eq!(Failure::Error("no answer").to_string(), "no answer");
/// assert_eq!(Failure::<&str>::TimedOut.to_string(), "over its time limit");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<E> {
    /// The handler returned this error.
    Error(E),
    /// The handler panicked, with this message (empty if the panic carried no text).
    Panicked(String),
    /// The handler was over its time limit.
    TimedOut,
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::TimedOut => f.write_str("over its time limit"),
        }
    }
}

impl<E: Error + 'static> Error for Failure<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Error(error) => error.source(),
            _ => None,
        }
    }
}
