//! [`Sender`].

use super::{
    common::common_methods,
    core::Core,
    futures::{Reserve, ReserveMany, ReserveOwned, Send, SendMany},
    managed::Terms,
    permit::{Grant, OwnedPermit, Permit, Permits},
};
use crate::{
    band::Band,
    clock::nanos,
    entry::Sending,
    error::{ForceSendError, TrySendError, TrySendManyError},
    parcel::Parcel,
    policy::estimate::Estimate,
    sync::Arc,
};
use std::time::Duration;

/// The sending side of a channel. Clone it for each producer.
///
/// When the last sender is dropped, the channel closes; what is inside can still be received.
///
/// `try_send` takes constant time, and is lock-free while nobody waits at the other side. When
/// somebody does, a send takes `event-listener`'s mutex to mark who is woken, and wakes after it
/// has let it go. A waker that panics does not disturb the send: see
/// [`guide::wakers_and_panics`](crate::guide::wakers_and_panics).
///
/// ```
/// use bandq::{Band, unbounded};
/// use std::thread;
///
/// let (sender, receiver) = unbounded(2);
/// let other = sender.clone(); // for another task or thread
/// thread::spawn(move || other.send_blocking(Band::new(1), "from a thread")).join().unwrap()?;
/// sender.try_send(Band::URGENT, "from here")?;
/// drop(sender);
/// assert_eq!(receiver.try_recv()?, (Band::URGENT, "from here"));
/// assert_eq!(receiver.try_recv()?, (Band::new(1), "from a thread"));
/// assert!(receiver.is_closed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sender<T> {
    pub(super) core: Arc<Core<T>>,
    /// The life of what it sends, in nanoseconds.
    pub(super) ttl: u64,
}

common_methods!(Sender, core);

impl<T> Sender<T> {
    /// A handle that is already counted.
    pub(super) fn from_counted(core: Arc<Core<T>>, ttl: u64) -> Self {
        Self { core, ttl }
    }

    /// Sends without waiting.
    ///
    /// # Errors
    ///
    /// [`Full`](TrySendError::Full) if there is no room, [`Closed`](TrySendError::Closed), or
    /// [`NoSuchBand`](TrySendError::NoSuchBand); with a [weigher](crate::Builder::weigher)
    /// [`TooHeavy`](TrySendError::TooHeavy), and where late sends are
    /// [refused](crate::Builder::refuse_late) [`Late`](TrySendError::Late). Each gives the item
    /// back.
    ///
    /// ```
    /// # use bandq::{Band, TrySendError};
    /// let (sender, _receiver) = bandq::bounded(2, 1);
    /// assert_eq!(sender.try_send(Band::new(1), 'a'), Ok(()));
    /// assert_eq!(sender.try_send(Band::new(1), 'b'), Err(TrySendError::Full('b')));
    /// assert_eq!(sender.try_send(Band::new(2), 'c'), Err(TrySendError::NoSuchBand('c')));
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_send(&self, band: impl Into<Band>, item: T) -> Result<(), TrySendError<T>> {
        let mut parcel = Parcel::new(item);
        let band = band.into();
        match self
            .core
            .try_send(band, &mut parcel, Sending::here(self.ttl))
        {
            Ok(()) => Ok(()),
            Err(error) => Err(self.give_back(band, error, parcel)),
        }
    }

    /// The item in the parcel was not sent.
    #[cold]
    fn give_back(
        &self,
        band: Band,
        error: TrySendError<()>,
        mut parcel: Parcel<T>,
    ) -> TrySendError<T> {
        self.core.came_back(band, error).with(parcel.unwrap())
    }

    /// Sends, waiting for room as a task.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendError::Closed) or [`NoSuchBand`](crate::SendError::NoSuchBand); with a
    /// [weigher](crate::Builder::weigher) [`TooHeavy`](crate::SendError::TooHeavy), and where late
    /// sends are [refused](crate::Builder::refuse_late) [`Late`](crate::SendError::Late). Each
    /// gives the item back.
    ///
    /// # Cancel safety
    ///
    /// A send that is dropped before it returned has not sent: its item is dropped with it. A wake
    /// that it was given goes to the next sender. To keep the item, [`reserve`](Self::reserve)
    /// first.
    ///
    /// ```
    /// # use bandq::Band;
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::bounded(2, 10);
    /// sender.send(Band::URGENT, "hello").await?;
    /// assert_eq!(receiver.recv().await?, (Band::URGENT, "hello"));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn send(&self, band: impl Into<Band>, item: T) -> Send<'_, T> {
        Send::new(&self.core, band.into(), Sending::here(self.ttl), item)
    }

    /// Sends the items of an iterator to one band, in order, waiting for room as a task, and
    /// returns how many. Other sends to the band may come in between.
    ///
    /// Items are taken out of the iterator one at a time, each when the one before it is sent, so
    /// that nothing is in hand when the channel closes but the item in the error. While there is
    /// room, it does not yield. If the iterator panics, what it yielded before is sent.
    ///
    /// # Errors
    ///
    /// [`SendManyError`](crate::SendManyError): how many were sent, and why the next one was not,
    /// with that item. Pass `&mut iter` to keep the rest.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, what was sent stays sent, and the one item that waits for room is dropped
    /// with it. With `&mut iter`, the rest is still in the iterator.
    ///
    /// ```
    /// # use bandq::Band;
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::unbounded(1);
    /// assert_eq!(sender.send_many(Band::URGENT, 0..3).await, Ok(3));
    /// receiver.close();
    /// let mut rest = 3..6;
    /// let error = sender.send_many(Band::URGENT, &mut rest).await.unwrap_err();
    /// assert_eq!((error.sent, error.into_inner(), rest), (0, 3, 4..6));
    /// # });
    /// ```
    #[track_caller]
    pub fn send_many<I>(&self, band: impl Into<Band>, items: I) -> SendMany<'_, T, I::IntoIter>
    where
        I: IntoIterator<Item = T>,
    {
        SendMany::new(
            &self.core,
            band.into(),
            Sending::here(self.ttl),
            items.into_iter(),
        )
    }

    /// Waits for room for one item, as a task, before there is an item.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendError::Closed) or [`NoSuchBand`](crate::SendError::NoSuchBand).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future gives up its place among the waiting senders and nothing
    /// else.
    ///
    /// ```
    /// # use bandq::Band;
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::bounded(1, 1);
    /// let permit = sender.reserve(Band::URGENT).await?;
    /// assert!(sender.is_full());
    /// permit.send("made only now that there is room").unwrap();
    /// assert_eq!(receiver.len(), 1);
    /// # Ok::<(), bandq::SendError<()>>(()) }).unwrap();
    /// ```
    pub fn reserve(&self, band: impl Into<Band>) -> Reserve<'_, T> {
        Reserve::new(&self.core, band.into(), 1, self.ttl)
    }

    /// Takes room for one item, if there is any.
    ///
    /// # Errors
    ///
    /// [`Full`](TrySendError::Full), [`Closed`](TrySendError::Closed) or
    /// [`NoSuchBand`](TrySendError::NoSuchBand).
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::bounded(1, 1);
    /// if let Ok(permit) = sender.try_reserve(Band::URGENT) {
    ///     permit.send("worth making: there is room").unwrap();
    /// }
    /// assert_eq!(receiver.len(), 1);
    /// ```
    pub fn try_reserve(&self, band: impl Into<Band>) -> Result<Permit<'_, T>, TrySendError<()>> {
        Ok(Permit::new(&self.core, self.grant(band.into(), 1)?))
    }

    /// Waits for room for one item, as a task; the permit borrows nothing.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve).
    ///
    /// # Cancel safety
    ///
    /// As [`reserve`](Self::reserve).
    ///
    /// ```
    /// # use bandq::Band;
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::bounded(1, 1);
    /// let permit = sender.reserve_owned(Band::URGENT).await?;
    /// drop(sender); // closes the channel: a permit is no sender
    /// assert!(permit.send(1).is_err());
    /// assert!(receiver.is_closed());
    /// # Ok::<(), bandq::SendError<()>>(()) }).unwrap();
    /// ```
    pub fn reserve_owned(&self, band: impl Into<Band>) -> ReserveOwned<'_, T> {
        ReserveOwned::new(&self.core, band.into(), self.ttl)
    }

    /// Takes room for one item, if there is any; the permit borrows nothing.
    ///
    /// # Errors
    ///
    /// As [`try_reserve`](Self::try_reserve).
    ///
    /// ```
    /// # use bandq::{Band, TrySendError};
    /// let (sender, _receiver) = bandq::bounded::<u32>(1, 1);
    /// let permit = sender.try_reserve_owned(Band::URGENT).unwrap();
    /// let more = sender.try_reserve_owned(Band::URGENT).unwrap_err();
    /// assert_eq!(more, TrySendError::Full(()));
    /// # drop(permit);
    /// ```
    pub fn try_reserve_owned(
        &self,
        band: impl Into<Band>,
    ) -> Result<OwnedPermit<T>, TrySendError<()>> {
        let grant = self.grant(band.into(), 1)?;
        Ok(OwnedPermit::new(Arc::clone(&self.core), grant))
    }

    /// Waits, as a task, for room for `units` items at once: all of it, or none.
    ///
    /// Senders that need less may go first for as long as they find room: nothing is held back for
    /// a large reservation. One of nothing is ready at once.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendError::Closed), [`NoSuchBand`](crate::SendError::NoSuchBand), or
    /// [`TooHeavy`](crate::SendError::TooHeavy) if the band may never use so much room.
    ///
    /// # Cancel safety
    ///
    /// As [`reserve`](Self::reserve).
    ///
    /// ```
    /// # use bandq::{Band, SendError};
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::bounded(1, 3);
    /// for (permit, item) in sender.reserve_many(Band::URGENT, 3).await?.zip(0..) {
    ///     permit.send(item).unwrap();
    /// }
    /// assert_eq!(receiver.len(), 3);
    /// let never = sender.reserve_many(Band::URGENT, 4).await;
    /// assert!(matches!(never, Err(SendError::TooHeavy(()))));
    /// # Ok::<(), SendError<()>>(()) }).unwrap();
    /// ```
    pub fn reserve_many(&self, band: impl Into<Band>, units: usize) -> ReserveMany<'_, T> {
        ReserveMany::new(&self.core, band.into(), units, self.ttl)
    }

    /// Takes room for `units` items, if there is as much: all of it, or none.
    ///
    /// # Errors
    ///
    /// [`Full`](TrySendError::Full), [`Closed`](TrySendError::Closed),
    /// [`NoSuchBand`](TrySendError::NoSuchBand), or [`TooHeavy`](TrySendError::TooHeavy) if the
    /// band may never use so much room.
    ///
    /// ```
    /// # use bandq::{Band, TrySendError};
    /// let (sender, _receiver) = bandq::bounded::<u32>(1, 3);
    /// let permits = sender.try_reserve_many(Band::URGENT, 2).unwrap();
    /// let more = sender.try_reserve_many(Band::URGENT, 2).unwrap_err();
    /// assert_eq!((permits.len(), more), (2, TrySendError::Full(())));
    /// ```
    pub fn try_reserve_many(
        &self,
        band: impl Into<Band>,
        units: usize,
    ) -> Result<Permits<'_, T>, TrySendError<()>> {
        Ok(Permits::new(&self.core, self.grant(band.into(), units)?))
    }

    /// Sends the items of an iterator to one band, in order, for as long as there is room, and
    /// returns how many: all.
    ///
    /// # Errors
    ///
    /// [`TrySendManyError`]: how many were sent, and why the next one was not, with that item. Pass
    /// `&mut iter` to keep the rest.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, _receiver) = bandq::bounded(1, 2);
    /// let mut items = 0..5;
    /// let error = sender.try_send_many(Band::URGENT, &mut items).unwrap_err();
    /// assert_eq!((error.sent, error.is_full(), error.into_inner()), (2, true, 2));
    /// assert_eq!(items, 3..5);
    /// ```
    #[track_caller]
    pub fn try_send_many(
        &self,
        band: impl Into<Band>,
        items: impl IntoIterator<Item = T>,
    ) -> Result<usize, TrySendManyError<T>> {
        let band = band.into();
        let mut sent = 0;
        for item in items {
            match self.try_send(band, item) {
                Ok(()) => sent += 1,
                Err(error) => return Err(TrySendManyError { sent, error }),
            }
        }
        Ok(sent)
    }
}

/// What to do where there is no room, or no time.
impl<T> Sender<T> {
    /// Sends, at once; where there is no room, less urgent items have to go for it. Returns what
    /// went: nothing if there was room.
    ///
    /// What goes is the oldest item of the least urgent band that has one, and only if that band is
    /// less urgent than this item's, and not more urgent than the first
    /// [`evictable`](crate::Builder::evictable_from) one. Without a
    /// [`weigher`](crate::Builder::weigher) it is one item at the most; with one, as many as it
    /// takes. Their room passes to the new item; nobody who waits for room gets it. Where the
    /// capacity was lowered below what is in use, one that goes would not be enough, and none does.
    ///
    /// Looks at each band that is less urgent; the others are as they were.
    ///
    /// # Errors
    ///
    /// As [`try_send`](Self::try_send): [`Full`](TrySendError::Full) if there is nothing that may
    /// go. What had gone by then is in the error: nothing is lost.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::bounded(3, 2);
    /// sender.try_send(Band::new(1), "first")?;
    /// sender.try_send(Band::new(2), "second")?;
    /// let gone = sender.force_send(Band::URGENT, "urgent")?;
    /// assert_eq!(gone, [(Band::new(2), "second")]);
    /// assert_eq!(receiver.try_recv()?.1, "urgent");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn force_send(
        &self,
        band: impl Into<Band>,
        item: T,
    ) -> Result<Vec<(Band, T)>, ForceSendError<T>> {
        let mut parcel = Parcel::new(item);
        let mut evicted = Vec::new();
        let sending = Sending::here(self.ttl);
        let band = band.into();
        let sent = self
            .core
            .force_send(band, &mut parcel, sending, &mut evicted);
        match sent {
            Ok(()) => Ok(evicted),
            Err(error) => Err(ForceSendError {
                error: self.core.came_back(band, error).with(parcel.unwrap()),
                evicted,
            }),
        }
    }

    /// A sender whose items live for this time, or for that of their band
    /// ([`Builder::ttl`](crate::Builder::ttl)) or of this sender, whichever is the least.
    ///
    /// On a channel whose items carry no times, those that are sent from now on do, by whatever
    /// handle, and take 32 bytes more.
    ///
    /// ```
    /// # use bandq::{Band, TryRecvError};
    /// # use std::{thread::sleep, time::Duration};
    /// let (sender, receiver) = bandq::unbounded(1);
    /// let fleeting = sender.with_ttl(Duration::from_millis(1));
    /// fleeting.try_send(Band::URGENT, "a tick")?;
    /// sender.try_send(Band::URGENT, "a trade")?;
    /// sleep(Duration::from_millis(2));
    /// assert_eq!(receiver.try_recv()?.1, "a trade");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_ttl(&self, life: Duration) -> Self {
        self.core.keep_entries(Terms::new(self.core.bands()));
        self.core.senders.add();
        Self::from_counted(Arc::clone(&self.core), self.ttl.min(nanos(life)))
    }

    /// How many items are ahead of one that is sent to that band now, and how long it would wait.
    ///
    /// The wait goes by the pace of recent receives, while something waited, and their spread over
    /// the bands; on a channel whose items have a time to live ([`Builder::ttl`]) or that
    /// [refuses late sends](crate::Builder::refuse_late). Elsewhere, and at first, it is `None`.
    /// For a band that the channel does not have, nothing is ahead. Looks at each band.
    ///
    /// [`Builder::ttl`]: crate::Builder::ttl
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, _receiver) = bandq::unbounded(3);
    /// for band in [0, 1, 1, 2] {
    ///     sender.try_send(Band::new(band), ())?;
    /// }
    /// assert_eq!(sender.estimate(Band::new(1)).ahead, 3);
    /// assert_eq!(sender.estimate(Band::new(1)).wait, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn estimate(&self, band: impl Into<Band>) -> Estimate {
        let band = band.into();
        if !self.core.has_band(band) {
            return Estimate {
                ahead: 0,
                wait: None,
            };
        }
        self.core.estimate(band)
    }

    /// Waits for so many units of room at once, and holds them for one item, which may weigh so
    /// much; see [`Builder::weigher`](crate::Builder::weigher).
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::SendError::Closed), [`NoSuchBand`](crate::SendError::NoSuchBand), or
    /// [`TooHeavy`](crate::SendError::TooHeavy) if the band may never use so many.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped holds nothing.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// # futures_lite::future::block_on(async {
    /// let (sender, _receiver) = Builder::new(1).capacity(10).weigher(|s: &&str| s.len()).build()?;
    /// let permit = sender.reserve_units(Band::URGENT, 8).await?;
    /// assert_eq!(sender.available(), Some(2));
    /// permit.send("five!")?; // and what it does not need goes back
    /// assert_eq!(sender.available(), Some(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn reserve_units(&self, band: impl Into<Band>, units: usize) -> Reserve<'_, T> {
        Reserve::new(&self.core, band.into(), units, self.ttl)
    }

    /// The same without waiting.
    ///
    /// # Errors
    ///
    /// As [`reserve_units`](Self::reserve_units), or [`Full`](TrySendError::Full).
    ///
    /// ```
    /// # use bandq::{Band, Builder, SendError};
    /// let (sender, _receiver) = Builder::new(1).capacity(10).weigher(|s: &&str| s.len()).build()?;
    /// let permit = sender.try_reserve_units(Band::URGENT, 3)?;
    /// assert!(sender.try_reserve_units(Band::URGENT, 8).unwrap_err().is_full());
    /// assert_eq!(permit.send("more than three"), Err(SendError::TooHeavy("more than three")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_reserve_units(
        &self,
        band: impl Into<Band>,
        units: usize,
    ) -> Result<Permit<'_, T>, TrySendError<()>> {
        Ok(Permit::new(&self.core, self.grant(band.into(), units)?))
    }

    /// Room for a permit, if there is any.
    fn grant(&self, band: Band, units: usize) -> Result<Grant, TrySendError<()>> {
        self.core
            .try_reserve(band, units, self.ttl)
            .map_err(|error| self.core.came_back(band, error))?;
        Ok(Grant {
            band,
            units,
            ttl: self.ttl,
            has_waited: false,
        })
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.core.senders.add();
        Self::from_counted(Arc::clone(&self.core), self.ttl)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.core.drop_sender();
    }
}
