//! The command line: what can be asked for, and within which limits.

use std::path::PathBuf;
use std::time::Duration;

use bandq::{Builder, Policy};
use clap::builder::{ArgPredicate, RangedU64ValueParser};
use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::discipline::Discipline;
use crate::job::CLASSES;
use crate::runtime::RuntimeName;

/// More workers than this is taken for a slip of the keyboard.
pub(crate) const MAX_WORKERS: usize = 4096;

/// Replays a trace of jobs through a bandq channel, first come first served and then by class, and
/// shows what priority buys.
///
/// Every job has an arrival time, a run time and one of four classes: LS (latency sensitive),
/// Guaranteed, Burstable, BE (best effort), most urgent first. A producer sends each job when it
/// arrives, in compressed time; a worker takes a job and is held for the job's run time. This is
/// done twice with the same jobs: `fifo` puts them all into one band, `priority` puts each class
/// into a band of its own. The waiting time of a job is from its send until it is begun. With
/// --policy the classes' bands are served by that policy instead, and what each class got is
/// compared.
///
/// At the end it checks itself: every job must have come out exactly once and, within a band, in
/// the order in which it was sent, as far as each worker can tell.
#[derive(Debug, Parser)]
#[command(name = "replay", verbatim_doc_comment, after_help = NOTES)]
pub(crate) struct Args {
    /// CSV file to replay, in place of the built-in workload.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,

    /// Compress time so that the arrivals span this many seconds, 0.01 to 86400.
    ///
    /// Each of the disciplines takes this long, and what is still queued at the end comes on top.
    #[arg(long, value_name = "S", default_value_t = 8.0, value_parser = seconds)]
    #[arg(allow_negative_numbers = true, verbatim_doc_comment)]
    pub(crate) seconds: f64,

    /// Number of workers; without it, it follows from --load.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_WORKERS as u64))]
    #[arg(conflicts_with = "load")]
    pub(crate) workers: Option<usize>,

    /// Offered load: as many workers as keep this share of them busy during the rush.
    ///
    /// The rush is the shortest stretch of time that holds nine tenths of the arrivals. Above 1
    /// more work arrives than the workers can do, and the queue grows until the rush is over.
    #[arg(long, value_name = "F", default_value_t = 0.9, value_parser = load)]
    #[arg(allow_negative_numbers = true, verbatim_doc_comment)]
    pub(crate) load: f64,

    /// What the producer and the workers run on.
    #[arg(long, value_enum, default_value_t = RuntimeName::Tokio)]
    pub(crate) runtime: RuntimeName,

    /// Who the workers are; with --policy it is `loops` that is the default.
    #[arg(long, value_enum, default_value_t = PoolName::Workers)]
    #[arg(default_value_if("policy", ArgPredicate::IsPresent, "loops"))]
    pub(crate) pool: PoolName,

    /// Seed of the built-in workload; a trace does not need one.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    pub(crate) seed: u64,

    /// Replay under this policy, or under each of them.
    #[arg(long, value_enum, value_name = "P")]
    pub(crate) policy: Option<PolicyName>,

    /// What the classes weigh under `weighted`, the most urgent first: four whole numbers.
    #[arg(long, value_name = "W,W,W,W", default_value = "8,4,2,1", value_parser = weights)]
    #[arg(requires = "policy", allow_negative_numbers = true)]
    pub(crate) weights: Setting,

    /// The step of `ageing` in milliseconds of the replay, 0.001 to 86400000.
    ///
    /// A job counts as one class more urgent for each step that it has waited.
    #[arg(long, value_name = "MS", default_value = "100", value_parser = step)]
    #[arg(
        requires = "policy",
        allow_negative_numbers = true,
        verbatim_doc_comment
    )]
    pub(crate) step: Setting,

    /// Print one JSON object on stdout, and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,

    /// Draw what was found out into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

const NOTES: &str = "\
The trace:
  A CSV file whose header names at least these columns, in any order: qos, creation_time,
  scheduled_time, deletion_time. Class = qos (LS, Guaranteed, Burstable or BE), arrival =
  creation_time, run time = scheduled_time to deletion_time; all times in whole seconds. A row with
  an empty scheduled_time was never run: it is skipped, and counted.

The built-in workload:
  4,200 jobs in one hour. 2,400 of them arrive at random moments, independently of each other: 50 %
  LS, 10 % Guaranteed, 15 % Burstable, 25 % BE. The other 1,800 come as 12 bursts of 150 jobs of
  one class (Burstable in one burst of three, else BE), each burst within 20 seconds. Run times are
  heavy-tailed (Pareto, shape 1.5): at least 4 s, 6.3 s for half of the jobs, 86 s and more for one
  in a hundred. The same seed gives the same jobs.

What --policy shows:
  share      of the receives made while jobs of this class and of another one waited, the part that
             this class got
  all wait   the same of the receives made while jobs of all four classes waited
  overtaken  a job of this class came out after one that was sent so much later: the greatest such
             time. Under ageing it is no more than a step for each class that is more urgent.

The pools:
  workers    as a program would use it: a pool of bandq-workers, with a handler for each job.
             Weights share out the time that jobs run.
  loops      what a pool saves you: a loop for each worker, with a receiver of its own. Weights
             share out receives, which is what --policy counts.

What is done to all:
  Run times are cut at their 95th percentile, compressed with everything else, and rounded up to
  the grain of the runtime's timer (1 ms on tokio, 0.2 ms on the others). Then the workers are
  counted. The compression, the cap, the grain and the workers are printed before the run.

Exit status:
  0 all is well; 1 the self-check failed; 2 bad arguments or a bad trace; 130 ended by Ctrl-C: the
  channel is closed, jobs in hand are finished, and what was left is reported. A second Ctrl-C ends
  it at once.";

/// Who the workers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PoolName {
    /// a pool of bandq-workers, with a handler for each job
    Workers,
    /// a loop for each worker, with a receiver of its own
    Loops,
}

/// A policy, and how it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) text: String,
    policy: Policy,
}

/// What can be asked for with `--policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyName {
    /// the most urgent class first, always
    Strict,
    /// shares, by --weights
    Weighted,
    /// the first that is due, by --step
    Ageing,
    /// one after the other
    All,
}

impl Args {
    /// What is to be run, in this order.
    pub(crate) fn disciplines(&self) -> &'static [Discipline] {
        use Discipline::{Ageing, Fifo, Priority, Strict, Weighted};
        match self.policy {
            None => &[Fifo, Priority],
            Some(PolicyName::Strict) => &[Strict],
            Some(PolicyName::Weighted) => &[Weighted],
            Some(PolicyName::Ageing) => &[Ageing],
            Some(PolicyName::All) => &[Strict, Weighted, Ageing],
        }
    }

    /// The policy of its channel.
    pub(crate) fn policy_of(&self, discipline: Discipline) -> Policy {
        match discipline {
            Discipline::Fifo | Discipline::Priority | Discipline::Strict => Policy::strict(),
            Discipline::Weighted => self.weights.policy.clone(),
            Discipline::Ageing => self.step.policy.clone(),
        }
    }
}

fn weights(text: &str) -> Result<Setting, String> {
    let weight = |weight: &str| {
        let number = weight.trim().parse::<u32>();
        number.map_err(|_| format!("{weight:?} is not a whole number from 1 to {}", u32::MAX))
    };
    let weights: Result<Vec<_>, _> = text.split(',').map(weight).collect();
    allowed(text, Policy::weighted(weights?))
}

fn step(text: &str) -> Result<Setting, String> {
    let step = number_in(text, 0.001, 86_400_000.0)?;
    allowed(text, Policy::ageing(Duration::from_secs_f64(step / 1000.0)))
}

/// What a policy has to be is for the channel to say.
fn allowed(text: &str, policy: Policy) -> Result<Setting, String> {
    let channel = Builder::<()>::new(CLASSES.len())
        .policy(policy.clone())
        .build();
    channel.map_err(|error| error.to_string())?;
    Ok(Setting {
        text: text.to_owned(),
        policy,
    })
}

fn seconds(text: &str) -> Result<f64, String> {
    number_in(text, 0.01, 86_400.0)
}

fn load(text: &str) -> Result<f64, String> {
    number_in(text, 0.001, 100.0)
}

fn number_in(text: &str, min: f64, max: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        Ok(_) => Err(format!("must be from {min} to {max}")),
        Err(_) => Err("not a number".to_owned()),
    }
}
