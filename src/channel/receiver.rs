//! [`Receiver`], also as a stream.

use super::{
    common::common_methods,
    core::{Core, received},
    futures::{Recv, RecvMany},
    waits::STREAMS,
};
#[cfg(feature = "observe")]
use crate::sync::atomic::AtomicBool;
use crate::{band::Band, error::TryRecvError, parcel::Parcel, sync::Arc, wait::Waiter};
use core::{
    pin::Pin,
    task::{Context, Poll},
};
use futures_core::{FusedStream, Stream};

/// The receiving side of a channel. Clone it for each consumer: each item goes to one of them.
///
/// A receive takes the oldest item of the most urgent band. It never takes an item while a more
/// urgent one is there whose send happened before the receive began, unless another receive that
/// began earlier found that band empty and has not yet returned.
///
/// When the last receiver is dropped, the channel closes, and what is inside is dropped then and
/// there: all of it, even if an item's `drop` panics; the first such panic goes on from here.
///
/// As a [`Stream`] it yields what `recv` would, and ends when the channel is closed and empty. An
/// item wakes every stream that waits, so one that is kept, or whose `next()` was cancelled, holds
/// back nothing from another stream or a `recv`.
///
/// ```
/// use bandq::{Band, unbounded};
/// use futures_lite::StreamExt;
///
/// # futures_lite::future::block_on(async {
/// let (sender, mut receiver) = unbounded(2);
/// let worker = receiver.clone(); // for another task or thread
/// sender.send(Band::new(1), "later").await?;
/// sender.send(Band::URGENT, "first").await?;
/// drop(sender);
///
/// assert_eq!(worker.recv().await?, (Band::URGENT, "first"));
/// assert_eq!(receiver.next().await, Some((Band::new(1), "later"))); // as a stream
/// assert_eq!(receiver.next().await, None);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Receiver<T> {
    pub(super) core: Arc<Core<T>>,
    /// The bands that it takes from, a bit a band.
    pub(super) mask: u64,
    /// Our place among the streams, if we are one.
    stream: Waiter,
    /// Whether we have returned `None` as a stream.
    is_terminated: bool,
    /// Whether it has said once what it works on.
    #[cfg(feature = "observe")]
    pub(super) is_worker: AtomicBool,
}

common_methods!(Receiver, core);

impl<T> Receiver<T> {
    /// A handle that is already counted.
    pub(super) fn from_counted(core: Arc<Core<T>>, mask: u64) -> Self {
        Self {
            core,
            mask,
            stream: Waiter::new(),
            is_terminated: false,
            #[cfg(feature = "observe")]
            is_worker: AtomicBool::new(false),
        }
    }

    /// Receives without waiting. Takes constant time, and is lock-free while no sender waits for
    /// room. One that finds nothing looks at each band, twice.
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty) if there was one instant within the call at which nothing was
    /// in any band, [`Closed`](TryRecvError::Closed) if nothing will ever come.
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
    #[inline(always)]
    pub fn try_recv(&self) -> Result<(Band, T), TryRecvError> {
        let mut parcel = Parcel::empty();
        let band = self.core.try_recv(self.mask, &mut parcel)?;
        Ok((band, parcel.unwrap()))
    }

    /// Receives, waiting as a task.
    ///
    /// # Errors
    ///
    /// [`RecvError`](crate::RecvError) if the channel is closed and empty.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a future that is dropped has not taken an item, and a wake that it was given
    /// goes to the next receiver. One that is kept unpolled, or forgotten, holds back at most that
    /// one wake.
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
        Recv::new(&self.core, self.mask)
    }

    /// Waits, as a task, until something is there; then appends up to `limit` items to `out` and
    /// returns how many. Each run of up to 32 items is taken from the most urgent band of that
    /// moment. Returns 0 if the channel is closed and empty, or `limit` is 0. Never reserves memory
    /// for more than what is there.
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
        RecvMany::new(&self.core, self.mask, out, limit)
    }

    /// Appends up to `limit` items that are there to `out` and returns how many. `Ok(0)` only if
    /// `limit` is 0.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    ///
    /// ```
    /// # use bandq::{Band, TryRecvError};
    /// let (sender, receiver) = bandq::unbounded(2);
    /// sender.try_send(Band::new(1), 'b').unwrap();
    /// sender.try_send(Band::URGENT, 'a').unwrap();
    /// let mut out = Vec::new();
    /// assert_eq!(receiver.try_recv_many(&mut out, 100), Ok(2));
    /// assert_eq!(out, [(Band::URGENT, 'a'), (Band::new(1), 'b')]);
    /// assert_eq!(receiver.try_recv_many(&mut out, 100), Err(TryRecvError::Empty));
    /// ```
    pub fn try_recv_many(
        &self,
        out: &mut Vec<(Band, T)>,
        limit: usize,
    ) -> Result<usize, TryRecvError> {
        self.core.try_recv_many(self.mask, out, limit)
    }

    /// The poll of [`recv_many`](Self::recv_many), for futures written by hand. It waits in the
    /// place of the stream, so the last context of either is the one that is woken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it takes items only to append them, and is ready then.
    ///
    /// ```
    /// # use bandq::Band;
    /// # use std::future::poll_fn;
    /// # futures_lite::future::block_on(async {
    /// let (sender, mut receiver) = bandq::unbounded(1);
    /// sender.send(Band::URGENT, 7).await.unwrap();
    /// let mut out = Vec::new();
    /// let count = poll_fn(|context| receiver.poll_recv_many(context, &mut out, 100)).await;
    /// assert_eq!((count, out), (1, vec![(Band::URGENT, 7)]));
    /// # });
    /// ```
    pub fn poll_recv_many(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<(Band, T)>,
        limit: usize,
    ) -> Poll<usize> {
        let Self {
            core, mask, stream, ..
        } = self;
        stream
            .poll(&core.item_wait(*mask, STREAMS), context, || {
                received(core.try_recv_many(*mask, out, limit))
            })
            .map(|received| received.unwrap_or(0)) // closed and empty
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.core.receivers.add();
        Self::from_counted(Arc::clone(&self.core), self.mask)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.stream.leave(&self.core.item_wait(self.mask, STREAMS));
        #[cfg(feature = "observe")]
        self.retire();
        self.core.drop_receiver();
    }
}

/// # Cancel safety
///
/// Cancel safe: `poll_next` takes an item only to return it.
impl<T> Stream for Receiver<T> {
    type Item = (Band, T);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<(Band, T)>> {
        let Self {
            core,
            mask,
            stream,
            is_terminated,
            ..
        } = &mut *self;
        let mut parcel = Parcel::empty();
        stream
            .poll(&core.item_wait(*mask, STREAMS), context, || {
                received(core.try_recv(*mask, &mut parcel))
            })
            .map(|received| {
                *is_terminated = received.is_err();
                Some((received.ok()?, parcel.take()?))
            })
    }
}

impl<T> FusedStream for Receiver<T> {
    /// Whether this receiver has returned `None` as a stream. A clone has not.
    fn is_terminated(&self) -> bool {
        self.is_terminated
    }
}
