//! What people write by hand: some tasks that share an `async-channel`. No priority, no retries, no
//! account of what became of a job.

use std::sync::Arc;

use tokio::task::yield_now;

use crate::loads::tasks::STRIDE;
use crate::queue::{Handled, JobPool, Kind, Peer, RunningPool};

/// A task a worker.
#[derive(Debug)]
pub struct HandWritten;

impl JobPool for HandWritten {
    const PEER: Peer = Peer::new("tasks on async-channel", Kind::Plain);

    async fn queued(workers: usize, jobs: u64, handled: Arc<Handled>) -> RunningPool {
        let (sender, receiver) = async_channel::unbounded();
        for job in 0..jobs {
            sender.try_send(job).expect("unbounded and open");
        }
        Box::pin(async move {
            drop(sender);
            let tasks: Vec<_> = (0..workers)
                .map(|_| {
                    let (receiver, handled) = (receiver.clone(), Arc::clone(&handled));
                    tokio::spawn(async move {
                        while let Ok(job) = receiver.recv().await {
                            if handled.add(job) % STRIDE == 0 {
                                yield_now().await; // as a well-behaved task does
                            }
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("a worker ends");
            }
        })
    }
}
