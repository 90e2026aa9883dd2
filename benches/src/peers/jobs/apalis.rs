//! `apalis` with its in-memory backend: no priority, a job system whose backends are many.
//!
//! Its workers handle jobs within one task; `parallelize` makes each a task of the runtime's.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use apalis::prelude::{
    Data, MemoryStorage, ParallelizeExt, TaskSink, WorkerBuilder, WorkerBuilderExt, WorkerContext,
};

use crate::queue::{Handled, JobPool, Kind, Peer, RunningPool};

/// Each job a task of tokio's, or all in one.
#[derive(Debug)]
pub struct Apalis<const SPAWN: bool>;

/// Each job a task.
pub const SPAWNING: bool = true;
/// All in one task.
pub const UNSPAWNED: bool = false;

/// What the handler is given, and how many jobs there are.
#[derive(Clone)]
struct State(Arc<Handled>, u64);

async fn handle(job: u64, state: Data<State>, worker: WorkerContext) {
    let State(handled, jobs) = &*state;
    if handled.add(job) == *jobs {
        worker.stop().expect("it runs");
    }
}

impl<const SPAWN: bool> JobPool for Apalis<SPAWN> {
    const PEER: Peer = match SPAWN {
        SPAWNING => Peer::new("apalis, in memory, parallelize", Kind::Plain),
        UNSPAWNED => Peer::new("apalis, in memory", Kind::Plain),
    };

    async fn queued(workers: usize, jobs: u64, handled: Arc<Handled>) -> RunningPool {
        let mut storage = MemoryStorage::new();
        for job in 0..jobs {
            storage.push(job).await.expect("it has room");
        }
        let builder = WorkerBuilder::new("jobs")
            .backend(storage)
            .concurrency(workers)
            .data(State(handled, jobs));
        if SPAWN {
            // A closure: the function itself is not general enough for `parallelize` in a task.
            let spawn = |job| tokio::spawn(job);
            until_stopped(builder.parallelize(spawn).build(handle).run())
        } else {
            until_stopped(builder.build(handle).run())
        }
    }
}

fn until_stopped<E: Debug>(
    worker: impl Future<Output = Result<(), E>> + Send + 'static,
) -> RunningPool {
    Box::pin(async { worker.await.expect("it ends well") })
}
