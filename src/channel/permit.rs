//! [`Permit`].

use super::shared::Channel;
use crate::{band::Band, error::SendError};
use core::{fmt, mem};

/// Room for one item in a band, made by [`Sender::reserve`](crate::Sender::reserve) and
/// [`Sender::try_reserve`](crate::Sender::try_reserve).
///
/// It holds a unit of the capacity, not a place in the FIFO: that is taken by
/// [`send`](Self::send). Dropping it gives the room back and wakes a sender that waits for room. It does not
/// keep the channel open. Forgetting it costs that unit of capacity and nothing else.
#[must_use = "a permit that is dropped gives its room back"]
pub struct Permit<'a, T> {
    channel: &'a Channel<T>,
    band: Band,
}

impl<'a, T> Permit<'a, T> {
    /// For a unit of room that was taken.
    pub(super) fn new(channel: &'a Channel<T>, band: Band) -> Self {
        Self { channel, band }
    }

    /// The band it was made for.
    #[must_use]
    pub fn band(&self) -> Band {
        self.band
    }

    /// Sends. Never waits; the item's place in the FIFO is taken here.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed) with the item, if the channel was closed meanwhile.
    ///
    /// ```
    /// # use bandq::{Band, SendError};
    /// let (sender, receiver) = bandq::bounded(1, 2);
    /// let first = sender.try_reserve(Band::URGENT).unwrap();
    /// let second = sender.try_reserve(Band::URGENT).unwrap();
    /// assert_eq!(first.send(1), Ok(()));
    /// receiver.close();
    /// assert_eq!(second.send(2), Err(SendError::Closed(2)));
    /// ```
    pub fn send(self, item: T) -> Result<(), SendError<T>> {
        self.channel
            .push(self.band, item)
            .map_err(SendError::Closed)?;
        mem::forget(self); // the unit goes with the item
        Ok(())
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.channel.give_room_back(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("band", &self.band)
            .finish_non_exhaustive()
    }
}
