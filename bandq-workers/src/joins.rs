//! Who waits until everything that was accepted before is settled.
//!
//! Items have numbers, band by band, in the order in which the pool receives them; a band is a
//! FIFO. So what is in the channel when a join begins will have the next numbers: up to `target`.
//! If others take items of the channel (another receiver, an eviction, expiry), the target may
//! never be reached; so it is also lowered to what was received when the band is seen empty. That
//! look is right only while no receive is under way, so that no item is between the channel and
//! its number.

use crate::{entry::Meta, wakes::WakerCell};
use std::sync::Weak;

struct Join {
    key: u64,
    /// By band: the last number that matters.
    targets: Vec<u64>,
    /// Bands whose target was not reached yet, a bit a band.
    open: u64,
    /// Items that matter and are not settled, of those that were received.
    left: u64,
    cell: Weak<WakerCell>,
}

/// All who wait, and what they wait for.
#[derive(Default)]
pub(crate) struct Joins {
    waiting: Vec<Join>,
    last_key: u64,
}

impl Joins {
    /// `targets` and `received` by band; `left` items were received and are not settled.
    pub(crate) fn begin(
        &mut self,
        targets: Vec<u64>,
        received: &[u64],
        left: u64,
        cell: Weak<WakerCell>,
    ) -> u64 {
        self.last_key += 1;
        let open = targets
            .iter()
            .zip(received)
            .enumerate()
            .filter(|(_, (target, received))| target > received)
            .fold(0, |open, (band, _)| open | 1 << band);
        self.waiting.push(Join {
            key: self.last_key,
            targets,
            open,
            left,
            cell,
        });
        self.last_key
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn is_waiting(&self, key: u64) -> bool {
        self.waiting.iter().any(|join| join.key == key)
    }

    pub(crate) fn end(&mut self, key: u64) {
        self.waiting.retain(|join| join.key != key);
    }

    /// An item was received.
    pub(crate) fn received(&mut self, meta: &Meta) {
        let band = meta.origin.index();
        for join in &mut self.waiting {
            if meta.number <= join.targets[band] && join.open & (1 << band) != 0 {
                join.left += 1;
                if meta.number == join.targets[band] {
                    join.open &= !(1 << band);
                }
            }
        }
    }

    /// It is settled.
    pub(crate) fn settled(&mut self, meta: &Meta) {
        for join in &mut self.waiting {
            if meta.number <= join.targets[meta.origin.index()] {
                join.left -= 1;
            }
        }
    }

    /// No receive is under way, and these bands are empty, a bit a band.
    pub(crate) fn seen_empty(&mut self, empty: u64, received: &[u64]) {
        for join in &mut self.waiting {
            let mut bands = join.open & empty;
            while bands != 0 {
                let band = bands.trailing_zeros() as usize;
                join.targets[band] = received[band];
                bands &= bands - 1;
            }
            join.open &= !empty;
        }
    }

    /// Those that are over, to be woken outside the lock; all of them, if the pool is.
    pub(crate) fn over(&mut self, all: bool) -> Vec<Weak<WakerCell>> {
        let mut over = Vec::new();
        self.waiting.retain(|join| {
            let is_over = all || (join.open == 0 && join.left == 0);
            if is_over {
                over.push(join.cell.clone());
            }
            !is_over
        });
        over
    }
}
