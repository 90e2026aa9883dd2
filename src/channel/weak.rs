//! [`WeakSender`] and [`WeakReceiver`]: handles that do not keep the channel open.

use super::{band_sender::BandSender, core::Core, receiver::Receiver, sender::Sender};
use crate::sync::Arc;
use core::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A handle to a channel that is not counted as a sender: it keeps the memory, but not the channel
/// open.
///
/// ```
/// use bandq::{Band, RecvError, unbounded};
///
/// let (sender, receiver) = unbounded(1);
/// let weak = sender.downgrade(); // for a timer that sends only while others do
/// weak.upgrade().unwrap().try_send(Band::URGENT, "tick").unwrap();
/// drop(sender);
/// assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, "tick")));
/// assert_eq!(receiver.recv_blocking(), Err(RecvError)); // `weak` does not keep it open
/// ```
pub struct WeakSender<T> {
    core: Arc<Core<T>>,
    /// The life of what a sender made from it sends.
    ttl: u64,
}

impl<T> Sender<T> {
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
        WeakSender::new(&self.core, self.ttl)
    }
}

impl<T> BandSender<T> {
    /// A handle that does not keep the channel open; not bound to the band.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, _receiver) = bandq::unbounded::<u32>(2);
    /// let batch = sender.to(Band::new(1)).unwrap();
    /// let weak = batch.downgrade();
    /// drop((sender, batch));
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakSender<T> {
        self.sender.downgrade()
    }
}

impl<T> WeakSender<T> {
    /// A [`Sender`], unless the last one is gone. The channel may be closed all the same.
    ///
    /// ```
    /// let (sender, _receiver) = bandq::unbounded::<()>(1);
    /// let weak = sender.downgrade();
    /// sender.close();
    /// assert!(weak.upgrade().is_some_and(|sender| sender.is_closed()));
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.core
            .senders
            .add_if_any()
            .then(|| Sender::from_counted(Arc::clone(&self.core), self.ttl))
    }
}

/// A handle to a channel that is not counted as a receiver: when the last one goes, the channel
/// closes and its items are dropped, whatever weak handles there are.
///
/// ```
/// use bandq::{Band, SendError, unbounded};
///
/// let (sender, receiver) = unbounded(1);
/// let weak = receiver.downgrade(); // for a monitor that takes nothing
/// assert_eq!(weak.upgrade().map(|receiver| receiver.len()), Some(0));
/// drop(receiver);
/// assert_eq!(sender.send_blocking(Band::URGENT, 1), Err(SendError::Closed(1)));
/// ```
pub struct WeakReceiver<T> {
    pub(super) core: Arc<Core<T>>,
    /// The bands that a receiver made from it takes from, a bit a band.
    mask: u64,
}

impl<T> Receiver<T> {
    /// A handle that does not keep the channel open.
    ///
    /// ```
    /// let (_sender, receiver) = bandq::unbounded::<()>(1);
    /// let weak = receiver.downgrade();
    /// assert_eq!(receiver.weak_count(), 1);
    /// drop(receiver);
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver::new(&self.core, self.mask)
    }
}

impl<T> WeakReceiver<T> {
    /// A [`Receiver`], unless the last one is gone. The channel may be closed all the same.
    ///
    /// ```
    /// let (sender, receiver) = bandq::unbounded(1);
    /// let weak = receiver.downgrade();
    /// sender.try_send(bandq::Band::URGENT, 'x').unwrap();
    /// assert!(weak.upgrade().is_some_and(|receiver| receiver.try_recv().is_ok()));
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<Receiver<T>> {
        self.core
            .receivers
            .add_if_any()
            .then(|| Receiver::from_counted(Arc::clone(&self.core), self.mask))
    }
}

macro_rules! weak_handle {
    ($handle:ident, $kept:ident) => {
        impl<T> $handle<T> {
            fn new(core: &Arc<Core<T>>, $kept: u64) -> Self {
                core.weak.add();
                Self {
                    core: Arc::clone(core),
                    $kept,
                }
            }
        }

        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                Self::new(&self.core, self.$kept)
            }
        }

        impl<T> Drop for $handle<T> {
            fn drop(&mut self) {
                self.core.weak.remove();
            }
        }

        // As for the handles that it may become.
        impl<T> UnwindSafe for $handle<T> {}
        impl<T> RefUnwindSafe for $handle<T> {}

        impl<T> fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($handle)).finish_non_exhaustive()
            }
        }
    };
}

weak_handle!(WeakSender, ttl);
weak_handle!(WeakReceiver, mask);
