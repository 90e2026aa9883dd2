//! Under threads: at every moment no limit is exceeded, and nobody sleeps for ever.

use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::thread;

use bandq::{Builder, Receiver, Sender};
use futures_lite::future::block_on;

use crate::support::{Watchdog, XorShift, b};

const BANDS: u8 = 3;
const CAPACITY: usize = 8;
const OF_BAND_1: usize = 3;
const HIGH_WATER_2: usize = 5;
/// What each thread does.
const ROUNDS: usize = 2_000;

/// Units that are surely in use: counted up when one was taken, and down before it is given back.
#[derive(Default)]
struct Known {
    by_band: [AtomicIsize; BANDS as usize],
    whole: AtomicIsize,
}

impl Known {
    /// Takes note of units.
    fn took(&self, band: u8, units: isize) {
        self.by_band[usize::from(band)].fetch_add(units, Ordering::SeqCst);
        self.whole.fetch_add(units, Ordering::SeqCst);
    }

    fn gives(&self, band: u8, units: isize) {
        self.by_band[usize::from(band)].fetch_sub(units, Ordering::SeqCst);
        self.whole.fetch_sub(units, Ordering::SeqCst);
    }

    /// No limit is exceeded at this moment.
    fn sample(&self) {
        let of = |band: usize| self.by_band[band].load(Ordering::SeqCst);
        let (whole, of_1, of_2) = (self.whole.load(Ordering::SeqCst), of(1), of(2));
        assert!(whole <= CAPACITY as isize, "{whole} in use");
        assert!(of_1 <= OF_BAND_1 as isize, "{of_1} of band 1 in use");
        assert!(of_2 <= HIGH_WATER_2 as isize, "{of_2} of band 2 in use");
    }
}

fn limited() -> (Sender<u8>, Receiver<u8>) {
    let builder = Builder::new(BANDS.into()).capacity(CAPACITY);
    let builder = builder
        .band_capacity(b(1), OF_BAND_1)
        .high_water(b(2), HIGH_WATER_2);
    builder.build().unwrap()
}

/// Of the whole, nor of the band that has a capacity.
#[track_caller]
fn nothing_is_in_use(tx: &Sender<u8>) {
    assert_eq!(tx.available(), Some(CAPACITY));
    assert!(tx.try_reserve_many(b(1), OF_BAND_1).is_ok());
}

/// Runs the workers, and a sampling thread until they have ended.
fn run_sampled(sample: impl Fn() + Sync, workers: Vec<Box<dyn FnOnce() + Send + '_>>) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                sample();
            }
        });
        let workers: Vec<_> = workers.into_iter().map(|work| scope.spawn(work)).collect();
        let ended: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        is_over.store(true, Ordering::SeqCst);
        assert!(ended.iter().all(Result::is_ok));
        sampler.join().unwrap();
    });
}

#[test]
fn no_limit_is_exceeded_at_any_moment_by_permits_of_seven_threads() {
    let _watchdog = Watchdog::new("permits of seven threads");
    let (tx, _rx) = limited();
    let known = Known::default();
    let (tx, known) = (&tx, &known);
    let worker = |seed| {
        move || {
            let mut rng = XorShift::new(seed);
            for _ in 0..ROUNDS {
                let (band, units) = (rng.below(BANDS.into()) as u8, 1 + rng.below(2) as isize);
                let permits = block_on(tx.reserve_many(b(band), units as usize)).unwrap();
                known.took(band, units);
                known.sample();
                thread::yield_now();
                known.gives(band, units);
                drop(permits);
            }
        }
    };
    let workers = (0..7).map(|seed| Box::new(worker(seed)) as _).collect();
    run_sampled(|| known.sample(), workers);
    nothing_is_in_use(tx);
}

#[test]
fn no_limit_is_exceeded_at_any_moment_by_items_of_four_senders_and_three_receivers() {
    let _watchdog = Watchdog::new("items of four senders and three receivers");
    let (tx, rx) = limited();
    let known = Known::default();
    let received = AtomicUsize::new(0);
    let (sent, known, received) = (4 * ROUNDS, &known, &received);
    let mut workers: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
    for seed in 0..4 {
        let tx = tx.clone();
        workers.push(Box::new(move || {
            let mut rng = XorShift::new(seed);
            for _ in 0..ROUNDS {
                let band = rng.below(BANDS.into()) as u8;
                tx.send_blocking(b(band), band).unwrap();
                known.took(band, 1);
            }
        }));
    }
    for _ in 0..3 {
        let rx = rx.clone();
        workers.push(Box::new(move || {
            while received.load(Ordering::SeqCst) < sent {
                // Whatever it takes is given back from now on.
                (0..BANDS).for_each(|band| known.gives(band, 1));
                let taken = rx.try_recv().ok();
                let is_not = |band: &u8| taken.is_none_or(|(_, taken)| taken != *band);
                (0..BANDS)
                    .filter(is_not)
                    .for_each(|band| known.took(band, 1));
                received.fetch_add(usize::from(taken.is_some()), Ordering::SeqCst);
                thread::yield_now();
            }
        }));
    }
    let sample = || {
        let (len, of_1, of_2) = (tx.len(), tx.band_len(b(1)), tx.band_len(b(2)));
        assert!(len <= CAPACITY, "{len} items");
        assert!(of_1 <= OF_BAND_1, "{of_1} items of band 1");
        assert!(of_2 <= HIGH_WATER_2, "{of_2} items of band 2");
        known.sample();
    };
    run_sampled(sample, workers);
    assert_eq!(tx.len(), 0);
    nothing_is_in_use(&tx);
}
