//! What a receiver says about the order in which it is served, and asks about it.

use super::receiver::Receiver;
use crate::{band::Band, error::BuildError, policy::Policy, sync::Arc};
use core::ops::RangeInclusive;

/// # Order
impl<T> Receiver<T> {
    /// Changes the policy of the channel, for all its receivers and for what waits in it. Receives
    /// that begin after this has returned are served by it; those that run may be by either. Under
    /// every policy a band is a FIFO, and nothing is lost by a change.
    ///
    /// The first change to [`ageing`](Policy::ageing) of a channel whose items carry no times
    /// counts what is there as sent at that moment. From then on each item takes 32 bytes more,
    /// under later policies too.
    ///
    /// # Errors
    ///
    /// The policy does not fit: nothing has changed.
    ///
    /// ```
    /// # use bandq::{Band, BuildError, Policy};
    /// let (sender, receiver) = bandq::unbounded(2);
    /// sender.try_send_many(Band::URGENT, [0; 3]).unwrap();
    /// sender.try_send_many(Band::new(1), [1; 3]).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 0)));
    ///
    /// receiver.set_policy(Policy::weighted([1, 1]))?;
    /// let rest: Vec<_> = receiver.try_iter().map(|(_, item)| item).collect();
    /// assert_eq!(rest, [0, 1, 0, 1, 1]);
    ///
    /// let error = receiver.set_policy(Policy::weighted([1, 1, 1])).unwrap_err();
    /// assert_eq!(error.to_string(), "3 weights for 2 bands: each band needs one");
    /// assert_eq!(receiver.policy(), Policy::weighted([1, 1]));
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn set_policy(&self, policy: Policy) -> Result<(), BuildError> {
        self.core.set_policy(policy)
    }

    /// The policy that was set last.
    ///
    /// ```
    /// # use bandq::Policy;
    /// let (_, receiver) = bandq::unbounded::<u32>(2);
    /// assert_eq!(receiver.policy(), Policy::strict());
    /// ```
    #[must_use]
    pub fn policy(&self) -> Policy {
        match self.core.managed() {
            Some(managed) => managed.order.policy(),
            None => Policy::strict(),
        }
    }

    /// As `Order::charges`.
    #[cfg(feature = "__internals")]
    pub(crate) fn charges(&self) -> Vec<u64> {
        self.core.manage().order.charges()
    }

    /// Under weights: adds to the one that each receive counts what the work of an item of this
    /// band turned out to cost, in units of your choice. So a share is one of cost, not of items.
    /// Under other policies, and for a band that goes strictly first, it does nothing.
    ///
    /// A charge counts in the receives that come after it, and takes none back. A band that the
    /// channel does not have is charged nothing.
    ///
    /// ```
    /// # use bandq::{Band, Builder, Policy};
    /// let (sender, receiver) = Builder::new(2).policy(Policy::weighted([1, 1])).build()?;
    /// sender.try_send_many(Band::new(0), vec!["slow"; 500])?;
    /// sender.try_send_many(Band::new(1), vec!["quick"; 500])?;
    /// let mut slow = 0;
    /// for (band, item) in receiver.try_iter().take(505) {
    ///     if item == "slow" {
    ///         slow += 1;
    ///         receiver.charge(band, 99); // 100 in all
    ///     }
    /// }
    /// assert_eq!(slow, 5); // and 500 quick ones: as much work
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn charge(&self, band: impl Into<Band>, cost: u64) {
        if let Some(managed) = self.core.managed() {
            managed.order.charge(band.into().index(), cost);
        }
    }

    /// A receiver that only ever takes from those bands, of those that this one takes from. So some
    /// workers can be kept for urgent work. Clones of it do the same.
    ///
    /// An item wakes only a receiver that may take it, and of these the one with the fewest bands.
    /// A receiver that is left no band at all gets nothing, until the channel is closed.
    ///
    /// ```
    /// # use bandq::{Band, TryRecvError};
    /// let (sender, receiver) = bandq::unbounded(8);
    /// let urgent = receiver.within(Band::new(0)..=Band::new(1));
    /// sender.try_send(Band::new(2), "a report").unwrap();
    /// assert_eq!(urgent.try_recv(), Err(TryRecvError::Empty));
    /// sender.try_send(Band::new(1), "an answer").unwrap();
    /// assert_eq!(urgent.try_recv(), Ok((Band::new(1), "an answer")));
    /// assert_eq!(receiver.try_recv(), Ok((Band::new(2), "a report")));
    /// ```
    #[must_use]
    pub fn within(&self, bands: RangeInclusive<Band>) -> Self {
        let (first, last) = (bands.start().index(), bands.end().index());
        let mask = if first > last {
            0
        } else {
            (u64::MAX << first) & (u64::MAX >> (Band::MAX_BANDS - 1 - last))
        };
        self.core.manage();
        let mask = self.mask & mask;
        self.core.waits.reaches.add(mask);
        self.core.receivers.add();
        Self::from_counted(Arc::clone(&self.core), mask)
    }

    /// Whether something more urgent than that band is there, of the bands that this receiver takes
    /// from: one relaxed load. For a long loop that would rather stop then.
    ///
    /// It says what the strict order would, under every policy. It may be wrong for the moment in
    /// which somebody is about to put something in, or to take the last item out.
    ///
    /// ```
    /// # use bandq::Band;
    /// let (sender, receiver) = bandq::unbounded(3);
    /// sender.try_send(Band::new(1), 'b').unwrap();
    /// assert!(receiver.urgent_waiting(Band::new(2)));
    /// assert!(!receiver.urgent_waiting(Band::new(1)));
    /// ```
    #[must_use]
    pub fn urgent_waiting(&self, band: impl Into<Band>) -> bool {
        let more_urgent = self.mask & !(u64::MAX << band.into().index());
        self.core.listed(more_urgent) != 0
    }
}
