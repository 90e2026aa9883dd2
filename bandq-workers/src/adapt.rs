//! How many workers: the decision, and nothing else. It knows no clock, no lock, and no pool.
//!
//! While there is more to do than is done, the number is worth raising as long as that pays: 1 %
//! more workers should bring more than [`PRICE`] % more jobs a second. What a second brings is
//! noisy, so the slope is estimated: one [`Window`] with a fifth fewer workers, one with a fifth
//! more, and a step that is the longer the more the slope differs from the price. Over many pairs
//! the noise averages out, as Kiefer and Wolfowitz have shown (*Stochastic Estimation of the
//! Maximum of a Regression Function*, 1952). The throughput as what is to be climbed is that of the
//! thread pool of .NET (Hellerstein, Morrison, Eilebrecht: *Applying Control Theory in the Real
//! World: Experience With Building a Controller for the .NET Thread Pool*, 2009), which looks for
//! the slope in another way. At the start the number is doubled while that pays, as in TCP.
//!
//! Where more workers bring nothing more, the queue has only moved from the channel to whatever the
//! handlers wait for, and handlers take longer: their time grows as the number does. So the price
//! is also what keeps handler times near their best.
//!
//! And the number is raised only while items wait for longer than a handler runs: with `c` workers
//! of whom none is idle, and `n` items waiting, an item waits `n / c` handler times (Little's law),
//! so that is while there are more items waiting than workers.
//!
//! Not chosen: TCP Vegas, and the gradient of Netflix' `concurrency-limits`, which compare handler
//! times with the best ever seen. That is right for requests of one kind, and stops far too early
//! where every worker more makes all others a little slower; with jobs of many kinds the best ever
//! seen is that of the shortest kind.

/// What a worker more has to bring, of what it would bring if it slowed down nobody.
const PRICE: f64 = 0.1;

/// While a doubling brings half of that, the number is doubled again.
const STEEP: f64 = 0.5;

/// So much fewer workers, and so much more, to learn the slope.
const PROBE: f64 = 0.2;

/// How far a step goes.
const STRIDE: f64 = 0.5;

/// So many jobs for each worker, and at least so many, are a window.
const JOBS_EACH: u64 = 16;
const JOBS: u64 = 64;

/// What came of a number of workers, all of whom were at work all the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) jobs: u64,
    pub(crate) nanos: u64,
    /// Items that waited for a worker at its end.
    pub(crate) waiting: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// With half as many workers there were so many jobs a second; `None` at the very first.
    Start(Option<f64>),
    /// With fewer.
    Low,
    /// With more. With fewer there were so many jobs a second.
    High(f64),
}

#[derive(Debug, Clone)]
pub(crate) struct Adapt {
    least: usize,
    most: usize,
    /// Around which it is tried.
    centre: f64,
    stage: Stage,
}

impl Adapt {
    /// Never fewer than one, nor than `least`, never more than `most`.
    pub(crate) fn new(least: usize, most: usize) -> Self {
        let least = least.max(1);
        Self {
            least,
            most: most.max(least),
            centre: least as f64,
            stage: Stage::Start(None),
        }
    }

    /// How many workers there should be now.
    pub(crate) fn workers(&self) -> usize {
        match self.stage {
            Stage::Start(_) => self.clamp(self.centre),
            Stage::Low => self.pair().0,
            Stage::High(_) => self.pair().1,
        }
    }

    /// How many jobs a window has, with that many workers.
    pub(crate) fn window(&self) -> u64 {
        (self.workers() as u64 * JOBS_EACH).max(JOBS)
    }

    /// A window is over. The next one begins when those who are too many have ended.
    pub(crate) fn decide(&mut self, window: Window) {
        let workers = self.workers();
        let rate = window.jobs as f64 / window.nanos.max(1) as f64;
        let is_urgent = window.waiting > workers as u64;
        match self.stage {
            Stage::Start(before) => {
                let slope = before.map_or(1.0, |before| (rate / before).log2());
                if slope < STEEP {
                    self.centre = (self.centre / 2.0).max(self.least as f64);
                    self.stage = Stage::Low;
                } else if is_urgent && workers < self.most {
                    // The last doubling may not be a whole one; then its slope is not known.
                    let is_whole = workers * 2 <= self.most;
                    self.centre = (workers * 2).min(self.most) as f64;
                    self.stage = if is_whole {
                        Stage::Start(Some(rate))
                    } else {
                        Stage::Low
                    };
                } else if workers == self.most {
                    self.stage = Stage::Low;
                }
            }
            Stage::Low => self.stage = Stage::High(rate),
            Stage::High(low_rate) => {
                let (low, high) = self.pair();
                self.stage = Stage::Low;
                if low < high {
                    let slope = (rate / low_rate).ln() / (high as f64 / low as f64).ln();
                    // Without a NaN: neither rate is 0, nor without end.
                    let step = STRIDE * (slope.clamp(-1.0, 1.0) - PRICE);
                    let step = if is_urgent { step } else { step.min(0.0) };
                    let centre = self.centre * step.exp();
                    self.centre = centre.clamp(self.least as f64, self.most as f64);
                }
            }
        }
    }

    /// Fewer and more, at least one apart if that is allowed.
    fn pair(&self) -> (usize, usize) {
        let low = self.clamp((self.centre * (1.0 - PROBE)).floor());
        let high = self.clamp((self.centre * (1.0 + PROBE)).ceil());
        if low < high {
            (low, high)
        } else if high < self.most {
            (low, low + 1)
        } else {
            (self.clamp(high as f64 - 1.0), high)
        }
    }

    fn clamp(&self, workers: f64) -> usize {
        (workers as usize).clamp(self.least, self.most)
    }
}

/// Counts jobs until they are a [`Window`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter {
    /// Jobs that have ended while all workers were at work.
    jobs: u64,
    /// When those had ended that began before.
    since: u64,
}

impl Meter {
    /// A job has ended at that time, in nanoseconds; so many others are at work.
    pub(crate) fn job(
        &mut self,
        adapt: &Adapt,
        now: u64,
        at_work: usize,
        waiting: impl FnOnce() -> u64,
    ) -> Option<Window> {
        let workers = adapt.workers();
        if at_work >= workers {
            self.restart(); // they were more
            return None;
        }
        self.jobs += 1;
        // As many as were at work are not counted: they began in other company.
        let before = workers as u64;
        if self.jobs <= before {
            self.since = now;
            return None;
        }
        let jobs = self.jobs - before;
        if jobs < adapt.window() {
            return None;
        }
        let nanos = now.saturating_sub(self.since);
        self.restart();
        Some(Window {
            jobs,
            nanos,
            waiting: waiting(),
        })
    }

    /// Somebody had nothing to do, or the number has changed.
    pub(crate) fn restart(&mut self) {
        self.jobs = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapt::sim::{Load, run};

    /// So many jobs are done a second, of those that the best fixed number does.
    fn share_of_the_best(name: &str, load: &Load) {
        let numbers = [1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64];
        let fixed = numbers.map(|n| run(load, &mut Adapt::new(n, n), 20_000, 0));
        let best = fixed.iter().max_by(|a, b| a.rate.total_cmp(&b.rate));
        let best = best.unwrap();
        for seed in 0..4 {
            let adapted = run(load, &mut Adapt::new(1, 64), 150_000, seed);
            let share = adapted.rate / best.rate;
            println!("{name} {seed}: {share:.3} at {adapted:?}, best {best:?}");
            assert!(share > 0.9, "{name}: {share}, {adapted:?} for {best:?}");
        }
    }

    #[test]
    fn it_does_within_a_tenth_of_the_best_number_behind_a_bottleneck() {
        for places in [1.0, 4.0, 16.0, 48.0] {
            let load = Load::new(move |workers, _| (workers / places).max(1.0));
            share_of_the_best("bottleneck", &load);
        }
    }

    #[test]
    fn it_does_within_a_tenth_of_the_best_number_where_each_slows_down_all() {
        let load = Load::new(|workers, _| 1.0 + 0.05 * (workers - 1.0));
        share_of_the_best("a part that is serial", &load);
        let load = Load::new(|workers, _| 1.0 + 0.004 * workers * (workers - 1.0));
        share_of_the_best("too many are worse", &load);
    }

    #[test]
    fn it_does_within_a_tenth_of_the_best_number_when_the_bottleneck_changes() {
        let load = Load::new(|workers, part| {
            let places = if part < 0.5 { 8.0 } else { 32.0 };
            (workers / places).max(1.0)
        });
        share_of_the_best("more places later", &load);
    }

    #[test]
    fn handlers_are_not_much_slower_than_with_the_least_number_that_does_as_much() {
        let load = Load::new(|workers, _| (workers / 8.0).max(1.0));
        for seed in 0..4 {
            let adapted = run(&load, &mut Adapt::new(1, 64), 100_000, seed);
            let best = run(&load, &mut Adapt::new(8, 8), 20_000, seed);
            let slower = adapted.time / best.time;
            assert!(slower < 2.0, "{slower} times as long, of up to 8");
        }
    }

    #[test]
    fn it_is_not_raised_while_items_wait_for_less_than_a_handler_runs() {
        let mut adapt = Adapt::new(4, 64);
        for _ in 0..100 {
            let jobs = adapt.window();
            let nanos = jobs * 1_000_000 / adapt.workers() as u64; // each more brings its whole
            adapt.decide(Window {
                jobs,
                nanos,
                waiting: adapt.workers() as u64,
            });
            assert_eq!(adapt.workers(), 4);
        }
    }

    #[test]
    fn it_stays_between_the_least_and_the_most_whatever_it_is_told() {
        let mut random = fastrand::Rng::with_seed(11);
        for (least, most) in [(0, 0), (1, 1), (1, 2), (3, 7), (5, 2), (1, 1000)] {
            let mut adapt = Adapt::new(least, most);
            let range = least.max(1)..=most.max(least.max(1));
            for _ in 0..2000 {
                assert!(range.contains(&adapt.workers()), "{adapt:?}");
                adapt.decide(Window {
                    jobs: random.u64(..) >> random.u32(..64),
                    nanos: random.u64(..) >> random.u32(..64),
                    waiting: random.u64(..) >> random.u32(..64),
                });
            }
        }
    }
}

/// A pool in simulated time.
#[cfg(test)]
mod sim {
    use super::{Adapt, Meter};
    use std::{
        cmp::Reverse,
        collections::{BTreeMap, BinaryHeap},
    };

    const BEST_NANOS: f64 = 1e6;

    type Slowness = Box<dyn Fn(f64, f64) -> f64>;

    /// Jobs that are all there at the start, by how much slower one is with so many at work, when
    /// that part of them is done.
    pub(super) struct Load(Slowness);

    impl Load {
        pub(super) fn new(slowness: impl Fn(f64, f64) -> f64 + 'static) -> Self {
            Self(Box::new(slowness))
        }
    }

    #[derive(Debug)]
    #[allow(dead_code)] // to be shown
    pub(super) struct Did {
        pub(super) rate: f64,
        /// Of a handler, on average.
        pub(super) time: f64,
        /// The number that was used most.
        workers: usize,
    }

    /// Handlers take times of an exponential distribution.
    pub(super) fn run(load: &Load, adapt: &mut Adapt, jobs: u64, seed: u64) -> Did {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut running = BinaryHeap::new();
        let (mut now, mut started, mut done, mut times) = (0, 0, 0, 0.0);
        let (mut used, mut meter) = (BTreeMap::<usize, u64>::new(), Meter::default());
        while done < jobs {
            while running.len() < adapt.workers() && started < jobs {
                let part = done as f64 / jobs as f64;
                let slow = (load.0)(running.len() as f64 + 1.0, part);
                let time = BEST_NANOS * slow * -(1.0 - random.f64()).ln();
                times += time;
                running.push(Reverse(now + time as u64));
                started += 1;
            }
            let Some(Reverse(at)) = running.pop() else {
                break;
            };
            (now, done) = (at, done + 1);
            let workers = adapt.workers();
            *used.entry(workers).or_default() += 1;
            let window = meter.job(adapt, now, running.len(), || jobs - started);
            if let Some(window) = window {
                adapt.decide(window);
            }
        }
        Did {
            rate: jobs as f64 / (now as f64 / 1e9),
            time: times / jobs as f64,
            workers: used.into_iter().max_by_key(|used| used.1).unwrap().0,
        }
    }
}
