//! [`BandSender`] as a [`Sink`] (feature `sink`).

use super::{band_sender::BandSender, core::sent, observed::Put, sender::Sender};
use crate::{entry::Sending, error::SendError, parcel::Parcel};
use core::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use futures_sink::Sink;

/// A unit of room is taken by `poll_ready` and goes with the item of `start_send`; when the handle
/// is dropped in between, it is given back. A clone starts without one.
///
/// Flushing is ready at once: an item is in the channel when `start_send` has returned.
/// `poll_close` gives the unit back and closes nothing, for there may be other senders: drop the
/// handle, or call [`close`](BandSender::close).
///
/// # Cancel safety
///
/// A `poll_ready` that waits and is not polled again keeps no room, and no wake, from anybody else.
/// One that was ready holds its unit until the item, `poll_close`, or the drop of the handle.
///
/// ```
/// use bandq::Band;
/// use futures::{SinkExt, StreamExt, stream};
///
/// # futures_lite::future::block_on(async {
/// let (sender, receiver) = bandq::bounded(1, 10);
/// let mut sink = sender.to(Band::URGENT)?;
/// sink.send_all(&mut stream::iter(0..3).map(Ok)).await?;
/// drop((sender, sink));
/// let items: Vec<_> = receiver.map(|(_, item)| item).collect().await;
/// assert_eq!(items, [0, 1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
impl<T> Sink<T> for BandSender<T> {
    /// With the item of `start_send`; `poll_ready` has none.
    type Error = SendError<Option<T>>;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Self::Error>> {
        let Self { sender, band, sink } = &mut *self;
        if sink.has_unit {
            return Poll::Ready(Ok(()));
        }
        let core = &sender.core;
        let place = core.any_room_wait(*band);
        let ready = sink.waiter.poll(&place, context, || {
            sink.put
                .looked(core, *band, sent(core.try_reserve(*band, 1, sender.ttl)))
        });
        ready.map(|result| {
            sink.has_unit = result.is_ok();
            result.map_err(|error| error.with(None))
        })
    }

    /// # Panics
    ///
    /// Unless `poll_ready` was ready before, as the trait demands.
    #[track_caller]
    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
        assert!(
            self.sink.has_unit,
            "`start_send` without a `poll_ready` that was ready"
        );
        let mut parcel = Parcel::new(item);
        let Sender { core, ttl } = &self.sender;
        let sent = core.send_reserved(
            self.band,
            &mut parcel,
            1,
            Sending::here(*ttl).after(self.sink.put.has_waited),
        );
        if sent.is_ok() {
            self.sink.has_unit = false;
        } else {
            self.give_unit_back();
        }
        if let Err(error) = sent {
            _ = self.sender.core.came_back(self.band, error.into());
        }
        sent.map_err(|error| error.with(parcel.take()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.stop();
        Poll::Ready(Ok(()))
    }
}

impl<T> BandSender<T> {
    /// Neither waits nor holds a unit any more.
    fn stop(&mut self) {
        let Self { sender, band, sink } = self;
        sink.waiter.leave(&sender.core.any_room_wait(*band));
        sink.put = Put::default();
        self.give_unit_back();
    }

    fn give_unit_back(&mut self) {
        if mem::take(&mut self.sink.has_unit) {
            self.sender.core.give_room_back(self.band, 1);
        }
    }
}

impl<T> Drop for BandSender<T> {
    fn drop(&mut self) {
        self.stop();
    }
}
