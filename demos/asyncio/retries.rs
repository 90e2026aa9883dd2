//! The port of `retries.py`. What waits for its next attempt waits in the pool and holds no worker.

use crate::{payload::PRIORITIES, run::Run, shutdown::drain_on_sigterm};
use bandq_workers::{Retry, Workers};
use futures_lite::future::zip;
use std::{error::Error, time::Duration};

const BASE: Duration = Duration::from_millis(50);
const ATTEMPTS: u32 = 5;

pub(crate) async fn run(run: &Run) -> Result<(), Box<dyn Error>> {
    let (sender, receiver) = bandq::unbounded(PRIORITIES);
    let workers = Workers::new(receiver)
        .concurrency(run.options.workers)
        .retry(Retry::exponential(BASE).attempts(ATTEMPTS));
    let control = workers.control();
    drain_on_sigterm(&control, run.options.grace())?;
    let pool = workers.run(|job| run.handle(job));
    let ((), report) = zip(run.produce(sender), pool).await;
    run.settle(report, &control)
}
