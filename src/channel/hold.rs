//! Room for items that have left the channel and will be worked on again.

use super::{core::Core, receiver::Receiver};
use crate::{band::Band, sync::Arc};
use core::{fmt, mem};

/// # Room
impl<T> Receiver<T> {
    /// Holds the room that this item would take in that band, **whether there is room or not**: for
    /// one that was received and waits to be worked on again, beside the channel. So a capacity
    /// bounds what waits there as well, and nobody who has an item already waits for room.
    ///
    /// More than the capacity may be in use then; nobody is let in before that much was given
    /// back. In a channel without a limit, or without that band, it holds nothing, and the weigher
    /// is not called; else it is, if there is one. Does not wait.
    ///
    /// # Panics
    ///
    /// If the weigher does. Then nothing is held.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::bounded(1, 1);
    /// sender.try_send(Band::URGENT, "a job").unwrap();
    /// let (band, job) = receiver.try_recv().unwrap();
    /// let room = receiver.hold_room(band, &job); // it failed, and is tried again in a minute
    /// assert!(sender.try_send(band, "another job").is_err());
    /// drop(room);
    /// assert!(sender.try_send(band, "another job").is_ok());
    /// ```
    pub fn hold_room(&self, band: impl Into<Band>, item: &T) -> HeldRoom<T> {
        let band = band.into();
        let room = self.core.room().filter(|_| self.core.has_band(band));
        let units = room.map_or(0, |room| {
            let units = self.core.units_of(item);
            room.hold(band, units);
            units
        });
        HeldRoom {
            core: Arc::clone(&self.core),
            band,
            units,
        }
    }
}

/// Room that counts as in use, made by [`Receiver::hold_room`].
///
/// Dropping it gives the room back and wakes a sender that waits for it. It does not keep the
/// channel open. Forgetting it costs that room and nothing else.
///
/// ```
/// # use bandq::Band;
/// let (sender, receiver) = bandq::bounded::<u32>(2, 10);
/// let room = receiver.hold_room(Band::new(1), &7);
/// assert_eq!((sender.available(), sender.len()), (Some(9), 0));
/// assert_eq!(room.band(), Band::new(1));
/// ```
#[must_use = "it gives its room back where it is dropped"]
pub struct HeldRoom<T> {
    core: Arc<Core<T>>,
    band: Band,
    units: usize,
}

impl<T> HeldRoom<T> {
    /// The band whose room it is.
    #[must_use]
    pub fn band(&self) -> Band {
        self.band
    }

    /// How much it is, in units of the capacity: 0 where nothing is limited.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// let builder = Builder::new(1).capacity(100).weigher(|text: &String| text.len());
    /// let (_sender, receiver) = builder.build()?;
    /// let room = receiver.hold_room(Band::URGENT, &"four".to_owned());
    /// assert_eq!(room.units(), 4);
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Adds other room to this, so that one value stands for that of many items.
    ///
    /// # Errors
    ///
    /// It is of another channel or another band, and comes back.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::bounded(1, 10);
    /// let mut room = receiver.hold_room(Band::URGENT, &'a');
    /// room.merge(receiver.hold_room(Band::URGENT, &'b')).unwrap();
    /// assert_eq!(room.units(), 2);
    /// drop(room.split(1)); // 'b' is worked on
    /// assert_eq!(sender.available(), Some(9));
    /// ```
    pub fn merge(&mut self, mut other: Self) -> Result<(), Self> {
        if !Arc::ptr_eq(&self.core, &other.core) || self.band != other.band {
            return Err(other);
        }
        self.units += mem::take(&mut other.units);
        Ok(())
    }

    /// Takes so many units out of it, as room of their own; `None` if it has fewer.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (_sender, receiver) = bandq::bounded(1, 10);
    /// let mut room = receiver.hold_room(Band::URGENT, &'a');
    /// assert!(room.split(2).is_none());
    /// let all = room.split(1).unwrap();
    /// assert_eq!((all.units(), room.units()), (1, 0));
    /// ```
    #[must_use = "it gives its room back where it is dropped"]
    pub fn split(&mut self, units: usize) -> Option<Self> {
        self.units = self.units.checked_sub(units)?;
        Some(Self {
            core: Arc::clone(&self.core),
            band: self.band,
            units,
        })
    }
}

impl<T> Drop for HeldRoom<T> {
    fn drop(&mut self) {
        if let Some(room) = self.core.room().filter(|_| self.units > 0) {
            room.give_held_back(self.band, self.units);
            self.core.waits.room_came(room, self.units);
        }
    }
}

impl<T> fmt::Debug for HeldRoom<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRoom")
            .field("band", &self.band)
            .field("units", &self.units)
            .finish_non_exhaustive()
    }
}
