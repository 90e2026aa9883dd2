//! The ways in and out of a channel that is more than plain: under an order of its own, with
//! weights, lives, and evictions.

use super::{
    core::Core,
    managed::{Entries, Managed, Taken, Terms},
};
use crate::{
    band::Band,
    clock::NEVER,
    error::{BuildError, TryRecvError, TrySendError},
    parcel::Parcel,
    policy::Policy,
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
        let weigher = self
            .managed()
            .and_then(|managed| managed.entries()?.terms.weigher);
        match (weigher, parcel.as_ref()) {
            (Some(weigh), Some(item)) => weigh(item).max(1),
            _ => 1,
        }
    }

    /// [`try_send`](Self::try_send), where it is more than plain.
    #[inline(never)]
    pub(super) fn try_send_managed(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
        ttl: u64,
    ) -> Result<(), TrySendError<()>> {
        if !self.has_band(band) {
            return Err(TrySendError::NoSuchBand(()));
        }
        let units = self.units(parcel);
        self.try_take_room_or_expire(band, units)?;
        if self.push(band, parcel, units, ttl) {
            return Ok(());
        }
        self.give_room_back(band, units);
        Err(TrySendError::Closed(()))
    }

    /// Takes room; where there is none, what has expired goes first.
    #[inline]
    pub(super) fn try_take_room_or_expire(
        &self,
        band: Band,
        units: usize,
    ) -> Result<(), TrySendError<()>> {
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
    fn has_expired(&self, taken: &Taken, parcel: &mut Parcel<T>) {
        self.give_room_back(taken.band, taken.units);
        let item = parcel.unwrap();
        let hook = self.entries().and_then(|e| e.terms.on_expired.as_ref());
        quietly(|| match hook {
            Some(hook) => hook(taken.band, item),
            None => drop(item),
        });
    }

    /// [`try_recv`](Self::try_recv), where it is more than plain.
    #[inline(never)]
    pub(super) fn try_recv_managed(
        &self,
        mask: u64,
        parcel: &mut Parcel<T>,
    ) -> Result<Band, TryRecvError> {
        loop {
            let taken = self.take_managed(mask, parcel)?;
            if taken.expires != NEVER {
                let is_over = |entries: &Entries<T>| taken.expires <= entries.clock.now();
                if self.entries().is_some_and(is_over) {
                    self.has_expired(&taken, parcel);
                    continue;
                }
            }
            self.give_room_back(taken.band, taken.units);
            self.waits.took(taken.band, self);
            return Ok(taken.band);
        }
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
    /// run of one band would be more than its turn.
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
        }
        Ok(limit)
    }
}
