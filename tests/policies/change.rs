//! The policy changes while things wait.

use crate::support::Watchdog;
use bandq::{Band, BuildError, Builder, Policy};
use std::time::Duration;

fn policies() -> [Policy; 4] {
    [
        Policy::strict(),
        Policy::weighted([1, 2, 3]),
        Policy::strict_then_weighted(1, [5, 1]),
        Policy::ageing(Duration::from_nanos(1)),
    ]
}

#[test]
fn every_change_keeps_the_backlog_and_its_order() {
    for first in policies() {
        for second in policies() {
            let (sender, receiver) = Builder::new(3).policy(first.clone()).build().unwrap();
            for item in 0..300 {
                sender.try_send(Band::new((item % 3) as u8), item).unwrap();
            }
            let mut last = [None; 3];
            let mut received = 0;
            let mut check = |(band, item): (Band, i32)| {
                assert!(
                    last[band.index()] < Some(item),
                    "{first:?}, {second:?}: out of order"
                );
                last[band.index()] = Some(item);
                received += 1;
            };
            receiver.try_iter().take(100).for_each(&mut check);
            receiver.set_policy(second.clone()).unwrap();
            assert_eq!(receiver.policy(), second);
            for item in 300..600 {
                sender.try_send(Band::new((item % 3) as u8), item).unwrap();
            }
            assert_eq!(receiver.len(), 500);
            receiver.try_iter().for_each(&mut check);
            assert_eq!(received, 600);
            assert!(receiver.is_empty());
        }
    }
}

#[test]
fn the_backlog_obeys_at_once() {
    let (sender, receiver) = bandq::unbounded(2);
    for band in [0, 1] {
        sender.try_send_many(Band::new(band), 0..100).unwrap();
    }
    receiver.set_policy(Policy::weighted([1, 1])).unwrap();
    let low = receiver
        .try_iter()
        .take(20)
        .filter(|(band, _)| band.index() == 1)
        .count();
    assert_eq!(low, 10);
    receiver.set_policy(Policy::strict()).unwrap();
    assert!(
        receiver
            .try_iter()
            .take(90)
            .all(|(band, _)| band == Band::URGENT)
    );
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let (sender, receiver) = Builder::new(3)
        .policy(Policy::weighted([1, 1, 8]))
        .build()
        .unwrap();
    let wrong = [
        (
            Policy::weighted([1, 2]),
            BuildError::Weights {
                strict: 0,
                weights: 2,
                bands: 3,
            },
        ),
        (
            Policy::weighted([1; 4]),
            BuildError::Weights {
                strict: 0,
                weights: 4,
                bands: 3,
            },
        ),
        (
            Policy::weighted([]),
            BuildError::Weights {
                strict: 0,
                weights: 0,
                bands: 3,
            },
        ),
        (
            Policy::strict_then_weighted(usize::MAX, [1]),
            BuildError::Weights {
                strict: usize::MAX,
                weights: 1,
                bands: 3,
            },
        ),
        (
            Policy::weighted([1, 0, 1]),
            BuildError::ZeroWeight(Band::new(1)),
        ),
        (
            Policy::strict_then_weighted(2, [0]),
            BuildError::ZeroWeight(Band::new(2)),
        ),
        (Policy::ageing(Duration::ZERO), BuildError::ZeroStep),
    ];
    for (policy, error) in wrong {
        assert_eq!(receiver.set_policy(policy.clone()), Err(error));
        assert_eq!(receiver.policy(), Policy::weighted([1, 1, 8]));
        let built = Builder::<u32>::new(3).policy(policy).build();
        assert_eq!(built.map(|_| ()).unwrap_err(), error);
    }
    for band in 0..3 {
        sender.try_send_many(Band::new(band), 0..100).unwrap();
    }
    let low = receiver
        .try_iter()
        .take(50)
        .filter(|(band, _)| band.index() == 2)
        .count();
    assert_eq!(low, 40, "the weights are those of before");
}

#[test]
fn nothing_is_lost_while_policies_change_under_load() {
    const ITEMS: u64 = 20_000;
    let _watchdog = Watchdog::new("policies change under load");
    let (sender, receiver) = bandq::unbounded::<(u64, u64)>(3);
    let received: u64 = std::thread::scope(|scope| {
        for producer in 0..2 {
            let sender = sender.clone();
            scope.spawn(move || {
                for n in 0..ITEMS {
                    sender
                        .try_send(Band::new((n % 3) as u8), (producer, n))
                        .unwrap();
                }
            });
        }
        drop(sender);
        let changer = receiver.clone();
        let consumers: Vec<_> = (0..2)
            .map(|_| {
                let receiver = receiver.clone();
                scope.spawn(move || {
                    let mut last = [[None; 3]; 2];
                    let mut count = 0;
                    for (band, (producer, n)) in &receiver {
                        let last = &mut last[producer as usize][band.index()];
                        assert!(*last < Some(n), "out of order");
                        *last = Some(n);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for _ in 0..50 {
            for policy in policies() {
                changer.set_policy(policy).unwrap();
                std::thread::yield_now();
            }
        }
        consumers.into_iter().map(|c| c.join().unwrap()).sum()
    });
    assert_eq!(received, 2 * ITEMS);
}

#[test]
fn nothing_urgent_waits_once_what_came_before_the_change_is_taken() {
    let (sender, receiver) = bandq::unbounded(2);
    sender.try_send(Band::URGENT, ()).unwrap();
    let step = Duration::from_millis(1);
    receiver.set_policy(Policy::ageing(step)).unwrap();
    assert!(receiver.urgent_waiting(Band::new(1)));
    receiver.try_recv().unwrap();
    assert!(!receiver.urgent_waiting(Band::new(1)));
}

#[test]
fn something_urgent_waits_where_a_band_holds_what_came_before_the_change_and_after() {
    let (sender, receiver) = bandq::unbounded(2);
    sender.try_send(Band::URGENT, ()).unwrap();
    let step = Duration::from_millis(1);
    receiver.set_policy(Policy::ageing(step)).unwrap();
    sender.try_send(Band::URGENT, ()).unwrap();
    for _ in 0..2 {
        assert!(receiver.urgent_waiting(Band::new(1)));
        receiver.try_recv().unwrap();
    }
    assert!(!receiver.urgent_waiting(Band::new(1)));
}

#[test]
fn something_urgent_waits_under_every_policy_if_its_band_is_one_of_the_receivers() {
    for policy in policies() {
        // From which band on it takes; `None`: it was never narrowed.
        for first in [None, Some(0), Some(1), Some(2)] {
            let (sender, whole) = Builder::new(3).policy(policy.clone()).build().unwrap();
            let receiver = match first {
                None => whole.clone(),
                Some(first) => whole.within(Band::new(first)..=Band::new(2)),
            };
            for set in 0..8_u64 {
                let mut busy: Vec<_> = (0..3).filter(|band| set & (1 << band) != 0).collect();
                for band in &busy {
                    sender.try_send(Band::new(*band), ()).unwrap();
                }
                loop {
                    for band in [0, 1, 2, 63] {
                        let is_urgent = |b: &u8| (first.unwrap_or(0)..band).contains(b);
                        let urgent = busy.iter().any(is_urgent);
                        assert_eq!(
                            receiver.urgent_waiting(Band::new(band)),
                            urgent,
                            "{policy:?}, from {first:?}: than {band}, {busy:?} wait"
                        );
                    }
                    let Ok((taken, ())) = receiver.try_recv() else {
                        break;
                    };
                    busy.retain(|band| usize::from(*band) != taken.index());
                }
                whole.drain().for_each(drop);
            }
        }
    }
}
