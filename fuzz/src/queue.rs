//! Target `queue`: calls on a `BandQueue` against a `VecDeque` per band.
//!
//! One thread, so every answer is known exactly: which item comes next, how many there are, and
//! that a band that is not there gives the item back. Items come in three sizes, so that a segment
//! holds many, a few, or one.

use std::iter;

use arbitrary::Arbitrary;
use bandq::{Band, BandQueue};

use crate::bands::{Bands, band_from, bands_from};
use crate::item::{Item, Ledger};
use crate::program::Program;

/// One step.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Op {
    /// `push`.
    Push {
        /// The band.
        band: u8,
    },
    /// `push_many`.
    PushMany {
        /// The band.
        band: u8,
        /// How many; see [`batch`].
        count: u8,
        /// Whether the iterator tells its length.
        sized: bool,
    },
    /// `pop`.
    Pop,
    /// `pop`, some times over.
    Pops {
        /// How many.
        count: u8,
    },
    /// `pop_many`.
    PopMany {
        /// The limit; see [`batch`].
        limit: u8,
        /// How many entries the vector holds already.
        held: u8,
    },
    /// `band_len`, of any band.
    BandLen {
        /// The band.
        band: u8,
    },
    /// Drops the queue with what is in it, and begins with a new one.
    Renew,
}

/// A batch's length: mostly short, now and then longer than a segment or two of its items.
pub fn batch<const PAD: usize>(byte: u8) -> usize {
    match byte {
        224.. if PAD == 0 => 80 + (byte as usize - 224) * 4,
        _ => byte as usize % 8,
    }
}

/// Runs a program.
pub fn run(program: &Program<Op>) {
    let bands = bands_from(program.setup[0]);
    match program.setup[1] % 3 {
        0 => Checked::<0>::new(bands).run(&program.steps),
        1 => Checked::<600>::new(bands).run(&program.steps),
        _ => Checked::<2000>::new(bands).run(&program.steps),
    }
}

/// A queue beside its model.
struct Checked<const PAD: usize> {
    queue: BandQueue<Item<PAD>>,
    model: Bands,
    ledger: Ledger,
}

impl<const PAD: usize> Checked<PAD> {
    fn new(bands: usize) -> Self {
        let ledger = Ledger::open();
        Self {
            queue: BandQueue::new(bands),
            model: Bands::new(bands),
            ledger,
        }
    }

    fn run(mut self, steps: &[Op]) {
        for &op in steps {
            self.step(op);
            self.check();
        }
        // Half of the queues are dropped full, half are emptied first.
        if steps.len().is_multiple_of(2) {
            while !self.model.is_empty() {
                self.pop();
            }
            self.pop();
            self.check();
        }
        let Self { queue, ledger, .. } = self;
        drop(queue);
        assert_eq!(ledger.living(), 0, "items left after the queue's drop");
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Push { band } => self.push(self.band(band)),
            Op::PushMany { band, count, sized } => {
                self.push_many(self.band(band), batch::<PAD>(count), sized);
            }
            Op::Pop => self.pop(),
            Op::Pops { count } => (0..batch::<PAD>(count)).for_each(|_| self.pop()),
            Op::PopMany { limit, held } => self.pop_many(batch::<PAD>(limit), held as usize % 4),
            Op::BandLen { band } => {
                let band = self.band(band);
                assert_eq!(self.queue.band_len(band), self.model.band_len(band));
            }
            Op::Renew => {
                let bands = self.model.count();
                self.queue = BandQueue::new(bands);
                self.model.clear();
            }
        }
    }

    fn band(&self, byte: u8) -> Band {
        band_from(byte, self.model.count())
    }

    fn check(&self) {
        assert_eq!(self.queue.bands(), self.model.count());
        assert_eq!(self.queue.len(), self.model.len(), "len");
        assert_eq!(self.queue.is_empty(), self.model.is_empty(), "is_empty");
        assert_eq!(self.ledger.living(), self.model.len(), "living items");
    }

    fn push(&mut self, band: Band) {
        if !self.ledger.has_room(1) {
            return;
        }
        let item = Item::new();
        let id = item.id();
        match self.queue.push(band, item) {
            Ok(()) => {
                assert!(self.model.has(band), "pushed into no band");
                self.model.push(band, id);
            }
            Err(refused) => {
                assert!(!self.model.has(band), "refused a band that is there");
                assert_eq!(refused.into_inner().id(), id);
            }
        }
    }

    fn push_many(&mut self, band: Band, count: usize, sized: bool) {
        if !self.ledger.has_room(count) {
            return;
        }
        let first = self.ledger.made();
        let items = iter::repeat_with(Item::new).take(count);
        let pushed = if sized {
            self.queue.push_many(band, items)
        } else {
            let mut items = items;
            self.queue.push_many(band, iter::from_fn(|| items.next()))
        };
        match pushed {
            Ok(pushed) => {
                assert!(self.model.has(band), "pushed into no band");
                assert_eq!(pushed, count, "the count of a batch");
                for id in first..self.ledger.made() {
                    self.model.push(band, id);
                }
            }
            Err(_) => assert!(!self.model.has(band), "refused a band that is there"),
        }
    }

    fn pop(&mut self) {
        let popped = self.queue.pop();
        let seen = popped
            .as_ref()
            .map(|(band, item)| (band.index(), item.id()));
        assert_eq!(seen, self.model.pop(), "pop");
    }

    fn pop_many(&mut self, limit: usize, held: usize) {
        let mut out = Vec::new();
        for _ in 0..held {
            let Some((band, id)) = self.model.pop() else {
                break;
            };
            let (got_band, item) = self.queue.pop().expect("pop");
            assert_eq!((got_band.index(), item.id()), (band, id));
            out.push((got_band, item));
        }
        let before = out.len();
        let popped = self.queue.pop_many(&mut out, limit);
        assert_eq!(out.len(), before + popped, "the count of a batch");
        assert_eq!(popped, limit.min(self.model.len()), "a batch's length");
        for (band, item) in out.drain(before..) {
            let seen = Some((band.index(), item.id()));
            assert_eq!(seen, self.model.pop(), "order in a batch");
        }
    }
}
