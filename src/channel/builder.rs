//! [`Builder`], and the two functions that most users need.

use super::{
    core::Core,
    managed::{OnExpired, Terms},
    receiver::Receiver,
    room::Limits,
    sender::Sender,
};
use crate::{
    band::Band,
    clock::{NEVER, nanos},
    error::BuildError,
    policy::Policy,
    sync::Arc,
};
use core::fmt;
use std::time::Duration;

/// A channel with this many bands and no bound: sends always have room.
///
/// The channel is closed by [`close`](Sender::close) on any handle, or when the last [`Sender`] or
/// the last [`Receiver`] is dropped.
///
/// # Panics
///
/// Unless `bands` is in `1..=64`. [`Builder`] returns an error instead.
///
/// ```
/// use bandq::Band;
///
/// let (sender, receiver) = bandq::unbounded(2);
/// sender.try_send(Band::new(1), "write the log")?;
/// sender.try_send(Band::URGENT, "answer the user")?;
///
/// assert_eq!(receiver.recv_blocking()?, (Band::URGENT, "answer the user"));
/// assert_eq!(receiver.recv_blocking()?, (Band::new(1), "write the log"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn unbounded<T>(bands: usize) -> (Sender<T>, Receiver<T>) {
    match Builder::new(bands).build() {
        Ok(handles) => handles,
        Err(error) => panic!("{error}"),
    }
}

/// A channel with this many bands that holds at most `capacity` items and permits, over all bands.
/// Senders wait for room; the more urgent are woken first, those of one band in arrival order.
///
/// # Panics
///
/// Unless `bands` is in `1..=64` and `capacity` is at least 1. [`Builder`] returns an error
/// instead.
///
/// ```
/// use bandq::{Band, TrySendError};
///
/// let (sender, receiver) = bandq::bounded(2, 1);
/// sender.try_send(Band::new(1), 'a')?;
/// assert_eq!(sender.try_send(Band::URGENT, 'b'), Err(TrySendError::Full('b')));
/// receiver.recv_blocking()?;
/// sender.try_send(Band::URGENT, 'b')?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn bounded<T>(bands: usize, capacity: usize) -> (Sender<T>, Receiver<T>) {
    match Builder::new(bands).capacity(capacity).build() {
        Ok(handles) => handles,
        Err(error) => panic!("{error}"),
    }
}

/// Makes a channel from values that may be wrong, such as those of a configuration file.
///
/// ```
/// use bandq::{BuildError, Builder};
///
/// let (sender, _receiver) = Builder::<u32>::new(4).capacity(100).build()?;
/// assert_eq!(sender.capacity(), Some(100));
///
/// assert_eq!(Builder::<u32>::new(65).build().unwrap_err(), BuildError::Bands(65));
/// assert_eq!(Builder::<u32>::new(4).capacity(0).build().unwrap_err(), BuildError::ZeroCapacity);
/// # Ok::<(), BuildError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<T> {
    bands: usize,
    limits: Limits,
    policy: Policy,
    evictable_from: Band,
    ttl: Vec<(Band, Duration)>,
    weigher: Option<fn(&T) -> usize>,
    on_expired: Option<OnExpired<T>>,
    refuses_late: bool,
    pub(super) is_observed: bool,
}

impl<T> Builder<T> {
    /// A channel with this many bands, `1..=64`, and no bound.
    ///
    /// ```
    /// let (_sender, receiver) = bandq::Builder::<u32>::new(4).build()?;
    /// assert_eq!((receiver.bands(), receiver.capacity()), (4, None));
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn new(bands: usize) -> Self {
        Self {
            bands,
            limits: Limits::default(),
            policy: Policy::default(),
            evictable_from: Band::URGENT,
            ttl: Vec::new(),
            weigher: None,
            on_expired: None,
            refuses_late: false,
            is_observed: false,
        }
    }

    /// Bounds the channel to this many items and permits, over all bands. It can be changed later:
    /// [`Sender::set_capacity`].
    ///
    /// ```
    /// let (sender, _receiver) = bandq::Builder::<u32>::new(4).capacity(100).build()?;
    /// assert_eq!(sender.available(), Some(100));
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.limits.capacity = Some(capacity);
        self
    }

    /// Of the whole, this band holds at most so many items and permits. Asked for twice for one
    /// band, the later one counts.
    ///
    /// Only a band with a capacity of its own pays for it, with counters of its own. A send that
    /// runs counts: it may hold a unit of its band for the moment in which it finds that the whole
    /// is full.
    ///
    /// ```
    /// # use bandq::{Band, Builder, TrySendError};
    /// let batch = Band::new(1);
    /// let (sender, receiver) = Builder::new(2).capacity(100).band_capacity(batch, 1).build()?;
    /// sender.try_send(batch, 1)?;
    /// assert_eq!(sender.try_send(batch, 2), Err(TrySendError::Full(2)));
    /// sender.try_send(Band::URGENT, 3)?; // the rest is for others
    /// assert_eq!(receiver.recv_blocking()?, (Band::URGENT, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn band_capacity(mut self, band: impl Into<Band>, units: usize) -> Self {
        self.limits.band_capacity.push((band.into(), units));
        self
    }

    /// This band and those less urgent are admitted only while the units in use, over all bands,
    /// are no more than this many with what comes in. The rest is headroom for more urgent ones:
    /// low work cannot keep urgent work out. Asked for twice for one band, the later one counts.
    ///
    /// A channel without a [`capacity`](Self::capacity) may have one: then those more urgent are
    /// always admitted.
    ///
    /// ```
    /// # use bandq::{Band, Builder, TrySendError};
    /// let low = Band::new(1);
    /// let (sender, _receiver) = Builder::new(2).capacity(3).high_water(low, 2).build()?;
    /// assert_eq!(sender.try_send_many(low, 0..9).unwrap_err().sent, 2);
    /// assert!(sender.try_send(Band::URGENT, 9).is_ok()); // there is always room for one
    /// assert_eq!(sender.try_send(Band::URGENT, 9), Err(TrySendError::Full(9)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn high_water(mut self, band: impl Into<Band>, units: usize) -> Self {
        self.limits.high_water.push((band.into(), units));
        self
    }

    /// Which band is next; strictly the most urgent one without this. Can be changed later:
    /// [`Receiver::set_policy`].
    ///
    /// ```
    /// # use bandq::{Builder, Policy};
    /// let (_, receiver) = Builder::<u32>::new(2).policy(Policy::weighted([4, 1])).build()?;
    /// assert_eq!(receiver.policy(), Policy::weighted([4, 1]));
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// [`Sender::force_send`] evicts no item that is more urgent than this band; of the others, the
    /// oldest of the least urgent band goes first. Without this, every band may be asked for one;
    /// with a band beyond those of the channel, none is.
    ///
    /// ```
    /// # use bandq::{Band, Builder, TrySendError};
    /// let (sender, _receiver) = Builder::new(3).capacity(1).evictable_from(Band::new(2)).build()?;
    /// sender.try_send(Band::new(1), "a control message")?;
    /// let error = sender.force_send(Band::URGENT, "an alarm").unwrap_err();
    /// assert_eq!(error.error, TrySendError::Full("an alarm"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evictable_from(mut self, band: impl Into<Band>) -> Self {
        self.evictable_from = band.into();
        self
    }

    /// Items of this band are handed out within this time after they were sent, or not at all.
    /// Asked for twice for one band, the later one counts. See also [`Sender::with_ttl`].
    ///
    /// One that is not taken in time goes to the hook of [`on_expired`](Self::on_expired), or is
    /// dropped, by whoever next looks at the head of its band: a receive that takes it, or a send
    /// or reservation that finds no room. Until then it is counted, and takes room. One that lies
    /// behind an item that lives longer waits for that one.
    ///
    /// Items carry when they were sent, which costs 32 bytes each.
    ///
    /// ```
    /// # use bandq::{Band, Builder, TryRecvError};
    /// # use std::{thread::sleep, time::Duration};
    /// let life = Duration::from_millis(1);
    /// let (sender, receiver) = Builder::new(2).ttl(Band::URGENT, life).build()?;
    /// sender.try_send(Band::URGENT, "the price of this second")?;
    /// sender.try_send(Band::new(1), "the bill")?;
    /// sleep(Duration::from_millis(2));
    /// assert_eq!(receiver.try_recv()?, (Band::new(1), "the bill"));
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ttl(mut self, band: impl Into<Band>, life: Duration) -> Self {
        self.ttl.push((band.into(), life));
        self
    }

    /// Called with each item that has expired, and its band, on the thread that finds it: that of a
    /// receive, or of a send or reservation that has found no room. It runs outside of every lock
    /// and every claim, so it may use this channel. If it panics, the panic ends there, once the
    /// panic hook has reported it.
    ///
    /// A hook that receives, or sends where there is no room, may find the next item that has
    /// expired, and is then called within itself: for many of them, until the stack ends. Let it
    /// pass them on. A hook that owns a [`Sender`] keeps the channel open; give it a
    /// [weak](Sender::downgrade) one.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// # use std::{sync::mpsc, thread::sleep, time::Duration};
    /// let (late, too_late) = mpsc::channel();
    /// let (sender, receiver) = Builder::new(1)
    ///     .ttl(Band::URGENT, Duration::from_millis(1))
    ///     .on_expired(move |_, item| late.send(item).unwrap())
    ///     .build()?;
    /// sender.try_send(Band::URGENT, "a request")?;
    /// sleep(Duration::from_millis(2));
    /// assert!(receiver.try_recv().is_err());
    /// assert_eq!(too_late.recv()?, "a request"); // answered with an error, say
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_expired(mut self, hook: impl Fn(Band, T) + Send + Sync + 'static) -> Self {
        self.on_expired = Some(std::sync::Arc::new(hook)); // of a `dyn Fn`
        self
    }

    /// What an item weighs: capacities are then in units of weight, bytes say. It is asked once for
    /// each try to send an item, on the sender's thread, and holds nothing up there. A weight of 0
    /// counts as 1, so that a channel never holds more items than units. If it panics, the item is
    /// not sent, and the panic goes on to the sender.
    ///
    /// Items carry their weight, which costs 32 bytes each. A permit is for a unit, unless it was
    /// asked for with [`reserve_units`](Sender::reserve_units).
    ///
    /// ```
    /// # use bandq::{Band, Builder, TrySendError};
    /// let builder = Builder::new(1).capacity(10).weigher(|s: &String| s.len());
    /// let (sender, _receiver) = builder.build()?;
    /// sender.try_send(Band::URGENT, "8 bytes.".to_string())?;
    /// assert_eq!(sender.available(), Some(2));
    /// let full = sender.try_send(Band::URGENT, "four".to_string()).unwrap_err();
    /// assert!(full.is_full());
    /// let long = "longer than the channel".to_string();
    /// let error = sender.try_send(Band::URGENT, long.clone());
    /// assert_eq!(error, Err(TrySendError::TooHeavy(long)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn weigher(mut self, weigher: fn(&T) -> usize) -> Self {
        self.weigher = Some(weigher);
        self
    }

    /// Refuses at once what would most likely expire before it is reached
    /// ([`Late`](crate::TrySendError::Late)), so that nobody queues in vain and the receivers' time
    /// is not spent on throwing away. Whether it would is [`estimated`](Sender::estimate), with a
    /// margin for how much waits vary. As long as too few receives were seen to tell, and where
    /// nothing is ahead, everything is admitted; so is what has no limited life.
    ///
    /// ```
    /// # use bandq::{Band, Builder, TrySendError};
    /// # use std::{thread::sleep, time::Duration};
    /// let life = Duration::from_secs(2);
    /// let (sender, receiver) = Builder::new(1).ttl(Band::URGENT, life).refuse_late().build()?;
    /// sender.try_send_many(Band::URGENT, 0..30)?;
    /// for _ in 0..18 {
    ///     sleep(Duration::from_millis(1)); // the work of each
    ///     receiver.try_recv()?;
    /// }
    /// let refused = sender.try_send_many(Band::URGENT, 30..10_000).unwrap_err();
    /// assert!(matches!(refused.error, TrySendError::Late(_))); // after 2,000 or so
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refuse_late(mut self) -> Self {
        self.refuses_late = true;
        self
    }

    /// Makes the channel.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with the value that is wrong, and what is allowed: if the number of bands is
    /// not in `1..=64`; if a capacity or a high water is 0, is for a band that the channel does not
    /// have, or is, for a band, above the capacity of the channel; if a life is 0, or for a band
    /// that the channel does not have; if a policy has not a weight for each band that needs one, a
    /// weight of 0, or a step of 0.
    ///
    /// ```
    /// # use bandq::{BuildError, Builder};
    /// let from_a_file = 0;
    /// let error = Builder::<u32>::new(from_a_file).build().unwrap_err();
    /// assert_eq!(error, BuildError::Bands(0));
    /// assert_eq!(error.to_string(), "a channel has 1 to 64 bands, not 0");
    /// ```
    pub fn build(self) -> Result<(Sender<T>, Receiver<T>), BuildError> {
        if !(1..=Band::MAX_BANDS).contains(&self.bands) {
            return Err(BuildError::Bands(self.bands));
        }
        self.check_limits()?;
        let ttl = self.lives()?;
        self.policy.rule(self.bands)?;
        let core = Core::new(self.bands, &self.limits, self.evictable_from.index());
        let has_terms = self.weigher.is_some()
            || self.on_expired.is_some()
            || self.refuses_late
            || self.is_observed
            || !self.ttl.is_empty();
        if has_terms || self.policy.needs_stamps() {
            core.keep_entries(Terms {
                ttl,
                weigher: self.weigher,
                on_expired: self.on_expired,
                refuses_late: self.refuses_late,
                is_observed: self.is_observed,
            });
        }
        if self.policy != Policy::default() {
            core.set_policy(self.policy)?;
        }
        let core = Arc::new(core);
        Ok((
            Sender::from_counted(Arc::clone(&core), NEVER),
            Receiver::from_counted(core, u64::MAX),
        ))
    }

    /// The life of an item, by band.
    fn lives(&self) -> Result<Box<[u64]>, BuildError> {
        let mut lives = vec![NEVER; self.bands];
        for &(band, life) in &self.ttl {
            let of_band = lives.get_mut(band.index()).ok_or(BuildError::NoSuchBand {
                band,
                bands: self.bands,
            })?;
            if life.is_zero() {
                return Err(BuildError::ZeroTtl(band));
            }
            *of_band = nanos(life);
        }
        Ok(lives.into())
    }

    fn check_limits(&self) -> Result<(), BuildError> {
        let limits = &self.limits;
        if limits.capacity == Some(0) {
            return Err(BuildError::ZeroCapacity);
        }
        let capacity = limits.capacity.unwrap_or(usize::MAX);
        for &(band, _) in limits.band_capacity.iter().chain(&limits.high_water) {
            if band.index() >= self.bands {
                let bands = self.bands;
                return Err(BuildError::NoSuchBand { band, bands });
            }
        }
        for &(band, units) in &limits.band_capacity {
            if units == 0 {
                return Err(BuildError::ZeroBandCapacity(band));
            }
            if units > capacity {
                return Err(BuildError::BandCapacityAboveCapacity {
                    band,
                    units,
                    capacity,
                });
            }
        }
        for &(band, units) in &limits.high_water {
            if units == 0 {
                return Err(BuildError::ZeroHighWater(band));
            }
            if units > capacity {
                return Err(BuildError::HighWaterAboveCapacity {
                    band,
                    units,
                    capacity,
                });
            }
        }
        Ok(())
    }
}

impl<T> Clone for Builder<T> {
    fn clone(&self) -> Self {
        Self {
            limits: self.limits.clone(),
            policy: self.policy.clone(),
            ttl: self.ttl.clone(),
            on_expired: self.on_expired.clone(),
            ..*self
        }
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("bands", &self.bands)
            .field("limits", &self.limits)
            .field("policy", &self.policy)
            .field("evictable_from", &self.evictable_from)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}
