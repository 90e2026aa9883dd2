//! The futures that the async methods return.
//!
//! They are here and not at the root, so that `use bandq::*` leaves the `Send` trait alone. All are
//! `Unpin`, and `Send` where the items are. What happens when one is dropped before it was ready is
//! said at the method that makes it, and for all of them in
//! [`guide::cancel_safety`](crate::guide::cancel_safety).
//!
//! # Panics
//!
//! All are fused: once one was ready, [`is_terminated`](FusedFuture::is_terminated) says so; to
//! poll it again panics, and takes and sends nothing.

use super::{
    core::{Core, received, sent},
    observed::Put,
    permit::{Grant, OwnedPermit, Permit, Permits},
    waits::{ItemWait, RECEIVES, RoomWait},
};
use crate::{
    band::Band,
    entry::Sending,
    error::{RecvError, SendError, SendManyError},
    parcel::Parcel,
    sync::Arc,
    wait::{EventCount, Place, Waiter},
};
use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use futures_core::FusedFuture;

/// One that waits, leaves when it is dropped, and knows whether the waiting is over.
struct Wait<P: Place> {
    place: P,
    waiter: Waiter,
    is_over: bool,
}

impl<P: Place> Wait<P> {
    fn at(place: P) -> Self {
        Self {
            place,
            waiter: Waiter::new(),
            is_over: false,
        }
    }

    /// Looks with `attempt` until it has an outcome: the future's.
    #[inline]
    fn poll<R>(&mut self, context: &Context<'_>, attempt: impl FnMut() -> Option<R>) -> Poll<R> {
        let poll = self.poll_part(context, attempt);
        self.is_over = poll.is_ready();
        poll
    }

    /// Looks with `attempt` until it has an outcome: one of several that the future needs.
    #[inline]
    fn poll_part<R>(
        &mut self,
        context: &Context<'_>,
        attempt: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        assert!(!self.is_over, "polled again after it was ready");
        self.waiter.poll(&self.place, context, attempt)
    }
}

impl<P: Place> Drop for Wait<P> {
    #[inline]
    fn drop(&mut self) {
        self.waiter.leave(&self.place);
    }
}

/// What all futures have: `Unpin`, `Debug` by name, and that they are fused.
macro_rules! fused {
    ($future:ident < $lifetime:lifetime, T >) => {
        fused!($future<$lifetime, T>, wait);
    };
    ($future:ident < $lifetime:lifetime, T >, $($wait:ident).+) => {
        impl<T> Unpin for $future<'_, T> {}

        impl<T> FusedFuture for $future<'_, T> {
            fn is_terminated(&self) -> bool {
                self.$($wait).+.is_over
            }
        }

        impl<T> fmt::Debug for $future<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($future)).finish_non_exhaustive()
            }
        }
    };
}

/// Made by [`Sender::send`](crate::Sender::send).
///
/// ```
/// # use bandq::Band;
/// # use futures::future::FusedFuture;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded(1);
/// let mut sending = sender.send(Band::URGENT, 1); // nothing is sent yet
/// assert!(receiver.is_empty());
/// assert_eq!((&mut sending).await, Ok(()));
/// assert!(sending.is_terminated());
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Send<'a, T> {
    core: &'a Core<T>,
    wait: Wait<RoomWait<'a>>,
    band: Band,
    sending: Sending,
    parcel: Parcel<T>,
    put: Put,
}

fused!(Send<'a, T>);

impl<'a, T> Send<'a, T> {
    pub(super) fn new(core: &'a Core<T>, band: Band, sending: Sending, item: T) -> Self {
        Self {
            core,
            wait: Wait::at(core.room_wait(band)),
            band,
            sending,
            parcel: Parcel::new(item),
            put: Put::default(),
        }
    }
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            core,
            wait,
            band,
            sending,
            parcel,
            put,
        } = &mut *self;
        wait.poll(context, || {
            put.looked(
                core,
                *band,
                sent(core.try_send(*band, parcel, sending.after(put.waits()))),
            )
        })
        .map_err(|error| error.with(parcel.unwrap()))
    }
}

/// Made by [`Sender::send_many`](crate::Sender::send_many).
///
/// ```
/// # use bandq::Band;
/// # use futures::future::FusedFuture;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::bounded(1, 2);
/// let mut sending = sender.send_many(Band::URGENT, 1..=3);
/// assert!(futures_lite::future::poll_once(&mut sending).await.is_none()); // the third waits
/// receiver.try_recv().unwrap();
/// assert_eq!((&mut sending).await, Ok(3));
/// assert!(sending.is_terminated());
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct SendMany<'a, T, I> {
    core: &'a Core<T>,
    wait: Wait<RoomWait<'a>>,
    band: Band,
    sending: Sending,
    items: I,
    /// Taken out of the iterator, and waiting for room.
    next: Parcel<T>,
    sent: usize,
    put: Put,
}

impl<T, I> Unpin for SendMany<'_, T, I> {}

impl<T, I: Iterator<Item = T>> FusedFuture for SendMany<'_, T, I> {
    fn is_terminated(&self) -> bool {
        self.wait.is_over
    }
}

impl<T, I> fmt::Debug for SendMany<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendMany")
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl<'a, T, I: Iterator<Item = T>> SendMany<'a, T, I> {
    pub(super) fn new(core: &'a Core<T>, band: Band, sending: Sending, items: I) -> Self {
        Self {
            core,
            wait: Wait::at(core.room_wait(band)),
            band,
            sending,
            items,
            next: Parcel::empty(),
            sent: 0,
            put: Put::default(),
        }
    }
}

impl<T, I: Iterator<Item = T>> Future for SendMany<'_, T, I> {
    type Output = Result<usize, SendManyError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            core,
            wait,
            band,
            sending,
            items,
            next,
            sent: count,
            put,
        } = &mut *self;
        assert!(!wait.is_over, "polled again after it was ready");
        let outcome = loop {
            if next.is_empty() {
                let Some(item) = items.next() else {
                    break Ok(*count);
                };
                next.put(item);
            }
            let sending = wait.poll_part(context, || {
                put.looked(
                    core,
                    *band,
                    sent(core.try_send(*band, next, sending.after(put.waits()))),
                )
            });
            match sending {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => *count += 1,
                Poll::Ready(Err(error)) => {
                    let error = error.with(next.unwrap());
                    break Err(SendManyError {
                        sent: *count,
                        error,
                    });
                }
            }
        };
        wait.is_over = true;
        Poll::Ready(outcome)
    }
}

/// A wait for room for a permit.
struct Reserving<'a> {
    wait: Wait<RoomWait<'a>>,
    grant: Grant,
    put: Put,
}

impl<'a> Reserving<'a> {
    fn new(place: RoomWait<'a>, band: Band, units: usize, ttl: u64) -> Self {
        Self {
            wait: Wait::at(place),
            grant: Grant {
                band,
                units,
                ttl,
                has_waited: false,
            },
            put: Put::default(),
        }
    }

    fn poll<T>(
        &mut self,
        core: &Core<T>,
        context: &Context<'_>,
    ) -> Poll<Result<Grant, SendError<()>>> {
        let Self { wait, grant, put } = self;
        let Grant {
            band, units, ttl, ..
        } = *grant;
        wait.poll(context, || {
            put.looked(core, band, sent(core.try_reserve(band, units, ttl)))
        })
        .map_ok(|()| Grant {
            has_waited: put.has_waited,
            ..*grant
        })
    }
}

/// Made by [`Sender::reserve`](crate::Sender::reserve).
///
/// ```
/// # use bandq::Band;
/// # use futures::future::FusedFuture;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::bounded(1, 1);
/// let mut reserving = sender.reserve(Band::URGENT);
/// (&mut reserving).await.unwrap().send(1).unwrap();
/// assert!(reserving.is_terminated());
/// assert_eq!(receiver.len(), 1);
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Reserve<'a, T> {
    core: &'a Core<T>,
    reserving: Reserving<'a>,
}

fused!(Reserve<'a, T>, reserving.wait);

impl<'a, T> Reserve<'a, T> {
    pub(super) fn new(core: &'a Core<T>, band: Band, units: usize, ttl: u64) -> Self {
        let place = if units == 1 {
            core.room_wait(band)
        } else {
            core.any_room_wait(band)
        };
        Self {
            core,
            reserving: Reserving::new(place, band, units, ttl),
        }
    }
}

impl<'a, T> Future for Reserve<'a, T> {
    type Output = Result<Permit<'a, T>, SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let core = self.core;
        self.reserving
            .poll(core, context)
            .map_ok(|grant| Permit::new(core, grant))
    }
}

/// Made by [`Sender::reserve_owned`](crate::Sender::reserve_owned).
///
/// ```
/// # use bandq::Band;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::bounded(1, 1);
/// let permit = sender.reserve_owned(Band::URGENT).await.unwrap();
/// permit.send(1).unwrap();
/// assert_eq!(receiver.len(), 1);
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct ReserveOwned<'a, T> {
    core: &'a Arc<Core<T>>,
    reserving: Reserving<'a>,
}

fused!(ReserveOwned<'a, T>, reserving.wait);

impl<'a, T> ReserveOwned<'a, T> {
    pub(super) fn new(core: &'a Arc<Core<T>>, band: Band, ttl: u64) -> Self {
        let place = core.room_wait(band);
        Self {
            core,
            reserving: Reserving::new(place, band, 1, ttl),
        }
    }
}

impl<T> Future for ReserveOwned<'_, T> {
    type Output = Result<OwnedPermit<T>, SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let core = self.core;
        self.reserving
            .poll(core, context)
            .map_ok(|grant| OwnedPermit::new(Arc::clone(core), grant))
    }
}

/// Made by [`Sender::reserve_many`](crate::Sender::reserve_many).
///
/// ```
/// # use bandq::Band;
/// # futures_lite::future::block_on(async {
/// let (sender, _receiver) = bandq::bounded::<u32>(1, 3);
/// let one = sender.try_reserve(Band::URGENT).unwrap();
/// let mut reserving = sender.reserve_many(Band::URGENT, 3); // all three, or none
/// assert!(futures_lite::future::poll_once(&mut reserving).await.is_none());
/// drop(one);
/// assert_eq!(reserving.await.unwrap().len(), 3);
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct ReserveMany<'a, T> {
    core: &'a Core<T>,
    reserving: Reserving<'a>,
}

fused!(ReserveMany<'a, T>, reserving.wait);

impl<'a, T> ReserveMany<'a, T> {
    pub(super) fn new(core: &'a Core<T>, band: Band, units: usize, ttl: u64) -> Self {
        let place = core.any_room_wait(band);
        Self {
            core,
            reserving: Reserving::new(place, band, units, ttl),
        }
    }
}

impl<'a, T> Future for ReserveMany<'a, T> {
    type Output = Result<Permits<'a, T>, SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let core = self.core;
        self.reserving
            .poll(core, context)
            .map_ok(|grant| Permits::new(core, grant))
    }
}

/// Made by [`Receiver::recv`](crate::Receiver::recv).
///
/// ```
/// # use bandq::Band;
/// # use futures::future::FusedFuture;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded(1);
/// let mut receiving = receiver.recv();
/// assert!(futures_lite::future::poll_once(&mut receiving).await.is_none());
/// sender.try_send(Band::URGENT, 1).unwrap();
/// assert_eq!((&mut receiving).await, Ok((Band::URGENT, 1)));
/// assert!(receiving.is_terminated());
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a, T> {
    wait: Wait<ItemWait<'a, Core<T>>>,
}

fused!(Recv<'a, T>);

impl<'a, T> Recv<'a, T> {
    pub(super) fn new(core: &'a Core<T>, mask: u64) -> Self {
        Self {
            wait: Wait::at(core.item_wait(mask, RECEIVES)),
        }
    }
}

impl<T> Future for Recv<'_, T> {
    type Output = Result<(Band, T), RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let wait = &mut self.wait;
        let (core, mask) = (wait.place.items, wait.place.mask);
        let mut parcel = Parcel::empty();
        wait.poll(context, || received(core.try_recv(mask, &mut parcel)))
            .map_ok(|band| (band, parcel.unwrap()))
    }
}

/// Made by [`Receiver::recv_many`](crate::Receiver::recv_many).
///
/// ```
/// # use bandq::Band;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded(1);
/// sender.try_send_many(Band::URGENT, 0..3).unwrap();
/// let mut out = Vec::new();
/// assert_eq!(receiver.recv_many(&mut out, 2).await, 2);
/// assert_eq!((out.len(), receiver.len()), (2, 1));
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct RecvMany<'a, T> {
    wait: Wait<ItemWait<'a, Core<T>>>,
    out: &'a mut Vec<(Band, T)>,
    limit: usize,
}

fused!(RecvMany<'a, T>);

impl<'a, T> RecvMany<'a, T> {
    pub(super) fn new(
        core: &'a Core<T>,
        mask: u64,
        out: &'a mut Vec<(Band, T)>,
        limit: usize,
    ) -> Self {
        Self {
            wait: Wait::at(core.item_wait(mask, RECEIVES)),
            out,
            limit,
        }
    }
}

impl<T> Future for RecvMany<'_, T> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let Self { wait, out, limit } = &mut *self;
        let (core, mask) = (wait.place.items, wait.place.mask);
        wait.poll(context, || received(core.try_recv_many(mask, out, *limit)))
            .map(|received| received.unwrap_or(0)) // closed and empty
    }
}

/// Made by [`Sender::closed`](crate::Sender::closed) and
/// [`Receiver::closed`](crate::Receiver::closed).
///
/// ```
/// # use bandq::Band;
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::unbounded::<u32>(1);
/// let mut closed = receiver.closed();
/// assert!(futures_lite::future::poll_once(&mut closed).await.is_none());
/// sender.close();
/// closed.await;
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Closed<'a, T> {
    core: &'a Core<T>,
    wait: Wait<&'a EventCount>,
}

fused!(Closed<'a, T>);

impl<'a, T> Closed<'a, T> {
    pub(super) fn new(core: &'a Core<T>) -> Self {
        Self {
            core,
            wait: Wait::at(&core.waits.close),
        }
    }
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { core, wait } = &mut *self;
        wait.poll(context, || core.is_closed().then_some(()))
    }
}
