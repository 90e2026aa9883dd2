//! Evictions race with everything else: nothing lost, nothing doubled, no limit exceeded, nobody
//! asleep for ever.

use std::sync::atomic::{AtomicIsize, AtomicU8, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bandq::{Band, Builder, Permit, Receiver, Sender};
use futures_lite::future::block_on;

use crate::support::{Ledger, Token, Watchdog, XorShift, b, env_number};

const BANDS: u8 = 4;
const PRODUCERS: usize = 4;
/// Items of each producer in a round.
const EACH: usize = 60;
const ITEMS: usize = PRODUCERS * EACH;

/// How an item ended, if somebody got it.
const RECEIVED: u8 = 1;
const EVICTED: u8 = 2;
const RETURNED: u8 = 3;

fn rounds() -> u64 {
    env_number("BANDQ_RACE_ROUNDS", 150)
}

/// What happens to each item, and to the channel.
struct World {
    ledger: Ledger,
    fates: Vec<AtomicU8>,
    accepted: AtomicUsize,
}

/// What one consumer last got of each producer, by band: it must get a FIFO.
type Last = [[Option<usize>; BANDS as usize]; PRODUCERS];

impl World {
    fn new() -> Self {
        Self {
            ledger: Ledger::new(ITEMS),
            fates: (0..ITEMS).map(|_| AtomicU8::new(0)).collect(),
            accepted: AtomicUsize::new(0),
        }
    }

    /// Somebody has this item now, for good.
    fn ends(&self, item: Token, fate: u8) {
        let before = self.fates[item.id()].swap(fate, Ordering::SeqCst);
        assert_eq!(before, 0, "{item:?} ended twice, as {fate}");
        assert_eq!(self.ledger.drops(item.id()), 0);
    }

    fn received(&self, last: &mut Last, (band, item): (Band, Token)) {
        let last = &mut last[item.id() / EACH][band.index()];
        assert!(*last < Some(item.id()), "{item:?} out of order");
        *last = Some(item.id());
        self.ends(item, RECEIVED);
    }

    /// One producer: its items go in by all the ways there are.
    fn produce(&self, tx: &Sender<Token>, producer: usize, seed: u64, waits: bool) {
        let mut rng = XorShift::new(seed * 64 + producer as u64);
        for n in 0..EACH {
            let item = self.ledger.token(producer * EACH + n);
            let band = b(rng.below(BANDS.into()) as u8);
            let sent = match rng.below(if waits { 7 } else { 4 }) {
                0..3 => self.force(tx, band, item),
                3 => tx.try_send(band, item).map_err(|error| error.into_inner()),
                4 => tx
                    .send_blocking(band, item)
                    .map_err(|error| error.into_inner()),
                5 => block_on(tx.send(band, item)).map_err(|error| error.into_inner()),
                _ => match block_on(tx.reserve(band)) {
                    Ok(permit) => self.by_permit(permit, item, rng.one_in(3)),
                    Err(_) => Err(item),
                },
            };
            match sent {
                Ok(()) => drop(self.accepted.fetch_add(1, Ordering::SeqCst)),
                Err(item) => self.ends(item, RETURNED),
            }
            if rng.one_in(4) {
                thread::yield_now();
            }
        }
    }

    fn force(&self, tx: &Sender<Token>, band: Band, item: Token) -> Result<(), Token> {
        let (sent, evicted) = match tx.force_send(band, item) {
            Ok(evicted) => (Ok(()), evicted),
            Err(error) => (Err(error.error.into_inner()), error.evicted),
        };
        for (victim, item) in evicted {
            assert!(victim > band);
            self.ends(item, EVICTED);
        }
        sent
    }

    fn by_permit(
        &self,
        permit: Permit<'_, Token>,
        item: Token,
        is_dropped: bool,
    ) -> Result<(), Token> {
        if is_dropped {
            return Err(item);
        }
        permit.send(item).map_err(|error| error.into_inner())
    }

    /// Everything has ended: what was accepted and nobody got was dropped in the channel.
    fn check(&self, dropped_inside: bool) {
        let of = |fate| {
            let fates = self.fates.iter().map(|fate| fate.load(Ordering::SeqCst));
            fates.filter(|&of| of == fate).count()
        };
        let accepted = self.accepted.load(Ordering::SeqCst);
        assert_eq!(accepted, of(RECEIVED) + of(EVICTED) + of(0));
        assert!(dropped_inside || of(0) == 0, "{} are lost", of(0));
        self.ledger.assert_each_dropped_once();
    }
}

fn units(item: &Token) -> usize {
    item.id() % 4 // with 0, which counts as 1
}

/// A channel of one of the kinds: plain, of entries, with weights.
fn channel(seed: u64) -> (Sender<Token>, Receiver<Token>) {
    let builder = Builder::new(BANDS.into()).capacity(5);
    let builder = match seed % 4 {
        0 => builder,
        1 => builder.band_capacity(b(1), 3).high_water(b(2), 4),
        2 => builder.ttl(b(3), Duration::MAX),
        _ => builder.weigher(units),
    };
    builder.build().unwrap()
}

#[test]
fn every_item_of_a_round_is_received_evicted_or_returned_and_every_sender_gets_in() {
    let _watchdog = Watchdog::new("every sender gets in");
    for seed in 0..rounds() {
        let world = World::new();
        let (tx, rx) = channel(seed);
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let (tx, world) = (tx.clone(), &world);
                scope.spawn(move || world.produce(&tx, producer, seed, true));
            }
            for _ in 0..2 {
                let (rx, world) = (rx.clone(), &world);
                scope.spawn(move || {
                    let mut last = Last::default();
                    (&rx)
                        .into_iter()
                        .for_each(|got| world.received(&mut last, got));
                });
            }
            drop(tx);
        });
        assert_eq!((rx.len(), rx.available()), (0, Some(5)));
        world.check(false);
    }
}

#[test]
fn a_close_in_the_middle_loses_nothing() {
    let _watchdog = Watchdog::new("a close in the middle");
    for seed in 0..rounds() {
        let world = World::new();
        let (tx, rx) = channel(seed);
        let closes_at = XorShift::new(seed).below(ITEMS as u64 / 2) as usize;
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let (tx, world) = (tx.clone(), &world);
                scope.spawn(move || world.produce(&tx, producer, seed, true));
            }
            let (rx, world) = (rx.clone(), &world);
            scope.spawn(move || {
                let mut last = Last::default();
                let mut received = 0;
                for got in &rx {
                    world.received(&mut last, got);
                    received += 1;
                    if received == closes_at {
                        rx.close();
                    }
                }
            });
            drop(tx);
        });
        assert!(rx.try_recv().is_err_and(|error| error.is_closed()));
        assert_eq!(rx.available(), Some(5));
        world.check(false);
    }
}

#[test]
fn when_the_last_receiver_goes_what_is_inside_is_dropped_once() {
    let _watchdog = Watchdog::new("the last receiver goes");
    for seed in 0..rounds() {
        let world = World::new();
        let (tx, rx) = channel(seed);
        let goes_at = XorShift::new(seed).below(ITEMS as u64 / 4) as usize;
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let (tx, world) = (&tx, &world);
                scope.spawn(move || world.produce(tx, producer, seed, true));
            }
            let world = &world;
            scope.spawn(move || {
                let mut last = Last::default();
                rx.iter()
                    .take(goes_at)
                    .for_each(|got| world.received(&mut last, got));
            });
        });
        assert!(tx.is_closed());
        world.check(true); // while a sender is still there
    }
}

/// Units that are surely in use.
#[derive(Default)]
struct Known(AtomicIsize);

impl Known {
    fn add(&self, units: isize) {
        let used = self.0.fetch_add(units, Ordering::SeqCst) + units;
        assert!(used <= CAPACITY as isize, "{used} in use");
    }
}

const CAPACITY: usize = 3;

#[test]
fn no_forced_send_exceeds_the_capacity_at_any_moment() {
    let _watchdog = Watchdog::new("no forced send exceeds the capacity");
    const EACH: usize = 3_000;
    let (tx, rx) = Builder::new(BANDS.into())
        .capacity(CAPACITY)
        .build()
        .unwrap();
    let known = Known::default();
    let (tx, known) = (&tx, &known);
    let consumers = [rx.clone(), rx];
    thread::scope(|scope| {
        for seed in 0..3 {
            scope.spawn(move || {
                let mut rng = XorShift::new(seed);
                for _ in 0..EACH {
                    // What goes was in use, and what came for it is.
                    let gone = tx.force_send(b(rng.below(BANDS.into()) as u8), ());
                    match gone {
                        Ok(gone) => known.add(1 - gone.len() as isize),
                        Err(error) => assert!(error.error.is_full() && error.evicted.is_empty()),
                    }
                    assert!(tx.len() <= CAPACITY);
                }
            });
        }
        scope.spawn(move || {
            let mut rng = XorShift::new(9);
            for _ in 0..EACH {
                if let Ok(permit) = tx.try_reserve(b(rng.below(BANDS.into()) as u8)) {
                    known.add(1);
                    thread::yield_now();
                    known.0.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                }
            }
        });
        for rx in &consumers {
            scope.spawn(move || {
                for _ in 0..EACH {
                    // Whatever it takes is given back from now on.
                    known.0.fetch_sub(1, Ordering::SeqCst);
                    if rx.try_recv().is_err() {
                        known.0.fetch_add(1, Ordering::SeqCst);
                    }
                    thread::yield_now();
                }
            });
        }
    });
    let left = consumers[0].try_iter().count() as isize;
    assert_eq!(known.0.load(Ordering::SeqCst), left);
    assert_eq!(tx.available(), Some(CAPACITY));
}
