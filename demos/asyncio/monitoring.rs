//! The port of `monitoring.py`. The channel counts by itself when it is asked to, into histograms
//! of a fixed size.

use crate::{
    payload::{PRIORITIES, Payload},
    run::Run,
    shutdown::drain_on_sigterm,
};
use bandq::{Builder, Receiver};
use bandq_workers::Workers;
use futures_lite::future::{or, zip};
use std::{error::Error, time::Duration};

const EVERY: Duration = Duration::from_millis(100);

pub(crate) async fn run(run: &Run) -> Result<(), Box<dyn Error>> {
    let (sender, receiver) = Builder::new(PRIORITIES).observe().build()?;
    let seen = receiver.clone();
    let workers = Workers::new(receiver).concurrency(run.options.workers);
    let control = workers.control();
    drain_on_sigterm(&control, run.options.grace())?;
    let pool = workers.run(|job| run.handle(job));
    let work = async { zip(run.produce(sender), pool).await.1 };
    let monitor = async {
        loop {
            tokio::time::sleep(EVERY).await;
            report(&seen);
        }
    };
    let ended = or(work, monitor).await;
    report(&seen);
    run.settle(ended, &control)
}

fn report(channel: &Receiver<Payload>) {
    for band in channel.snapshot().bands {
        let ms = |part| band.get.quantile(part).map(|wait| wait.as_secs_f64() * 1e3);
        if let (Some(p50), Some(p99)) = (ms(0.5), ms(0.99)) {
            let (band, length) = (band.band, band.len);
            eprintln!("band {band}: length {length}, wait p50 {p50:.1} ms, p99 {p99:.1} ms");
        }
    }
}
