//! The ways in and out of a channel that is more than plain: under an order of its own, with
//! weights, lives, and evictions.

use super::{
    core::Core,
    managed::{Entries, Managed, Taken, Terms},
    pace::Pace,
};
use crate::{
    band::Band,
    clock::NEVER,
    entry::Sending,
    error::{BuildError, TryRecvError, TrySendError},
    parcel::Parcel,
    policy::{
        Policy, Rule,
        estimate::{Estimate, Queued, estimate, is_late},
    },
    quiet::quietly,
};

impl<T> Core<T> {
    /// Keeps entries from now on, by these terms unless it does already.
    pub(super) fn keep_entries(&self, terms: Terms<T>) {
        self.manage().move_to_entries(self.bare(), terms);
    }

    /// Changes the policy.
    pub(super) fn set_policy(&self, policy: Policy) -> Result<(), BuildError> {
        policy.rule(self.bands())?;
        if policy.needs_stamps() {
            self.keep_entries(Terms::new(self.bands()));
        }
        self.manage().order.set(policy)
    }

    pub(super) fn has_weigher(&self) -> bool {
        let entries = self.managed().and_then(Managed::entries);
        entries.is_some_and(|entries| entries.terms.weigher.is_some())
    }

    /// The units that the item in the parcel takes: at least one.
    pub(super) fn units(&self, parcel: &Parcel<T>) -> usize {
        parcel.as_ref().map_or(1, |item| self.units_of(item))
    }

    /// The units that an item takes: at least one.
    pub(super) fn units_of(&self, item: &T) -> usize {
        let entries = self.managed().and_then(Managed::entries);
        let weigher = entries.and_then(|entries| entries.terms.weigher);
        weigher.map_or(1, |weigh| weigh(item).max(1))
    }

    /// [`try_send`](Self::try_send), where it is more than plain.
    #[inline(never)]
    pub(super) fn try_send_managed(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
        sending: Sending,
    ) -> Result<(), TrySendError<()>> {
        if !self.has_band(band) {
            return Err(TrySendError::NoSuchBand(()));
        }
        let units = self.units(parcel);
        self.try_take_room_managed(band, units, sending.ttl)?;
        if self.push(band, parcel, units, sending) {
            return Ok(());
        }
        self.give_room_back(band, units);
        Err(TrySendError::Closed(()))
    }

    /// Takes units of room for an item that would not be too late; where there are too few, also
    /// those of what has expired.
    pub(super) fn try_take_room_managed(
        &self,
        band: Band,
        units: usize,
        ttl: u64,
    ) -> Result<(), TrySendError<()>> {
        if self.would_be_late(band, ttl) {
            // It may be closed as well, and that wins.
            return Err(if self.is_closed() {
                TrySendError::Closed(())
            } else {
                TrySendError::Late(())
            });
        }
        match self.try_take_room(band, units) {
            Err(TrySendError::Full(())) if self.expire() => self.try_take_room(band, units),
            taken => taken,
        }
    }

    /// Takes what has expired at the head of each band; whether there was any.
    fn expire(&self) -> bool {
        let Some(entries) = self.entries() else {
            return false;
        };
        let now = entries.clock.now();
        let mut any = false;
        for band in (0..self.bands()).map(Band::from_index) {
            let mut parcel = Parcel::empty();
            while let Some(taken) = entries.pop_expired(band, now, &mut parcel) {
                self.has_expired(&taken, &mut parcel);
                any = true;
            }
        }
        any
    }

    /// An item that was taken too late: its room goes back, and the hook gets it.
    #[cold]
    pub(super) fn has_expired(&self, taken: &Taken, parcel: &mut Parcel<T>) {
        self.give_room_back(taken.band, taken.about.units);
        let item = parcel.unwrap();
        let entries = self.entries();
        if let Some((entries, record)) = entries.and_then(|e| Some((e, e.record.as_ref()?))) {
            record.expired(taken.band, &taken.about, entries.clock.now());
        }
        let hook = entries.and_then(|e| e.terms.on_expired.as_ref());
        quietly(|| match hook {
            Some(hook) => hook(taken.band, item),
            None => drop(item),
        });
    }

    // The usual cases, in a few instructions, in front of `try_recv_managed`.

    /// A receive under an order while there are no entries.
    #[inline(always)]
    pub(super) fn try_recv_bare(
        &self,
        managed: &Managed<T>,
        mask: u64,
        parcel: &mut Parcel<T>,
    ) -> Result<Band, TryRecvError> {
        let Some(band) = self.bare().pop_under(&managed.order, mask, parcel) else {
            return self.try_recv_managed(mask, parcel);
        };
        self.give_room_back(band, 1);
        self.waits.took(band, self);
        Ok(band)
    }

    /// A receive where all is entries.
    #[inline(always)]
    pub(super) fn try_recv_entry(
        &self,
        managed: &Managed<T>,
        entries: &Entries<T>,
        mask: u64,
        parcel: &mut Parcel<T>,
    ) -> Result<Band, TryRecvError> {
        if entries.has_moved() {
            if let Some(mut taken) = entries.pop_entry(&managed.order, mask, parcel) {
                if !self.is_too_late(entries, &mut taken) {
                    self.give_room_back(taken.band, taken.about.units);
                    self.waits.took(taken.band, self);
                    return Ok(taken.band);
                }
                self.has_expired(&taken, parcel);
            }
        }
        self.try_recv_managed(mask, parcel)
    }

    /// [`try_recv`](Self::try_recv), where it is more than plain.
    #[inline(never)]
    pub(super) fn try_recv_managed(
        &self,
        mask: u64,
        parcel: &mut Parcel<T>,
    ) -> Result<Band, TryRecvError> {
        loop {
            let mut taken = self.take_managed(mask, parcel)?;
            let entries = self.managed().and_then(Managed::entries);
            if entries.is_some_and(|entries| self.is_too_late(entries, &mut taken)) {
                self.has_expired(&taken, parcel);
                continue;
            }
            self.give_room_back(taken.band, taken.about.units);
            self.waits.took(taken.band, self);
            return Ok(taken.band);
        }
    }

    /// Whether what a receive took has expired. If not, takes note of the receive.
    #[inline(always)]
    fn is_too_late(&self, entries: &Entries<T>, taken: &mut Taken) -> bool {
        let is_timed = entries.pace.is_some() || entries.record.is_some();
        if taken.about.expires == NEVER && !is_timed {
            return false;
        }
        let now = entries.clock.now();
        if taken.about.expires <= now {
            self.manage().order.give_turn_back(taken.band.index()); // it was nobody's turn
            return true;
        }
        if let Some(pace) = &entries.pace {
            let left_some = entries.listed(u64::MAX) != 0;
            pace.received(taken.band.index(), now.max(1), left_some);
        }
        if let Some(record) = &entries.record {
            record.received(taken.band, &mut taken.about, now);
        }
        false
    }

    /// Whether late sends are refused and an item that is sent now would be late.
    fn would_be_late(&self, band: Band, ttl: u64) -> bool {
        let entries = self.managed().and_then(Managed::entries);
        entries.is_some_and(|entries| {
            let life = entries.life(band, ttl);
            entries.terms.refuses_late && life != NEVER && is_late(self.estimate(band), life)
        })
    }

    /// How long an item of that band, which there is, would wait.
    pub(super) fn estimate(&self, band: Band) -> Estimate {
        let managed = self.managed();
        let entries = managed.and_then(Managed::entries);
        let pace = entries.and_then(|entries| entries.pace.as_ref());
        let now = entries.map_or(0, |entries| entries.clock.now());
        let mut bands = [Queued::default(); Band::MAX_BANDS];
        for (band, queued) in bands[..self.bands()].iter_mut().enumerate() {
            let front = entries.and_then(|entries| entries.queue.front(band));
            *queued = Queued {
                len: self.band_len(Band::from_index(band)),
                share: pace.map_or(0.0, |pace| pace.share(band)),
                stride: managed.map_or(0, |managed| managed.order.stride(band)),
                oldest: front.map_or(0, |sent| now.saturating_sub(sent)),
            };
        }
        let rule = managed.map_or(Rule::Strict, |managed| managed.order.rule());
        let gap = pace.and_then(Pace::gap);
        estimate(rule, band.index(), &bands[..self.bands()], gap)
    }

    fn take_managed(&self, mask: u64, parcel: &mut Parcel<T>) -> Result<Taken, TryRecvError> {
        let managed = self.manage();
        let had_entries = managed.entries().is_some();
        if let Some(taken) = managed.pop(self.bare(), mask, parcel) {
            return Ok(taken);
        }
        if !had_entries && managed.entries_late().is_some() {
            // They have come meanwhile, and that nothing was bare says nothing of them.
            if let Some(taken) = managed.pop(self.bare(), mask, parcel) {
                return Ok(taken);
            }
        }
        if !self.is_closed() {
            return Err(TryRecvError::Empty);
        }
        // Marked now, so this look is final.
        managed
            .pop_closed(self.bare(), mask, parcel)
            .ok_or(TryRecvError::Closed)
    }

    /// [`try_recv_many`](Self::try_recv_many), where it is more than plain: one by one, because a
    /// run of one band would be more than its turn. Each has a look at the clock of its own: an
    /// expired item is never handed out (promise 12), and a single look for all of a batch would be
    /// as old as the batch is long.
    pub(super) fn try_recv_many_managed(
        &self,
        mask: u64,
        out: &mut Vec<(Band, T)>,
        limit: usize,
    ) -> Result<usize, TryRecvError> {
        for received in 0..limit {
            let mut parcel = Parcel::empty();
            match self.try_recv_managed(mask, &mut parcel) {
                Ok(band) => out.push((band, parcel.unwrap())),
                Err(error) if received == 0 => return Err(error),
                Err(_) => return Ok(received),
            }
            if received == 1 {
                self.forget_last(); // of several it is not known which one is worked on
            }
        }
        Ok(limit)
    }
}
