//! What is counted and timed of a channel that is observed.
//!
//! All of it is relaxed atomics, by band: an item costs its sender one addition, and its receiver
//! one to a histogram ([`latency`]). Nothing of it is in the path of a channel that is not
//! observed: this is part of its entries, which a plain channel has none of. Who works on what, and
//! for how long something more urgent waits meanwhile, is [`work`]'s.

mod last;
mod latency;
mod snapshot;
#[cfg(feature = "tracing")]
mod trace;
mod work;

pub use self::{
    latency::Latencies,
    snapshot::{BandSnapshot, Snapshot, suggest_capacity},
    work::{Running, Working},
};
pub(crate) use self::{latency::Recorder, work::Work};

use crate::{
    band::Band,
    clock::Clock,
    entry::About,
    error::TrySendError,
    layout::Spaced,
    queue::Fronts,
    sync::atomic::{AtomicU64, Ordering},
};
use std::sync::Arc;

/// What is counted of one band.
struct Counts {
    /// Sends that found room at once; written by senders, beside nothing that receivers write.
    sent_at_once: Spaced<AtomicU64>,
    /// Those that have waited for room.
    sent_later: AtomicU64,
    /// From send to receive.
    get: Recorder,
    /// Of those that waited for room.
    put: Recorder,
    /// From send to eviction or expiry.
    gone: Recorder,
    evicted: AtomicU64,
    expired: AtomicU64,
    /// With the last receiver.
    dropped: AtomicU64,
    refused_full: AtomicU64,
    refused_late: AtomicU64,
    /// The channel was closed, or it could never have had so much room.
    refused_otherwise: AtomicU64,
}

impl Counts {
    fn new() -> Self {
        Self {
            sent_at_once: Spaced::new(AtomicU64::new(0)),
            sent_later: AtomicU64::new(0),
            get: Recorder::new(),
            put: Recorder::new(),
            gone: Recorder::new(),
            evicted: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            refused_full: AtomicU64::new(0),
            refused_late: AtomicU64::new(0),
            refused_otherwise: AtomicU64::new(0),
        }
    }
}

/// What was counted of one band, at one time or nearly.
pub(crate) struct Counted {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) evicted: u64,
    pub(crate) expired: u64,
    pub(crate) dropped: u64,
    pub(crate) refused_full: u64,
    pub(crate) refused_late: u64,
    pub(crate) refused_otherwise: u64,
    pub(crate) get: Latencies,
    pub(crate) put: Latencies,
    pub(crate) gone: Latencies,
}

/// What is observed of a channel.
pub(crate) struct Record {
    bands: Box<[Counts]>,
    work: Arc<Work>,
}

impl Record {
    pub(crate) fn new(bands: usize, clock: Clock, fronts: Fronts) -> Self {
        Self {
            bands: (0..bands).map(|_| Counts::new()).collect(),
            work: Arc::new(Work::new(bands, clock, fronts)),
        }
    }

    // Relaxed, all of it: counters order nothing.

    /// An item was sent, after a wait for room or at once.
    #[inline]
    pub(crate) fn sent(&self, band: Band, has_waited: bool) {
        let counts = &self.bands[band.index()];
        let sent = if has_waited {
            &counts.sent_later
        } else {
            &*counts.sent_at_once
        };
        sent.fetch_add(1, Ordering::Relaxed);
    }

    /// The span of a send.
    #[cfg(feature = "tracing")]
    pub(crate) fn span(&self, band: Band) -> Option<Box<tracing::Span>> {
        trace::send(band)
    }

    /// The channel was closed, with so many items in it.
    #[cfg(feature = "tracing")]
    pub(crate) fn closed(&self, len: usize) {
        trace::closed(len);
    }

    /// One was received, at `now`.
    #[inline]
    pub(crate) fn received(&self, band: Band, about: &mut About, now: u64) {
        self.bands[band.index()]
            .get
            .record(now.saturating_sub(about.sent));
        last::note(self.work.channel(), band, &mut about.origin);
    }

    /// Of what this thread received last it is not known any more what it works on.
    pub(crate) fn forget_last(&self) {
        last::forget();
    }

    /// One was evicted.
    #[cold]
    pub(crate) fn evicted(&self, band: Band, about: &About, now: u64) {
        let counts = &self.bands[band.index()];
        counts.evicted.fetch_add(1, Ordering::Relaxed);
        let waited = now.saturating_sub(about.sent);
        counts.gone.record(waited);
        #[cfg(feature = "tracing")]
        trace::evicted(band, waited);
    }

    /// One expired, and was found at `now`.
    #[cold]
    pub(crate) fn expired(&self, band: Band, about: &About, now: u64) {
        let counts = &self.bands[band.index()];
        counts.expired.fetch_add(1, Ordering::Relaxed);
        counts.gone.record(now.saturating_sub(about.sent));
    }

    /// One was dropped with the last receiver.
    #[cold]
    pub(crate) fn dropped(&self, band: Band) {
        self.bands[band.index()]
            .dropped
            .fetch_add(1, Ordering::Relaxed);
    }

    /// One came back to its sender.
    #[cold]
    pub(crate) fn refused(&self, band: Band, why: &TrySendError<()>) {
        if let Some(counts) = self.bands.get(band.index()) {
            let counter = match why {
                TrySendError::Full(()) => &counts.refused_full,
                TrySendError::Late(()) => &counts.refused_late,
                _ => &counts.refused_otherwise,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A sender got the room that it had waited for since then.
    #[cold]
    pub(crate) fn put(&self, band: Band, waited: u64) {
        self.bands[band.index()].put.record(waited);
    }

    pub(crate) fn work(&self) -> &Arc<Work> {
        &self.work
    }

    /// Each number is right for a moment within the call, and no item is received, evicted or
    /// expired in it that is not sent in it.
    pub(crate) fn counted(&self, band: usize) -> Counted {
        let counts = &self.bands[band];
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (evicted, expired) = (load(&counts.evicted), load(&counts.expired));
        let dropped = load(&counts.dropped);
        let get = counts.get.load();
        let received = get.count();
        // A send counts itself once its item can be received.
        let at_once = load(&counts.sent_at_once);
        let sent = (at_once + load(&counts.sent_later)).max(received + evicted + expired + dropped);
        Counted {
            sent,
            received,
            evicted,
            expired,
            dropped,
            refused_full: load(&counts.refused_full),
            refused_late: load(&counts.refused_late),
            refused_otherwise: load(&counts.refused_otherwise),
            get,
            put: counts.put.load().with_zeros(at_once),
            gone: counts.gone.load(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entry::Origin, queue::StampedQueue};

    const BAND: Band = Band::new(1);

    fn record() -> Record {
        let queue = StampedQueue::<()>::new(2);
        Record::new(2, Clock::new(), queue.fronts().clone())
    }

    fn about() -> About {
        About {
            sent: 0,
            expires: 0,
            units: 1,
            origin: Origin::here(),
        }
    }

    /// A send counts itself once its item can be received.
    #[test]
    fn what_went_before_its_send_was_counted_counts_as_sent() {
        let record = record();
        (0..2).for_each(|_| record.received(BAND, &mut about(), 1));
        (0..3).for_each(|_| record.evicted(BAND, &about(), 1));
        (0..5).for_each(|_| record.expired(BAND, &about(), 1));
        (0..7).for_each(|_| record.dropped(BAND));
        assert_eq!(record.counted(1).sent, 2 + 3 + 5 + 7);
        for _ in 0..9 {
            record.sent(BAND, false);
            record.sent(BAND, true);
        }
        let counted = record.counted(1);
        assert_eq!(counted.sent, 18);
        assert_eq!((counted.received, counted.put.count()), (2, 9));
    }
}
