//! Receives across bands, recorded, and how many more urgent items each passed over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::clock::Clock;
use crate::queue::Queue;
use crate::support::XorShift;

pub(crate) const RANK_BANDS: usize = 8;

/// An item's life: when its push returned, when its pop began and ended.
#[derive(Clone, Copy)]
pub(crate) struct Life {
    pushed: u64,
    pop_begin: u64,
    pop_end: u64,
}

/// A pop of one receiver, of a band or of nothing.
#[derive(Clone, Copy)]
pub(crate) struct Pop {
    band: Option<usize>,
    begin: u64,
    end: u64,
}

pub(crate) struct Log {
    /// By band.
    lives: [Vec<Life>; RANK_BANDS],
    /// By receiver, each in the order of time.
    pops: Vec<Vec<Pop>>,
}

/// `receivers` pop what two senders push, beside a backlog.
pub(crate) fn run_receivers(queue: &dyn Queue, receivers: usize, items: usize, seed: u64) -> Log {
    const SENDERS: usize = 2;
    let clock = Clock::default();
    let backlog = items / 10;
    let each = (items - backlog) / SENDERS;
    let total = backlog + each * SENDERS;
    let taken = AtomicUsize::new(0);
    let mut pushed = vec![0; total];
    let mut rng = XorShift::new(seed);
    for (id, pushed) in pushed.iter_mut().enumerate().take(backlog) {
        queue.push(rng.below(RANK_BANDS as u64) as u8, id as u32);
        *pushed = clock.now();
    }
    let mut received: Vec<Vec<(usize, Pop)>> = Vec::new();
    thread::scope(|s| {
        let (clock, taken) = (&clock, &taken);
        for (i, pushed) in pushed[backlog..].chunks_mut(each).enumerate() {
            s.spawn(move || {
                let mut rng = XorShift::new(seed + 10 + i as u64);
                for (n, pushed) in pushed.iter_mut().enumerate() {
                    let id = backlog + i * each + n;
                    queue.push(rng.below(RANK_BANDS as u64) as u8, id as u32);
                    *pushed = clock.now();
                    if rng.one_in(32) {
                        thread::yield_now();
                    }
                }
            });
        }
        let receivers: Vec<_> = (0..receivers)
            .map(|_| {
                s.spawn(move || {
                    let mut log = Vec::new();
                    while taken.load(Ordering::Relaxed) < total {
                        let begin = clock.now();
                        let got = queue.pop();
                        let end = clock.now();
                        let band = got.map(|(band, _)| usize::from(band));
                        let id = got.map_or(usize::MAX, |(_, id)| id as usize);
                        log.push((id, Pop { band, begin, end }));
                        if got.is_some() {
                            taken.fetch_add(1, Ordering::Relaxed);
                        } else {
                            thread::yield_now();
                        }
                    }
                    log
                })
            })
            .collect();
        received = receivers.into_iter().map(|r| r.join().unwrap()).collect();
    });
    let mut lives: [Vec<Life>; RANK_BANDS] = Default::default();
    for &(id, pop) in received.iter().flatten() {
        if let Some(band) = pop.band {
            lives[band].push(Life {
                pushed: pushed[id],
                pop_begin: pop.begin,
                pop_end: pop.end,
            });
        }
    }
    assert_eq!(lives.iter().map(Vec::len).sum::<usize>(), total);
    let pops = received
        .into_iter()
        .map(|log| log.into_iter().map(|(_, pop)| pop).collect())
        .collect();
    Log { lives, pops }
}

/// p50, p99 and the greatest.
pub(crate) struct Spread(pub(crate) usize, pub(crate) usize, pub(crate) usize);

impl Spread {
    fn of(mut values: Vec<usize>) -> Self {
        values.sort_unstable();
        let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
        Spread(at(0.5), at(0.99), at(1.0))
    }
}

pub(crate) struct Ranks {
    /// More urgent items that were there when the pop began, those included that another pop was
    /// just taking.
    pub(crate) at_begin: Spread,
    /// Those of them that nobody began to take before the pop had returned: passed over.
    pub(crate) passed_over: Spread,
    /// For each item, how many pops passed it over.
    pub(crate) delay: Spread,
    /// Items passed over for which promise 3 has no excuse.
    pub(crate) inexcusable: usize,
}

pub(crate) fn ranks(log: &Log) -> Ranks {
    let sorted = |key: fn(&Life) -> u64| -> Vec<Vec<u64>> {
        let keys = |lives: &Vec<Life>| {
            let mut keys: Vec<u64> = lives.iter().map(key).collect();
            keys.sort_unstable();
            keys
        };
        log.lives.iter().map(keys).collect()
    };
    let before = |keys: &[u64], time: u64| keys.partition_point(|&key| key < time);
    let pushed = sorted(|life| life.pushed);
    let gone = sorted(|life| life.pushed.max(life.pop_end));
    let mut delays: Vec<Vec<usize>> = log.lives.iter().map(|l| vec![0; l.len()]).collect();
    let (mut at_begin, mut passed_over) = (Vec::new(), Vec::new());
    let mut inexcusable = 0;
    for (receiver, pops) in log.pops.iter().enumerate() {
        for pop in pops {
            let Some(band) = pop.band else { continue };
            let there = |i: usize| before(&pushed[i], pop.begin) - before(&gone[i], pop.begin);
            let begin: usize = (0..band).map(there).sum();
            at_begin.push(begin);
            let mut over = 0;
            if begin > 0 {
                for (lives, delays) in log.lives.iter().zip(&mut delays).take(band) {
                    for (life, delay) in lives.iter().zip(delays) {
                        if life.pushed < pop.begin && life.pop_begin > pop.end {
                            over += 1;
                            *delay += 1;
                            inexcusable += usize::from(!excused(log, receiver, pop, life));
                        }
                    }
                }
            }
            passed_over.push(over);
        }
    }
    Ranks {
        at_begin: Spread::of(at_begin),
        passed_over: Spread::of(passed_over),
        delay: Spread::of(delays.into_iter().flatten().collect()),
        inexcusable,
    }
}

/// Another receive that began earlier, has not returned when this pop begins, and may have found
/// the band empty, since it began before the item's push returned.
fn excused(log: &Log, receiver: usize, pop: &Pop, life: &Life) -> bool {
    let others = log.pops.iter().enumerate().filter(|&(i, _)| i != receiver);
    others.into_iter().any(|(_, pops)| {
        let earlier = pops.partition_point(|other| other.begin < pop.begin);
        earlier > 0 && {
            let other = pops[earlier - 1];
            other.end > pop.begin && other.begin < life.pushed
        }
    })
}
