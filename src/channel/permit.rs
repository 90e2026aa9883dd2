//! Permits: room without an item.

use super::core::Core;
use crate::{band::Band, entry::Sending, error::SendError, parcel::Parcel, sync::Arc};
use core::{fmt, iter::FusedIterator};

/// Room that was taken for a band: what a permit is about.
#[derive(Clone, Copy)]
pub(super) struct Grant {
    pub(super) band: Band,
    pub(super) units: usize,
    /// The life of what will be sent.
    pub(super) ttl: u64,
    /// Whether it was waited for.
    pub(super) has_waited: bool,
}

impl Grant {
    /// Sends, if the channel is open; else the room stays taken.
    #[track_caller]
    fn send<T>(&self, core: &Core<T>, item: T) -> Result<(), SendError<T>> {
        let mut parcel = Parcel::new(item);
        let sending = Sending::here(self.ttl).after(self.has_waited);
        core.send_reserved(self.band, &mut parcel, self.units, sending)
            .map_err(|error| {
                _ = core.came_back(self.band, error.into());
                error.with(parcel.unwrap())
            })
    }

    fn give_back<T>(&self, core: &Core<T>) {
        core.give_room_back(self.band, self.units);
    }
}

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
    grant: Grant,
    is_used: bool,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(core: &'a Core<T>, grant: Grant) -> Self {
        Self {
            core,
            grant,
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
        self.grant.band
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
        let sent = self.grant.send(self.core, item);
        self.is_used = sent.is_ok();
        sent
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if !self.is_used {
            self.grant.give_back(self.core);
        }
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("band", &self.grant.band)
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
    grant: Grant,
    is_used: bool,
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(core: Arc<Core<T>>, grant: Grant) -> Self {
        Self {
            core,
            grant,
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
        self.grant.band
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
        let sent = self.grant.send(&self.core, item);
        self.is_used = sent.is_ok();
        sent
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if !self.is_used {
            self.grant.give_back(&self.core);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit")
            .field("band", &self.grant.band)
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
    /// The room that is left.
    grant: Grant,
}

impl<'a, T> Permits<'a, T> {
    pub(super) fn new(core: &'a Core<T>, grant: Grant) -> Self {
        Self { core, grant }
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
        self.grant.band
    }
}

impl<'a, T> Iterator for Permits<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.grant.units = self.grant.units.checked_sub(1)?;
        let one = Grant {
            units: 1,
            ..self.grant
        };
        Some(Permit::new(self.core, one))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.grant.units, Some(self.grant.units))
    }
}

impl<T> ExactSizeIterator for Permits<'_, T> {}

impl<T> FusedIterator for Permits<'_, T> {}

impl<T> Drop for Permits<'_, T> {
    fn drop(&mut self) {
        if self.grant.units > 0 {
            self.grant.give_back(self.core);
        }
    }
}

impl<T> fmt::Debug for Permits<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits")
            .field("band", &self.grant.band)
            .field("left", &self.grant.units)
            .finish_non_exhaustive()
    }
}
