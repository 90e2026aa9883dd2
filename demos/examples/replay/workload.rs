//! The built-in workload: an hour of jobs with heavy-tailed run times, and bursts of arrivals.
//!
//! `--help` describes it; keep the two in step.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Pareto};

use crate::job::{Job, Jobs};

/// One hour.
const SPAN: f64 = 3600.0;
/// Jobs that arrive independently of each other.
const STEADY: usize = 2400;
/// The share of each class among them, in percent.
const SHARES: [u32; 4] = [50, 10, 15, 25];
/// Bursts, how many jobs each brings, and within how many seconds.
const BURSTS: usize = 12;
const BURST_JOBS: usize = 150;
const BURST_SPAN: f64 = 20.0;
/// Run times: the shortest, and how heavy the tail is (below 2 the variance is infinite).
const SHORTEST: f64 = 4.0;
const SHAPE: f64 = 1.5;

const BURSTABLE: usize = 2;
const BEST_EFFORT: usize = 3;

/// Generates the jobs. The same seed gives the same jobs.
pub(crate) fn generate(seed: u64) -> Jobs {
    let mut rng = StdRng::seed_from_u64(seed);
    let run_time = Pareto::new(SHORTEST, SHAPE).expect("both constants are positive");
    let mut jobs = Vec::with_capacity(STEADY + BURSTS * BURST_JOBS);

    for _ in 0..STEADY {
        jobs.push(Job {
            class: pick_class(rng.random_range(0..100)),
            arrival: rng.random_range(0.0..SPAN),
            run: run_time.sample(&mut rng),
        });
    }
    for burst in 0..BURSTS {
        let start = rng.random_range(0.0..SPAN - BURST_SPAN);
        let class = if burst % 3 == 0 {
            BURSTABLE
        } else {
            BEST_EFFORT
        };
        for _ in 0..BURST_JOBS {
            jobs.push(Job {
                class,
                arrival: start + rng.random_range(0.0..BURST_SPAN),
                run: run_time.sample(&mut rng),
            });
        }
    }

    jobs.sort_by(|a, b| a.arrival.total_cmp(&b.arrival));
    let first = jobs[0].arrival;
    for job in &mut jobs {
        job.arrival -= first;
    }
    Jobs {
        source: format!("built-in workload, seed {seed}"),
        jobs,
        skipped: 0,
    }
}

/// The class that a draw from 0 to 99 stands for.
fn pick_class(draw: u32) -> usize {
    let mut below = 0;
    for (class, share) in SHARES.iter().enumerate() {
        below += share;
        if draw < below {
            return class;
        }
    }
    BEST_EFFORT
}
