//! [`Builder`], and the two functions that most users need.

use super::{core::Core, receiver::Receiver, room::Limits, sender::Sender};
use crate::{band::Band, error::BuildError, sync::Arc};
use core::{fmt, marker::PhantomData};

/// A channel with this many bands and no bound: sends always have room.
///
/// The channel is closed by [`close`](Sender::close) on any handle, or when the last [`Sender`] or
/// the last [`Receiver`] is dropped.
///
/// # Panics
///
/// Unless `bands` is in `1..=64`. [`Builder`] returns an error instead.
///
/// ```
/// use bandq::Band;
///
/// let (sender, receiver) = bandq::unbounded(2);
/// sender.try_send(Band::new(1), "write the log")?;
/// sender.try_send(Band::URGENT, "answer the user")?;
///
/// assert_eq!(receiver.recv_blocking()?, (Band::URGENT, "answer the user"));
/// assert_eq!(receiver.recv_blocking()?, (Band::new(1), "write the log"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn unbounded<T>(bands: usize) -> (Sender<T>, Receiver<T>) {
    match Builder::new(bands).build() {
        Ok(handles) => handles,
        Err(error) => panic!("{error}"),
    }
}

/// A channel with this many bands that holds at most `capacity` items and permits, over all bands.
/// Senders wait for room; the more urgent are woken first, those of one band in arrival order.
///
/// # Panics
///
/// Unless `bands` is in `1..=64` and `capacity` is at least 1. [`Builder`] returns an error
/// instead.
///
/// ```
/// use bandq::{Band, TrySendError};
///
/// let (sender, receiver) = bandq::bounded(2, 1);
/// sender.try_send(Band::new(1), 'a')?;
/// assert_eq!(sender.try_send(Band::URGENT, 'b'), Err(TrySendError::Full('b')));
/// receiver.recv_blocking()?;
/// sender.try_send(Band::URGENT, 'b')?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn bounded<T>(bands: usize, capacity: usize) -> (Sender<T>, Receiver<T>) {
    match Builder::new(bands).capacity(capacity).build() {
        Ok(handles) => handles,
        Err(error) => panic!("{error}"),
    }
}

/// Makes a channel from values that may be wrong, such as those of a configuration file.
///
/// ```
/// use bandq::{BuildError, Builder};
///
/// let (sender, _receiver) = Builder::<u32>::new(4).capacity(100).build()?;
/// assert_eq!(sender.capacity(), Some(100));
///
/// assert_eq!(Builder::<u32>::new(65).build().unwrap_err(), BuildError::Bands(65));
/// assert_eq!(Builder::<u32>::new(4).capacity(0).build().unwrap_err(), BuildError::ZeroCapacity);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<T> {
    bands: usize,
    limits: Limits,
    _items: PhantomData<fn() -> T>,
}

impl<T> Builder<T> {
    /// A channel with this many bands, `1..=64`, and no bound.
    ///
    /// ```
    /// let (_sender, receiver) = bandq::Builder::<u32>::new(4).build()?;
    /// assert_eq!((receiver.bands(), receiver.capacity()), (4, None));
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn new(bands: usize) -> Self {
        Self {
            bands,
            limits: Limits::default(),
            _items: PhantomData,
        }
    }

    /// Bounds the channel to this many items and permits, over all bands. It can be changed later:
    /// [`Sender::set_capacity`].
    ///
    /// ```
    /// let (sender, _receiver) = bandq::Builder::<u32>::new(4).capacity(100).build()?;
    /// assert_eq!(sender.available(), Some(100));
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.limits.capacity = Some(capacity);
        self
    }

    /// Of the whole, this band holds at most so many items and permits. Asked for twice for one
    /// band, the later one counts.
    ///
    /// Only a band with a capacity of its own pays for it, with counters of its own. A send that
    /// runs counts: it may hold a unit of its band for the moment in which it finds that the whole
    /// is full.
    ///
    /// ```
    /// # use bandq::{Band, Builder, TrySendError};
    /// let batch = Band::new(1);
    /// let (sender, receiver) = Builder::new(2).capacity(100).band_capacity(batch, 1).build()?;
    /// sender.try_send(batch, 1)?;
    /// assert_eq!(sender.try_send(batch, 2), Err(TrySendError::Full(2)));
    /// sender.try_send(Band::URGENT, 3)?; // the rest is for others
    /// assert_eq!(receiver.recv_blocking()?, (Band::URGENT, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn band_capacity(mut self, band: impl Into<Band>, units: usize) -> Self {
        self.limits.band_capacity.push((band.into(), units));
        self
    }

    /// This band and those less urgent are admitted only while the units in use, over all bands,
    /// are no more than this many with what comes in. The rest is headroom for more urgent ones:
    /// low work cannot keep urgent work out. Asked for twice for one band, the later one counts.
    ///
    /// A channel without a [`capacity`](Self::capacity) may have one: then those more urgent are
    /// always admitted.
    ///
    /// ```
    /// # use bandq::{Band, Builder, TrySendError};
    /// let low = Band::new(1);
    /// let (sender, _receiver) = Builder::new(2).capacity(3).high_water(low, 2).build()?;
    /// assert_eq!(sender.try_send_many(low, 0..9).unwrap_err().sent, 2);
    /// assert!(sender.try_send(Band::URGENT, 9).is_ok()); // there is always room for one
    /// assert_eq!(sender.try_send(Band::URGENT, 9), Err(TrySendError::Full(9)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn high_water(mut self, band: impl Into<Band>, units: usize) -> Self {
        self.limits.high_water.push((band.into(), units));
        self
    }

    /// Makes the channel.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with the value that is wrong, and what is allowed: if the number of bands is
    /// not in `1..=64`; if a capacity or a high water is 0, is for a band that the channel does not
    /// have, or is, for a band, above the capacity of the channel.
    ///
    /// ```
    /// # use bandq::{BuildError, Builder};
    /// let from_a_file = 0;
    /// let error = Builder::<u32>::new(from_a_file).build().unwrap_err();
    /// assert_eq!(error, BuildError::Bands(0));
    /// assert_eq!(error.to_string(), "a channel has 1 to 64 bands, not 0");
    /// ```
    pub fn build(self) -> Result<(Sender<T>, Receiver<T>), BuildError> {
        if !(1..=Band::MAX_BANDS).contains(&self.bands) {
            return Err(BuildError::Bands(self.bands));
        }
        self.check_limits()?;
        let core = Arc::new(Core::new(self.bands, &self.limits));
        Ok((
            Sender::from_counted(Arc::clone(&core)),
            Receiver::from_counted(core),
        ))
    }

    fn check_limits(&self) -> Result<(), BuildError> {
        let limits = &self.limits;
        if limits.capacity == Some(0) {
            return Err(BuildError::ZeroCapacity);
        }
        let capacity = limits.capacity.unwrap_or(usize::MAX);
        for &(band, _) in limits.band_capacity.iter().chain(&limits.high_water) {
            if band.index() >= self.bands {
                let bands = self.bands;
                return Err(BuildError::NoSuchBand { band, bands });
            }
        }
        for &(band, units) in &limits.band_capacity {
            if units == 0 {
                return Err(BuildError::ZeroBandCapacity(band));
            }
            if units > capacity {
                return Err(BuildError::BandCapacityAboveCapacity {
                    band,
                    units,
                    capacity,
                });
            }
        }
        for &(band, units) in &limits.high_water {
            if units == 0 {
                return Err(BuildError::ZeroHighWater(band));
            }
            if units > capacity {
                return Err(BuildError::HighWaterAboveCapacity {
                    band,
                    units,
                    capacity,
                });
            }
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("bands", &self.bands)
            .field("limits", &self.limits)
            .finish()
    }
}
