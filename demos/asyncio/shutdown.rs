//! The port of `shutdown.py`. A drain has a deadline; what is not done then comes back, also what a
//! handler had in hand.

use crate::{
    payload::{PRIORITIES, Payload},
    run::Run,
};
use bandq_workers::{Control, Workers};
use futures_lite::future::zip;
use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

pub(crate) async fn run(run: &Run) -> Result<(), Box<dyn Error>> {
    let (sender, receiver) = bandq::unbounded(PRIORITIES);
    let workers = Workers::new(receiver).concurrency(run.options.workers);
    let control = workers.control();
    drain_on_sigterm(&control, run.options.grace())?;
    let pool = workers.run(|job| run.handle(job));
    let ((), report) = zip(run.produce(sender), pool).await;
    eprintln!("{report}");
    run.settle(report, &control)
}

/// The first signal drains, for so long at the most; a further one stops at once.
pub(crate) fn drain_on_sigterm(
    control: &Control<Payload>,
    grace: Duration,
) -> Result<(), ctrlc::Error> {
    let control = control.clone();
    let asked = AtomicBool::new(false);
    // The pool ends without these futures, and its own future has the report.
    ctrlc::set_handler(move || match asked.swap(true, Ordering::Relaxed) {
        false => drop(control.drain(grace)),
        true => drop(control.stop(Duration::ZERO)),
    })
}
