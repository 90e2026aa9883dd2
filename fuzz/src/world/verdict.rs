//! What a call that sends may say.

use bandq::{SendError, SendTimeoutError, TrySendError};

/// What a call that sends says, the item aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    /// There is no room now; of a call with a time, that the time is over.
    Full,
    Closed,
    NoSuchBand,
    TooHeavy,
}

impl Verdict {
    /// What a call that does not wait says, and what came back with the error.
    pub(super) fn of<R, T>(result: Result<R, TrySendError<T>>) -> (Self, Option<T>) {
        let Err(error) = result else {
            return (Self::Ok, None);
        };
        let verdict = match &error {
            TrySendError::Full(_) => Self::Full,
            TrySendError::Closed(_) => Self::Closed,
            TrySendError::NoSuchBand(_) => Self::NoSuchBand,
            TrySendError::TooHeavy(_) => Self::TooHeavy,
            _ => panic!("{error:?}, which the model does not know"),
        };
        (verdict, Some(error.into_inner()))
    }

    /// The same, of a call that waits.
    pub(super) fn of_waiting<R, T>(result: Result<R, SendError<T>>) -> (Self, Option<T>) {
        Self::of(result.map_err(TrySendError::from))
    }

    /// The same, of a call that waits until a time.
    pub(super) fn of_timed<T>(result: Result<(), SendTimeoutError<T>>) -> (Self, Option<T>) {
        Self::of(result.map_err(|error| match error {
            SendTimeoutError::Timeout(item) => TrySendError::Full(item),
            SendTimeoutError::Closed(item) => TrySendError::Closed(item),
            SendTimeoutError::NoSuchBand(item) => TrySendError::NoSuchBand(item),
            SendTimeoutError::TooHeavy(item) => TrySendError::TooHeavy(item),
            error => panic!("{error:?}, which the model does not know"),
        }))
    }
}
