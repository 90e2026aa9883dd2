//! [`BandSender`]: a sender bound to one band.

use super::{
    common::common_methods,
    futures::{Reserve, ReserveMany, ReserveOwned, Send, SendMany},
    permit::{OwnedPermit, Permit, Permits},
    sender::Sender,
};
use crate::{
    band::Band,
    error::{ForceSendError, NoSuchBand, TrySendError, TrySendManyError},
    policy::estimate::Estimate,
};
use std::time::Duration;

impl<T> Sender<T> {
    /// A sender bound to one band: the same methods less the band. The band is checked here, once.
    ///
    /// # Errors
    ///
    /// [`NoSuchBand`] if the channel has no such band.
    ///
    /// ```
    /// use bandq::{Band, NoSuchBand};
    ///
    /// let (sender, receiver) = bandq::unbounded(2);
    /// let batch = sender.to(Band::new(1))?;
    /// batch.try_send("rebuild the index").unwrap();
    /// assert_eq!(receiver.try_recv(), Ok((Band::new(1), "rebuild the index")));
    /// assert_eq!(sender.to(Band::new(2)).unwrap_err(), NoSuchBand(()));
    /// # Ok::<(), NoSuchBand<()>>(())
    /// ```
    pub fn to(&self, band: impl Into<Band>) -> Result<BandSender<T>, NoSuchBand<()>> {
        let band = band.into();
        if !self.core.has_band(band) {
            return Err(NoSuchBand(()));
        }
        Ok(BandSender::new(self.clone(), band))
    }
}

/// A [`Sender`] bound to one band, made by [`Sender::to`]. It counts as a sender.
///
/// Each method does what the sender's method of that name does; `NoSuchBand` does not come up. With
/// feature `sink` it is a `Sink`.
///
/// ```
/// use bandq::{Band, bounded};
///
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bounded(2, 10);
/// let batch = sender.to(Band::new(1))?;
/// assert_eq!(batch.band(), Band::new(1));
/// batch.send("one").await?;
/// batch.send_many(["two", "three"]).await?;
/// batch.reserve().await?.send("four")?;
/// assert_eq!(receiver.band_len(Band::new(1)), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct BandSender<T> {
    pub(super) sender: Sender<T>,
    pub(super) band: Band,
    #[cfg(feature = "sink")]
    pub(super) sink: SinkState,
}

/// Where it stands as a sink: it waits for room, or has a unit for the next item.
#[cfg(feature = "sink")]
#[derive(Debug, Default)]
pub(super) struct SinkState {
    pub(super) waiter: crate::wait::Waiter,
    pub(super) has_unit: bool,
    pub(super) put: super::observed::Put,
}

common_methods!(BandSender, sender.core);

impl<T> BandSender<T> {
    fn new(sender: Sender<T>, band: Band) -> Self {
        Self {
            sender,
            band,
            #[cfg(feature = "sink")]
            sink: SinkState::default(),
        }
    }

    /// The band to which it sends.
    #[must_use]
    pub fn band(&self) -> Band {
        self.band
    }

    /// The sender without its band.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, _receiver) = bandq::unbounded::<u32>(2);
    /// let batch = sender.to(Band::new(1)).unwrap();
    /// assert!(batch.sender().same_channel(&sender));
    /// ```
    #[must_use]
    pub fn sender(&self) -> &Sender<T> {
        &self.sender
    }

    /// See [`Sender::try_send`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    #[inline]
    #[track_caller]
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        self.sender.try_send(self.band, item)
    }

    /// See [`Sender::send`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    ///
    /// # Cancel safety
    ///
    /// As there.
    #[track_caller]
    pub fn send(&self, item: T) -> Send<'_, T> {
        self.sender.send(self.band, item)
    }

    /// See [`Sender::send_many`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    ///
    /// # Cancel safety
    ///
    /// As there.
    #[track_caller]
    pub fn send_many<I>(&self, items: I) -> SendMany<'_, T, I::IntoIter>
    where
        I: IntoIterator<Item = T>,
    {
        self.sender.send_many(self.band, items)
    }

    /// See [`Sender::try_send_many`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    #[track_caller]
    pub fn try_send_many(
        &self,
        items: impl IntoIterator<Item = T>,
    ) -> Result<usize, TrySendManyError<T>> {
        self.sender.try_send_many(self.band, items)
    }

    /// See [`Sender::reserve`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub fn reserve(&self) -> Reserve<'_, T> {
        self.sender.reserve(self.band)
    }

    /// See [`Sender::try_reserve`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.sender.try_reserve(self.band)
    }

    /// See [`Sender::reserve_owned`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub fn reserve_owned(&self) -> ReserveOwned<'_, T> {
        self.sender.reserve_owned(self.band)
    }

    /// See [`Sender::try_reserve_owned`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    pub fn try_reserve_owned(&self) -> Result<OwnedPermit<T>, TrySendError<()>> {
        self.sender.try_reserve_owned(self.band)
    }

    /// See [`Sender::reserve_many`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub fn reserve_many(&self, units: usize) -> ReserveMany<'_, T> {
        self.sender.reserve_many(self.band, units)
    }

    /// See [`Sender::try_reserve_many`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    pub fn try_reserve_many(&self, units: usize) -> Result<Permits<'_, T>, TrySendError<()>> {
        self.sender.try_reserve_many(self.band, units)
    }
}

/// What to do where there is no room, or no time.
impl<T> BandSender<T> {
    /// See [`Sender::force_send`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::bounded(2, 1);
    /// let alarms = sender.to(Band::URGENT)?;
    /// sender.try_send(Band::new(1), "a report")?;
    /// assert_eq!(alarms.force_send("smoke")?, [(Band::new(1), "a report")]);
    /// assert_eq!(receiver.try_recv()?, (Band::URGENT, "smoke"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn force_send(&self, item: T) -> Result<Vec<(Band, T)>, ForceSendError<T>> {
        self.sender.force_send(self.band, item)
    }

    /// A sender to the same band, of items that live for this time; see [`Sender::with_ttl`]. As a
    /// sink it begins anew: a unit that this one has as a sink stays with it.
    ///
    /// ```
    /// # use bandq::{Band, TryRecvError};
    /// # use std::{thread::sleep, time::Duration};
    /// let (sender, receiver) = bandq::unbounded(1);
    /// let ticks = sender.to(Band::URGENT)?.with_ttl(Duration::from_millis(1));
    /// ticks.try_send("a price")?;
    /// sleep(Duration::from_millis(2));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_ttl(&self, life: Duration) -> Self {
        Self::new(self.sender.with_ttl(life), self.band)
    }

    /// See [`Sender::estimate`].
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, _receiver) = bandq::unbounded(3);
    /// let reports = sender.to(Band::new(1))?;
    /// for band in [0, 1, 2] {
    ///     sender.try_send(Band::new(band), ())?;
    /// }
    /// assert_eq!(reports.estimate().ahead, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        self.sender.estimate(self.band)
    }

    /// See [`Sender::reserve_units`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    ///
    /// # Cancel safety
    ///
    /// As there.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// # futures_lite::future::block_on(async {
    /// let (sender, _receiver) = Builder::new(1).capacity(10).weigher(|s: &&str| s.len()).build()?;
    /// let lines = sender.to(Band::URGENT)?;
    /// let permit = lines.reserve_units(8).await?;
    /// assert_eq!(lines.available(), Some(2));
    /// permit.send("8 bytes.")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn reserve_units(&self, units: usize) -> Reserve<'_, T> {
        self.sender.reserve_units(self.band, units)
    }

    /// See [`Sender::try_reserve_units`].
    ///
    /// # Errors
    ///
    /// As there, but for `NoSuchBand`.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// let (sender, _receiver) = Builder::new(1).capacity(10).weigher(|s: &&str| s.len()).build()?;
    /// let lines = sender.to(Band::URGENT)?;
    /// let permit = lines.try_reserve_units(8)?;
    /// assert!(lines.try_reserve_units(8).unwrap_err().is_full());
    /// permit.send("8 bytes.")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_reserve_units(&self, units: usize) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.sender.try_reserve_units(self.band, units)
    }
}

/// Blocking, which needs a thread that can be parked.
#[cfg(not(target_family = "wasm"))]
mod blocking {
    use super::BandSender;
    use crate::error::{SendError, SendManyError, SendTimeoutError};
    use std::time::{Duration, Instant};

    impl<T> BandSender<T> {
        /// See [`Sender::send_blocking`](crate::Sender::send_blocking).
        #[track_caller]
        pub fn send_blocking(&self, item: T) -> Result<(), SendError<T>> {
            self.sender.send_blocking(self.band, item)
        }

        /// See [`Sender::send_timeout`](crate::Sender::send_timeout).
        #[track_caller]
        pub fn send_timeout(&self, item: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
            self.sender.send_timeout(self.band, item, timeout)
        }

        /// See [`Sender::send_deadline`](crate::Sender::send_deadline).
        #[track_caller]
        pub fn send_deadline(&self, item: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
            self.sender.send_deadline(self.band, item, deadline)
        }

        /// See [`Sender::send_many_blocking`](crate::Sender::send_many_blocking).
        #[track_caller]
        pub fn send_many_blocking(
            &self,
            items: impl IntoIterator<Item = T>,
        ) -> Result<usize, SendManyError<T>> {
            self.sender.send_many_blocking(self.band, items)
        }
    }
}

impl<T> Clone for BandSender<T> {
    fn clone(&self) -> Self {
        Self::new(self.sender.clone(), self.band)
    }
}
