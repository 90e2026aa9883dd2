//! Spans and events for the `tracing` crate (feature `tracing`): of channels that are observed.

use crate::band::Band;
use tracing::Span;

/// The span of a send: from there until the item is received, or gone. A child of the current one.
/// `None` if nobody listens.
pub(super) fn send(band: Band) -> Option<Box<Span>> {
    let span = tracing::debug_span!(target: "bandq", "bandq.send", band = band.index());
    (!span.is_disabled()).then(|| Box::new(span))
}

/// The span of the work on an item: a root of its own, which follows from the send, since the
/// sender does not wait for it.
pub(super) fn run(band: Band, sent: Option<Box<Span>>) -> Span {
    let span =
        tracing::debug_span!(target: "bandq", parent: None, "bandq.run", band = band.index());
    if let Some(sent) = sent {
        span.follows_from(&*sent);
    }
    span
}

/// An item was evicted, after so many nanoseconds.
pub(super) fn evicted(band: Band, waited: u64) {
    tracing::warn!(target: "bandq", band = band.index(), waited_ns = waited, "evicted");
}

/// The channel is closed, with so many items in it.
pub(super) fn closed(len: usize) {
    tracing::debug!(target: "bandq", len, "closed");
}
