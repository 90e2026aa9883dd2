//! Promise 11 in one thread: the channel does what a plain model does, operation by operation.

use std::collections::VecDeque;
use std::time::Duration;

use bandq::{Band, Builder, Permit, Policy, Receiver, Sender, TryRecvError, TrySendError};

use crate::support::{Ledger, Token, XorShift, b, env_number};

const OPERATIONS: usize = 1_000;

/// What an item weighs; a weight of 0 counts as 1.
fn weigh(item: &Token) -> usize {
    [0, 1, 2, 3, 6][item.id() % 5]
}

/// What the channel is built with, and what is in it.
#[derive(Debug)]
struct Model {
    capacity: usize,
    /// By band; `usize::MAX` where there is none.
    high_water: Vec<usize>,
    band_capacity: Vec<usize>,
    evictable_from: usize,
    has_weigher: bool,
    is_strict: bool,
    /// The items of each band, with their units.
    items: Vec<VecDeque<(usize, usize)>>,
    /// The units of each band that permits hold.
    reserved: Vec<usize>,
    is_closed: bool,
}

/// Why nothing was sent.
#[derive(Debug, PartialEq)]
enum No {
    Full,
    Closed,
    Unknown,
    TooHeavy,
}

impl Model {
    fn random(rng: &mut XorShift) -> Self {
        let bands = 1 + rng.below(8) as usize;
        let capacity = 1 + rng.below(12) as usize;
        let mut limits = |one_in| {
            let mut limit = || match rng.one_in(one_in) {
                true => 1 + rng.below(capacity as u64) as usize,
                false => usize::MAX,
            };
            (0..bands).map(|_| limit()).collect::<Vec<_>>()
        };
        Self {
            capacity,
            high_water: limits(4),
            band_capacity: limits(4),
            evictable_from: match rng.one_in(3) {
                true => rng.below(bands as u64) as usize,
                false => 0,
            },
            has_weigher: rng.one_in(2),
            is_strict: rng.one_in(2),
            items: vec![VecDeque::new(); bands],
            reserved: vec![0; bands],
            is_closed: false,
        }
    }

    fn build(&self, rng: &mut XorShift) -> (Sender<Token>, Receiver<Token>) {
        let bands = self.bands();
        let mut builder = Builder::new(bands).capacity(self.capacity);
        for band in 0..bands {
            let of = b(band as u8);
            if self.high_water[band] != usize::MAX {
                builder = builder.high_water(of, self.high_water[band]);
            }
            if self.band_capacity[band] != usize::MAX {
                builder = builder.band_capacity(of, self.band_capacity[band]);
            }
        }
        if self.evictable_from > 0 {
            builder = builder.evictable_from(b(self.evictable_from as u8));
        }
        if self.has_weigher {
            builder = builder.weigher(weigh);
        } else if rng.one_in(2) {
            builder = builder.ttl(b(0), Duration::MAX); // entries, which do not expire
        }
        if !self.is_strict {
            let weights = (0..bands).map(|band| band as u32 + 1);
            builder = builder.policy(match rng.below(3) {
                0 => Policy::weighted(weights),
                1 => Policy::strict_then_weighted(1, weights.skip(1)),
                _ => Policy::ageing(Duration::from_nanos(500)),
            });
        }
        builder.build().unwrap()
    }

    fn bands(&self) -> usize {
        self.items.len()
    }

    fn used_by(&self, band: usize) -> usize {
        let items = self.items[band].iter().map(|&(_, units)| units);
        items.sum::<usize>() + self.reserved[band]
    }

    fn used(&self) -> usize {
        (0..self.bands()).map(|band| self.used_by(band)).sum()
    }

    fn len(&self) -> usize {
        self.items.iter().map(VecDeque::len).sum()
    }

    /// The most units of the whole that may be in use for this band to enter.
    fn most(&self, band: usize) -> usize {
        let high_water = self.high_water[..=band].iter().copied();
        high_water.fold(self.capacity, usize::min)
    }

    fn take_room(&self, band: usize, units: usize) -> Result<(), No> {
        if band >= self.bands() {
            return Err(No::Unknown);
        }
        if self.is_closed {
            return Err(No::Closed);
        }
        if units > self.most(band).min(self.band_capacity[band]) {
            return Err(No::TooHeavy);
        }
        let is_full = self.used() + units > self.most(band)
            || self.used_by(band) + units > self.band_capacity[band];
        if is_full { Err(No::Full) } else { Ok(()) }
    }

    fn units(&self, item: &Token) -> usize {
        if self.has_weigher {
            weigh(item).max(1)
        } else {
            1
        }
    }

    fn send(&mut self, band: usize, id: usize, units: usize) -> Result<(), No> {
        self.take_room(band, units)?;
        self.items[band].push_back((id, units));
        Ok(())
    }

    /// The oldest item of the least urgent band that has one, if it may go.
    fn victim(&self, newcomer: usize) -> Option<usize> {
        let last = (0..self.bands()).rfind(|&band| !self.items[band].is_empty())?;
        (last > newcomer && last >= self.evictable_from).then_some(last)
    }

    /// The outcome, and what went.
    fn force_send(
        &mut self,
        band: usize,
        id: usize,
        units: usize,
    ) -> (Result<(), No>, Vec<(usize, usize)>) {
        let mut gone = Vec::new();
        loop {
            match self.send(band, id, units) {
                Err(No::Full) => {}
                sent => return (sent, gone),
            }
            let too_many = (self.used() + units).saturating_sub(self.most(band));
            let cannot_help = self.used_by(band) + units > self.band_capacity[band]
                || (!self.has_weigher && too_many > 1);
            match self.victim(band) {
                Some(victim) if !cannot_help => {
                    let (id, _) = self.items[victim].pop_front().unwrap();
                    gone.push((victim, id));
                }
                _ => return (Err(No::Full), gone),
            }
        }
    }

    /// An item was received: it must be the oldest of its band, and that the most urgent one if
    /// the order is strict.
    fn received(&mut self, band: usize, id: usize) {
        assert_eq!(self.items[band].pop_front().map(|(id, _)| id), Some(id));
        let is_first = self.items[..band].iter().all(VecDeque::is_empty);
        assert!(is_first || !self.is_strict, "not the most urgent one");
    }
}

fn why<T>(error: TrySendError<T>) -> (No, T) {
    let no = match error {
        TrySendError::Full(_) => No::Full,
        TrySendError::Closed(_) => No::Closed,
        TrySendError::NoSuchBand(_) => No::Unknown,
        TrySendError::TooHeavy(_) => No::TooHeavy,
        _ => panic!("not an error of this channel"),
    };
    (no, error.into_inner())
}

fn index(band: Band) -> usize {
    band.index()
}

/// Runs random operations on a channel and its model.
struct Run<'a> {
    rng: XorShift,
    model: Model,
    sender: &'a Sender<Token>,
    receiver: &'a Receiver<Token>,
    /// With their units.
    permits: Vec<(Permit<'a, Token>, usize)>,
    ledger: Ledger,
    next: usize,
    /// How often a forced send ended with: room, a victim, the newcomer back.
    outcomes: [usize; 3],
}

impl Run<'_> {
    fn token(&mut self) -> Token {
        self.next += 1;
        self.ledger.token(self.next - 1)
    }

    /// Now and then one that there is not.
    fn band(&mut self) -> usize {
        if self.rng.one_in(50) {
            return self.model.bands();
        }
        self.rng.below(self.model.bands() as u64) as usize
    }

    fn step(&mut self) {
        match self.rng.below(100) {
            0..25 => self.send(),
            25..60 => self.force_send(),
            60..80 => self.receive(),
            80..90 => self.reserve(),
            90..97 => self.use_permit(),
            97..99 => self.set_capacity(),
            _ if self.rng.one_in(40) => {
                assert_eq!(self.sender.close(), !self.model.is_closed);
                self.model.is_closed = true;
            }
            _ => {}
        }
        self.compare();
    }

    fn send(&mut self) {
        let (band, item) = (self.band(), self.token());
        let (id, units) = (item.id(), self.model.units(&item));
        let sent = self.sender.try_send(b(band as u8), item);
        let sent = sent.map_err(|error| {
            let (no, item) = why(error);
            assert_eq!(item.id(), id);
            no
        });
        assert_eq!(sent, self.model.send(band, id, units));
    }

    fn force_send(&mut self) {
        let (band, item) = (self.band(), self.token());
        let (id, units) = (item.id(), self.model.units(&item));
        let (sent, gone) = match self.sender.force_send(b(band as u8), item) {
            Ok(gone) => (Ok(()), gone),
            Err(error) => {
                let (no, item) = why(error.error);
                assert_eq!(item.id(), id);
                (Err(no), error.evicted)
            }
        };
        self.outcomes[match &sent {
            Ok(()) if gone.is_empty() => 0,
            Ok(()) => 1,
            Err(_) => 2,
        }] += 1;
        assert!(self.model.has_weigher || gone.len() <= 1);
        for (victim, _) in &gone {
            assert!(index(*victim) > band && index(*victim) >= self.model.evictable_from);
        }
        let gone = gone
            .iter()
            .map(|(victim, item)| (index(*victim), item.id()))
            .collect();
        assert_eq!((sent, gone), self.model.force_send(band, id, units));
    }

    fn receive(&mut self) {
        let mut out = Vec::new();
        let limit = 1 + self.rng.below(3) as usize;
        let received = if limit == 1 {
            self.receiver.try_recv().map(|item| out.push(item))
        } else {
            self.receiver.try_recv_many(&mut out, limit).map(drop)
        };
        let nothing = match self.model.is_closed {
            true => TryRecvError::Closed,
            false => TryRecvError::Empty,
        };
        match self.model.len() {
            0 => assert_eq!(received, Err(nothing)),
            there => assert_eq!(out.len(), there.min(limit)),
        }
        for (band, item) in out {
            self.model.received(index(band), item.id());
        }
    }

    fn reserve(&mut self) {
        let (band, units) = (self.band(), 1 + self.rng.below(4) as usize);
        let reserved = self.sender.try_reserve_units(b(band as u8), units);
        let expected = self.model.take_room(band, units);
        match reserved {
            Ok(permit) => {
                assert_eq!(expected, Ok(()));
                self.model.reserved[band] += units;
                self.permits.push((permit, units));
            }
            Err(error) => assert_eq!(expected, Err(why(error).0)),
        }
    }

    fn use_permit(&mut self) {
        if self.permits.is_empty() {
            return;
        }
        let any = self.rng.below(self.permits.len() as u64) as usize;
        let (permit, reserved) = self.permits.swap_remove(any);
        let band = index(permit.band());
        self.model.reserved[band] -= reserved;
        if self.rng.one_in(3) {
            return; // dropped
        }
        let item = self.token();
        let (id, units) = (item.id(), self.model.units(&item));
        let fits = units <= reserved && !self.model.is_closed;
        match permit.send(item) {
            Ok(()) => {
                assert!(fits);
                self.model.items[band].push_back((id, units));
            }
            Err(error) => {
                assert!(!fits);
                assert_eq!(error.into_inner().id(), id);
            }
        }
    }

    fn set_capacity(&mut self) {
        self.model.capacity = 1 + self.rng.below(16) as usize;
        self.sender.set_capacity(self.model.capacity).unwrap();
    }

    fn compare(&self) {
        let Self { model, sender, .. } = self;
        let left = model.capacity.saturating_sub(model.used());
        assert_eq!(sender.available(), Some(left));
        assert_eq!(sender.len(), model.len());
        for band in 0..model.bands() {
            assert_eq!(sender.band_len(b(band as u8)), model.items[band].len());
        }
    }

    /// What is left comes out in order, and every unit is back.
    fn end(mut self) -> [usize; 3] {
        self.permits.clear();
        for (band, item) in self.receiver.try_iter() {
            self.model.received(index(band), item.id());
        }
        assert_eq!(self.model.len(), 0);
        assert_eq!(self.sender.available(), Some(self.model.capacity));
        for id in 0..self.next {
            assert_eq!(self.ledger.drops(id), 1, "drops of item {id}");
        }
        self.outcomes
    }
}

#[test]
fn the_channel_does_what_the_model_does() {
    let mut outcomes = [0; 3];
    for seed in 0..env_number("BANDQ_MODEL_RUNS", 200) {
        let mut rng = XorShift::new(seed);
        let model = Model::random(&mut rng);
        println!("seed {seed}: {model:?}"); // shown if it fails
        let (sender, receiver) = model.build(&mut rng);
        let mut run = Run {
            rng,
            model,
            sender: &sender,
            receiver: &receiver,
            permits: Vec::new(),
            ledger: Ledger::new(OPERATIONS),
            next: 0,
            outcomes: [0; 3],
        };
        (0..OPERATIONS).for_each(|_| run.step());
        let of_run = run.end();
        outcomes.iter_mut().zip(of_run).for_each(|(a, n)| *a += n);
    }
    assert!(outcomes.iter().all(|&n| n > 1_000), "{outcomes:?}");
}
