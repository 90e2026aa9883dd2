//! One round: its shape, what it keeps count of, and the account at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bandq::{Band, Receiver, Sender, bounded, unbounded};

use crate::item::{ACCEPTED, CREATED, Item, MAYBE, RECEIVED, ROUND, SENDERS, TABLES, cell};
use crate::support::{Watchdog, XorShift, b, env_number};

#[derive(Default)]
pub(crate) struct Figures {
    rounds: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    pub(crate) cancelled_sends: AtomicU64,
    pub(crate) cancelled_receives: AtomicU64,
    closes: AtomicU64,
}

impl Figures {
    fn print(&self, name: &str) {
        let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
        println!(
            "{name}: {} rounds, {} items sent, {} received, futures cancelled: {} sends, {} \
             receives; {} channels closed early",
            get(&self.rounds),
            get(&self.sent),
            get(&self.received),
            get(&self.cancelled_sends),
            get(&self.cancelled_receives),
            get(&self.closes),
        );
    }
}

pub(crate) fn count(n: &AtomicU64) {
    n.fetch_add(1, Ordering::Relaxed);
}

/// How a round ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// The senders are through.
    Through,
    /// A sender closes.
    SenderCloses,
    /// A receiver closes.
    ReceiverCloses,
    /// The receivers go.
    ReceiversGo,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) table: usize,
    seed: u64,
    pub(crate) senders: usize,
    pub(crate) receivers: usize,
    bands: usize,
    capacity: Option<usize>,
    pub(crate) each: usize,
    /// One operation in this many is cut off.
    pub(crate) cut: u64,
    pub(crate) end: End,
    /// Of the one who ends the round: after how many operations.
    pub(crate) end_after: usize,
}

impl Shape {
    pub(crate) fn new(table: usize, seed: u64) -> Self {
        let mut rng = XorShift::new(seed);
        let senders = rng.below(SENDERS as u64) as usize + 1;
        let each = (ROUND / SENDERS).min(200 + rng.below(2_000) as usize);
        Shape {
            table,
            seed,
            senders,
            receivers: rng.below(8) as usize + 1,
            bands: [1, 2, 3, 8, Band::MAX_BANDS][rng.below(5) as usize],
            capacity: [None, Some(1), Some(2), Some(7), Some(64), None][rng.below(6) as usize],
            each,
            cut: [2, 4, 16, 1_000_000][rng.below(4) as usize],
            end: [
                End::Through,
                End::Through,
                End::SenderCloses,
                End::ReceiverCloses,
                End::ReceiversGo,
            ][rng.below(5) as usize],
            end_after: rng.below(each as u64) as usize,
        }
    }

    pub(crate) fn channel(&self) -> (Sender<Item>, Receiver<Item>) {
        for cell in &TABLES[self.table] {
            cell.store(0, Ordering::Relaxed);
        }
        match self.capacity {
            None => unbounded(self.bands),
            Some(capacity) => bounded(self.bands, capacity),
        }
    }

    pub(crate) fn rng(&self, role: u64, i: usize) -> XorShift {
        XorShift::new(self.seed * 64 + role * 16 + i as u64)
    }

    pub(crate) fn band(&self, rng: &mut XorShift) -> Band {
        b(rng.below(self.bands as u64) as u8)
    }

    /// After the round: every item is accounted for.
    fn check(&self, figures: &Figures) {
        let (mut sent, mut received) = (0, 0);
        for sender in 0..self.senders {
            for n in 0..self.each {
                let state = cell(self.table, sender, n).load(Ordering::SeqCst);
                if state == 0 {
                    continue; // never made
                }
                let flag = |flag| state & flag != 0;
                let at = (self, sender, n, format!("{state:#x}"));
                assert!(flag(CREATED), "{at:?}");
                assert_eq!(state & 3, 1, "dropped once: {at:?}");
                if flag(ACCEPTED) && self.end != End::ReceiversGo {
                    assert!(flag(RECEIVED), "lost: {at:?}");
                }
                if flag(RECEIVED) {
                    assert!(flag(ACCEPTED) || flag(MAYBE), "never sent: {at:?}");
                }
                sent += u64::from(flag(ACCEPTED));
                received += u64::from(flag(RECEIVED));
            }
        }
        count(&figures.rounds);
        figures.sent.fetch_add(sent, Ordering::Relaxed);
        figures.received.fetch_add(received, Ordering::Relaxed);
        if self.end != End::Through {
            count(&figures.closes);
        }
    }
}

/// What one receiver has seen.
pub(crate) struct Seen {
    last: Vec<u32>,
    bands: usize,
    pub(crate) taken: usize,
}

impl Seen {
    pub(crate) fn new(shape: &Shape) -> Self {
        Seen {
            last: vec![0; shape.senders * shape.bands],
            bands: shape.bands,
            taken: 0,
        }
    }

    pub(crate) fn take(&mut self, (band, item): (Band, Item)) {
        let before = item.cell().fetch_or(RECEIVED, Ordering::Relaxed);
        assert_eq!(before & RECEIVED, 0, "received twice");
        let last = &mut self.last[item.sender() * self.bands + band.index()];
        assert!(*last < item.number() + 1, "out of order");
        *last = item.number() + 1;
        self.taken += 1;
    }
}

/// Rounds until the items are through. `round` runs one.
pub(crate) fn rounds(table: usize, name: &'static str, round: impl Fn(Shape, Arc<Figures>)) {
    let items = env_number("BANDQ_STRESS", 60_000);
    let mut seed = env_number("BANDQ_STRESS_SEED", 1);
    let figures = Arc::new(Figures::default());
    while figures.sent.load(Ordering::Relaxed) < items {
        let _watchdog = Watchdog::new(name);
        let shape = Shape::new(table, seed);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            round(shape, figures.clone());
            shape.check(&figures);
        }));
        if let Err(panic) = ended {
            eprintln!("{name}: failed in {shape:?}");
            std::panic::resume_unwind(panic);
        }
        seed += 1;
    }
    figures.print(name);
}
