//! What was found out, and the shape of the JSON.

use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use crate::args::PoolName;
use crate::check::Check;
use crate::contest::{Contest, contests};
use crate::discipline::Discipline;
use crate::job::{CLASSES, Jobs};
use crate::plan::Plan;
use crate::run::Outcome;
use crate::runtime::RuntimeName;

/// Everything that was found out; its fields are the fields of the JSON object.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) source: String,
    pub(crate) runtime: RuntimeName,
    pub(crate) pool: PoolName,
    pub(crate) workers: usize,
    pub(crate) jobs: usize,
    pub(crate) skipped: usize,
    pub(crate) disciplines: Vec<DisciplineReport>,
    /// The rush, in seconds from the start of a run.
    #[serde(skip)]
    pub(crate) rush: Range<f64>,
}

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct DisciplineReport {
    pub(crate) name: Discipline,
    #[serde(flatten)]
    pub(crate) check: Check,
    pub(crate) seconds: f64,
    pub(crate) classes: Vec<ClassReport>,
    /// Receives made while jobs of all classes waited; with `--policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) while_all_wait: Option<usize>,
    /// The share of the workers' time in the rush that jobs really held them.
    #[serde(skip)]
    pub(crate) busy: f64,
}

/// The completed jobs of one class in one run.
#[derive(Debug, Serialize)]
pub(crate) struct ClassReport {
    pub(crate) name: &'static str,
    pub(crate) band: usize,
    pub(crate) jobs: usize,
    pub(crate) wait_ms: WaitMs,
    /// With `--policy`.
    #[serde(flatten)]
    pub(crate) contest: Option<Contest>,
    /// When each job was due, in seconds, and its wait in milliseconds.
    #[serde(skip)]
    pub(crate) points: Vec<(f64, f64)>,
}

/// Waiting times in milliseconds; none if no job of the class was completed.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct WaitMs {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) max: Option<f64>,
}

impl Report {
    /// A report without any run yet.
    pub(crate) fn new(
        jobs: &Jobs,
        (pool, runtime): (PoolName, RuntimeName),
        plan: &Plan,
    ) -> Report {
        Report {
            source: jobs.source.clone(),
            runtime,
            pool,
            workers: plan.workers,
            jobs: jobs.jobs.len(),
            skipped: jobs.skipped,
            disciplines: Vec::new(),
            rush: plan.rush.start.as_secs_f64()..plan.rush.end.as_secs_f64(),
        }
    }

    /// Adds what came of a run.
    pub(crate) fn add(&mut self, discipline: Discipline, plan: &Plan, outcome: &Outcome) {
        let mut points = [const { Vec::new() }; CLASSES.len()];
        for receipt in outcome.receipts.iter().flatten() {
            if receipt.ended.is_some() {
                let job = &plan.jobs[receipt.number];
                points[job.class].push((job.at.as_secs_f64(), millis(receipt.wait)));
            }
        }
        let contest = discipline.is_policy().then(|| contests(plan, outcome));
        let classes = points.into_iter().enumerate().map(|(class, mut points)| {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            ClassReport {
                name: CLASSES[class],
                band: discipline.band(class).index(),
                jobs: points.len(),
                wait_ms: WaitMs::of(points.iter().map(|&(_, wait)| wait).collect()),
                contest: contest.map(|(of_class, _)| of_class[class]),
                points,
            }
        });
        self.disciplines.push(DisciplineReport {
            name: discipline,
            check: Check::new(plan, discipline, outcome),
            seconds: rounded(outcome.took.as_secs_f64()),
            classes: classes.collect(),
            while_all_wait: contest.map(|(_, all)| all),
            busy: busy(plan, outcome),
        });
    }

    /// Whether every run passed its self-check.
    pub(crate) fn passed(&self) -> bool {
        self.disciplines.iter().all(|run| run.check.passed())
    }

    /// One line for each self-check that failed.
    pub(crate) fn complaints(&self) -> impl Iterator<Item = String> {
        let failed = self.disciplines.iter().filter(|run| !run.check.passed());
        failed.map(|run| format!("{}: {}", run.name, run.check))
    }
}

impl ClassReport {
    /// The mean wait in milliseconds.
    pub(crate) fn mean(&self) -> Option<f64> {
        let sum: f64 = self.points.iter().map(|&(_, wait)| wait).sum();
        (self.jobs > 0).then(|| sum / self.jobs as f64)
    }
}

impl WaitMs {
    /// Exact, from all values: the p-th percentile is the smallest value that p % do not exceed.
    fn of(mut waits: Vec<f64>) -> WaitMs {
        waits.sort_by(f64::total_cmp);
        let percentile = |percent: usize| {
            let rank = (waits.len() * percent).div_ceil(100);
            waits.get(rank.checked_sub(1)?).copied().map(rounded)
        };
        WaitMs {
            p50: percentile(50),
            p99: percentile(99),
            max: percentile(100),
        }
    }
}

/// The share of the workers' time in the rush that jobs really held them.
fn busy(plan: &Plan, outcome: &Outcome) -> f64 {
    let rush = &plan.rush;
    let held: Duration = outcome
        .receipts
        .iter()
        .flatten()
        .filter_map(|receipt| {
            let (began, ended) = (receipt.began, receipt.ended?);
            Some(ended.min(rush.end).saturating_sub(began.max(rush.start)))
        })
        .sum();
    let length = (rush.end - rush.start).as_secs_f64();
    if length > 0.0 {
        held.as_secs_f64() / (length * plan.workers as f64)
    } else {
        1.0 // all jobs arrived at once
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// To a thousandth: the clock and the machine are no better than that.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
