//! The futures that the async methods return.
//!
//! They are here and not at the root, so that `use bandq::*` leaves the `Send` trait alone. All are
//! `Unpin`, and `Send` where the items are.

use super::{
    permit::Permit,
    receiver::received,
    shared::{Channel, settled},
};
use crate::{
    band::Band,
    error::{RecvError, SendError, SendManyError, TrySendError},
    wait::Waiter,
};
use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// `Debug` by name, `Unpin`, and on drop a place at a gate that is left.
macro_rules! waits {
    ($future:ident < $lifetime:lifetime, T $(, $extra:ident)? > at $gate:ident) => {
        impl<T $(, $extra)?> Unpin for $future<'_, T $(, $extra)?> {}

        impl<T $(, $extra)?> Drop for $future<'_, T $(, $extra)?> {
            fn drop(&mut self) {
                self.waiter.leave(&self.channel.gates.$gate);
            }
        }

        impl<T $(, $extra)?> fmt::Debug for $future<'_, T $(, $extra)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($future)).finish_non_exhaustive()
            }
        }
    };
}

/// Made by [`Sender::send`](crate::Sender::send).
#[must_use = "futures do nothing unless polled"]
pub struct Send<'a, T> {
    channel: &'a Channel<T>,
    waiter: Waiter,
    band: Band,
    item: Option<T>,
}

waits!(Send<'a, T> at room);

impl<'a, T> Send<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>, band: Band, item: T) -> Self {
        Self {
            channel,
            waiter: Waiter::new(),
            band,
            item: Some(item),
        }
    }
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            channel,
            waiter,
            band,
            item,
        } = &mut *self;
        assert!(item.is_some(), "polled after it was ready");
        waiter.poll(&channel.gates.room, context, || {
            let result = channel.try_send(*band, item.take()?);
            settled(result, item)
        })
    }
}

/// Made by [`Sender::send_many`](crate::Sender::send_many).
#[must_use = "futures do nothing unless polled"]
pub struct SendMany<'a, T, I> {
    channel: &'a Channel<T>,
    waiter: Waiter,
    band: Band,
    items: I,
    /// Taken out of the iterator, and waiting for room.
    next: Option<T>,
    sent: usize,
}

waits!(SendMany<'a, T, I> at room);

impl<'a, T, I: Iterator<Item = T>> SendMany<'a, T, I> {
    pub(super) fn new(channel: &'a Channel<T>, band: Band, items: I) -> Self {
        Self {
            channel,
            waiter: Waiter::new(),
            band,
            items,
            next: None,
            sent: 0,
        }
    }
}

impl<T, I: Iterator<Item = T>> Future for SendMany<'_, T, I> {
    type Output = Result<usize, SendManyError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            channel,
            waiter,
            band,
            items,
            next,
            sent,
        } = &mut *self;
        loop {
            if next.is_none() {
                *next = items.next();
            }
            if next.is_none() {
                return Poll::Ready(Ok(*sent));
            }
            let sending = waiter.poll(&channel.gates.room, context, || {
                let result = channel.try_send(*band, next.take()?);
                settled(result, next)
            });
            match sending {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => *sent += 1,
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(SendManyError { sent: *sent, error }));
                }
            }
        }
    }
}

/// Made by [`Sender::reserve`](crate::Sender::reserve).
#[must_use = "futures do nothing unless polled"]
pub struct Reserve<'a, T> {
    channel: &'a Channel<T>,
    waiter: Waiter,
    band: Band,
}

waits!(Reserve<'a, T> at room);

impl<'a, T> Reserve<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>, band: Band) -> Self {
        Self {
            channel,
            waiter: Waiter::new(),
            band,
        }
    }
}

impl<'a, T> Future for Reserve<'a, T> {
    type Output = Result<Permit<'a, T>, SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            channel,
            waiter,
            band,
        } = &mut *self;
        let channel: &'a Channel<T> = channel;
        waiter.poll(&channel.gates.room, context, || {
            match channel.reserve(*band) {
                Ok(()) => Some(Ok(Permit::new(channel, *band))),
                Err(TrySendError::Full(())) => None,
                Err(TrySendError::Closed(())) => Some(Err(SendError::Closed(()))),
                Err(TrySendError::NoSuchBand(())) => Some(Err(SendError::NoSuchBand(()))),
            }
        })
    }
}

/// Made by [`Receiver::recv`](crate::Receiver::recv).
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a, T> {
    channel: &'a Channel<T>,
    waiter: Waiter,
}

waits!(Recv<'a, T> at recv);

impl<'a, T> Recv<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>) -> Self {
        Self {
            channel,
            waiter: Waiter::new(),
        }
    }
}

impl<T> Future for Recv<'_, T> {
    type Output = Result<(Band, T), RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { channel, waiter } = &mut *self;
        waiter.poll(&channel.gates.recv, context, || {
            received(channel.try_recv())
        })
    }
}

/// Made by [`Receiver::recv_many`](crate::Receiver::recv_many).
#[must_use = "futures do nothing unless polled"]
pub struct RecvMany<'a, T> {
    channel: &'a Channel<T>,
    waiter: Waiter,
    out: &'a mut Vec<(Band, T)>,
    limit: usize,
}

waits!(RecvMany<'a, T> at recv);

impl<'a, T> RecvMany<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>, out: &'a mut Vec<(Band, T)>, limit: usize) -> Self {
        Self {
            channel,
            waiter: Waiter::new(),
            out,
            limit,
        }
    }
}

impl<T> Future for RecvMany<'_, T> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let Self {
            channel,
            waiter,
            out,
            limit,
        } = &mut *self;
        waiter
            .poll(&channel.gates.recv, context, || {
                received(channel.try_recv_many(out, *limit))
            })
            .map(|received| received.unwrap_or(0)) // closed and empty
    }
}

/// Made by [`Sender::closed`](crate::Sender::closed) and [`Receiver::closed`](crate::Receiver::closed).
#[must_use = "futures do nothing unless polled"]
pub struct Closed<'a, T> {
    channel: &'a Channel<T>,
    waiter: Waiter,
}

waits!(Closed<'a, T> at close);

impl<'a, T> Closed<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>) -> Self {
        Self {
            channel,
            waiter: Waiter::new(),
        }
    }
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { channel, waiter } = &mut *self;
        waiter.poll(&channel.gates.close, context, || {
            channel.is_closed().then_some(())
        })
    }
}
