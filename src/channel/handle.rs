//! What senders and receivers have in common, written once.

/// Implements, for a handle with a field `channel: Arc<Channel<T>>`, the methods of both handles.
macro_rules! common_methods {
    ($handle:ident) => {
        impl<T> $handle<T> {
            /// Closes the channel; `true` for the call that did it, `false` if it was closed before.
            ///
            /// Once this has returned, no send succeeds any more. What is inside can still be
            /// received. Everybody who waits is woken.
            ///
            /// ```
            /// # use bandq::{Band, TryRecvError};
            /// let (sender, receiver) = bandq::unbounded(1);
            /// sender.try_send(Band::URGENT, 1).unwrap();
            /// assert!(sender.close());
            /// assert!(!receiver.close());
            /// assert!(sender.try_send(Band::URGENT, 2).is_err());
            /// assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
            /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
            /// ```
            pub fn close(&self) -> bool {
                self.channel.close()
            }

            /// Whether the channel is closed. There may still be items inside.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.channel.is_closed()
            }

            /// Waits until the channel is closed.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropping the future has no effect.
            pub fn closed(&self) -> crate::futures::Closed<'_, T> {
                crate::futures::Closed::new(&self.channel)
            }

            /// The number of items in all bands, without permits. Exact when no operation runs; while
            /// some do, it counts every item whose send returned and that no receive has begun to
            /// take, and may count running ones. Looks at each band.
            #[must_use]
            pub fn len(&self) -> usize {
                // A receive and a send between the look at the two ends of a band may count as two.
                let most = self.channel.capacity().unwrap_or(usize::MAX);
                self.channel.queue().len().min(most)
            }

            /// The number of items in one band; 0 if the channel has no such band.
            #[must_use]
            pub fn band_len(&self, band: impl Into<crate::Band>) -> usize {
                self.channel.queue().band_len(band)
            }

            /// Whether each band was empty at some moment of the call.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.channel.queue().is_empty()
            }

            /// Whether there is no room for a new item or permit. Never true without a bound.
            #[must_use]
            pub fn is_full(&self) -> bool {
                self.channel.is_full()
            }

            /// How many items and permits the channel holds at the most; `None` without a bound.
            #[must_use]
            pub fn capacity(&self) -> Option<usize> {
                self.channel.capacity()
            }

            /// The number of [`Sender`](crate::Sender)s.
            #[must_use]
            pub fn sender_count(&self) -> usize {
                self.channel.sender_count()
            }

            /// The number of [`Receiver`](crate::Receiver)s.
            #[must_use]
            pub fn receiver_count(&self) -> usize {
                self.channel.receiver_count()
            }

            /// Whether both handles are of one channel.
            ///
            /// ```
            /// let (sender, receiver) = bandq::unbounded::<()>(1);
            /// assert!(sender.same_channel(&sender.clone()));
            /// assert!(!receiver.same_channel(&bandq::unbounded(1).1));
            /// ```
            #[must_use]
            pub fn same_channel(&self, other: &Self) -> bool {
                crate::sync::Arc::ptr_eq(&self.channel, &other.channel)
            }
        }

        impl<T> core::fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($handle))
                    .field("bands", &self.channel.queue().bands())
                    .field("len", &self.len())
                    .field("capacity", &self.capacity())
                    .field("closed", &self.is_closed())
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(super) use common_methods;
