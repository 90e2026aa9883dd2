//! Each band is a FIFO queue, by the definition.

use std::time::Duration;

use bandq::{BandQueue, bounded, unbounded};

use crate::histories;
use crate::history::{Mix, THREADS, record};
use crate::queue::{Channel, Queue, Waiting};
use crate::support::Watchdog;

pub(crate) const BANDS: usize = 2;

pub(crate) fn must_be_linearizable(name: &'static str, queue: impl Queue, bands: usize, mix: Mix) {
    let _watchdog = Watchdog::with_limit(name, Duration::from_secs(120 + histories() / 100));
    let summary = record(&queue, histories(), 1, bands, mix);
    println!(
        "{name}: {} histories of {THREADS} threads, {:.1} operations each, {:.1} % with \
         operations that overlap; {} looks found nothing",
        summary.histories,
        summary.ops as f64 / summary.histories as f64,
        100.0 * summary.overlapping as f64 / summary.histories as f64,
        summary.empty,
    );
    if let Some(wrong) = summary.wrong {
        panic!("not a queue: {wrong:#?}");
    }
}

#[test]
fn the_queue_is_linearizable() {
    must_be_linearizable("queue", BandQueue::new(BANDS), BANDS, Mix::Any);
}

#[test]
fn a_channel_is_linearizable() {
    let (tx, rx) = unbounded(BANDS);
    must_be_linearizable("channel", Channel(tx, rx), BANDS, Mix::Any);
}

#[test]
fn a_bounded_channel_with_waiters_is_linearizable() {
    let (tx, rx) = bounded(BANDS, 1_000);
    must_be_linearizable(
        "channel with waiters",
        Waiting(Channel(tx, rx)),
        BANDS,
        Mix::Any,
    );
}
