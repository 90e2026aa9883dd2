//! What the integration tests share. Each test file uses a part of it.
#![allow(dead_code, unused_imports)]

pub(crate) mod child;
pub(crate) mod hand;
pub(crate) mod ledger;
pub(crate) mod waker;
pub(crate) mod watchdog;

pub(crate) use hand::{Task, counting_waker};
pub(crate) use ledger::{Ledger, Token};
pub(crate) use watchdog::{Case, Watchdog, all_end, ends};

use bandq::Band;

/// Short for `Band::new`.
pub(crate) const fn b(index: u8) -> Band {
    Band::new(index)
}

/// A number from the environment, or `default`.
pub(crate) fn env_number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .replace('_', "")
            .parse()
            .unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    }
}

/// A small seeded generator, so that a failing run can be run again.
#[derive(Clone)]
pub(crate) struct XorShift(u64);

impl XorShift {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = XorShift(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            rng.next();
        }
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}
