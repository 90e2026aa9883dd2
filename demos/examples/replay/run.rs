//! One discipline from start to end: one producer, one channel, many workers.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bandq::{Band, Builder, Policy, Receiver, Sender};
use futures_lite::future;

use crate::discipline::{Discipline, Ticket};
use crate::plan::{Plan, PlannedJob};
use crate::progress::{Counts, Progress};
use crate::runtime::{AsyncStd, Runtime, RuntimeName, Smol, Tokio};
use crate::stop::Stop;

/// What a worker notes down for each job it receives, in the order of receiving.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    /// The job's place in the plan.
    pub(crate) number: usize,
    /// The band it came in.
    pub(crate) band: Band,
    /// From its send to its receive.
    pub(crate) wait: Duration,
    /// When it was received, from the start of the run.
    pub(crate) began: Duration,
    /// When it let the worker go; `None` for a job that was taken out of the closed channel after
    /// Ctrl-C, and not run.
    pub(crate) ended: Option<Duration>,
}

/// What happened in a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many jobs the channel accepted: the first ones of the plan.
    pub(crate) accepted: usize,
    /// The notes of each worker.
    pub(crate) receipts: Vec<Vec<Receipt>>,
    /// How long it took until the last worker was done.
    pub(crate) took: Duration,
}

/// What the producer and the workers share.
struct Shared {
    plan: Arc<Plan>,
    runtime: RuntimeName,
    discipline: Discipline,
    counts: Arc<Counts>,
    stop: Stop,
    start: Instant,
}

/// Replays `plan` under `discipline`, whose channel has this policy.
pub(crate) fn run(
    runtime: RuntimeName,
    discipline: Discipline,
    policy: Policy,
    plan: &Arc<Plan>,
    stop: &Stop,
) -> io::Result<Outcome> {
    let channel = Builder::new(discipline.bands()).policy(policy).build();
    let (sender, receiver) = channel.map_err(io::Error::other)?;
    stop.watch(&sender);
    let progress = Progress::start(discipline, plan.class_jobs);
    let shared = Arc::new(Shared {
        plan: plan.clone(),
        runtime,
        discipline,
        counts: progress.counts(),
        stop: stop.clone(),
        start: Instant::now(),
    });
    let (accepted, receipts) = match runtime {
        RuntimeName::Tokio => Tokio::block_on(on_tasks::<Tokio>(&shared, sender, receiver)),
        RuntimeName::Smol => Smol::block_on(on_tasks::<Smol>(&shared, sender, receiver)),
        RuntimeName::AsyncStd => {
            AsyncStd::block_on(on_tasks::<AsyncStd>(&shared, sender, receiver))
        }
        RuntimeName::Threads => on_threads(&shared, sender, receiver),
    }?;
    Ok(Outcome {
        accepted,
        receipts,
        took: shared.start.elapsed(),
    })
}

/// The run as tasks of an async runtime.
async fn on_tasks<R: Runtime>(
    shared: &Arc<Shared>,
    sender: Sender<Ticket>,
    receiver: Receiver<Ticket>,
) -> (usize, Vec<Vec<Receipt>>) {
    let workers: Vec<_> = (0..shared.plan.workers)
        .map(|_| R::spawn(work::<R>(shared.clone(), receiver.clone())))
        .collect();
    let accepted = R::spawn(produce::<R>(shared.clone(), sender)).await;
    let mut receipts = Vec::with_capacity(workers.len());
    for worker in workers {
        receipts.push(worker.await);
    }
    (accepted, receipts)
}

/// Sends each job when it is due; returns how many the channel took. The channel closes when the
/// sender is dropped at the end, and then the workers end as soon as it is empty.
async fn produce<R: Runtime>(shared: Arc<Shared>, sender: Sender<Ticket>) -> usize {
    for (number, job) in shared.plan.jobs.iter().enumerate() {
        if let Some(early) = shared.early(job) {
            // Until the job is due, or Ctrl-C closes the channel.
            future::or(R::sleep(early), sender.closed()).await;
        }
        let band = shared.discipline.band(job.class);
        if sender.send(band, Ticket::now(number)).await.is_err() {
            return number;
        }
        shared.counts.sent(job.class);
    }
    shared.plan.jobs.len()
}

/// Takes jobs, as the policy has them, and is held by each for its run time. After Ctrl-C it only
/// empties the channel.
async fn work<R: Runtime>(shared: Arc<Shared>, receiver: Receiver<Ticket>) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    while let Ok((band, job)) = receiver.recv().await {
        let mut receipt = shared.receipt(band, job);
        if !shared.stop.requested() {
            R::sleep(shared.hold(job)).await;
            receipt.ended = Some(shared.start.elapsed());
        }
        receipts.push(receipt);
    }
    receipts
}

/// The run without a runtime: the same, with a thread per worker and blocking calls.
fn on_threads(
    shared: &Arc<Shared>,
    sender: Sender<Ticket>,
    receiver: Receiver<Ticket>,
) -> io::Result<(usize, Vec<Vec<Receipt>>)> {
    thread::scope(|scope| {
        let mut workers = Vec::with_capacity(shared.plan.workers);
        for count in 0..shared.plan.workers {
            let receiver = receiver.clone();
            let worker = thread::Builder::new()
                .spawn_scoped(scope, move || work_blocking(shared, receiver))
                // The sender is dropped then, so the channel closes and the other threads end.
                .map_err(|error| {
                    let what =
                        format!("no more than {count} worker threads can be started: {error}");
                    io::Error::new(error.kind(), what)
                })?;
            workers.push(worker);
        }
        let accepted = produce_blocking(shared, sender);
        let receipts = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect();
        Ok((accepted, receipts))
    })
}

fn produce_blocking(shared: &Shared, sender: Sender<Ticket>) -> usize {
    /// A sleeping thread does not hear of Ctrl-C; so it looks this often.
    const LOOK: Duration = Duration::from_millis(50);

    for (number, job) in shared.plan.jobs.iter().enumerate() {
        while let Some(early) = shared.early(job) {
            thread::sleep(early.min(LOOK));
            if sender.is_closed() {
                break;
            }
        }
        let band = shared.discipline.band(job.class);
        if sender.send_blocking(band, Ticket::now(number)).is_err() {
            return number;
        }
        shared.counts.sent(job.class);
    }
    shared.plan.jobs.len()
}

fn work_blocking(shared: &Shared, receiver: Receiver<Ticket>) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    while let Ok((band, job)) = receiver.recv_blocking() {
        let mut receipt = shared.receipt(band, job);
        if !shared.stop.requested() {
            thread::sleep(shared.hold(job));
            receipt.ended = Some(shared.start.elapsed());
        }
        receipts.push(receipt);
    }
    receipts
}

impl Shared {
    /// How long it is until a job is due, if it is not due yet.
    fn early(&self, job: &PlannedJob) -> Option<Duration> {
        let early = job.at.saturating_sub(self.start.elapsed());
        (!early.is_zero()).then_some(early)
    }

    /// The sleep that holds a worker for a job's run time.
    fn hold(&self, job: Ticket) -> Duration {
        self.runtime.sleep_for(self.plan.jobs[job.number].run)
    }

    fn receipt(&self, band: Band, job: Ticket) -> Receipt {
        let now = Instant::now();
        self.counts.received(self.plan.jobs[job.number].class);
        Receipt {
            number: job.number,
            band,
            wait: now.saturating_duration_since(job.sent),
            began: now.saturating_duration_since(self.start),
            ended: None,
        }
    }
}
