//! [`WeakSender`] and [`WeakReceiver`]: handles that do not keep the channel open.

use super::{Receiver, Sender, shared::Channel};
use crate::sync::Arc;
use core::fmt;

/// A handle to a channel that is not counted as a sender.
pub struct WeakSender<T> {
    pub(super) channel: Arc<Channel<T>>,
}

impl<T> WeakSender<T> {
    /// A [`Sender`], unless the last one is gone. The channel may be closed all the same.
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.channel
            .upgrade_sender()
            .then(|| Sender::from_counted(Arc::clone(&self.channel)))
    }
}

/// A handle to a channel that is not counted as a receiver.
pub struct WeakReceiver<T> {
    pub(super) channel: Arc<Channel<T>>,
}

impl<T> WeakReceiver<T> {
    /// A [`Receiver`], unless the last one is gone. The channel may be closed all the same.
    #[must_use]
    pub fn upgrade(&self) -> Option<Receiver<T>> {
        self.channel
            .upgrade_receiver()
            .then(|| Receiver::from_counted(Arc::clone(&self.channel)))
    }
}

macro_rules! weak_traits {
    ($handle:ident) => {
        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                Self {
                    channel: Arc::clone(&self.channel),
                }
            }
        }

        impl<T> fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($handle)).finish_non_exhaustive()
            }
        }
    };
}

weak_traits!(WeakSender);
weak_traits!(WeakReceiver);
