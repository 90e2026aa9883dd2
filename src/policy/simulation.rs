//! The decisions without a channel and without a clock: heads in plain vectors, and turns taken as
//! `queue::order` takes them. So fast that promise 7 is looked at for every set of busy bands.

use super::{Heads, Next, Policy, Rule, ageing::UNKNOWN, weights};
use core::{cmp::Reverse, ops::Range};
use std::{
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

const BANDS: usize = 8;
const RECEIVES: usize = 10_000;

/// Far apart, and most do not divide each other: their strides are rounded.
const WEIGHTS: [u32; BANDS] = [1000, 373, 139, 53, 19, 7, 3, 1];

/// Numbers that look random, and are the same in each run.
pub(crate) fn random() -> impl FnMut() -> u64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

struct Simulation {
    rule: Rule,
    strides: Vec<u64>,
    passes: Vec<u64>,
    floor: u64,
    /// When the items of each band were sent, the oldest first.
    sent: Vec<VecDeque<u64>>,
}

impl Heads for Simulation {
    fn passes(&self, bands: Range<usize>) -> impl Iterator<Item = u64> {
        self.passes[bands].iter().copied()
    }

    fn sent(&self, bands: Range<usize>) -> impl Iterator<Item = u64> {
        let bands = self.sent[bands].iter();
        bands.map(|items| items.front().copied().unwrap_or(UNKNOWN))
    }
}

impl Simulation {
    fn new(policy: &Policy) -> Self {
        // Where virtual time is about to begin anew.
        let floor = 0_u64.wrapping_sub(1 << 30);
        let strides: Vec<_> = policy.strides(BANDS).collect();
        let passes = (0..).zip(&strides);
        let passes = passes.map(|(band, stride)| weights::first_pass(floor, *stride, band));
        Self {
            rule: policy.rule(BANDS).unwrap(),
            passes: passes.collect(),
            strides,
            floor,
            sent: vec![VecDeque::new(); BANDS],
        }
    }

    /// The next of the bands in `busy`. It is charged for its turn, if it is one.
    fn next(&mut self, busy: u64) -> usize {
        let band = match self.rule.next(busy, self) {
            Next::Band(band) => band,
            Next::Turn(pass) => {
                let band = weights::band(pass);
                let chosen = weights::from_floor(pass, self.floor);
                self.passes[band] = weights::charged(pass, self.floor, self.strides[band], 1);
                self.floor = weights::floor_at(chosen);
                band
            }
        };
        assert!(busy & (1 << band) != 0, "band {band} is not busy");
        band
    }

    fn busy(&self) -> u64 {
        let bands = self.sent.iter().enumerate();
        bands.fold(0, |set, (band, items)| {
            set | u64::from(!items.is_empty()) << band
        })
    }

    /// Takes the next item under ageing: its band, and when it was sent.
    fn take(&mut self) -> Option<(usize, u64)> {
        let busy = self.busy();
        let band = (busy != 0).then(|| self.next(busy))?;
        Some((band, self.sent[band].pop_front()?))
    }
}

fn bands_of(set: u64) -> Vec<usize> {
    (0..BANDS).filter(|band| set & (1 << band) != 0).collect()
}

/// The part of each band in what the busy ones get, by weight.
fn shares(busy: &[usize]) -> [f64; BANDS] {
    let sum: u32 = busy.iter().map(|&band| WEIGHTS[band]).sum();
    WEIGHTS.map(|weight| f64::from(weight) / f64::from(sum))
}

/// Asserts that each of the busy bands has its share of all receives, within 5 % or one receive.
fn assert_shares(served: [usize; BANDS], busy: &[usize]) {
    let all = served.iter().sum::<usize>() as f64;
    for &band in busy {
        let due = all * shares(busy)[band];
        let off = (served[band] as f64 - due).abs();
        assert!(
            off <= 0.05 * due || off < 1.0,
            "{due} are due to band {band} of {busy:?}, which have {served:?}"
        );
    }
}

#[test]
fn each_set_of_busy_bands_has_its_shares_and_in_turns() {
    for set in 1..1 << BANDS {
        let mut simulation = Simulation::new(&Policy::weighted(WEIGHTS));
        let (mut served, mut last, mut longest) = ([0; BANDS], [0; BANDS], [0; BANDS]);
        let busy = bands_of(set);
        let (shares, mut off) = (shares(&busy), 0.0_f64);
        for n in 1..=RECEIVES {
            let band = simulation.next(set);
            // It is the most behind before its turn, and the most ahead after it.
            off = off.max((n - 1) as f64 * shares[band] - served[band] as f64);
            served[band] += 1;
            off = off.max(served[band] as f64 - n as f64 * shares[band]);
            longest[band] = longest[band].max(n - last[band]);
            last[band] = n;
        }
        assert_shares(served, &busy);
        // As `weights::first_pass` says.
        assert!(off < 0.5 * busy.len() as f64, "{busy:?}: off by {off}");
        for &band in &busy {
            let wait = longest[band].max(RECEIVES - last[band]); // for one that did not come, too
            let receivers = 1;
            let most = (1.0 / shares[band]).ceil() as usize + busy.len() + receivers;
            assert!(
                wait <= most,
                "band {band} of {busy:?} waited for {wait} receives"
            );
        }
    }
}

#[test]
fn strict_bands_are_first_and_leave_the_others_their_shares() {
    for strict in 1..BANDS {
        let weights = WEIGHTS[strict..].iter().copied();
        let policy = Policy::strict_then_weighted(strict, weights);
        let mut simulation = Simulation::new(&policy);
        let (mut random, mut served) = (random(), [0; BANDS]);
        let weighted = (1 << BANDS) - (1 << strict);
        for _ in 0..RECEIVES {
            let urgent = random() & random() & ((1 << strict) - 1);
            let band = simulation.next(urgent | weighted);
            if urgent != 0 {
                assert_eq!(band, urgent.trailing_zeros() as usize);
            } else {
                served[band] += 1;
            }
        }
        assert_shares(served, &bands_of(weighted));
    }
}

#[test]
fn under_ageing_the_order_is_that_of_a_heap_by_due_time_and_then_by_band() {
    let (mut random, mut ties) = (random(), 0);
    for step in [10, 30, 1_000, 1 << 40] {
        let mut simulation = Simulation::new(&Policy::ageing(Duration::from_nanos(step)));
        let due = |(band, sent)| (sent + band as u64 * step, band);
        let (mut heap, mut now) = (BinaryHeap::new(), 1_000);
        for sent in 0..=2_000 {
            if sent < 2_000 {
                let band = random() as usize % BANDS;
                now += random() % 4 * 10; // often the same, and often due at the same time
                simulation.sent[band].push_back(now);
                heap.push(Reverse(due((band, now))));
            }
            while sent == 2_000 && !heap.is_empty() || random() % 3 == 0 {
                let first = heap.pop().map(|Reverse(first)| first);
                assert_eq!(simulation.take().map(due), first, "with a step of {step}");
                let next = heap.peek().map(|Reverse(next)| next);
                let is_tie = |(a, b): ((u64, usize), &(u64, usize))| a.0 == b.0 && a.1 != b.1;
                ties += usize::from(first.zip(next).is_some_and(is_tie));
            }
        }
        assert_eq!(simulation.busy(), 0);
    }
    assert!(ties > 100, "{ties}");
}
