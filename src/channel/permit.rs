//! Permits: room without an item.

use super::core::Core;
use crate::{band::Band, entry::Sending, error::SendError, parcel::Parcel, sync::Arc};
use core::{fmt, iter::FusedIterator};

/// Room for one item in a band, made by [`Sender::reserve`](crate::Sender::reserve) and
/// [`Sender::try_reserve`](crate::Sender::try_reserve).
///
/// It holds a unit of the capacity, not a place in the FIFO: that is taken by
/// [`send`](Self::send). Dropping it gives the room back and wakes a sender that waits for room. It
/// does not keep the channel open. Forgetting it costs that unit of capacity and nothing else.
///
/// ```
/// # use bandq::Band;
/// let (sender, receiver) = bandq::bounded(1, 1);
/// let permit = sender.try_reserve(Band::URGENT).unwrap();
/// assert!(sender.is_full());
/// drop(permit); // given back
/// sender.try_reserve(Band::URGENT).unwrap().send("an item").unwrap();
/// assert_eq!(receiver.try_recv(), Ok((Band::URGENT, "an item")));
/// ```
#[must_use = "a permit that is dropped gives its room back"]
pub struct Permit<'a, T> {
    core: &'a Core<T>,
    band: Band,
    units: usize,
    ttl: u64,
    /// Whether it was waited for.
    has_waited: bool,
    is_used: bool,
}

impl<'a, T> Permit<'a, T> {
    /// For a unit of room that was taken.
    pub(super) fn new(
        core: &'a Core<T>,
        band: Band,
        units: usize,
        ttl: u64,
        has_waited: bool,
    ) -> Self {
        Self {
            core,
            band,
            units,
            ttl,
            has_waited,
            is_used: false,
        }
    }

    /// The band it was made for.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, _receiver) = bandq::bounded::<u32>(2, 1);
    /// let permit = sender.try_reserve(Band::new(1)).unwrap();
    /// assert_eq!(permit.band(), Band::new(1));
    /// ```
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
    #[track_caller]
    pub fn send(mut self, item: T) -> Result<(), SendError<T>> {
        let mut parcel = Parcel::new(item);
        let sending = Sending::here(self.ttl).after(self.has_waited);
        let sent = self
            .core
            .send_reserved(self.band, &mut parcel, self.units, sending);
        self.is_used = sent.is_ok();
        sent.map_err(|error| {
            _ = self.core.came_back(self.band, error.into());
            error.with(parcel.unwrap())
        })
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if !self.is_used {
            self.core.give_room_back(self.band, self.units);
        }
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("band", &self.band)
            .finish_non_exhaustive()
    }
}

/// A [`Permit`] that borrows nothing, made by
/// [`Sender::reserve_owned`](crate::Sender::reserve_owned) and
/// [`Sender::try_reserve_owned`](crate::Sender::try_reserve_owned): for a task of its own, say.
///
/// It is not a sender: it does not keep the channel open.
///
/// ```
/// # use bandq::Band;
/// let (sender, receiver) = bandq::bounded(1, 1);
/// let permit = sender.try_reserve_owned(Band::URGENT).unwrap();
/// std::thread::spawn(move || permit.send("from a thread of its own")).join().unwrap().unwrap();
/// assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, "from a thread of its own")));
/// ```
#[must_use = "a permit that is dropped gives its room back"]
pub struct OwnedPermit<T> {
    core: Arc<Core<T>>,
    band: Band,
    ttl: u64,
    /// Whether it was waited for.
    has_waited: bool,
    is_used: bool,
}

impl<T> OwnedPermit<T> {
    /// For a unit of room that was taken.
    pub(super) fn new(core: Arc<Core<T>>, band: Band, ttl: u64, has_waited: bool) -> Self {
        Self {
            core,
            band,
            ttl,
            has_waited,
            is_used: false,
        }
    }

    /// The band it was made for.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, _receiver) = bandq::bounded::<u32>(2, 1);
    /// let permit = sender.try_reserve_owned(Band::new(1)).unwrap();
    /// assert_eq!(permit.band(), Band::new(1));
    /// ```
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
    /// let first = sender.try_reserve_owned(Band::URGENT).unwrap();
    /// let second = sender.try_reserve_owned(Band::URGENT).unwrap();
    /// assert_eq!(first.send(1), Ok(()));
    /// receiver.close();
    /// assert_eq!(second.send(2), Err(SendError::Closed(2)));
    /// ```
    #[track_caller]
    pub fn send(mut self, item: T) -> Result<(), SendError<T>> {
        let mut parcel = Parcel::new(item);
        let sending = Sending::here(self.ttl).after(self.has_waited);
        let sent = self.core.send_reserved(self.band, &mut parcel, 1, sending);
        self.is_used = sent.is_ok();
        sent.map_err(|error| {
            _ = self.core.came_back(self.band, error.into());
            error.with(parcel.unwrap())
        })
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if !self.is_used {
            self.core.give_room_back(self.band, 1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit")
            .field("band", &self.band)
            .finish_non_exhaustive()
    }
}

/// Several permits for one band, an iterator; made by
/// [`Sender::reserve_many`](crate::Sender::reserve_many) and
/// [`Sender::try_reserve_many`](crate::Sender::try_reserve_many). Dropping it gives back the room
/// of those that it has not yielded.
///
/// ```
/// # use bandq::Band;
/// let (sender, receiver) = bandq::bounded(1, 3);
/// let mut permits = sender.try_reserve_many(Band::URGENT, 3).unwrap();
/// permits.next().unwrap().send('a').unwrap();
/// assert_eq!(permits.len(), 2);
/// drop(permits);
/// assert_eq!((receiver.len(), sender.available()), (1, Some(2)));
/// ```
#[must_use = "permits that are dropped give their room back"]
pub struct Permits<'a, T> {
    core: &'a Core<T>,
    band: Band,
    left: usize,
    ttl: u64,
    /// Whether it was waited for.
    has_waited: bool,
}

impl<'a, T> Permits<'a, T> {
    /// For units of room that were taken.
    pub(super) fn new(
        core: &'a Core<T>,
        band: Band,
        units: usize,
        ttl: u64,
        has_waited: bool,
    ) -> Self {
        Self {
            core,
            band,
            left: units,
            ttl,
            has_waited,
        }
    }

    /// The band they were made for.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, _receiver) = bandq::bounded::<u32>(2, 3);
    /// let permits = sender.try_reserve_many(Band::new(1), 3).unwrap();
    /// assert_eq!(permits.band(), Band::new(1));
    /// ```
    #[must_use]
    pub fn band(&self) -> Band {
        self.band
    }
}

impl<'a, T> Iterator for Permits<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.left = self.left.checked_sub(1)?;
        Some(Permit::new(
            self.core,
            self.band,
            1,
            self.ttl,
            self.has_waited,
        ))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Permits<'_, T> {}

impl<T> FusedIterator for Permits<'_, T> {}

impl<T> Drop for Permits<'_, T> {
    fn drop(&mut self) {
        if self.left > 0 {
            self.core.give_room_back(self.band, self.left);
        }
    }
}

impl<T> fmt::Debug for Permits<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits")
            .field("band", &self.band)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
