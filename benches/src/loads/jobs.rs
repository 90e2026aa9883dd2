//! A backlog of jobs that do nothing, worked off by a pool.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::tasks;
use crate::queue::{Handled, JobPool};

/// Million jobs a second, on tokio with two threads.
pub fn throughput<P: JobPool>(workers: usize, jobs: u64) -> f64 {
    let taken = work_off::<P>(&tasks::runtime(), workers, jobs);
    jobs as f64 / taken.as_secs_f64() / 1e6
}

/// Nanoseconds a job, on tokio with one thread.
pub fn one_thread<P: JobPool>(workers: usize, jobs: u64) -> f64 {
    let runtime = Builder::new_current_thread().build();
    let runtime = runtime.expect("tokio starts");
    work_off::<P>(&runtime, workers, jobs).as_nanos() as f64 / jobs as f64
}

/// Nanoseconds a job more than that one takes, by turns.
pub fn overhead<P: JobPool, Bare: JobPool>(workers: usize, jobs: u64) -> f64 {
    let bare = one_thread::<Bare>(workers, jobs);
    one_thread::<P>(workers, jobs) - bare
}

fn work_off<P: JobPool>(runtime: &Runtime, workers: usize, jobs: u64) -> Duration {
    let handled = Arc::new(Handled::default());
    let taken = runtime.block_on(async {
        let pool = P::queued(workers, jobs, Arc::clone(&handled)).await;
        let begun = Instant::now();
        tokio::spawn(pool).await.expect("it ends");
        begun.elapsed()
    });
    handled.expect(jobs);
    taken
}
