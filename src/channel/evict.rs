//! Eviction: less urgent items go where there is no room for a more urgent one.
//!
//! # One of three outcomes
//!
//! A forced send takes the capacity of its own band first; where that is full, nobody else's
//! leaving helps. Then it takes units of the whole, and as long as there are too few, a victim: it
//! pops the oldest item of the least urgent band that has one and may be asked, exactly as a
//! receive of that band would. So a victim is received or evicted, never both, and what stays
//! behind it is a FIFO. If somebody else was faster, the item was received: then there is room, or
//! another victim. One that has expired is nobody's victim: it goes to the hook, and its room to
//! everybody.
//!
//! The victim's units of the whole stay in use, and are the newcomer's. To give them back first
//! would let a sender in between that waits for room, and a second victim would have to go. What a
//! heavy victim leaves over goes back at the end.
//!
//! | it ends with | in use | evicted |
//! |---|---|---|
//! | sent | the newcomer's units | what had to go |
//! | no victim is left, or only more urgent ones | as before, less the victims' | what had gone: it did not suffice |
//! | closed meanwhile | as before, less the victims' | what had gone |

use super::{
    core::Core,
    managed::{Entries, Taken},
    room::Room,
};
use crate::{
    band::Band, clock::NEVER, entry::Sending, error::TrySendError, parcel::Parcel, policy::victim,
};

impl<T> Core<T> {
    /// Sends, and lets less urgent items go for it where there is no room: they are appended to
    /// `evicted`.
    pub(super) fn force_send(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
        sending: Sending,
        evicted: &mut Vec<(Band, T)>,
    ) -> Result<(), TrySendError<()>> {
        match (self.try_send(band, parcel, sending), self.room()) {
            (Err(TrySendError::Full(())), Some(room)) => {
                let units = self.units(parcel);
                self.or_why_not(room, units, room.try_take_own(band, units))?;
                let made = self.make_room(room, band, units, evicted);
                if made.is_ok() && self.push(band, parcel, units, sending) {
                    return Ok(());
                }
                room.give_back_own(band, units);
                if made.is_ok() {
                    room.give_back_whole(units);
                }
                self.waits.room_came(room, units);
                made.and(Err(TrySendError::Closed(())))
            }
            (sent, _) => sent,
        }
    }

    /// Takes units of the whole for an item of that band, some from victims.
    fn make_room(
        &self,
        room: &Room,
        band: Band,
        units: usize,
        evicted: &mut Vec<(Band, T)>,
    ) -> Result<(), TrySendError<()>> {
        let most_victims = if self.has_weigher() { usize::MAX } else { 1 };
        let mut held = 0;
        loop {
            // For one that goes, one comes: no more than before, whatever others did meanwhile.
            if held >= units && (most_victims == 1 || room.excess(band, units, held) == 0) {
                room.give_back_whole(held - units);
                self.waits.room_came(room, held - units);
                return Ok(());
            }
            if held < units {
                let taken = room.try_take_whole(band, units - held);
                match self.or_why_not(room, units, taken) {
                    Ok(()) => return Ok(()),
                    Err(TrySendError::Full(())) => {}
                    Err(error) => return self.give_up(room, held, error),
                }
            }
            // Where only one may go, it has to be enough.
            let can_help = most_victims > 1 || room.excess(band, units, held) <= 1;
            let mut parcel = Parcel::empty();
            let victim = can_help.then(|| self.evict(band, &mut parcel)).flatten();
            let Some(victim) = victim else {
                return self.give_up(room, held, TrySendError::Full(()));
            };
            if self.is_over(&victim) {
                self.has_expired(&victim, &mut parcel); // and its room may suffice
                continue;
            }
            self.note_eviction(&victim);
            evicted.push((victim.band, parcel.unwrap()));
            held += victim.about.units;
            room.give_back_own(victim.band, victim.about.units);
            self.waits.room_came(room, victim.about.units);
        }
    }

    /// What victims left goes to everybody.
    fn give_up(
        &self,
        room: &Room,
        held: usize,
        error: TrySendError<()>,
    ) -> Result<(), TrySendError<()>> {
        room.give_back_whole(held);
        self.waits.room_came(room, held);
        Err(error)
    }

    /// Takes the oldest item of the least urgent band that has one and is less urgent than
    /// `newcomer`, out of those that may be evicted, into the parcel.
    fn evict(&self, newcomer: Band, parcel: &mut Parcel<T>) -> Option<Taken> {
        let from = self.evictable_from();
        victim::candidates(newcomer.index(), from, self.bands()).find_map(|band| {
            let band = Band::from_index(band);
            match self.entries() {
                Some(entries) => entries.pop_band(self.bare(), band, parcel),
                None => self
                    .bare()
                    .pop_one_of(band.index(), parcel)
                    .then(|| Taken::bare(band)),
            }
        })
    }

    /// Whether it has expired.
    fn is_over(&self, taken: &Taken) -> bool {
        let now = |entries: &Entries<T>| entries.clock.now();
        taken.about.expires != NEVER
            && self
                .entries()
                .is_some_and(|e| taken.about.expires <= now(e))
    }
}
