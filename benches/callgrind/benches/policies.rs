//! What a receive costs under each policy, counted as in `instructions.rs`: alone, with all of 8
//! bands busy. In a file of its own, because a second user of a function changes what the compiler
//! inlines in the first.

// gungraun's macros make public modules without documentation.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use bandq::{Band, Builder, Policy, Receiver, Sender};
use bandq_callgrind::TIMES;
use gungraun::Callgrind;
use gungraun::prelude::*;

const BANDS: u64 = 8;

type Channel = (Sender<u64>, Receiver<u64>);

/// A channel with so many items that no band gets empty, whatever the order.
fn busy(builder: Builder<u64>) -> Channel {
    let (sender, receiver) = builder.build().unwrap();
    for item in 0..BANDS * (TIMES + 1) {
        // A whole number without a factor in common with the bands': a permutation of them.
        sender
            .try_send(Band::new((item * 5 % BANDS) as u8), item)
            .unwrap();
    }
    (sender, receiver)
}

fn policy(policy: Policy) -> Channel {
    busy(Builder::new(BANDS as usize).policy(policy))
}

/// Strict as well, but by the order that a policy can change, and not as a plain channel.
fn strict_again() -> Channel {
    let (sender, receiver) = policy(Policy::strict());
    receiver.set_policy(Policy::strict()).unwrap();
    (sender, receiver)
}

fn lives() -> Channel {
    let life = Duration::from_secs(3_600);
    let builder = Builder::new(BANDS as usize);
    busy((0..BANDS).fold(builder, |builder, band| {
        builder.ttl(Band::new(band as u8), life)
    }))
}

fn observed() -> Channel {
    busy(Builder::new(BANDS as usize).observe())
}

// Ageing by a step so short that the items come nearly in the order in which they were sent.
#[library_benchmark]
#[bench::strict_8_busy_bands(policy(Policy::strict()))]
#[bench::strict_again_8_busy_bands(strict_again())]
#[bench::weighted_8_busy_bands(policy(Policy::weighted(1..=8)))]
#[bench::ageing_8_busy_bands(policy(Policy::ageing(Duration::from_nanos(1))))]
#[bench::strict_with_ttl_8_busy_bands(lives())]
#[bench::strict_observed_8_busy_bands(observed())]
fn recv((sender, receiver): Channel) -> Channel {
    for _ in 0..TIMES {
        black_box(receiver.try_recv()).unwrap();
    }
    (sender, receiver)
}

fn empty(builder: Builder<u64>) -> Channel {
    builder.build().unwrap()
}

// A send and its receive, with nothing else there.
#[library_benchmark]
#[bench::weighted_8_bands(empty(Builder::new(8).policy(Policy::weighted(1..=8))))]
#[bench::ageing_8_bands(empty(Builder::new(8).policy(Policy::ageing(Duration::from_millis(1)))))]
#[bench::observed_8_bands(empty(Builder::new(8).observe()))]
fn try_send_try_recv((sender, receiver): Channel) -> Channel {
    for item in 0..TIMES {
        sender
            .try_send(Band::new((item % BANDS) as u8), item)
            .unwrap();
        black_box(receiver.try_recv()).unwrap();
    }
    (sender, receiver)
}

library_benchmark_group!(name = policies, benchmarks = [recv, try_send_try_recv]);
main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--collect-bus=yes"])),
    library_benchmark_groups = policies
);
