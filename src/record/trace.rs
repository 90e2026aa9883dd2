//! Spans and events for the `tracing` crate (feature `tracing`): of channels that are observed.
//!
//! A subscriber is foreign code. It runs outside of every lock and claim, and if it panics, the
//! panic ends here, so that no item is lost by it.

use crate::{band::Band, quiet::quietly};
use tracing::Span;

/// The span of a send: from there until its thread receives, or works on, another item after this
/// one, or it is gone. A child of the current one. `None` if nobody listens.
pub(super) fn send(band: Band) -> Option<Box<Span>> {
    let mut sent = None;
    quietly(|| {
        let span = tracing::debug_span!(target: "bandq", "bandq.send", band = band.index());
        sent = (!span.is_disabled()).then(|| Box::new(span));
    });
    sent
}

/// The span of the work on an item: a root of its own, which follows from the send, since the
/// sender does not wait for it.
pub(super) fn run(band: Band, sent: Option<Box<Span>>) -> Span {
    let mut run = Span::none();
    quietly(|| {
        let band = band.index();
        run = tracing::debug_span!(target: "bandq", parent: None, "bandq.run", band);
        if let Some(sent) = sent {
            run.follows_from(&*sent);
        }
    });
    run
}

/// An item was evicted, after so many nanoseconds.
pub(super) fn evicted(band: Band, waited: u64) {
    let band = band.index();
    quietly(|| tracing::debug!(target: "bandq", band, waited_ns = waited, "evicted"));
}

/// The channel is closed, with so many items in it.
pub(super) fn closed(len: usize) {
    quietly(|| tracing::debug!(target: "bandq", len, "closed"));
}
