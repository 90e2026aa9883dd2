//! A deque a band behind one lock, by stride scheduling: the band with the least pass is next, and
//! its pass moves on by its stride.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::{IDLE, first, strides};
use crate::peers::MutexDeques;
use crate::queue::{Peer, Queue};

#[derive(Debug)]
struct Band {
    items: VecDeque<u64>,
    /// Of a strict band its number, which is below every pass of another.
    pass: u64,
    stride: u64,
}

#[derive(Debug)]
struct Deques<const STRICT: usize> {
    /// The passes of the bands that are not idle, next to each other.
    turns: Box<[u64]>,
    bands: Box<[Band]>,
    /// The pass last chosen: a band that was idle begins there, and has saved nothing up.
    floor: u64,
}

impl<const STRICT: usize> Deques<STRICT> {
    fn new(bands: usize) -> Self {
        let band = |(band, stride)| Band {
            items: VecDeque::new(),
            pass: if band < STRICT {
                band as u64
            } else {
                stride / 2
            },
            stride,
        };
        Deques {
            turns: vec![IDLE; bands].into(),
            bands: strides(bands, STRICT).enumerate().map(band).collect(),
            floor: 0,
        }
    }

    #[inline]
    fn push(&mut self, band: usize, item: u64) {
        let Band { items, pass, .. } = &mut self.bands[band];
        if items.is_empty() {
            let floor = if band < STRICT { 0 } else { self.floor };
            self.turns[band] = floor.max(*pass);
        }
        items.push_back(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<u64> {
        let band = first(&self.turns)?;
        let turn = self.turns[band];
        if band >= STRICT {
            self.floor = turn;
        }
        let Band {
            items,
            pass,
            stride,
        } = &mut self.bands[band];
        *pass = turn + *stride;
        let item = items.pop_front();
        self.turns[band] = if items.is_empty() { IDLE } else { *pass };
        item
    }
}

/// A deque a band behind one lock: the first `STRICT` bands strictly, the others by their weights.
#[derive(Debug)]
pub struct WeightedDeques<const STRICT: usize>(Mutex<Deques<STRICT>>);

impl<const STRICT: usize> Queue for WeightedDeques<STRICT> {
    const PEER: Peer = MutexDeques::PEER;
    type Scratch = ();

    fn new(bands: usize) -> Self {
        WeightedDeques(Mutex::new(Deques::new(bands)))
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        self.0.lock().push(band.into(), item);
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.0.lock().pop()
    }
}
