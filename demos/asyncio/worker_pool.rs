//! The port of `worker_pool.py`. The pool ends when its channel is closed and all is done: that is
//! `join` and the cancelling of the workers in one.

use crate::{payload::PRIORITIES, run::Run, shutdown::drain_on_sigterm};
use bandq_workers::Workers;
use futures_lite::future::zip;
use std::error::Error;

pub(crate) async fn run(run: &Run) -> Result<(), Box<dyn Error>> {
    let (sender, receiver) = bandq::unbounded(PRIORITIES);
    let workers = Workers::new(receiver).concurrency(run.options.workers);
    let control = workers.control();
    drain_on_sigterm(&control, run.options.grace())?;
    let pool = workers.run(|job| run.handle(job));
    let ((), report) = zip(run.produce(sender), pool).await;
    run.settle(report, &control)
}
