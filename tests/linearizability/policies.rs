//! Each band is a FIFO queue under every policy, while it changes, and for receivers of some bands.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bandq::{Builder, Policy, Receiver, unbounded};

use crate::fifo::{BANDS, must_be_linearizable};
use crate::history::Mix;
use crate::queue::{Channel, Queue};
use crate::support::b;

fn channel(policy: Policy) -> Channel {
    let (tx, rx) = Builder::new(BANDS).policy(policy).build().unwrap();
    Channel(tx, rx)
}

fn ageing() -> Policy {
    Policy::ageing(Duration::from_nanos(100))
}

/// Whose receives change the policy now and then.
struct Changing(Channel, AtomicUsize);

impl Queue for Changing {
    fn push(&self, band: u8, item: u32) {
        self.0.push(band, item);
    }

    fn pop(&self) -> Option<(u8, u32)> {
        let policy = match self.1.fetch_add(1, Ordering::Relaxed) % 16 {
            0 => Some(Policy::strict()),
            4 => Some(Policy::weighted([1, 2])),
            8 => Some(ageing()),
            12 => Some(Policy::strict_then_weighted(1, [5])),
            _ => None,
        };
        if let Some(policy) = policy {
            self.0.1.set_policy(policy).unwrap();
        }
        self.0.pop()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whose receives look into the less urgent band before all.
struct Within(Channel, Receiver<u32>);

impl Queue for Within {
    fn push(&self, band: u8, item: u32) {
        self.0.push(band, item);
    }

    fn pop(&self) -> Option<(u8, u32)> {
        match self.1.try_recv() {
            Ok((band, item)) => Some((band.into(), item)),
            Err(_) => self.0.pop(),
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[test]
fn a_channel_under_weights_is_linearizable() {
    let channel = channel(Policy::weighted([3, 1]));
    must_be_linearizable("weighted", channel, BANDS, Mix::Any);
}

#[test]
fn a_channel_whose_first_band_is_strict_is_linearizable() {
    let channel = channel(Policy::strict_then_weighted(1, [3]));
    must_be_linearizable("strict, then weighted", channel, BANDS, Mix::Any);
}

#[test]
fn a_channel_under_ageing_is_linearizable() {
    must_be_linearizable("ageing", channel(ageing()), BANDS, Mix::Any);
}

#[test]
fn a_channel_whose_lives_end_is_linearizable() {
    let life = Duration::from_secs(3_600); // far beyond the test
    let builder = Builder::new(BANDS).ttl(b(0), life).ttl(b(1), life);
    let (tx, rx) = builder.build().unwrap();
    must_be_linearizable("ttl", Channel(tx, rx), BANDS, Mix::Any);
}

#[test]
fn a_channel_whose_policy_changes_is_linearizable() {
    let (tx, rx) = unbounded(BANDS);
    let changing = Changing(Channel(tx, rx), AtomicUsize::new(0));
    must_be_linearizable("changing", changing, BANDS, Mix::Any);
}

#[test]
fn receivers_of_some_bands_are_linearizable() {
    for policy in [Policy::strict(), Policy::weighted([1, 1]), ageing()] {
        let channel = channel(policy);
        let urgent = channel.1.within(b(1)..=b(1));
        must_be_linearizable("within", Within(channel, urgent), BANDS, Mix::Any);
    }
}
