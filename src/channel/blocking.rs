//! The blocking calls of both sides. They do not exist on wasm, where no thread can be parked.

use super::{
    core::{received, sent},
    observed::Put,
    receiver::Receiver,
    sender::Sender,
    waits::RECEIVES,
};
use crate::{
    band::Band,
    entry::Sending,
    error::{
        RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, TrySendError,
    },
    parcel::Parcel,
    wait::Waiter,
};
use std::time::{Duration, Instant};

/// # Blocking
///
/// These block the thread. In a task they block the runtime's thread with it, and when what they
/// wait for needs that very thread, for ever: use `send` there. (tokio's own channels panic in that
/// case; bandq knows no runtime, so it cannot tell.) They do not exist on wasm.
impl<T> Sender<T> {
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
    #[track_caller]
    pub fn send_blocking(&self, band: impl Into<Band>, item: T) -> Result<(), SendError<T>> {
        let mut parcel = Parcel::new(item);
        let band = band.into();
        let sending = Sending::here(self.ttl);
        let mut put = Put::default();
        let outcome = Waiter::block(&self.core.room_wait(band), None, || {
            put.looked(
                &self.core,
                band,
                sent(
                    self.core
                        .try_send(band, &mut parcel, sending.after(put.waits())),
                ),
            )
        });
        match outcome {
            Some(Err(error)) => Err(error.with(parcel.unwrap())),
            Some(Ok(())) | None => Ok(()), // without a deadline there is no timeout
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
    #[track_caller]
    pub fn send_timeout(
        &self,
        band: impl Into<Band>,
        item: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        // A time beyond the clock's range is no limit.
        let deadline = Instant::now().checked_add(timeout);
        let mut parcel = Parcel::new(item);
        self.send_until(band.into(), &mut parcel, deadline)
            .map_err(|error| error.with(parcel.unwrap()))
    }

    /// Sends, blocking the thread until there is room or `deadline` has come.
    ///
    /// # Errors
    ///
    /// As [`send_timeout`](Self::send_timeout).
    ///
    /// ```
    /// # use bandq::{Band, SendTimeoutError};
    /// # use std::time::Instant;
    /// let (sender, _receiver) = bandq::bounded(1, 1);
    /// let now = Instant::now();
    /// assert_eq!(sender.send_deadline(Band::URGENT, 1, now), Ok(()));
    /// let late = sender.send_deadline(Band::URGENT, 2, now);
    /// assert_eq!(late, Err(SendTimeoutError::Timeout(2)));
    /// ```
    #[track_caller]
    pub fn send_deadline(
        &self,
        band: impl Into<Band>,
        item: T,
        deadline: Instant,
    ) -> Result<(), SendTimeoutError<T>> {
        let mut parcel = Parcel::new(item);
        self.send_until(band.into(), &mut parcel, Some(deadline))
            .map_err(|error| error.with(parcel.unwrap()))
    }

    #[track_caller]
    fn send_until(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
        deadline: Option<Instant>,
    ) -> Result<(), SendTimeoutError<()>> {
        let sending = Sending::here(self.ttl);
        let mut put = Put::default();
        let outcome = Waiter::block(&self.core.room_wait(band), deadline, || {
            put.looked(
                &self.core,
                band,
                sent(self.core.try_send(band, parcel, sending.after(put.waits()))),
            )
        });
        match outcome {
            Some(outcome) => Ok(outcome?),
            None => {
                _ = self.core.came_back(band, TrySendError::Full(()));
                Err(SendTimeoutError::Timeout(()))
            }
        }
    }

    /// Sends the items of an iterator to one band, in order, blocking the thread while there is no
    /// room, and returns how many.
    ///
    /// # Errors
    ///
    /// [`SendManyError`]: how many were sent, and why the next one was not, with that item. Pass
    /// `&mut iter` to keep the rest.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::bounded(1, 2);
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(sender.send_many_blocking(Band::URGENT, 0..10), Ok(10)));
    ///     assert!((0..10).all(|i| receiver.recv_blocking() == Ok((Band::URGENT, i))));
    /// });
    /// ```
    #[track_caller]
    pub fn send_many_blocking(
        &self,
        band: impl Into<Band>,
        items: impl IntoIterator<Item = T>,
    ) -> Result<usize, SendManyError<T>> {
        let band = band.into();
        let mut sent = 0;
        for item in items {
            match self.send_blocking(band, item) {
                Ok(()) => sent += 1,
                Err(error) => return Err(SendManyError { sent, error }),
            }
        }
        Ok(sent)
    }
}

/// # Blocking
///
/// As for [`Sender`]: in a task use `recv`. A thread looks a few times more, for a bounded time,
/// before it goes to sleep.
impl<T> Receiver<T> {
    /// Receives, blocking the thread. Needs no runtime.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if the channel is closed and empty.
    ///
    /// ```
    /// # use bandq::{Band, RecvError};
    /// let (sender, receiver) = bandq::unbounded(1);
    /// std::thread::spawn(move || sender.send_blocking(Band::URGENT, "from a thread"));
    /// assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, "from a thread")));
    /// assert_eq!(receiver.recv_blocking(), Err(RecvError));
    /// ```
    pub fn recv_blocking(&self) -> Result<(Band, T), RecvError> {
        // Without a deadline there is no timeout.
        self.recv_until(None).map_err(|_| RecvError)
    }

    /// Receives, blocking the thread until something comes or the time is over.
    ///
    /// # Errors
    ///
    /// [`Timeout`](RecvTimeoutError::Timeout), or [`Closed`](RecvTimeoutError::Closed) if the
    /// channel is closed and empty.
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
    ///
    /// ```
    /// # use bandq::{Band, RecvTimeoutError};
    /// # use std::time::Instant;
    /// let (sender, receiver) = bandq::unbounded(1);
    /// sender.try_send(Band::URGENT, 1).unwrap();
    /// let now = Instant::now();
    /// assert_eq!(receiver.recv_deadline(now), Ok((Band::URGENT, 1)));
    /// assert_eq!(receiver.recv_deadline(now), Err(RecvTimeoutError::Timeout));
    /// ```
    pub fn recv_deadline(&self, deadline: Instant) -> Result<(Band, T), RecvTimeoutError> {
        self.recv_until(Some(deadline))
    }

    fn recv_until(&self, deadline: Option<Instant>) -> Result<(Band, T), RecvTimeoutError> {
        let mut parcel = Parcel::empty();
        let band = self.block(deadline, || {
            received(self.core.try_recv(self.mask, &mut parcel))
        })?;
        Ok((band, parcel.unwrap()))
    }

    fn block<R>(
        &self,
        deadline: Option<Instant>,
        attempt: impl FnMut() -> Option<Result<R, RecvError>>,
    ) -> Result<R, RecvTimeoutError> {
        match Waiter::block(&self.core.item_wait(self.mask, RECEIVES), deadline, attempt) {
            Some(outcome) => Ok(outcome?),
            None => Err(RecvTimeoutError::Timeout),
        }
    }

    /// Waits, blocking the thread, until something is there; then appends up to `limit` items to
    /// `out` and returns how many. Returns 0 if the channel is closed and empty, or `limit` is 0.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::unbounded(1);
    /// sender.try_send_many(Band::URGENT, 0..3).unwrap();
    /// drop(sender);
    /// let mut out = Vec::new();
    /// assert_eq!(receiver.recv_many_blocking(&mut out, 100), 3);
    /// assert_eq!(receiver.recv_many_blocking(&mut out, 100), 0);
    /// ```
    pub fn recv_many_blocking(&self, out: &mut Vec<(Band, T)>, limit: usize) -> usize {
        // Without a deadline there is no timeout, and closed means 0.
        self.block(None, || {
            received(self.core.try_recv_many(self.mask, out, limit))
        })
        .unwrap_or(0)
    }

    /// The same, until the time is over. `Ok(0)` only if `limit` is 0.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// ```
    /// # use bandq::{Band, RecvTimeoutError};
    /// # use std::time::Duration;
    /// let (sender, receiver) = bandq::unbounded(1);
    /// sender.try_send(Band::URGENT, 7).unwrap();
    /// let mut out = Vec::new();
    /// let wait = Duration::from_millis(1);
    /// assert_eq!(receiver.recv_many_timeout(&mut out, 100, wait), Ok(1));
    /// let nothing = receiver.recv_many_timeout(&mut out, 100, wait);
    /// assert_eq!(nothing, Err(RecvTimeoutError::Timeout));
    /// ```
    pub fn recv_many_timeout(
        &self,
        out: &mut Vec<(Band, T)>,
        limit: usize,
        timeout: Duration,
    ) -> Result<usize, RecvTimeoutError> {
        // A time beyond the clock's range is no limit.
        let deadline = Instant::now().checked_add(timeout);
        self.block(deadline, || {
            received(self.core.try_recv_many(self.mask, out, limit))
        })
    }
}
