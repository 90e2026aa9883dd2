//! One discipline from start to end: one producer, one channel, many workers.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bandq::{Builder, Policy, Receiver, Sender};

use crate::args::PoolName;
use crate::discipline::{Discipline, Ticket};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::runtime::{AsyncStd, Runtime, RuntimeName, Smol, Tokio};
use crate::shared::{Receipt, Shared, produce};
use crate::stop::Stop;
use crate::{loops, pool};

/// What happened in a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many jobs the channel accepted: the first ones of the plan.
    pub(crate) accepted: usize,
    /// The notes of each worker, in the order of receiving.
    pub(crate) receipts: Vec<Vec<Receipt>>,
    /// How long it took until the last worker was done.
    pub(crate) took: Duration,
}

/// Replays `plan` under `discipline`, whose channel has this policy.
pub(crate) fn run(
    (pool, runtime): (PoolName, RuntimeName),
    discipline: Discipline,
    policy: Policy,
    plan: &Arc<Plan>,
    stop: &Stop,
) -> io::Result<Outcome> {
    let channel = Builder::new(discipline.bands()).policy(policy).build();
    let (sender, receiver) = channel.map_err(io::Error::other)?;
    let progress = Progress::start(discipline, plan.class_jobs);
    let shared = Arc::new(Shared {
        plan: plan.clone(),
        runtime,
        discipline,
        counts: progress.counts(),
        stop: stop.clone(),
        start: Instant::now(),
    });
    let (accepted, receipts) = match (runtime, pool) {
        (RuntimeName::Tokio, _) => {
            Tokio::block_on(on_tasks::<Tokio>(pool, &shared, sender, receiver))
        }
        (RuntimeName::Smol, _) => Smol::block_on(on_tasks::<Smol>(pool, &shared, sender, receiver)),
        (RuntimeName::AsyncStd, _) => {
            AsyncStd::block_on(on_tasks::<AsyncStd>(pool, &shared, sender, receiver))
        }
        (RuntimeName::Threads, PoolName::Loops) => loops::on_threads(&shared, sender, receiver),
        (RuntimeName::Threads, PoolName::Workers) => pool::on_threads(&shared, sender, receiver),
    }?;
    Ok(Outcome {
        accepted,
        receipts,
        took: shared.start.elapsed(),
    })
}

/// The run as tasks of an async runtime.
async fn on_tasks<R: Runtime>(
    pool: PoolName,
    shared: &Arc<Shared>,
    sender: Sender<Ticket>,
    receiver: Receiver<Ticket>,
) -> (usize, Vec<Vec<Receipt>>) {
    let workers = match pool {
        PoolName::Loops => loops::on_tasks::<R>(shared, receiver),
        PoolName::Workers => pool::on_tasks::<R>(shared, receiver),
    };
    let accepted = R::spawn(produce::<R>(shared.clone(), sender)).await;
    (accepted, workers.await)
}
