//! The order in which bands are served: changes of it, and who is charged.

use bandq::{__internals, __internals::Order, Band, Builder, Policy, Receiver, unbounded};
use loom_tests::{Bound, Seen, model};
use std::sync::Arc;

const LOW: Band = Band::new(1);

/// The less urgent band first, as good as.
fn low_first() -> Policy {
    Policy::weighted([1, 1000])
}

fn drain(receiver: &Receiver<u64>) -> impl Iterator<Item = u64> {
    std::iter::from_fn(|| receiver.try_recv().ok().map(|(_, item)| item))
}

/// A change of the policy beside a receive: that one may be served by either, and the next one
/// obeys. Nothing is lost or doubled.
#[test]
fn change_recv() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("policy/change_recv", 2, bound, |cast| {
        let (sender, receiver) = unbounded(2);
        for item in [10, 11] {
            sender.try_send(Band::URGENT, item).unwrap();
            sender.try_send(LOW, item + 10).unwrap();
        }
        let other = receiver.clone();
        let ((next, receiver), (band, one)) = cast.two(
            move || {
                receiver.set_policy(low_first()).unwrap();
                let (band, item) = receiver.try_recv().unwrap();
                assert_eq!(band, LOW, "by the policy that was");
                (item, receiver)
            },
            move || other.try_recv().unwrap(),
        );
        SEEN.mark(match band {
            LOW => "by the new one",
            _ => "by the old one",
        });
        let mut all: Vec<_> = drain(&receiver).chain([next, one]).collect();
        all.sort_unstable();
        assert_eq!(all, [10, 11, 20, 21]);
    });
    SEEN.expect(["by the new one", "by the old one"]);
}

/// The same back to the strict order, from one that charges.
#[test]
fn change_to_strict_recv() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("policy/change_to_strict_recv", 2, bound, |cast| {
        let builder = Builder::new(2).policy(low_first());
        let (sender, receiver) = builder.build().unwrap();
        for item in [10, 11] {
            sender.try_send(Band::URGENT, item).unwrap();
            sender.try_send(LOW, item + 10).unwrap();
        }
        let other = receiver.clone();
        let ((next, receiver), (_, one)) = cast.two(
            move || {
                receiver.set_policy(Policy::strict()).unwrap();
                let (band, item) = receiver.try_recv().unwrap();
                assert_eq!(band, Band::URGENT, "by the policy that was");
                (item, receiver)
            },
            move || other.try_recv().unwrap(),
        );
        let mut all: Vec<_> = drain(&receiver).chain([next, one]).collect();
        all.sort_unstable();
        assert_eq!(all, [10, 11, 20, 21]);
    });
}

/// Two changes at once: when both have returned, one of them is in force, as a whole.
#[test]
fn change_change() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("policy/change_change", 2, bound, |cast| {
        let order = Arc::new(Order::new(2));
        let change = |weights: [u32; 2]| {
            let order = Arc::clone(&order);
            move || order.set(Policy::weighted(weights))
        };
        cast.two(change([1, 2]), change([3, 1]));
        assert!(order.is_whole(), "a mixture");
        SEEN.mark(if order.policy() == Policy::weighted([1, 2]) {
            "the first"
        } else {
            assert_eq!(order.policy(), Policy::weighted([3, 1]));
            "the second"
        });
    });
    SEEN.expect(["the first", "the second"]);
}

/// The same with a change of the rule, which has no weights.
#[test]
fn change_of_the_rule() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("policy/change_of_the_rule", 2, bound, |cast| {
        let order = Arc::new(Order::new(2));
        let change = |policy: Policy| {
            let order = Arc::clone(&order);
            move || order.set(policy)
        };
        cast.two(
            change(Policy::strict_then_weighted(1, [5])),
            change(Policy::strict()),
        );
        assert!(order.is_whole(), "a mixture");
    });
}

/// Two receives at once under equal weights: each gets something, nothing is lost, and each band
/// has been charged for what was taken from it, even where both chose before either charged: then
/// one of them chooses again, so the bands have their turns.
#[test]
fn two_recv_under_weights() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("policy/two_recv_under_weights", 2, bound, |cast| {
        let builder = Builder::new(2).policy(Policy::weighted([1, 1]));
        let (sender, receiver) = builder.build().unwrap();
        for item in [10, 11] {
            sender.try_send(Band::URGENT, item).unwrap();
            sender.try_send(LOW, item + 10).unwrap();
        }
        let other = receiver.clone();
        let ((a, one, receiver), (b, two)) = cast.two(
            move || {
                let (band, item) = receiver.try_recv().unwrap();
                (band, item, receiver)
            },
            move || other.try_recv().unwrap(),
        );
        assert_ne!(a, b, "one band twice, and the other one's turn");
        let charges = __internals::charges(&receiver);
        let of = |band| u64::from(a == band) + u64::from(b == band);
        let unit = charges.iter().sum::<u64>() / 2;
        assert_eq!(charges, [Band::URGENT, LOW].map(|band| of(band) * unit));
        let mut all: Vec<_> = drain(&receiver).chain([one, two]).collect();
        all.sort_unstable();
        assert_eq!(all, [10, 11, 20, 21]);
    });
}

/// Two receives of the only item: one finds nothing, and the band gets that one's charge back.
#[test]
fn charge_is_given_back() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("policy/charge_is_given_back", 2, bound, |cast| {
        let builder = Builder::new(1).policy(Policy::weighted([1]));
        let (sender, receiver) = builder.build().unwrap();
        sender.try_send(Band::URGENT, 0).unwrap();
        receiver.try_recv().unwrap();
        let unit = __internals::charges(&receiver)[0];
        sender.try_send(Band::URGENT, 1).unwrap();
        let other = receiver.clone();
        let ((one, receiver), two) = cast.two(
            move || (receiver.try_recv().is_ok(), receiver),
            move || other.try_recv().is_ok(),
        );
        assert!(one != two, "one item, taken once");
        assert_eq!(__internals::charges(&receiver), [2 * unit]);
        drop(sender);
    });
}
