//! What the producer and the workers share, and the producer itself.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bandq::{Band, Sender};
use futures_lite::future;

use crate::discipline::{Discipline, Ticket};
use crate::plan::{Plan, PlannedJob};
use crate::progress::Counts;
use crate::runtime::{Runtime, RuntimeName};
use crate::stop::Stop;

/// What is noted down of each job that is received.
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

/// What the producer and the workers share.
pub(crate) struct Shared {
    pub(crate) plan: Arc<Plan>,
    pub(crate) runtime: RuntimeName,
    pub(crate) discipline: Discipline,
    pub(crate) counts: Arc<Counts>,
    pub(crate) stop: Stop,
    pub(crate) start: Instant,
}

/// Sends each job when it is due; returns how many the channel took. The channel closes when the
/// sender is dropped at the end, and then the workers end as soon as it is empty.
pub(crate) async fn produce<R: Runtime>(shared: Arc<Shared>, sender: Sender<Ticket>) -> usize {
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

/// The same by blocking calls.
pub(crate) fn produce_blocking(shared: &Shared, sender: Sender<Ticket>) -> usize {
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

impl Shared {
    /// How long it is until a job is due, if it is not due yet.
    fn early(&self, job: &PlannedJob) -> Option<Duration> {
        let early = job.at.saturating_sub(self.start.elapsed());
        (!early.is_zero()).then_some(early)
    }

    /// The sleep that holds a worker for a job's run time.
    pub(crate) fn hold(&self, job: Ticket) -> Duration {
        self.runtime.sleep_for(self.plan.jobs[job.number].run)
    }

    /// The notes of a job that a worker has just got.
    pub(crate) fn receipt(&self, band: Band, job: Ticket) -> Receipt {
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
