//! One loop over `recv` that counts: what a pool does for a job comes on top of this.

use std::sync::Arc;

use super::bandq_workers::full;
use crate::queue::{Handled, JobPool, Kind, Peer, RunningPool};

/// The loop, whatever the number of workers.
#[derive(Debug)]
pub struct RecvLoop;

impl JobPool for RecvLoop {
    const PEER: Peer = Peer::new("a bare recv loop", Kind::Bound);

    async fn queued(_: usize, jobs: u64, handled: Arc<Handled>) -> RunningPool {
        let receiver = full(jobs);
        Box::pin(async move {
            while let Ok((_band, job)) = receiver.recv().await {
                handled.add(job);
            }
        })
    }
}
