//! When a band's head was sent: once nothing runs, the word says so, whatever ran before.
//!
//! Sends say when, so the times are the models' own. A later one in the model's order has the
//! greater time; two that run at once may have them in either order.

use bandq::__internals::StampedBand;
use loom_tests::{Bound, model};
use std::sync::Arc;

/// A band in which nothing was ever sent, or one from which it is gone.
fn band() -> Arc<StampedBand<u64>> {
    Arc::default()
}

/// While the band is emptied: what its word says is no less than when the head was sent, and no
/// more than when the latest up to there was, or a tick later, if it was empty in between. Returns
/// how many were there. What was sent up to `latest` is gone.
#[track_caller]
fn check(band: &StampedBand<u64>, latest: u64) -> usize {
    check_overlapping(band, latest, (u64::MAX, 0))
}

/// The same where what was sent between two times was sent by sends that ran at once: each of them
/// may count as any other.
#[track_caller]
fn check_overlapping(band: &StampedBand<u64>, mut latest: u64, overlapping: (u64, u64)) -> usize {
    let mut count = 0;
    loop {
        let front = band.front();
        let Some((sent, _)) = band.pop() else {
            assert_eq!(front, None, "it is empty");
            return count;
        };
        let front = front.expect("something is there, and the word hides it");
        let least = sent.min(overlapping.0);
        let most = sent.max(latest + 1).max(overlapping.1);
        assert!(
            (least..=most).contains(&front),
            "the word says {front}, not {least} to {most}"
        );
        latest = latest.max(sent);
        count += 1;
    }
}

fn push(band: &Arc<StampedBand<u64>>, sent: u64) -> impl FnOnce() + Send + 'static {
    let band = Arc::clone(band);
    move || band.push(sent, sent)
}

fn pop(band: &Arc<StampedBand<u64>>) -> impl FnOnce() -> u64 + Send + 'static {
    let band = Arc::clone(band);
    move || band.pop().map_or(0, |(sent, _)| sent)
}

/// Beside a pop that takes the last item.
#[test]
fn push_pop_of_the_last() {
    let bound = Bound::Preemptions(4).or_in_full(Bound::Preemptions(5));
    model("fronts/push_pop_of_the_last", 2, bound, |cast| {
        let band = band();
        band.push(10, 10);
        let ((), popped) = cast.two(push(&band, 20), pop(&band));
        assert_eq!(popped, 10);
        assert_eq!(check(&band, 10), 1);
    });
}

/// The same where the later item has the earlier time, for its clock was read before.
#[test]
fn late_push_pop_of_the_last() {
    let bound = Bound::Preemptions(4).or_in_full(Bound::Preemptions(5));
    model("fronts/late_push_pop_of_the_last", 2, bound, |cast| {
        let band = band();
        band.push(20, 20);
        let ((), popped) = cast.two(push(&band, 10), pop(&band));
        assert_eq!(popped, 20);
        assert_eq!(check(&band, 20), 1);
    });
}

/// Beside a pop that finds nothing, or takes it.
#[test]
fn push_pop_of_nothing() {
    let bound = Bound::Preemptions(4).or_in_full(Bound::Preemptions(5));
    model("fronts/push_pop_of_nothing", 2, bound, |cast| {
        let band = band();
        let ((), popped) = cast.two(push(&band, 10), pop(&band));
        assert_eq!(check(&band, popped), usize::from(popped == 0));
    });
}

/// Two pushes beside a pop of the last item.
#[test]
fn two_pushes_and_a_pop() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("fronts/two_pushes_and_a_pop", 3, bound, |cast| {
        let band = band();
        band.push(10, 10);
        let ((), (), popped) = cast.three(push(&band, 20), push(&band, 30), pop(&band));
        assert_eq!(popped, 10);
        assert_eq!(check_overlapping(&band, 10, (20, 30)), 2);
    });
}

/// Two pops of two items beside a push: the one that is late with the word of an item that is gone
/// does not hide, or make older, what came after it.
#[test]
fn two_pops_and_a_push() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("fronts/two_pops_and_a_push", 3, bound, |cast| {
        let band = band();
        band.push(10, 10);
        band.push(20, 20);
        let (a, b, ()) = cast.three(pop(&band), pop(&band), push(&band, 30));
        assert_eq!(a + b, 30);
        assert_eq!(check(&band, 20), 1);
    });
}

/// A pop that is late with the word of an item, beside another one and a push into the empty band:
/// an item that is gone is not shown, so that the next one is not taken for older than it is.
#[test]
fn push_and_push_again_pop() {
    let bound = Bound::Preemptions(4).or_in_full(Bound::Preemptions(5));
    model("fronts/push_and_push_again_pop", 2, bound, |cast| {
        let band = band();
        let again = Arc::clone(&band);
        let ((), popped) = cast.two(
            move || {
                again.push(10, 10);
                again.push(20, 20);
            },
            pop(&band),
        );
        assert_eq!(check(&band, popped), 2 - usize::from(popped != 0));
        band.push(1000, 1000);
        assert_eq!(band.front(), Some(1000));
    });
}

/// Two pops of two items that were sent by sends that overlapped: the stamps are the other way
/// round than the places.
#[test]
fn two_pops_of_overlapping() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fronts/two_pops_of_overlapping", 2, bound, |cast| {
        let band = band();
        for sent in [10, 30, 20] {
            band.push(sent, sent);
        }
        let popped = Arc::clone(&band);
        cast.two(
            move || {
                popped.pop().unwrap();
                popped.pop().unwrap();
            },
            pop(&band),
        );
        assert_eq!(check(&band, 30), 0);
    });
}

/// Two pops of two items at once.
#[test]
fn two_pops() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("fronts/two_pops", 2, bound, |cast| {
        let band = band();
        for sent in [10, 20, 30] {
            band.push(sent, sent);
        }
        let (a, b) = cast.two(pop(&band), pop(&band));
        assert_eq!(a + b, 30);
        assert_eq!(check(&band, 20), 1);
    });
}
