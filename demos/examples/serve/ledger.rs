//! What the program counts itself, by what each call told it: nothing here is from bandq's counts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bandq::Band;
use serde::Serialize;

/// Of a channel with so many bands.
pub(crate) const BANDS: usize = 3;

/// Times of up to 1 µs, and up to twice as much each.
const WAITS: usize = 40;

/// What happened to jobs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Sent,
    Received,
    Evicted,
    Expired,
    /// Came back, for want of room.
    Full,
    /// Came back, for the channel was closed.
    Closed,
}

const EVENTS: usize = Event::Closed as usize + 1;

#[derive(Debug)]
pub(crate) struct Ledger {
    capacity: usize,
    counts: [[AtomicU64; EVENTS]; BANDS],
    waits: [[AtomicU64; WAITS]; BANDS],
    resting: AtomicBool,
}

/// What is in it, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Stats {
    /// Whether nothing changes any more.
    resting: bool,
    capacity: usize,
    bands: Vec<BandStats>,
}

#[derive(Debug, Serialize)]
struct BandStats {
    band: usize,
    len: u64,
    sent: u64,
    received: u64,
    evicted: u64,
    expired: u64,
    full: u64,
    closed: u64,
    /// 99 % of the jobs waited for at most so many seconds, and not all for at most half of it.
    p99_at_most: f64,
}

impl Ledger {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            counts: Default::default(),
            waits: [(); BANDS].map(|()| [(); WAITS].map(|()| AtomicU64::new(0))),
            resting: AtomicBool::new(false),
        }
    }

    pub(crate) fn add(&self, band: Band, event: Event) {
        self.counts[band.index()][event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A job was received that had waited so long.
    pub(crate) fn received(&self, band: Band, waited: Duration) {
        self.add(band, Event::Received);
        let micros = waited.as_nanos().div_ceil(1000) as u64;
        let power = micros.max(1).next_power_of_two().trailing_zeros() as usize;
        self.waits[band.index()][power.min(WAITS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    /// Nothing is counted after this.
    pub(crate) fn rest(&self) {
        // Release: with the Acquire in `stats`, who sees it sees all that was counted.
        self.resting.store(true, Ordering::Release);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            // Acquire: see `rest`.
            resting: self.resting.load(Ordering::Acquire),
            capacity: self.capacity,
            bands: (0..BANDS).map(|band| self.band_stats(band)).collect(),
        }
    }

    fn band_stats(&self, band: usize) -> BandStats {
        let count = |event: Event| self.counts[band][event as usize].load(Ordering::Relaxed);
        let (received, evicted) = (count(Event::Received), count(Event::Evicted));
        let expired = count(Event::Expired);
        let sent = count(Event::Sent); // last: each of the others is of one that was sent
        BandStats {
            band,
            len: sent.saturating_sub(received + evicted + expired),
            sent,
            received,
            evicted,
            expired,
            full: count(Event::Full),
            closed: count(Event::Closed),
            p99_at_most: self.p99(band),
        }
    }

    fn p99(&self, band: usize) -> f64 {
        let waits: Vec<u64> = self.waits[band]
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let all: u64 = waits.iter().sum();
        let mut seen = 0;
        let power = waits.iter().position(|count| {
            seen += count;
            seen as f64 >= 0.99 * all as f64
        });
        f64::powi(2.0, power.unwrap_or(0) as i32) / 1e6
    }
}
