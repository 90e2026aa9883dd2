//! The iterators of a [`Receiver`].

use super::receiver::Receiver;
use crate::band::Band;
use core::{fmt, iter::FusedIterator};

impl<T> Receiver<T> {
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
    /// senders run. Lazy: what is not pulled out of it stays in the channel, and nothing is
    /// dropped. (`flume`'s `drain` empties the channel at once.)
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
}

/// Items that are there, until none is. Made by [`Receiver::try_iter`].
///
/// ```
/// # use bandq::Band;
/// let (sender, receiver) = bandq::unbounded(1);
/// sender.try_send_many(Band::URGENT, 0..3).unwrap();
/// let mut items = receiver.try_iter();
/// assert_eq!(items.next(), Some((Band::URGENT, 0)));
/// assert_eq!(receiver.len(), 2);
/// ```
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
///
/// ```
/// # use bandq::Band;
/// let (sender, receiver) = bandq::unbounded(1);
/// sender.try_send_many(Band::URGENT, 0..3).unwrap();
/// let drain = receiver.drain();
/// assert_eq!(drain.size_hint(), (0, Some(3)));
/// drop(drain);
/// assert_eq!(receiver.len(), 3); // it was not used
/// ```
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

/// Blocking, which needs a thread that can be parked.
#[cfg(not(target_family = "wasm"))]
mod blocking {
    use super::{Band, FusedIterator, Receiver, fmt};

    impl<T> Receiver<T> {
        /// Receives, blocking the thread, until the channel is closed and empty. Not for tasks: see
        /// [`recv_blocking`](Self::recv_blocking).
        ///
        /// ```
        /// # use bandq::Band;
        /// let (sender, receiver) = bandq::unbounded(2);
        /// sender.try_send(Band::new(1), 'b').unwrap();
        /// sender.try_send(Band::URGENT, 'a').unwrap();
        /// drop(sender);
        /// let items: String = receiver.iter().map(|(_, item)| item).collect();
        /// assert_eq!(items, "ab");
        /// ```
        pub fn iter(&self) -> Iter<'_, T> {
            Iter { receiver: self }
        }
    }

    /// Items as they come, until the channel is closed and empty. Made by [`Receiver::iter`].
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::unbounded(1);
    /// sender.try_send_many(Band::URGENT, 0..3).unwrap();
    /// drop(sender);
    /// let mut sum = 0;
    /// for (_band, item) in &receiver {
    ///     sum += item;
    /// }
    /// assert_eq!(sum, 3);
    /// ```
    #[must_use = "iterators do nothing unless consumed"]
    pub struct Iter<'a, T> {
        receiver: &'a Receiver<T>,
    }

    impl<T> Iterator for Iter<'_, T> {
        type Item = (Band, T);

        fn next(&mut self) -> Option<(Band, T)> {
            self.receiver.recv_blocking().ok()
        }
    }

    impl<T> FusedIterator for Iter<'_, T> {}

    impl<T> fmt::Debug for Iter<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Iter").finish_non_exhaustive()
        }
    }

    /// [`Iter`], with the receiver inside.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::unbounded(1);
    /// let worker = std::thread::spawn(move || {
    ///     let mut sum = 0;
    ///     for (_band, item) in receiver {
    ///         sum += item;
    ///     }
    ///     sum
    /// });
    /// sender.try_send_many(Band::URGENT, 1..=4).unwrap();
    /// drop(sender);
    /// assert_eq!(worker.join().unwrap(), 10);
    /// ```
    #[must_use = "iterators do nothing unless consumed"]
    pub struct IntoIter<T> {
        receiver: Receiver<T>,
    }

    impl<T> Iterator for IntoIter<T> {
        type Item = (Band, T);

        fn next(&mut self) -> Option<(Band, T)> {
            self.receiver.recv_blocking().ok()
        }
    }

    impl<T> FusedIterator for IntoIter<T> {}

    impl<T> fmt::Debug for IntoIter<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("IntoIter").finish_non_exhaustive()
        }
    }

    impl<'a, T> IntoIterator for &'a Receiver<T> {
        type Item = (Band, T);
        type IntoIter = Iter<'a, T>;

        fn into_iter(self) -> Iter<'a, T> {
            self.iter()
        }
    }

    impl<T> IntoIterator for Receiver<T> {
        type Item = (Band, T);
        type IntoIter = IntoIter<T>;

        fn into_iter(self) -> IntoIter<T> {
            IntoIter { receiver: self }
        }
    }
}

#[cfg(not(target_family = "wasm"))]
pub use blocking::{IntoIter, Iter};
