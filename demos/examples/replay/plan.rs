//! What is replayed: times compressed, run times capped and rounded, and the workers counted.
//!
//! Both disciplines, on every runtime with the same grain, replay the very same plan.

use std::ops::Range;
use std::time::Duration;

use crate::args::{Args, MAX_WORKERS};
use crate::job::{CLASSES, Job, Jobs};

/// Run times are cut at this percentile: traces have services that run for months.
const CAP_PERCENTILE: usize = 95;
/// The rush is the shortest stretch that holds this share of the arrivals, in percent. Real traces
/// have quiet stretches; workers counted over the whole span would be far too few for the rush.
pub(crate) const RUSH_PERCENT: usize = 90;

/// A job, in the time of the replay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlannedJob {
    /// An index into [`CLASSES`].
    pub(crate) class: usize,
    /// When it arrives, from the start of the run.
    pub(crate) at: Duration,
    /// How long it holds a worker: a whole number of grains, at least one.
    pub(crate) run: Duration,
}

/// The plan of a run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// In order of arrival; a job's index is its number.
    pub(crate) jobs: Vec<PlannedJob>,
    /// How many there are in each class.
    pub(crate) class_jobs: [usize; CLASSES.len()],
    /// Seconds of the trace in one second of the replay.
    pub(crate) compression: f64,
    /// The longest run time let through, in seconds of the trace.
    pub(crate) cap: f64,
    /// The longest run time let through, in the replay and before rounding.
    pub(crate) cap_replayed: Duration,
    /// What the cap is, in words.
    pub(crate) cap_rule: String,
    /// What run times are rounded up to.
    pub(crate) grain: Duration,
    /// When most jobs arrive.
    pub(crate) rush: Range<Duration>,
    /// How many workers there are.
    pub(crate) workers: usize,
    /// The share of them that the jobs arriving in the rush keep busy.
    pub(crate) load: f64,
}

impl Plan {
    /// Plans the replay of `jobs` as `args` say.
    pub(crate) fn new(jobs: &Jobs, args: &Args) -> Plan {
        let jobs = &jobs.jobs;
        let (cap, cap_rule, compression) = scale(jobs, args.seconds);
        let grain = args.runtime.grain();
        // No arrival and no capped run is longer than the span, so none exceeds `args.seconds`.
        let replayed = |time: f64| Duration::from_secs_f64(time / compression);
        let planned: Vec<_> = jobs
            .iter()
            .map(|job| PlannedJob {
                class: job.class,
                at: replayed(job.arrival),
                run: round_up(replayed(job.run.min(cap)), grain),
            })
            .collect();
        let mut class_jobs = [0; CLASSES.len()];
        for job in &planned {
            class_jobs[job.class] += 1;
        }

        let in_rush = rush(&planned);
        let rush = in_rush[0].at..in_rush[in_rush.len() - 1].at;
        // Jobs that all arrive at once are given the whole span.
        let length = match (rush.end - rush.start).as_secs_f64() {
            0.0 => args.seconds,
            length => length,
        };
        let work: f64 = in_rush.iter().map(|job| job.run.as_secs_f64()).sum();
        let load = |workers: usize| work / length / workers as f64;
        let workers = args.workers.unwrap_or_else(|| {
            let most = MAX_WORKERS.min(planned.len());
            let off = |workers| (load(workers) - args.load).abs();
            // Of the two whole numbers around the exact one, that which comes nearer to the load.
            let fewer = (work / length / args.load) as usize;
            [fewer, fewer + 1]
                .map(|workers| workers.clamp(1, most))
                .into_iter()
                .min_by(|&a, &b| off(a).total_cmp(&off(b)))
                .expect("there are two")
        });
        Plan {
            class_jobs,
            compression,
            cap,
            cap_replayed: replayed(cap),
            cap_rule,
            grain,
            rush,
            workers,
            load: load(workers),
            jobs: planned,
        }
    }
}

/// The cap on run times, what it is in words, and the compression that makes the arrivals span
/// `seconds`.
fn scale(jobs: &[Job], seconds: f64) -> (f64, String, f64) {
    let mut runs: Vec<f64> = jobs.iter().map(|job| job.run).collect();
    runs.sort_by(f64::total_cmp);
    let percentile = runs[(runs.len() * CAP_PERCENTILE).div_ceil(100) - 1];
    let rule = format!("their {CAP_PERCENTILE}th percentile");

    let span = jobs[jobs.len() - 1].arrival;
    if span == 0.0 && percentile == 0.0 {
        (percentile, rule, 1.0) // nothing to compress
    } else if span == 0.0 {
        // All arrive at once; then the longest run spans `seconds`.
        (percentile, rule, percentile / seconds)
    } else if percentile > span {
        // A trace of a few long jobs.
        let rule = "the span of the arrivals".to_owned();
        (span, rule, span / seconds)
    } else {
        (percentile, rule, span / seconds)
    }
}

/// The jobs of the rush: the shortest stretch that holds [`RUSH_PERCENT`] of them.
fn rush(jobs: &[PlannedJob]) -> &[PlannedJob] {
    let count = (jobs.len() * RUSH_PERCENT).div_ceil(100);
    jobs.windows(count)
        .min_by_key(|stretch| stretch[count - 1].at - stretch[0].at)
        .expect("there is at least one job")
}

/// `time` as a whole number of grains, at least one.
fn round_up(time: Duration, grain: Duration) -> Duration {
    let grains = time.as_nanos().div_ceil(grain.as_nanos()).max(1);
    // At most a day and one grain, so far from the end of u64.
    Duration::from_nanos((grains * grain.as_nanos()) as u64)
}
