//! [`Sender`].

use super::{
    handle::common_methods,
    permit::Permit,
    shared::{Channel, settled},
    weak::WeakSender,
};
use crate::{
    band::Band,
    error::{SendError, SendTimeoutError, TrySendError},
    futures::{Reserve, Send, SendMany},
    sync::Arc,
    wait::Waiter,
};
use std::time::{Duration, Instant};

/// The sending side of a channel. Clone it for each producer.
///
/// When the last sender is dropped, the channel closes; what is inside can still be received.
///
/// `try_send` is lock-free while nobody waits at the other side. When somebody does, a send takes
/// `event-listener`'s mutex for the wake.
pub struct Sender<T> {
    pub(super) channel: Arc<Channel<T>>,
}

common_methods!(Sender);

impl<T> Sender<T> {
    /// A handle that is already counted.
    pub(super) fn from_counted(channel: Arc<Channel<T>>) -> Self {
        Self { channel }
    }

    /// Sends without waiting.
    ///
    /// # Errors
    ///
    /// [`Full`](TrySendError::Full) if there is no room, [`Closed`](TrySendError::Closed), or
    /// [`NoSuchBand`](TrySendError::NoSuchBand); each gives the item back.
    ///
    /// ```
    /// # use bandq::{Band, TrySendError};
    /// let (sender, _receiver) = bandq::bounded(2, 1);
    /// assert_eq!(sender.try_send(Band::new(1), 'a'), Ok(()));
    /// assert_eq!(sender.try_send(Band::new(1), 'b'), Err(TrySendError::Full('b')));
    /// assert_eq!(sender.try_send(Band::new(2), 'c'), Err(TrySendError::NoSuchBand('c')));
    /// ```
    #[inline]
    pub fn try_send(&self, band: impl Into<Band>, item: T) -> Result<(), TrySendError<T>> {
        self.channel.try_send(band.into(), item)
    }

    /// Sends, waiting for room as a task.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed) or [`NoSuchBand`](SendError::NoSuchBand), with the item.
    ///
    /// # Cancel safety
    ///
    /// A send that is dropped before it returned has not sent: its item is dropped with it. A wake
    /// that it was given goes to the next sender. To keep the item, [`reserve`](Self::reserve) first.
    ///
    /// ```
    /// # use bandq::Band;
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::bounded(2, 10);
    /// sender.send(Band::URGENT, "hello").await?;
    /// assert_eq!(receiver.recv().await?, (Band::URGENT, "hello"));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn send(&self, band: impl Into<Band>, item: T) -> Send<'_, T> {
        Send::new(&self.channel, band.into(), item)
    }

    /// Sends, blocking the thread until there is room. Needs no runtime.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed) or [`NoSuchBand`](SendError::NoSuchBand), with the item.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::bounded(1, 1);
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| (0..10).try_for_each(|i| sender.send_blocking(Band::URGENT, i)));
    ///     assert!((0..10).all(|i| receiver.recv_blocking() == Ok((Band::URGENT, i))));
    /// });
    /// ```
    pub fn send_blocking(&self, band: impl Into<Band>, item: T) -> Result<(), SendError<T>> {
        match self.send_until(band.into(), item, None) {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::NoSuchBand(item)) => Err(SendError::NoSuchBand(item)),
            // Without a deadline there is no timeout.
            Err(SendTimeoutError::Closed(item) | SendTimeoutError::Timeout(item)) => {
                Err(SendError::Closed(item))
            }
        }
    }

    /// Sends, blocking the thread until there is room or the time is over.
    ///
    /// # Errors
    ///
    /// [`Timeout`](SendTimeoutError::Timeout), [`Closed`](SendTimeoutError::Closed) or
    /// [`NoSuchBand`](SendTimeoutError::NoSuchBand), with the item.
    ///
    /// ```
    /// # use bandq::{Band, SendTimeoutError};
    /// # use std::time::Duration;
    /// let (sender, _receiver) = bandq::bounded(1, 1);
    /// sender.try_send(Band::URGENT, 1).unwrap();
    /// assert_eq!(
    ///     sender.send_timeout(Band::URGENT, 2, Duration::from_millis(1)),
    ///     Err(SendTimeoutError::Timeout(2)),
    /// );
    /// ```
    pub fn send_timeout(
        &self,
        band: impl Into<Band>,
        item: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        // A time beyond the clock's range is no limit.
        self.send_until(band.into(), item, Instant::now().checked_add(timeout))
    }

    /// Sends, blocking the thread until there is room or `deadline` has come.
    ///
    /// # Errors
    ///
    /// As [`send_timeout`](Self::send_timeout).
    pub fn send_deadline(
        &self,
        band: impl Into<Band>,
        item: T,
        deadline: Instant,
    ) -> Result<(), SendTimeoutError<T>> {
        self.send_until(band.into(), item, Some(deadline))
    }

    fn send_until(
        &self,
        band: Band,
        item: T,
        deadline: Option<Instant>,
    ) -> Result<(), SendTimeoutError<T>> {
        let mut item = Some(item);
        let outcome = Waiter::block(&self.channel.gates.room, deadline, || {
            let result = self.channel.try_send(band, item.take()?);
            settled(result, &mut item)
        });
        match (outcome, item) {
            (Some(Err(SendError::Closed(item))), _) => Err(SendTimeoutError::Closed(item)),
            (Some(Err(SendError::NoSuchBand(item))), _) => Err(SendTimeoutError::NoSuchBand(item)),
            (None, Some(item)) => Err(SendTimeoutError::Timeout(item)),
            (Some(Ok(())), _) | (None, None) => Ok(()),
        }
    }

    /// Sends the items of an iterator to one band, in order, waiting for room as a task, and returns
    /// how many. Other sends to the band may come in between.
    ///
    /// Items are taken out of the iterator one at a time, each when the one before it is sent, so
    /// that nothing is in hand when the channel closes but the item in the error. While there is
    /// room, it does not yield.
    ///
    /// # Errors
    ///
    /// [`SendManyError`](crate::SendManyError): how many were sent, and why the next one was not, with
    /// that item. Pass `&mut iter` to keep the rest.
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
    pub fn send_many<I>(&self, band: impl Into<Band>, items: I) -> SendMany<'_, T, I::IntoIter>
    where
        I: IntoIterator<Item = T>,
    {
        SendMany::new(&self.channel, band.into(), items.into_iter())
    }

    /// Waits for room for one item, as a task, before there is an item.
    ///
    /// # Errors
    ///
    /// [`Closed`](SendError::Closed) or [`NoSuchBand`](SendError::NoSuchBand).
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
        Reserve::new(&self.channel, band.into())
    }

    /// Takes room for one item, if there is any.
    ///
    /// # Errors
    ///
    /// [`Full`](TrySendError::Full), [`Closed`](TrySendError::Closed) or
    /// [`NoSuchBand`](TrySendError::NoSuchBand).
    pub fn try_reserve(&self, band: impl Into<Band>) -> Result<Permit<'_, T>, TrySendError<()>> {
        let band = band.into();
        self.channel.reserve(band)?;
        Ok(Permit::new(&self.channel, band))
    }

    /// A handle that does not keep the channel open.
    ///
    /// ```
    /// let (sender, _receiver) = bandq::unbounded::<()>(1);
    /// let weak = sender.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(sender);
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            channel: Arc::clone(&self.channel),
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.channel.add_sender();
        Self::from_counted(Arc::clone(&self.channel))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.channel.drop_sender();
    }
}
