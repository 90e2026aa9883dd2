//! `bandq-workers`: all workers in the pool's own task, or each a task of tokio's.

use std::convert::Infallible;
use std::sync::Arc;

use bandq::Receiver;
use bandq_workers::{Job, Workers};

use crate::loads::Bands;
use crate::queue::{Handled, JobPool, Kind, Peer, RunningPool};

/// A channel with the jobs in it, spread over eight bands, that is closed.
pub(super) fn full(jobs: u64) -> Receiver<u64> {
    const BANDS: usize = 8;
    let (sender, receiver) = bandq::unbounded(BANDS);
    let mut band = Bands::new(BANDS, 0);
    for job in 0..jobs {
        let band = bandq::Band::new(band.pick());
        sender.try_send(band, job).expect("unbounded and open");
    }
    receiver
}

/// `run`.
#[derive(Debug)]
pub struct BandqWorkers;

impl JobPool for BandqWorkers {
    const PEER: Peer = Peer::new("bandq-workers, run", Kind::Ours);

    async fn queued(workers: usize, jobs: u64, handled: Arc<Handled>) -> RunningPool {
        let pool = Workers::new(full(jobs)).concurrency(workers);
        let pool = pool.run(move |job: Job<u64>| {
            let handled = Arc::clone(&handled);
            async move {
                handled.add(*job);
                Ok::<(), Infallible>(())
            }
        });
        Box::pin(async { drop(pool.await) })
    }
}

/// `run_on`.
#[derive(Debug)]
pub struct BandqWorkersSpawning;

impl JobPool for BandqWorkersSpawning {
    const PEER: Peer = Peer::new("bandq-workers, run_on", Kind::Ours);

    async fn queued(workers: usize, jobs: u64, handled: Arc<Handled>) -> RunningPool {
        let pool = Workers::new(full(jobs)).concurrency(workers);
        let pool = pool.run_on(tokio::spawn, move |job: Job<u64>| {
            let handled = Arc::clone(&handled);
            async move {
                handled.add(*job);
                Ok::<(), Infallible>(())
            }
        });
        Box::pin(async { drop(pool.await) })
    }
}
