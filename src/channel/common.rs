//! What senders and receivers have in common, written once.

/// Implements, for a handle that has an `Arc<Core<T>>` at a path of fields, the methods of both
/// sides.
macro_rules! common_methods {
    ($handle:ident, $($core:ident).+) => {
        impl<T> $handle<T> {
            /// Closes the channel; `true` for the call that did it, `false` if it was closed
            /// before.
            ///
            /// Once this has returned, no send succeeds any more. What is inside can still be
            /// received. Everybody who waits is woken. Marks each band.
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
                self.$($core).+.close()
            }

            /// Whether the channel is closed. There may still be items inside.
            ///
            /// ```
            /// # use bandq::Band;
            /// let (sender, receiver) = bandq::unbounded(1);
            /// sender.try_send(Band::URGENT, 1).unwrap();
            /// drop(sender);
            /// assert!(receiver.is_closed() && !receiver.is_empty());
            /// ```
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.$($core).+.is_closed()
            }

            /// Waits until the channel is closed.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropping the future has no effect.
            ///
            /// ```
            /// # futures_lite::future::block_on(async {
            /// let (sender, receiver) = bandq::unbounded::<u32>(1);
            /// let task = async move { drop(receiver) };
            /// futures_lite::future::zip(sender.closed(), task).await;
            /// assert!(sender.is_closed());
            /// # });
            /// ```
            pub fn closed(&self) -> crate::futures::Closed<'_, T> {
                crate::futures::Closed::new(&self.$($core).+)
            }

            /// The number of items in all bands, without permits. Exact when no operation runs;
            /// while some do, it counts every item whose send returned and that no receive has
            /// begun to take, and may count running ones. Looks at each band.
            ///
            /// ```
            /// # use bandq::Band;
            /// let (sender, receiver) = bandq::unbounded(2);
            /// sender.try_send(Band::URGENT, 'a').unwrap();
            /// sender.try_send(Band::new(1), 'b').unwrap();
            /// assert_eq!((sender.len(), receiver.len()), (2, 2));
            /// ```
            #[must_use]
            pub fn len(&self) -> usize {
                self.$($core).+.len()
            }

            /// The number of items in one band; 0 if the channel has no such band.
            ///
            /// ```
            /// # use bandq::Band;
            /// let (sender, receiver) = bandq::unbounded(2);
            /// sender.try_send(Band::new(1), 'b').unwrap();
            /// assert_eq!(sender.band_len(Band::URGENT), 0);
            /// assert_eq!(receiver.band_len(Band::new(1)), 1);
            /// ```
            #[must_use]
            pub fn band_len(&self, band: impl Into<crate::Band>) -> usize {
                self.$($core).+.band_len(band.into())
            }

            /// Whether nothing was there: there was one instant within the call at which no item
            /// whose send had returned was in any band. Items of sends that run may count as being
            /// there. Looks at each band, and twice if all are empty.
            ///
            /// ```
            /// # use bandq::Band;
            /// let (sender, receiver) = bandq::unbounded(2);
            /// assert!(sender.is_empty());
            /// sender.try_send(Band::new(1), 'b').unwrap();
            /// assert!(!receiver.is_empty());
            /// ```
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.$($core).+.is_empty()
            }

            /// Whether there is no room for a new item or permit, in any band. Never true without a
            /// limit. While it is false, a band may still have no room by a limit of its own: ask
            /// [`try_reserve`](crate::Sender::try_reserve).
            ///
            /// ```
            /// # use bandq::{Band, Builder};
            /// let low = Band::new(1);
            /// let (sender, receiver) =
            ///     Builder::<u32>::new(2).capacity(2).high_water(low, 1).build().unwrap();
            /// let permits = (sender.try_reserve(low).unwrap(), sender.try_reserve(Band::URGENT));
            /// assert!(sender.is_full() && receiver.is_empty());
            /// drop(permits.1);
            /// assert!(!sender.is_full(), "the urgent band has room");
            /// assert!(sender.try_reserve(low).is_err());
            /// ```
            #[must_use]
            pub fn is_full(&self) -> bool {
                self.$($core).+.is_full()
            }

            /// How many items and permits the channel holds at the most, over all bands; `None` if
            /// no such limit was set. Limits of bands do not show in it.
            ///
            /// ```
            /// assert_eq!(bandq::bounded::<u32>(2, 10).0.capacity(), Some(10));
            /// assert_eq!(bandq::unbounded::<u32>(2).1.capacity(), None);
            /// ```
            #[must_use]
            pub fn capacity(&self) -> Option<usize> {
                self.$($core).+.capacity()
            }

            /// Changes the capacity of the channel, for all its handles, now. Raising it wakes the
            /// waiting senders whom it admits. Lowering it below what is in use throws nothing out,
            /// and lets nobody in until enough was received; a send that runs meanwhile may still
            /// enter by the old one.
            ///
            /// Limits of bands stay as they were built, also above the capacity: the least one
            /// counts. A channel built with limits of bands alone gets a capacity by it.
            ///
            /// # Errors
            ///
            /// [`ZeroCapacity`](crate::BuildError::ZeroCapacity), or
            /// [`Unbounded`](crate::BuildError::Unbounded) if the channel was built without any
            /// limit, for then nothing is counted. Nothing has changed then.
            ///
            /// ```
            /// # use bandq::Band;
            /// let (sender, receiver) = bandq::bounded(1, 1);
            /// sender.try_send(Band::URGENT, 1).unwrap();
            /// assert!(receiver.is_full());
            /// receiver.set_capacity(2)?;
            /// sender.try_send(Band::URGENT, 2).unwrap();
            /// assert_eq!((sender.capacity(), sender.available()), (Some(2), Some(0)));
            /// # Ok::<(), bandq::BuildError>(())
            /// ```
            pub fn set_capacity(&self, units: usize) -> Result<(), crate::BuildError> {
                self.$($core).+.set_capacity(units)
            }

            /// The units of the capacity that are not in use: how many more items and permits there
            /// is room for, as far as the limits of their bands admit them. 0 while more is in use
            /// than a capacity that was lowered. `None` without a capacity.
            ///
            /// ```
            /// # use bandq::Band;
            /// let (sender, _receiver) = bandq::bounded::<u32>(1, 10);
            /// let permit = sender.try_reserve(Band::URGENT);
            /// assert_eq!((sender.capacity(), sender.len()), (Some(10), 0));
            /// assert_eq!(sender.available(), Some(9));
            /// # drop(permit);
            /// ```
            #[must_use]
            pub fn available(&self) -> Option<usize> {
                self.$($core).+.available()
            }

            /// The number of bands it was made with.
            ///
            /// ```
            /// let (sender, receiver) = bandq::unbounded::<u32>(3);
            /// assert_eq!((sender.bands(), receiver.bands()), (3, 3));
            /// ```
            #[must_use]
            pub fn bands(&self) -> usize {
                self.$($core).+.bands()
            }

            /// The number of [`Sender`](crate::Sender)s and [`BandSender`](crate::BandSender)s.
            ///
            /// ```
            /// # use bandq::Band;
            /// let (sender, receiver) = bandq::unbounded::<u32>(1);
            /// let bound = sender.to(Band::URGENT).unwrap();
            /// assert_eq!(receiver.sender_count(), 2);
            /// # drop(bound);
            /// ```
            #[must_use]
            pub fn sender_count(&self) -> usize {
                self.$($core).+.senders.count()
            }

            /// The number of [`Receiver`](crate::Receiver)s.
            ///
            /// ```
            /// let (sender, receiver) = bandq::unbounded::<u32>(1);
            /// let clone = receiver.clone();
            /// assert_eq!(sender.receiver_count(), 2);
            /// # drop(clone);
            /// ```
            #[must_use]
            pub fn receiver_count(&self) -> usize {
                self.$($core).+.receivers.count()
            }

            /// The number of [`WeakSender`](crate::WeakSender)s and
            /// [`WeakReceiver`](crate::WeakReceiver)s.
            ///
            /// ```
            /// let (sender, receiver) = bandq::unbounded::<u32>(1);
            /// let (weak_sender, weak_receiver) = (sender.downgrade(), receiver.downgrade());
            /// assert_eq!(sender.weak_count(), 2);
            /// # drop((weak_sender, weak_receiver));
            /// ```
            #[must_use]
            pub fn weak_count(&self) -> usize {
                self.$($core).+.weak.count()
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
                crate::sync::Arc::ptr_eq(&self.$($core).+, &other.$($core).+)
            }
        }

        // No `&T` is ever handed out, and foreign code, an item's drop, an iterator or a waker,
        // runs between steps that leave the channel in order.
        impl<T> std::panic::UnwindSafe for $handle<T> {}
        impl<T> std::panic::RefUnwindSafe for $handle<T> {}

        impl<T> core::fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($handle))
                    .field("bands", &self.bands())
                    .field("len", &self.len())
                    .field("capacity", &self.capacity())
                    .field("closed", &self.is_closed())
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(super) use common_methods;
