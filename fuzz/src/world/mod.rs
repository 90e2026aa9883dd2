//! A channel beside its model, and a hand-driven executor for its futures.
//!
//! Each method makes one call and checks the answer, then what the counts say, which items live,
//! and who was woken. Futures are polled only when the program says so, each with a waker of its
//! own, and may be kept, polled though nobody woke them, dropped or forgotten at any time.

mod counts;
mod executor;
mod finish;
mod handles;
mod job;
mod receive;
mod reserve;
mod send;
mod verdict;

use std::mem;
use std::time::Instant;

use bandq::{Band, BandSender, Sender, WeakReceiver, WeakSender};

use crate::bands::{Bands, band_from};
use crate::flag::Flag;
use crate::item::{Item, Ledger};
use crate::waits::{Done, Now, Waits};
use job::{Aside, Held, Lent, Tap, Task};
use verdict::Verdict;

pub use reserve::Kind;

const MOST_HANDLES: usize = 4;
const MOST_TASKS: usize = 8;
const MOST_PERMITS: usize = 8;

/// A channel, the handles, futures and permits that there are, and what should hold of it.
pub struct World<const PAD: usize> {
    tasks: Vec<Task<PAD>>,
    permits: Vec<Held<PAD>>,
    senders: Vec<Sender<Item<PAD>>>,
    band_senders: Vec<BandSender<Item<PAD>>>,
    taps: Vec<Tap<PAD>>,
    weak_senders: Vec<WeakSender<Item<PAD>>>,
    weak_receivers: Vec<WeakReceiver<Item<PAD>>>,

    bands: Bands,
    capacity: Option<usize>,
    /// Units of room that permits hold, those forgotten too.
    reserved: usize,
    closed: bool,
    sender_count: usize,
    receiver_count: usize,
    waits: Waits,
    done: Done,
    /// Whether the next future that is ready is polled once more.
    again: bool,
    /// Items that went with something forgotten.
    forgotten: usize,
    aside: Aside<PAD>,
    past: Instant,
    // After everything that holds items.
    ledger: Ledger,
}

impl<const PAD: usize> World<PAD> {
    /// A new channel; no capacity means unbounded.
    pub fn new(bands: usize, capacity: Option<usize>) -> Self {
        let ledger = Ledger::open();
        let (sender, receiver) = match capacity {
            Some(capacity) => bandq::bounded(bands, capacity),
            None => bandq::unbounded(bands),
        };
        let mut waits = Waits::default();
        let tap = Tap {
            receiver,
            ticket: waits.ticket(),
            flag: Flag::new(),
            is_ended: false,
        };
        Self {
            tasks: Vec::with_capacity(MOST_TASKS),
            permits: Vec::new(),
            senders: vec![sender],
            band_senders: Vec::new(),
            taps: vec![tap],
            weak_senders: Vec::new(),
            weak_receivers: Vec::new(),
            bands: Bands::new(bands),
            capacity,
            reserved: 0,
            closed: false,
            sender_count: 1,
            receiver_count: 1,
            waits,
            done: Done::default(),
            again: false,
            forgotten: 0,
            aside: Aside::default(),
            past: Instant::now(),
            ledger,
        }
    }

    fn band(&self, byte: u8) -> Band {
        band_from(byte, self.bands.count())
    }

    fn room(&self) -> usize {
        match self.capacity {
            Some(capacity) => capacity - self.bands.len() - self.reserved,
            None => usize::MAX,
        }
    }

    /// What a send to `band` must say now, the item aside.
    fn send_verdict(&self, band: Band) -> Verdict {
        self.reserve_verdict(band, 1)
    }

    /// What a reservation of so many units must say now.
    fn reserve_verdict(&self, band: Band, units: usize) -> Verdict {
        if !self.bands.has(band) {
            Verdict::NoSuchBand
        } else if self.closed {
            Verdict::Closed
        } else if self.capacity.is_some_and(|capacity| units > capacity) {
            Verdict::TooHeavy
        } else if self.room() < units {
            Verdict::Full
        } else {
            Verdict::Ok
        }
    }

    fn accept(&mut self, band: Band, id: u32) {
        self.bands.push(band, id);
        self.done.items += 1;
    }

    /// Checks that `got` is what a receive must get now; `None` is nothing.
    fn take(&mut self, got: Option<&(Band, Item<PAD>)>) {
        let expected = self.bands.pop();
        let got = got.map(|(band, item)| (band.index(), item.id()));
        assert_eq!(got, expected, "received");
        self.done.room += usize::from(expected.is_some());
    }

    fn lose_sender(&mut self) {
        self.sender_count -= 1;
        self.closed |= self.sender_count == 0;
    }

    fn lose_receiver(&mut self) {
        self.receiver_count -= 1;
        if self.receiver_count == 0 {
            self.closed = true;
            self.bands.clear();
        }
    }

    fn give_back(&mut self, lent: Lent<PAD>) {
        match lent {
            Lent::Sender { .. } => self.lose_sender(),
            Lent::Receiver { .. } => self.lose_receiver(),
        }
        drop(lent);
        self.settle();
    }

    /// After one call: who was woken, what the counts say, which items live.
    fn settle(&mut self) {
        let now = Now {
            items: self.bands.len(),
            room: self.room(),
            closed: self.closed,
        };
        self.waits.check(mem::take(&mut self.done), now);

        let inside: usize = self.tasks.iter().map(|task| task.job.items()).sum();
        assert_eq!(
            self.ledger.living(),
            self.bands.len() + inside + self.forgotten,
            "living items"
        );
        self.check_counts();
    }

    /// `band_len`, from both sides.
    pub fn band_len(&mut self, band: u8) {
        let band = self.band(band);
        let expected = self.bands.band_len(band);
        if let Some(sender) = self.senders.first() {
            assert_eq!(sender.band_len(band), expected);
        }
        if let Some(Tap { receiver, .. }) = self.taps.first() {
            assert_eq!(receiver.band_len(band), expected);
        }
        if let Some(sender) = self.band_senders.first() {
            assert_eq!(sender.band_len(band), expected);
        }
    }
}

/// Picks one of `len` things by a byte; `None` where there is none.
fn pick(byte: u8, len: usize) -> Option<usize> {
    (len > 0).then(|| byte as usize % len)
}
