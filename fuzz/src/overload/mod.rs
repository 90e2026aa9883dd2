//! Target `overload`: who is next, who may enter, and who has to go, call by call against a model.
//!
//! One thread, so every answer is known exactly. Lives are over at once or endless, weights have
//! quotients that are whole numbers, and the steps of ageing are so short that only the order of
//! sends decides, or so long that only the band does: nothing depends on how fast the run is, once
//! the clock has moved on between two sends.

mod model;
mod turns;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use bandq::{
    Band, Builder, ForceSendError, Permit, Policy, Receiver, Sender, TryRecvError, TrySendError,
};

use crate::bands::band_from;
use crate::item::{self, Ledger};
use crate::program::Program;
use model::{Limits, Model, Refused};
use turns::Rule;

type Item = item::Item<0>;

/// The most permits that are held.
const MOST_PERMITS: usize = 8;

/// A life that is over at the next look, and one that is not over within a run.
const OVER: Duration = Duration::from_nanos(1);
const ENDLESS: Duration = Duration::from_secs(3_600);

/// One step.
#[derive(Arbitrary, Clone, Copy, Debug)]
#[expect(
    missing_docs,
    reason = "named like the calls they stand for, and their arguments"
)]
pub enum Op {
    Send { band: u8, how: u8 },
    SendMany { band: u8, count: u8, how: u8 },
    ForceSend { band: u8, how: u8 },
    Recv { within: u8 },
    RecvMany { within: u8, limit: u8 },
    SetPolicy { kind: u8, a: u8, b: u8 },
    SetWrongPolicy { kind: u8 },
    Charge { band: u8, cost: u8 },
    SetCapacity { units: u8 },
    Reserve { band: u8, units: u8 },
    PermitSend { permit: u8 },
    PermitDrop { permit: u8 },
    Look { band: u8, within: u8 },
    Close { handle: u8 },
}

/// What the setup says.
#[derive(Clone, Debug)]
struct Setup {
    bands: usize,
    limits: Limits,
    evictable_from: usize,
    has_weigher: bool,
    /// Which bands' items have a life, and what it is.
    lives: Vec<Option<Duration>>,
    has_hook: bool,
    is_observed: bool,
    policy: Option<Rule>,
}

impl Setup {
    fn from([first, second]: [u8; 2]) -> Self {
        let (one, two) = (usize::from(first), usize::from(second));
        let bands = [3, 4, 2, 8][one % 4];
        let capacity = [
            None,
            Some(2),
            Some(4),
            Some(1),
            Some(9),
            Some(6),
            Some(3),
            None,
        ][two % 8];
        let most: usize = capacity.unwrap_or(5);
        let band_capacity = match two / 8 % 4 {
            1 => vec![(bands - 1, most.div_ceil(2))],
            2 => vec![(0, 1), (bands - 1, most)],
            _ => vec![],
        };
        let high_water = match two / 32 % 4 {
            1 => vec![(bands - 1, most.div_ceil(2))],
            2 => vec![(1, most), (bands - 1, 1)],
            _ => vec![],
        };
        let life = |band: usize| match (one / 16 % 4, band % 3) {
            (1, 1) | (2, _) => Some(ENDLESS),
            (1, 2) | (3, 0) => Some(OVER),
            _ => None,
        };
        Self {
            bands,
            limits: Limits {
                capacity,
                band_capacity,
                high_water,
            },
            evictable_from: [0, 0, 1, 2][one / 64],
            has_weigher: one / 4 % 4 == 1,
            lives: (0..bands).map(life).collect(),
            has_hook: one / 4 % 4 == 2,
            is_observed: one / 4 % 4 == 3,
            policy: (two >= 128).then(|| Rule::from(first, second, first, bands)),
        }
    }

    /// Whether items know from the beginning when they were sent.
    fn has_entries(&self) -> bool {
        let lives = self.lives.iter().any(Option::is_some);
        let ageing = self.policy.as_ref().is_some_and(Rule::needs_stamps);
        self.has_weigher || self.has_hook || self.is_observed || lives || ageing
    }
}

/// The units of an item.
fn weigh(item: &Item) -> usize {
    match item.id() % 64 {
        63 => usize::MAX,
        id => [1, 2, 1, 3, 0, 1, 2, 4][id as usize % 8],
    }
}

/// What the hook was called with.
type Hooked = Arc<Mutex<Vec<(usize, u32)>>>;

/// Runs a program.
pub fn run(program: &Program<Op>) {
    let ledger = Ledger::open();
    let setup = Setup::from(program.setup);
    let hooked = Hooked::default();
    let (sender, receiver) = build(&setup, &hooked);
    let limits = &setup.limits;
    let mut model = Model::new(setup.bands, limits, setup.evictable_from, setup.has_weigher);
    if setup.has_entries() {
        model.keep_entries();
    }
    if let Some(rule) = setup.policy.clone() {
        model.set_rule(rule);
    }
    let mut checked = Checked {
        sender: &sender,
        receiver: &receiver,
        permits: Vec::new(),
        ledger: &ledger,
        hooked: &hooked,
        setup,
        model,
    };
    for &op in &program.steps {
        checked.step(op);
        checked.check();
    }
    // Half of the channels are dropped full, half are emptied first.
    if program.steps.len().is_multiple_of(2) {
        checked.empty();
    }
    checked.check_sums();
    drop(checked);
    drop((sender, receiver));
    assert_eq!(ledger.living(), 0, "items left after the channel's drop");
}

fn build(setup: &Setup, hooked: &Hooked) -> (Sender<Item>, Receiver<Item>) {
    let band = |band: usize| Band::new(band as u8);
    let mut builder = Builder::new(setup.bands).evictable_from(band(setup.evictable_from));
    if let Some(units) = setup.limits.capacity {
        builder = builder.capacity(units);
    }
    for &(of, units) in &setup.limits.band_capacity {
        builder = builder.band_capacity(band(of), units);
    }
    for &(from, units) in &setup.limits.high_water {
        builder = builder.high_water(band(from), units);
    }
    if setup.has_weigher {
        builder = builder.weigher(weigh);
    }
    for (of, life) in setup.lives.iter().enumerate() {
        if let Some(life) = life {
            builder = builder.ttl(band(of), *life);
        }
    }
    if setup.has_hook {
        let hooked = hooked.clone();
        builder = builder.on_expired(move |band, item: Item| {
            hooked
                .lock()
                .expect("the hook's log")
                .push((band.index(), item.id()));
        });
    }
    if setup.is_observed {
        builder = builder.observe();
    }
    if let Some(rule) = &setup.policy {
        builder = builder.policy(rule.policy());
    }
    builder.build().expect("a setup that fits")
}

/// Lets the clock move on, further than the short steps of all bands together.
fn let_time_pass() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_nanos(200) {}
}

/// A channel beside its model.
struct Checked<'a> {
    sender: &'a Sender<Item>,
    receiver: &'a Receiver<Item>,
    /// With their bands and units.
    permits: Vec<(Permit<'a, Item>, usize, usize)>,
    ledger: &'a Ledger,
    hooked: &'a Hooked,
    setup: Setup,
    model: Model,
}

impl Checked<'_> {
    fn step(&mut self, op: Op) {
        match op {
            Op::Send { band, how } => self.send(self.band(band), how),
            Op::SendMany { band, count, how } => {
                for _ in 0..count % 8 {
                    self.send(self.band(band), how);
                }
            }
            Op::ForceSend { band, how } => self.force_send(self.band(band), how),
            Op::Recv { within } => self.recv(within),
            Op::RecvMany { within, limit } => self.recv_many(within, usize::from(limit % 8)),
            Op::SetPolicy { kind, a, b } => self.set_policy(kind, a, b),
            Op::SetWrongPolicy { kind } => self.set_wrong_policy(kind),
            Op::Charge { band, cost } => self.charge(self.band(band), cost),
            Op::SetCapacity { units } => self.set_capacity(usize::from(units % 12)),
            Op::Reserve { band, units } => self.reserve(self.band(band), usize::from(units % 6)),
            Op::PermitSend { permit } => self.permit_send(permit),
            Op::PermitDrop { permit } => self.permit_drop(permit),
            Op::Look { band, within } => self.look(self.band(band), within),
            // Rarely, as little is left to see after it.
            Op::Close { handle } if handle >= 224 => self.close(handle),
            Op::Close { .. } => {}
        }
    }

    fn band(&self, byte: u8) -> Band {
        band_from(byte, self.model.bands())
    }

    fn check(&self) {
        let model = &self.model;
        assert_eq!(self.receiver.len(), model.len(), "len");
        assert_eq!(self.sender.is_empty(), model.is_empty(), "is_empty");
        for band in 0..model.bands() {
            let len = self.sender.band_len(Band::new(band as u8));
            assert_eq!(len, model.band_len(band), "band_len of {band}");
        }
        assert_eq!(self.sender.capacity(), model.capacity(), "capacity");
        assert_eq!(self.sender.available(), model.available(), "available");
        assert_eq!(self.receiver.is_full(), model.is_full(), "is_full");
        assert_eq!(self.sender.is_closed(), model.is_closed(), "is_closed");
        assert_eq!(self.ledger.living(), model.len(), "living items");
        if self.setup.has_hook {
            assert_eq!(*self.hooked.lock().expect("the hook's log"), model.expired);
        }
    }

    /// What was observed adds up.
    fn check_sums(&self) {
        let bands = self.receiver.snapshot().bands;
        for band in &bands {
            let gone = band.evicted + band.expired + band.dropped;
            if self.setup.is_observed {
                assert_eq!(
                    band.sent,
                    band.received + gone + band.len as u64,
                    "{band:?}"
                );
                assert_eq!(band.get.count(), band.received);
            } else {
                assert_eq!(band.sent + band.received + gone, 0);
            }
        }
        if self.setup.is_observed {
            let expired: u64 = bands.iter().map(|band| band.expired).sum();
            assert_eq!(expired, self.model.expired.len() as u64, "expired");
        }
    }

    /// Receives all that is left.
    fn empty(&mut self) {
        while !self.model.is_empty() {
            self.recv(0);
            self.check();
        }
        self.recv(0);
        self.permits.clear();
        assert!(!self.model.has_room() || self.model.capacity() == self.sender.available());
    }

    // Sends.

    /// The handle that a byte stands for, and the life of what is sent by it: a clone, so that the
    /// items' lives are its own.
    fn handle(&mut self, how: u8, band: Band) -> (Sender<Item>, bool) {
        let of_band = self.setup.lives.get(band.index()).copied().flatten();
        let (sender, own) = match how % 8 {
            6 => (self.sender.with_ttl(OVER), Some(OVER)),
            7 => (self.sender.with_ttl(ENDLESS), Some(ENDLESS)),
            _ => (self.sender.clone(), None),
        };
        if own.is_some() {
            self.model.keep_entries();
        }
        (sender, of_band == Some(OVER) || own == Some(OVER))
    }

    /// An item, and the units that it takes.
    fn item(&self) -> (Item, u32, usize) {
        let_time_pass();
        let item = Item::new();
        let id = item.id();
        let units = if self.setup.has_weigher {
            weigh(&item).max(1)
        } else {
            1
        };
        (item, id, units)
    }

    fn send(&mut self, band: Band, how: u8) {
        if !self.ledger.has_room(1) {
            return;
        }
        let (sender, is_over) = self.handle(how, band);
        let (item, id, units) = self.item();
        let expected = self.model.send(band.index(), id, units, is_over);
        let sent = sender
            .try_send(band, item)
            .map_err(|error| refused(&error, id));
        assert_eq!(sent, expected, "try_send");
        let_time_pass();
    }

    fn force_send(&mut self, band: Band, how: u8) {
        if !self.ledger.has_room(1) {
            return;
        }
        let (sender, is_over) = self.handle(how, band);
        let (item, id, units) = self.item();
        let mut expected = Vec::new();
        let outcome = self
            .model
            .force_send(band.index(), id, units, is_over, &mut expected);
        let (sent, evicted) = match sender.force_send(band, item) {
            Ok(evicted) => (Ok(()), evicted),
            Err(ForceSendError { error, evicted, .. }) => (Err(refused(&error, id)), evicted),
        };
        assert_eq!(sent, outcome, "force_send");
        assert_eq!(numbers(&evicted), expected, "evicted");
        let_time_pass();
    }

    fn reserve(&mut self, band: Band, units: usize) {
        if self.permits.len() == MOST_PERMITS {
            return;
        }
        let expected = self.model.reserve(band.index(), units);
        let reserved = self.sender.try_reserve_units(band, units);
        let is_reserved = reserved.as_ref().map(|_| ()).map_err(why);
        assert_eq!(is_reserved, expected, "try_reserve_units");
        if let Ok(permit) = reserved {
            self.permits.push((permit, band.index(), units));
        }
    }

    fn permit_send(&mut self, permit: u8) {
        if self.permits.is_empty() || !self.ledger.has_room(1) {
            return;
        }
        let at = usize::from(permit) % self.permits.len();
        let (permit, band, reserved) = self.permits.swap_remove(at);
        let is_over = self.setup.lives[band] == Some(OVER);
        let (item, id, units) = self.item();
        let expected = self
            .model
            .send_reserved((band, reserved), id, units, is_over);
        let sent = permit
            .send(item)
            .map_err(|error| refused(&error.into(), id));
        assert_eq!(sent, expected, "send by a permit");
        let_time_pass();
    }

    fn permit_drop(&mut self, permit: u8) {
        if !self.permits.is_empty() {
            let at = usize::from(permit) % self.permits.len();
            let (permit, band, units) = self.permits.swap_remove(at);
            drop(permit);
            self.model.unreserve(band, units);
        }
    }

    // Receives.

    /// The receiver that a byte stands for, and its bands.
    fn receiver(&self, within: u8) -> (Receiver<Item>, u64) {
        let bands = self.model.bands() as u8;
        if within % 4 != 3 {
            return (self.receiver.clone(), u64::MAX);
        }
        let (from, to) = (within / 4 % bands, within / 32 % bands);
        let receiver = self.receiver.within(Band::new(from)..=Band::new(to));
        let mask = (from..=to).fold(0, |mask, band| mask | 1 << band);
        (receiver, mask)
    }

    fn nothing(&self) -> TryRecvError {
        match self.model.is_closed() {
            true => TryRecvError::Closed,
            false => TryRecvError::Empty,
        }
    }

    fn recv(&mut self, within: u8) {
        let (receiver, mask) = self.receiver(within);
        let expected = self.model.recv(mask).ok_or_else(|| self.nothing());
        let received = receiver.try_recv();
        let received = received.map(|(band, item)| (band.index(), item.id()));
        assert_eq!(received, expected, "try_recv");
    }

    fn recv_many(&mut self, within: u8, limit: usize) {
        let (receiver, mask) = self.receiver(within);
        let expected: Vec<_> = (0..limit).map_while(|_| self.model.recv(mask)).collect();
        let mut out = Vec::new();
        let received = receiver.try_recv_many(&mut out, limit);
        assert_eq!(numbers(&out), expected, "try_recv_many");
        let count = match expected.len() {
            0 if limit > 0 => Err(self.nothing()),
            count => Ok(count),
        };
        assert_eq!(received, count, "the count of try_recv_many");
    }

    // Order and limits.

    fn set_policy(&mut self, kind: u8, a: u8, b: u8) {
        let rule = Rule::from(kind, a, b, self.model.bands());
        self.receiver
            .set_policy(rule.policy())
            .expect("a policy that fits");
        self.model.set_rule(rule);
        let_time_pass();
    }

    fn set_wrong_policy(&mut self, kind: u8) {
        let bands = self.model.bands();
        let weights = vec![1; bands];
        let wrong = match kind % 4 {
            0 => Policy::weighted(weights.iter().copied().chain([1])),
            1 => Policy::strict_then_weighted(1, weights),
            2 => Policy::weighted((0..bands as u32).map(|band| band % 2)),
            _ => Policy::ageing(Duration::ZERO),
        };
        assert!(self.receiver.set_policy(wrong).is_err(), "a wrong policy");
    }

    fn charge(&mut self, band: Band, cost: u8) {
        let cost = match cost {
            255 => u64::MAX,
            cost => u64::from(cost % 32),
        };
        self.receiver.charge(band, cost);
        self.model.turns.charge(band.index(), cost);
    }

    fn set_capacity(&mut self, units: usize) {
        let is_set = self.sender.set_capacity(units).is_ok();
        assert_eq!(is_set, units > 0 && self.model.has_room(), "set_capacity");
        if is_set {
            self.model.set_capacity(units);
        }
    }

    fn look(&self, band: Band, within: u8) {
        assert_eq!(self.receiver.policy(), self.model.turns.rule().policy());
        let (receiver, mask) = self.receiver(within);
        let urgent = self.model.urgent_waiting(mask, band.index());
        assert_eq!(receiver.urgent_waiting(band), urgent, "urgent_waiting");
        if *self.model.turns.rule() == Rule::Strict && band.index() < self.model.bands() {
            let ahead: usize = (0..=band.index())
                .map(|band| self.model.band_len(band))
                .sum();
            assert_eq!(self.sender.estimate(band).ahead, ahead, "ahead");
        }
    }

    fn close(&mut self, handle: u8) {
        let first = if handle.is_multiple_of(2) {
            self.sender.close()
        } else {
            self.receiver.close()
        };
        assert_eq!(first, self.model.close(), "close");
    }
}

fn numbers(items: &[(Band, Item)]) -> Vec<(usize, u32)> {
    let numbers = items.iter().map(|(band, item)| (band.index(), item.id()));
    numbers.collect()
}

/// Why an item came back: that very item.
fn refused(error: &TrySendError<Item>, id: u32) -> Refused {
    let (refused, item) = match error {
        TrySendError::Full(item) => (Refused::Full, item),
        TrySendError::Closed(item) => (Refused::Closed, item),
        TrySendError::NoSuchBand(item) => (Refused::NoSuchBand, item),
        TrySendError::TooHeavy(item) => (Refused::TooHeavy, item),
        error => panic!("{error}"),
    };
    assert_eq!(item.id(), id, "another item came back");
    refused
}

/// Why there is no permit.
fn why(error: &TrySendError<()>) -> Refused {
    match error {
        TrySendError::Full(()) => Refused::Full,
        TrySendError::Closed(()) => Refused::Closed,
        TrySendError::NoSuchBand(()) => Refused::NoSuchBand,
        TrySendError::TooHeavy(()) => Refused::TooHeavy,
        error => panic!("{error}"),
    }
}
