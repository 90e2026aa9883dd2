//! Shares under weights.

use crate::support::Watchdog;
use bandq::{Band, Builder, Policy, Receiver, Sender};
use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering::AcqRel},
    },
    thread,
};

const RECEIVES: usize = 10_000;

fn channel(policy: Policy, bands: usize) -> (Sender<u64>, Receiver<u64>) {
    Builder::new(bands).policy(policy).build().unwrap()
}

/// Receives so often from a channel in which the bands of `busy` always hold something, and returns
/// the bands in order.
fn served(sender: &Sender<u64>, receiver: &Receiver<u64>, busy: &[usize], n: usize) -> Vec<usize> {
    for &band in busy {
        for item in 0..2 {
            sender.try_send(Band::new(band as u8), item).unwrap();
        }
    }
    let bands = (0..n)
        .map(|_| {
            let (band, item) = receiver.try_recv().unwrap();
            sender.try_send(band, item).unwrap();
            band.index()
        })
        .collect();
    assert_eq!(receiver.drain().count(), 2 * busy.len());
    bands
}

fn count(served: &[usize], band: usize) -> usize {
    served.iter().filter(|&&b| b == band).count()
}

/// Asserts that each band of `busy` got its share, within 5 % or one receive.
fn assert_shares(served: &[usize], busy: &[usize], weights: &[u32]) {
    let sum: u64 = busy.iter().map(|&b| u64::from(weights[b])).sum();
    for &band in busy {
        let share = served.len() as f64 * f64::from(weights[band]) / sum as f64;
        let got = count(served, band) as f64;
        let off = (got - share).abs();
        assert!(
            off <= 0.05 * share || off < 1.0,
            "band {band} of {busy:?} with {weights:?}: {got} receives, and its share is {share}"
        );
    }
}

#[test]
fn each_set_of_busy_bands_gets_its_shares() {
    for weights in [
        [4, 1, 1, 1],
        [1, 2, 3, 4],
        [1000, 1, 10, 100],
        [1; 4],
        [u32::MAX, 1, 7, 9],
    ] {
        for set in 1..16_usize {
            let busy: Vec<_> = (0..4).filter(|band| set & (1 << band) != 0).collect();
            let (sender, receiver) = channel(Policy::weighted(weights), 4);
            let served = served(&sender, &receiver, &busy, RECEIVES);
            assert_shares(&served, &busy, &weights);
        }
    }
}

#[test]
fn shares_hold_from_set_to_set_on_one_channel() {
    let weights = [4, 3, 2, 1];
    let (sender, receiver) = channel(Policy::weighted(weights), 4);
    for set in (1..16_usize).chain((1..16).rev()) {
        let busy: Vec<_> = (0..4).filter(|band| set & (1 << band) != 0).collect();
        let served = served(&sender, &receiver, &busy, RECEIVES);
        assert_shares(&served, &busy, &weights);
    }
}

#[test]
fn shares_of_eight_bands_with_weights_from_1_to_1000() {
    let weights = [1, 3, 10, 32, 100, 316, 700, 1000];
    let busy: Vec<_> = (0..8).collect();
    let (sender, receiver) = channel(Policy::weighted(weights), 8);
    let served = served(&sender, &receiver, &busy, RECEIVES);
    assert_shares(&served, &busy, &weights);
}

#[test]
fn an_empty_bands_turns_are_divided_in_proportion() {
    // The neighbour of the empty band gets no more than its part: 4 : 1, not 12 : 1.
    let weights = [4, 1, 8];
    let (sender, receiver) = channel(Policy::weighted(weights), 3);
    let served = served(&sender, &receiver, &[0, 1], RECEIVES);
    assert_eq!((count(&served, 0), count(&served, 1)), (8_000, 2_000));
}

/// Weights whose turns are to be interleaved.
const INTERLEAVED: [&[u32]; 4] = [
    &[3, 1],
    &[5, 1, 1],
    &[1, 2, 3, 4],
    &[1, 3, 10, 32, 100, 316, 700, 1000],
];

/// After so many receives at the most each busy band has its next turn.
fn longest_gap(weights: &[u32], band: usize, receivers: usize) -> usize {
    let sum: u32 = weights.iter().sum();
    sum.div_ceil(weights[band]) as usize + weights.len() + receivers
}

/// Asserts that this band never had to wait longer for its turn, with one receiver.
fn assert_interleaved(served: &[usize], weights: &[u32], band: usize) {
    let turns: Vec<_> = (0..served.len()).filter(|&n| served[n] == band).collect();
    let gaps = turns.windows(2).map(|pair| pair[1] - pair[0]);
    let gap = gaps.max().unwrap();
    assert!(
        gap <= longest_gap(weights, band, 1),
        "{weights:?}: band {band} had to wait for {gap} receives"
    );
}

#[test]
fn turns_are_interleaved() {
    for weights in INTERLEAVED {
        let sum: u32 = weights.iter().sum();
        let busy: Vec<_> = (0..weights.len()).collect();
        let (sender, receiver) = channel(Policy::weighted(weights.iter().copied()), weights.len());
        let served = served(&sender, &receiver, &busy, 4 * sum as usize);
        for &band in &busy {
            assert_interleaved(&served, weights, band);
        }
    }
}

/// A receive, and the tickets that were drawn before and after it.
struct Turn {
    begun: u64,
    ended: u64,
    band: usize,
}

/// The most receives that lay wholly between two turns of that band, before its first, or after its
/// last. `all` in order of beginning.
fn most_between(all: &[Turn], band: usize) -> usize {
    let (mut last_end, mut most) = (0, 0);
    let mut note = |begun, ended: u64| {
        let first = all.partition_point(|turn| turn.begun < last_end);
        let between = all[first..].iter().take_while(|turn| turn.begun < begun);
        most = most.max(between.filter(|turn| turn.ended < begun).count());
        last_end = last_end.max(ended);
    };
    let turns = all.iter().filter(|turn| turn.band == band);
    turns.for_each(|turn| note(turn.begun, turn.ended));
    note(u64::MAX, u64::MAX);
    most
}

#[test]
fn turns_are_interleaved_with_several_receivers() {
    let _watchdog = Watchdog::new("turns of several receivers");
    let cases = INTERLEAVED.iter().flat_map(|w| [(w, 2), (w, 3), (w, 4)]);
    for (weights, receivers) in cases {
        let (sender, receiver) = channel(Policy::weighted(weights.iter().copied()), weights.len());
        for band in 0..weights.len() {
            // More than the receivers can have taken and not yet sent back: it is always busy.
            sender.try_send_many(Band::new(band as u8), 0..10).unwrap();
        }
        let next = AtomicU64::new(0);
        // AcqRel: a receive that ended before another one's first ticket happened before it.
        let ticket = || next.fetch_add(1, AcqRel);
        let all_receive = Barrier::new(receivers);
        let turn = |_| {
            let begun = ticket();
            let (band, item) = receiver.try_recv().unwrap();
            let ended = ticket();
            sender.try_send(band, item).unwrap();
            Turn {
                begun,
                ended,
                band: band.index(),
            }
        };
        let receive = || {
            all_receive.wait();
            (0..RECEIVES).map(turn).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = thread::scope(|scope| {
            let receivers: Vec<_> = (0..receivers).map(|_| scope.spawn(receive)).collect();
            let all = receivers.into_iter().flat_map(|r| r.join().unwrap());
            all.collect()
        });
        all.sort_unstable_by_key(|turn| turn.begun);
        for band in 0..weights.len() {
            let between = most_between(&all, band);
            assert!(
                between <= longest_gap(weights, band, receivers),
                "{weights:?}, {receivers} receivers: {between} between two turns of band {band}"
            );
        }
    }
}

#[test]
fn a_band_that_was_idle_has_saved_nothing() {
    let (sender, receiver) = channel(Policy::weighted([1, 1]), 2);
    served(&sender, &receiver, &[0], 100_000);
    let served = served(&sender, &receiver, &[0, 1], 100);
    let longest = served.chunk_by(|a, b| a == b).map(<[_]>::len).max();
    assert_eq!(longest, Some(1), "a burst: {served:?}");
}

#[test]
fn cost_is_divided_by_weight_and_receives_by_cost() {
    let (sender, receiver) = channel(Policy::weighted([1, 1]), 2);
    for band in [0, 1] {
        for item in 0..2 {
            sender.try_send(Band::new(band), item).unwrap();
        }
    }
    let (mut receives, mut costs) = ([0_u64; 2], [0_u64; 2]);
    for _ in 0..RECEIVES {
        let (band, item) = receiver.try_recv().unwrap();
        sender.try_send(band, item).unwrap();
        let cost = [1, 100][band.index()];
        receiver.charge(band, cost - 1);
        receives[band.index()] += 1;
        costs[band.index()] += cost;
    }
    assert!(
        (99..=101).contains(&(receives[0] / receives[1])),
        "{receives:?}"
    );
    let off = costs[0].abs_diff(costs[1]);
    assert!(off <= 100, "off by more than one item: {costs:?}");
}

#[test]
fn a_charge_without_end_holds_a_band_back_and_no_other() {
    let (sender, receiver) = channel(Policy::weighted([1, 1, 1]), 3);
    for _ in 0..3 {
        receiver.charge(Band::new(0), u64::MAX);
    }
    let both = served(&sender, &receiver, &[0, 1, 2], 1_000);
    assert!(count(&both, 0) <= 1);
    assert_eq!(count(&both, 1).abs_diff(count(&both, 2)), 0);
    // It still comes, when nobody else wants anything.
    assert_eq!(count(&served(&sender, &receiver, &[0], 10), 0), 10);
}

#[test]
fn a_band_that_was_idle_has_its_turns_however_far_the_others_were_charged() {
    for charges in 1..=8 {
        let (sender, receiver) = channel(Policy::weighted([1, 1]), 2);
        for _ in 0..charges {
            receiver.charge(Band::new(0), u64::MAX); // a quarter of all virtual time
            sender.try_send(Band::new(0), 0).unwrap();
            receiver.try_recv().unwrap();
        }
        let both = served(&sender, &receiver, &[0, 1], 10);
        assert_eq!((count(&both, 0), count(&both, 1)), (5, 5), "{both:?}");
    }
}

#[test]
fn charges_mean_nothing_where_there_are_no_weights() {
    let (sender, receiver) = bandq::unbounded(2);
    receiver.charge(Band::URGENT, 1_000);
    receiver.charge(Band::new(63), 1_000); // no such band
    sender.try_send(Band::new(1), 1).unwrap();
    sender.try_send(Band::URGENT, 0).unwrap();
    assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 0)));
}

#[test]
fn strict_bands_never_wait_for_a_weighted_one() {
    let weights = [3, 1];
    let (sender, receiver) = channel(Policy::strict_then_weighted(2, weights), 4);
    for band in [3, 2, 1, 0, 2, 3, 0, 1] {
        sender.try_send(Band::new(band), 0).unwrap();
    }
    let strict: Vec<_> = receiver
        .try_iter()
        .take(4)
        .map(|(band, _)| band.index())
        .collect();
    assert_eq!(strict, [0, 0, 1, 1]);
    receiver.drain().for_each(drop);
    let rest = served(&sender, &receiver, &[2, 3], RECEIVES);
    assert!(count(&rest, 2).abs_diff(7_500) <= 1, "{}", count(&rest, 2));
}

#[test]
fn the_others_keep_their_shares_beside_a_strict_band() {
    let weights = [6, 3, 1];
    let (sender, receiver) = channel(Policy::strict_then_weighted(1, weights), 4);
    for band in 1..4 {
        sender.try_send_many(Band::new(band), 0..2).unwrap();
    }
    let mut rest = Vec::new();
    for n in 0..3 * RECEIVES {
        let is_strict = n % 3 == 0;
        if is_strict {
            sender.try_send(Band::URGENT, 0).unwrap();
        }
        let (band, item) = receiver.try_recv().unwrap();
        assert_eq!(band == Band::URGENT, is_strict);
        if !is_strict {
            sender.try_send(band, item).unwrap();
            rest.push(band.index() - 1);
        }
    }
    assert_shares(&rest, &[0, 1, 2], &weights);
    for band in 0..3 {
        assert_interleaved(&rest, &weights, band);
    }
}

#[test]
fn a_strict_band_goes_before_one_that_was_idle_too() {
    let (sender, receiver) = channel(Policy::strict_then_weighted(1, [1, 1]), 3);
    served(&sender, &receiver, &[1], 10); // band 2 stays behind
    served(&sender, &receiver, &[0], 10);
    sender.try_send(Band::new(2), 0).unwrap();
    sender.try_send(Band::URGENT, 0).unwrap();
    assert_eq!(receiver.try_recv().unwrap().0, Band::URGENT);
}

#[test]
fn shares_hold_with_several_receivers() {
    let _watchdog = Watchdog::new("shares with several receivers");
    let weights = [4, 2, 1, 1];
    let (sender, receiver) = channel(Policy::weighted(weights), 4);
    for band in 0..4 {
        for item in 0..100 {
            sender.try_send(Band::new(band), item).unwrap();
        }
    }
    let mut counts = [0_usize; 4];
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut counts = [0_usize; 4];
                    for _ in 0..RECEIVES {
                        let (band, item) = receiver.try_recv().unwrap();
                        sender.try_send(band, item).unwrap();
                        counts[band.index()] += 1;
                    }
                    counts
                })
            })
            .collect();
        for worker in workers {
            let part = worker.join().unwrap();
            counts.iter_mut().zip(part).for_each(|(sum, n)| *sum += n);
        }
    });
    for (band, weight) in weights.iter().enumerate() {
        let share = 4 * RECEIVES * *weight as usize / 8;
        assert!(counts[band].abs_diff(share) * 20 <= share, "{counts:?}");
    }
}

#[test]
fn batches_are_served_in_turns_too() {
    let (sender, receiver) = channel(Policy::weighted([3, 1]), 2);
    for band in [0, 1] {
        sender.try_send_many(Band::new(band), 0..100).unwrap();
    }
    let mut out = Vec::new();
    assert_eq!(receiver.try_recv_many(&mut out, 40), Ok(40));
    let bands: Vec<_> = out.iter().map(|(band, _)| band.index()).collect();
    assert_eq!((count(&bands, 0), count(&bands, 1)), (30, 10));
    assert!(bands.chunk_by(|a, b| a == b).all(|run| run.len() <= 3));
    assert_eq!(receiver.try_recv_many(&mut out, 1_000), Ok(160), "the rest");
    assert!(receiver.try_recv_many(&mut out, 1_000).is_err());
}

#[test]
fn what_has_expired_is_nobodys_turn() {
    let (sender, receiver) = channel(Policy::weighted([1, 1]), 2);
    let expired = sender.with_ttl(std::time::Duration::ZERO);
    let mut served = Vec::new();
    for _ in 0..1_000 {
        expired.try_send(Band::new(0), 0).unwrap();
        for band in [0, 1] {
            sender.try_send(Band::new(band), 1).unwrap();
        }
        served.push(receiver.try_recv().unwrap().0.index());
    }
    assert_eq!((count(&served, 0), count(&served, 1)), (500, 500));
}
