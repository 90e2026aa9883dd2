//! [`Receiver`], also as a stream, and its iterators.

use super::{handle::common_methods, shared::Channel, weak::WeakReceiver};
use crate::{
    band::Band,
    error::{RecvError, RecvTimeoutError, TryRecvError},
    futures::{Recv, RecvMany},
    sync::Arc,
    wait::Waiter,
};
use core::{
    fmt,
    iter::FusedIterator,
    pin::Pin,
    task::{Context, Poll},
};
use futures_core::{FusedStream, Stream};
use std::time::{Duration, Instant};

/// The receiving side of a channel. Clone it for each consumer: each item goes to one of them.
///
/// A receive takes the oldest item of the most urgent band. It never takes an item while a more urgent
/// one is there whose send happened before the receive began, unless another receive that began
/// earlier has just emptied that band and not yet returned.
///
/// When the last receiver is dropped, the channel closes and what is inside is dropped then and there.
///
/// As a [`Stream`] it yields what `recv` would, and ends when the channel is closed and empty.
/// Dropping or keeping a stream does not take wakes from `recv`s.
pub struct Receiver<T> {
    pub(super) channel: Arc<Channel<T>>,
    /// Our place among the streams, if we are one.
    stream: Waiter,
}

common_methods!(Receiver);

impl<T> Receiver<T> {
    /// A handle that is already counted.
    pub(super) fn from_counted(channel: Arc<Channel<T>>) -> Self {
        Self {
            channel,
            stream: Waiter::new(),
        }
    }

    /// Receives without waiting. Lock-free while no sender waits for room.
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty) if nothing is there, [`Closed`](TryRecvError::Closed) if nothing
    /// will ever come.
    ///
    /// ```
    /// # use bandq::{Band, TryRecvError};
    /// let (sender, receiver) = bandq::unbounded(1);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.try_send(Band::URGENT, 1).unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[inline]
    pub fn try_recv(&self) -> Result<(Band, T), TryRecvError> {
        self.channel.try_recv()
    }

    /// Receives, waiting as a task.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if the channel is closed and empty.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped has not taken an item, and a wake that it was given goes
    /// to the next receiver. One that is kept unpolled, or forgotten, holds back at most that one
    /// wake.
    ///
    /// ```
    /// # use bandq::{Band, RecvError};
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::unbounded(1);
    /// sender.send(Band::URGENT, 1).await.unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.recv().await, Ok((Band::URGENT, 1)));
    /// assert_eq!(receiver.recv().await, Err(RecvError));
    /// # });
    /// ```
    pub fn recv(&self) -> Recv<'_, T> {
        Recv::new(&self.channel)
    }

    /// Receives, blocking the thread. Needs no runtime.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if the channel is closed and empty.
    pub fn recv_blocking(&self) -> Result<(Band, T), RecvError> {
        // Without a deadline there is no timeout.
        self.recv_until(None).map_err(|_| RecvError)
    }

    /// Receives, blocking the thread until something comes or the time is over.
    ///
    /// # Errors
    ///
    /// [`Timeout`](RecvTimeoutError::Timeout), or [`Closed`](RecvTimeoutError::Closed) if the channel
    /// is closed and empty.
    ///
    /// ```
    /// # use bandq::RecvTimeoutError;
    /// # use std::time::Duration;
    /// let (_sender, receiver) = bandq::unbounded::<()>(1);
    /// let nothing = receiver.recv_timeout(Duration::from_millis(1));
    /// assert_eq!(nothing, Err(RecvTimeoutError::Timeout));
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<(Band, T), RecvTimeoutError> {
        // A time beyond the clock's range is no limit.
        self.recv_until(Instant::now().checked_add(timeout))
    }

    /// Receives, blocking the thread until something comes or `deadline` has come.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<(Band, T), RecvTimeoutError> {
        self.recv_until(Some(deadline))
    }

    fn recv_until(&self, deadline: Option<Instant>) -> Result<(Band, T), RecvTimeoutError> {
        Waiter::block(&self.channel.gates.recv, deadline, || {
            received(self.try_recv())
        })
        .ok_or(RecvTimeoutError::Timeout)?
        .map_err(|RecvError| RecvTimeoutError::Closed)
    }

    /// Waits, as a task, until something is there; then appends up to `limit` items to `out` and
    /// returns how many. Each run of items is taken from the most urgent band of that moment. Returns 0
    /// if the channel is closed and empty, or `limit` is 0. Never reserves room for more than what is
    /// there.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped has taken nothing.
    ///
    /// ```
    /// # use bandq::Band;
    /// # futures_lite::future::block_on(async {
    /// let (sender, receiver) = bandq::unbounded(2);
    /// sender.send_many(Band::new(1), ['b', 'c']).await.unwrap();
    /// sender.send(Band::URGENT, 'a').await.unwrap();
    /// let mut out = Vec::new();
    /// assert_eq!(receiver.recv_many(&mut out, 100).await, 3);
    /// assert_eq!(out[0], (Band::URGENT, 'a'));
    /// # });
    /// ```
    pub fn recv_many<'a>(&'a self, out: &'a mut Vec<(Band, T)>, limit: usize) -> RecvMany<'a, T> {
        RecvMany::new(&self.channel, out, limit)
    }

    /// Appends up to `limit` items that are there to `out` and returns how many. `Ok(0)` only if
    /// `limit` is 0.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    pub fn try_recv_many(
        &self,
        out: &mut Vec<(Band, T)>,
        limit: usize,
    ) -> Result<usize, TryRecvError> {
        self.channel.try_recv_many(out, limit)
    }

    /// Receives without waiting until nothing is there. With busy senders it may go on for ever;
    /// see [`drain`](Self::drain).
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::unbounded(2);
    /// sender.try_send(Band::new(1), 'b').unwrap();
    /// sender.try_send(Band::new(0), 'a').unwrap();
    /// let items: String = receiver.try_iter().map(|(_, item)| item).collect();
    /// assert_eq!(items, "ab");
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    /// Receives without waiting at most as many items as are there now, so that it ends while
    /// senders run.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::unbounded(1);
    /// sender.try_send(Band::URGENT, 0).unwrap();
    /// for (band, item) in receiver.drain() {
    ///     sender.try_send(band, item + 1).unwrap(); // not part of this drain
    /// }
    /// assert_eq!(receiver.len(), 1);
    /// ```
    pub fn drain(&self) -> Drain<'_, T> {
        Drain {
            receiver: self,
            left: self.len(),
        }
    }

    /// A handle that does not keep the channel open.
    #[must_use]
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver {
            channel: Arc::clone(&self.channel),
        }
    }
}

/// The part of a receive that ends it; `None` while the channel is empty.
pub(super) fn received<R>(result: Result<R, TryRecvError>) -> Option<Result<R, RecvError>> {
    match result {
        Ok(received) => Some(Ok(received)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some(Err(RecvError)),
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.channel.add_receiver();
        Self::from_counted(Arc::clone(&self.channel))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.stream.leave(&self.channel.gates.stream);
        self.channel.drop_receiver();
    }
}

/// # Cancel safety
///
/// Cancel safe: `poll_next` takes an item only to return it.
impl<T> Stream for Receiver<T> {
    type Item = (Band, T);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<(Band, T)>> {
        let Self { channel, stream } = &mut *self;
        stream
            .poll(&channel.gates.stream, context, || {
                received(channel.try_recv())
            })
            .map(Result::ok)
    }
}

impl<T> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.is_closed() && self.is_empty()
    }
}

/// Items that are there, until none is. Made by [`Receiver::try_iter`].
#[must_use = "iterators do nothing unless consumed"]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = (Band, T);

    fn next(&mut self) -> Option<(Band, T)> {
        self.receiver.try_recv().ok()
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryIter").finish_non_exhaustive()
    }
}

/// At most the items that were there. Made by [`Receiver::drain`].
#[must_use = "iterators do nothing unless consumed"]
pub struct Drain<'a, T> {
    receiver: &'a Receiver<T>,
    left: usize,
}

impl<T> Iterator for Drain<'_, T> {
    type Item = (Band, T);

    fn next(&mut self) -> Option<(Band, T)> {
        self.left = self.left.checked_sub(1)?;
        let item = self.receiver.try_recv().ok();
        if item.is_none() {
            self.left = 0;
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left)) // other receivers may take some
    }
}

impl<T> FusedIterator for Drain<'_, T> {}

impl<T> fmt::Debug for Drain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
