//! [`Builder`], and the two functions that most users need.

use super::{core::Core, receiver::Receiver, sender::Sender};
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
/// Senders wait for room, and are woken in arrival order.
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
    capacity: Option<usize>,
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
            capacity: None,
            _items: PhantomData,
        }
    }

    /// Bounds the channel to this many items and permits, over all bands.
    ///
    /// ```
    /// let (sender, _receiver) = bandq::Builder::<u32>::new(4).capacity(100).build()?;
    /// assert_eq!(sender.available(), Some(100));
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// Makes the channel.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the number of bands is not in `1..=64` or the capacity is 0.
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
        if self.capacity == Some(0) {
            return Err(BuildError::ZeroCapacity);
        }
        let core = Arc::new(Core::new(self.bands, self.capacity));
        Ok((
            Sender::from_counted(Arc::clone(&core)),
            Receiver::from_counted(core),
        ))
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("bands", &self.bands)
            .field("capacity", &self.capacity)
            .finish()
    }
}
