//! The model of a channel under overload: a `VecDeque` a band, units of room, and lives that are
//! over or endless.

use std::collections::VecDeque;

use super::turns::{Rule, Turns};

/// No limit: also the most units that there may be.
const NONE: u128 = (1 << 62) + 1;

/// An item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its number.
    pub(super) id: u32,
    /// The units that it takes.
    pub(super) units: usize,
    /// Whether its life was over at once.
    pub(super) is_over: bool,
    /// Whether it came before items knew when they were sent.
    is_bare: bool,
    /// The number of its send.
    sent: u64,
}

/// Why there is no room, or no way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Closed,
    NoSuchBand,
    TooHeavy,
}

/// The limits it is built with.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    /// That of the whole.
    pub(super) capacity: Option<usize>,
    /// Those of bands.
    pub(super) band_capacity: Vec<(usize, usize)>,
    /// Those of the whole for bands from one on.
    pub(super) high_water: Vec<(usize, usize)>,
}

/// The channel.
pub(super) struct Model {
    /// Who is next.
    pub(super) turns: Turns,
    fifos: Vec<VecDeque<Item>>,
    has_room: bool,
    capacity: Option<usize>,
    high_water: Vec<u128>,
    own: Vec<u128>,
    used: u128,
    own_used: Vec<u128>,
    evictable_from: usize,
    has_weigher: bool,
    /// Whether items know when they were sent.
    pub(super) has_entries: bool,
    is_closed: bool,
    sends: u64,
    /// What expired, in order.
    pub(super) expired: Vec<(usize, u32)>,
}

impl Model {
    /// An empty one.
    pub(super) fn new(
        bands: usize,
        limits: &Limits,
        evictable_from: usize,
        has_weigher: bool,
    ) -> Self {
        let mut high_water = vec![NONE; bands];
        for &(from, units) in &limits.high_water {
            for limit in &mut high_water[from..] {
                *limit = (*limit).min(units as u128);
            }
        }
        let mut own = vec![NONE; bands];
        for &(band, units) in &limits.band_capacity {
            own[band] = units as u128;
        }
        let by_band = limits.band_capacity.len() + limits.high_water.len() > 0;
        Self {
            turns: Turns::new(bands),
            fifos: vec![VecDeque::new(); bands],
            has_room: limits.capacity.is_some() || by_band,
            capacity: limits.capacity,
            high_water,
            own,
            used: 0,
            own_used: vec![0; bands],
            evictable_from,
            has_weigher,
            has_entries: has_weigher,
            is_closed: false,
            sends: 0,
            expired: Vec::new(),
        }
    }

    /// The number of bands.
    pub(super) fn bands(&self) -> usize {
        self.fifos.len()
    }

    /// The number of items.
    pub(super) fn len(&self) -> usize {
        self.fifos.iter().map(VecDeque::len).sum()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of items of one band.
    pub(super) fn band_len(&self, band: usize) -> usize {
        self.fifos.get(band).map_or(0, VecDeque::len)
    }

    /// From now on items know when they were sent; those that are there, as of now.
    pub(super) fn keep_entries(&mut self) {
        if !self.has_entries {
            self.has_entries = true;
            self.sends += 1;
            for item in self.fifos.iter_mut().flatten() {
                item.sent = self.sends;
            }
        }
    }

    /// Another rule.
    pub(super) fn set_rule(&mut self, rule: Rule) {
        if rule.needs_stamps() {
            self.keep_entries();
        }
        self.turns.set(rule);
    }

    /// Closes it; whether it was open.
    pub(super) fn close(&mut self) -> bool {
        !std::mem::replace(&mut self.is_closed, true)
    }

    /// Whether it is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }
}

/// Room.
impl Model {
    fn limit(&self) -> u128 {
        self.capacity.map_or(NONE, |units| units as u128)
    }

    /// The capacity.
    pub(super) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Whether there is any limit.
    pub(super) fn has_room(&self) -> bool {
        self.has_room
    }

    /// Changes the capacity.
    pub(super) fn set_capacity(&mut self, units: usize) {
        self.capacity = Some(units);
    }

    /// Units that are left of the capacity.
    pub(super) fn available(&self) -> Option<usize> {
        let units = self.capacity? as u128;
        Some(units.saturating_sub(self.used) as usize)
    }

    /// Whether no band may take a unit.
    pub(super) fn is_full(&self) -> bool {
        self.has_room && (0..self.bands()).all(|band| !self.fits(band, 1))
    }

    /// What the whole may come to for a band.
    fn most(&self, band: usize) -> u128 {
        self.limit().min(self.high_water[band])
    }

    fn fits(&self, band: usize, units: usize) -> bool {
        let units = units as u128;
        self.used + units <= self.most(band) && self.own_used[band] + units <= self.own[band]
    }

    /// Takes units for a band.
    fn admit(&mut self, band: usize, units: usize) -> Result<(), Refused> {
        if !self.has_room || units == 0 {
            return Ok(());
        }
        if self.fits(band, units) {
            self.used += units as u128;
            self.own_used[band] += units as u128;
            Ok(())
        } else if units as u128 > self.most(band).min(self.own[band]) {
            Err(Refused::TooHeavy)
        } else {
            Err(Refused::Full)
        }
    }

    fn give_back(&mut self, band: usize, units: usize) {
        if self.has_room {
            self.used -= units as u128;
            self.own_used[band] -= units as u128;
        }
    }

    /// Takes units for a permit.
    pub(super) fn reserve(&mut self, band: usize, units: usize) -> Result<(), Refused> {
        if band >= self.bands() {
            return Err(Refused::NoSuchBand);
        }
        if self.is_closed {
            return Err(Refused::Closed);
        }
        self.admit_or_expire(band, units)
    }

    /// Drops a permit.
    pub(super) fn unreserve(&mut self, band: usize, units: usize) {
        self.give_back(band, units);
    }
}

/// Sends.
impl Model {
    fn push(&mut self, band: usize, id: u32, units: usize, is_over: bool) {
        self.sends += 1;
        self.fifos[band].push_back(Item {
            id,
            units,
            is_over,
            is_bare: !self.has_entries,
            sent: self.sends,
        });
    }

    /// Sends.
    pub(super) fn send(
        &mut self,
        band: usize,
        id: u32,
        units: usize,
        is_over: bool,
    ) -> Result<(), Refused> {
        if band >= self.bands() {
            return Err(Refused::NoSuchBand);
        }
        if self.is_closed {
            return Err(Refused::Closed);
        }
        self.admit_or_expire(band, units)?;
        self.push(band, id, units, is_over);
        Ok(())
    }

    /// Takes room; where there is none, what has expired goes first.
    fn admit_or_expire(&mut self, band: usize, units: usize) -> Result<(), Refused> {
        match self.admit(band, units) {
            Err(Refused::Full) if self.expire() => self.admit(band, units),
            admitted => admitted,
        }
    }

    /// Takes what has expired at the head of each band.
    fn expire(&mut self) -> bool {
        let before = self.expired.len();
        for band in 0..self.bands() {
            // Whatever is bare has no end.
            let fifo = &self.fifos[band];
            let bare = fifo.iter().take_while(|item| item.is_bare).count();
            while self.fifos[band].get(bare).is_some_and(|item| item.is_over) {
                let item = self.fifos[band].remove(bare).expect("seen");
                self.has_expired(band, item);
            }
        }
        self.expired.len() > before
    }

    fn has_expired(&mut self, band: usize, item: Item) {
        self.give_back(band, item.units);
        self.expired.push((band, item.id));
    }

    /// Sends by a permit of so many units.
    pub(super) fn send_reserved(
        &mut self,
        (band, reserved): (usize, usize),
        id: u32,
        units: usize,
        is_over: bool,
    ) -> Result<(), Refused> {
        let refused = if units > reserved {
            Some(Refused::TooHeavy)
        } else {
            self.is_closed.then_some(Refused::Closed)
        };
        if let Some(refused) = refused {
            self.give_back(band, reserved);
            return Err(refused);
        }
        self.push(band, id, units, is_over);
        self.give_back(band, reserved - units);
        Ok(())
    }

    /// Sends, and says who has to go for it.
    pub(super) fn force_send(
        &mut self,
        band: usize,
        id: u32,
        units: usize,
        is_over: bool,
        evicted: &mut Vec<(usize, u32)>,
    ) -> Result<(), Refused> {
        let sent = self.send(band, id, units, is_over);
        if sent != Err(Refused::Full) || self.own_used[band] + units as u128 > self.own[band] {
            return sent;
        }
        // The units of the whole that victims leave.
        let mut held = 0;
        while self.used + units as u128 - held > self.most(band) {
            let is_enough = self.used + units as u128 - 1 <= self.most(band);
            let may_go = self.has_weigher || (held == 0 && is_enough);
            let Some((victim, item)) = may_go.then(|| self.victim(band)).flatten() else {
                self.used -= held;
                return Err(Refused::Full);
            };
            if item.is_over {
                self.has_expired(victim, item); // nobody's victim
                continue;
            }
            evicted.push((victim, item.id));
            self.own_used[victim] -= item.units as u128;
            held += item.units as u128;
        }
        self.used = self.used - held + units as u128;
        self.own_used[band] += units as u128;
        self.push(band, id, units, is_over);
        Ok(())
    }

    /// Takes the oldest item of the least urgent band that is less urgent than the newcomer's.
    fn victim(&mut self, newcomer: usize) -> Option<(usize, Item)> {
        let from = self.evictable_from.max(newcomer + 1);
        let band = (from..self.bands())
            .rev()
            .find(|&band| self.band_len(band) > 0)?;
        Some((band, self.fifos[band].pop_front()?))
    }
}

/// Receives.
impl Model {
    /// Bands within a mask that have something, and when what is at their heads was sent.
    fn busy(&self, mask: u64) -> Vec<(usize, u64)> {
        let heads = self.fifos.iter().enumerate();
        heads
            .filter(|(band, _)| mask & (1 << band) != 0)
            .filter_map(|(band, fifo)| Some((band, fifo.front()?.sent)))
            .collect()
    }

    /// The item that must come next, and its band.
    pub(super) fn recv(&mut self, mask: u64) -> Option<(usize, u32)> {
        loop {
            let busy = self.busy(mask);
            let band = self.turns.next(&busy)?;
            let item = self.fifos[band].pop_front()?;
            if !item.is_over {
                self.give_back(band, item.units);
                return Some((band, item.id));
            }
            self.turns.give_back(band); // it was nobody's turn
            self.has_expired(band, item);
        }
    }

    /// Whether something more urgent than a band is there.
    pub(super) fn urgent_waiting(&self, mask: u64, band: usize) -> bool {
        self.busy(mask).iter().any(|&(busy, _)| busy < band)
    }
}
