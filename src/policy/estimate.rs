//! How long an item would wait, from what is there and how fast it goes.
//!
//! What is there before it goes by at the measured pace, and what comes meanwhile and overtakes it
//! takes its part of the pace. With *L* items ahead, μ receives a second, and a part *s* of them
//! for items that overtake, the wait is *L* / (μ (1 − s)): a fluid model, which takes rates as they
//! are now for rates as they will be.

use super::Rule;
use std::time::Duration;

/// What a sender may expect: how many items are ahead, and how long one that is sent now would
/// wait. Made by [`Sender::estimate`](crate::Sender::estimate).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// How many of the items that are there would be received before it.
    pub ahead: usize,
    /// How long it would wait for a receive; `None` while the channel has not seen enough to tell.
    pub wait: Option<Duration>,
}

/// One band, as it is now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Queued {
    /// Items in it.
    pub(crate) len: usize,
    /// Its part of recent receives, in 0..=1.
    pub(crate) share: f64,
    /// Under weights: its stride; 0 for a band that goes strictly first.
    pub(crate) stride: u64,
    /// How long the item at its head has waited, in nanoseconds.
    pub(crate) oldest: u64,
}

/// The least part of the pace that a band is taken to have: below it, the answer is "very long".
const LEAST_PART: f64 = 1.0 / 64.0;

/// For an item of that band; `gap` is the time from receive to receive while something waits, in
/// nanoseconds.
pub(crate) fn estimate(rule: Rule, band: usize, bands: &[Queued], gap: Option<f64>) -> Estimate {
    let (ahead, time) = match rule {
        Rule::Strict => strict(band, bands),
        Rule::Weighted { strict: first } if band < first => strict(band, bands),
        Rule::Weighted { strict: first } => weighted(band, first, bands),
        Rule::Ageing { step } => ageing(band, step, bands, gap),
    };
    Estimate {
        ahead: ahead as usize,
        wait: gap.map(|gap| Duration::from_nanos((time * gap) as u64)),
    }
}

/// Whether an item with that life would most likely be too late. The waits of what is ahead vary,
/// and their sum by the square root of their number: two such deviations are added.
pub(crate) fn is_late(estimate: Estimate, life: u64) -> bool {
    let Some(wait) = estimate.wait else {
        return false;
    };
    if estimate.ahead == 0 {
        return false;
    }
    let wait = wait.as_nanos() as f64;
    wait + 2.0 * wait / (estimate.ahead as f64).sqrt() > life as f64
}

/// Items ahead, and the time in gaps.
fn strict(band: usize, bands: &[Queued]) -> (f64, f64) {
    let ahead: f64 = bands[..=band].iter().map(|b| b.len as f64).sum();
    let overtaking: f64 = bands[..band].iter().map(|b| b.share).sum();
    (ahead, ahead / (1.0 - overtaking).max(LEAST_PART))
}

fn weighted(band: usize, first: usize, bands: &[Queued]) -> (f64, f64) {
    let weight = |b: &Queued| 1.0 / b.stride.max(1) as f64;
    let own = weight(&bands[band]);
    let len = bands[band].len as f64;
    // Of each other band as many as have their turns meanwhile.
    let turns = |b: &Queued| (b.len as f64).min((len * weight(b) / own).ceil());
    let before: f64 = bands[..first].iter().map(|b| b.len as f64).sum();
    let ahead = before + bands[first..].iter().map(turns).sum::<f64>();
    // Its part is at least the one that its weight gives it.
    let strict: f64 = bands[..first].iter().map(|b| b.share).sum();
    let busy = |b: &&Queued| b.len > 0;
    let all: f64 = bands[first..].iter().filter(busy).map(weight).sum();
    let by_weight = (1.0 - strict) * own / all.max(own);
    let part = bands[band].share.max(by_weight).max(LEAST_PART);
    (ahead, ahead.max(before + len / part))
}

fn ageing(band: usize, step: u64, bands: &[Queued], gap: Option<f64>) -> (f64, f64) {
    let steps = |n: usize| step as f64 * n as f64;
    let due_before = |(other, b): (usize, &Queued)| {
        let len = b.len as f64;
        if other <= band {
            return len;
        }
        // Those that are old enough, as if they had come evenly.
        let young = steps(other - band) / (b.oldest as f64).max(1.0);
        len * (1.0 - young).max(0.0)
    };
    let ahead: f64 = bands.iter().enumerate().map(due_before).sum();
    // What overtakes comes within so many steps, or until it is received.
    let overtaking: f64 = bands[..band].iter().map(|b| b.share).sum();
    let most = |(other, b): (usize, &Queued)| b.share * steps(band - other);
    let at_most: f64 = bands[..band].iter().enumerate().map(most).sum();
    let for_ever = ahead / (1.0 - overtaking).max(LEAST_PART);
    (
        ahead,
        for_ever.min(ahead + at_most / gap.unwrap_or(1.0).max(1.0)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f64 = 1_000.0;

    fn bands<const N: usize>(lens: [usize; N], shares: [f64; N], strides: [u64; N]) -> [Queued; N] {
        std::array::from_fn(|n| Queued {
            len: lens[n],
            share: shares[n],
            stride: strides[n],
            oldest: 0,
        })
    }

    fn gaps(rule: Rule, band: usize, bands: &[Queued]) -> (usize, u128) {
        let estimate = estimate(rule, band, bands, Some(GAP));
        (
            estimate.ahead,
            estimate.wait.unwrap().as_nanos() / GAP as u128,
        )
    }

    #[test]
    fn strictly_what_is_as_urgent_is_ahead_and_what_is_more_urgent_overtakes() {
        let bands = bands([4, 6, 100], [0.5, 0.25, 0.25], [0; 3]);
        assert_eq!(gaps(Rule::Strict, 0, &bands), (4, 4));
        assert_eq!(gaps(Rule::Strict, 1, &bands), (10, 20));
        assert_eq!(gaps(Rule::Strict, 2, &bands), (110, 440));
    }

    #[test]
    fn under_weights_the_others_have_their_turns() {
        let bands = bands([10, 100], [0.25, 0.75], [3, 1]);
        let rule = Rule::Weighted { strict: 0 };
        assert_eq!(gaps(rule, 0, &bands), (40, 40));
        assert_eq!(gaps(rule, 1, &bands).0, 110);
    }

    #[test]
    fn whatever_overtakes_leaves_a_least_part() {
        let bands = bands([0, 2], [1.0, 0.0], [0; 2]);
        assert_eq!(gaps(Rule::Strict, 1, &bands), (2, 128));
    }

    #[test]
    fn beside_strict_bands_the_others_share_what_those_leave_by_weight_if_they_are_busy() {
        let shares = [0.5, 0.0625, 0.25, 0.0625, 0.125];
        let mut bands = bands([3, 8, 100, 1, 0], shares, [0, 8, 4, 8, 4]);
        let rule = Rule::Weighted { strict: 1 };
        assert_eq!(gaps(rule, 0, &bands), (3, 3));
        // Of the others 16 and 1 have their turns; a quarter of one half is an eighth.
        assert_eq!(gaps(rule, 1, &bands), (3 + 8 + 16 + 1, 3 + 8 * 8));
        bands[1].share = 0.25; // as it was of late
        assert_eq!(gaps(rule, 1, &bands), (28, 3 + 8 * 4));
    }

    #[test]
    fn under_ageing_what_is_old_enough_is_ahead_and_what_comes_within_the_steps_overtakes() {
        let step = 10 * GAP as u64;
        let mut bands = bands([4, 5, 8, 8], [0.5, 0.25, 0.0, 0.0], [0; 4]);
        bands[2].oldest = 4 * step;
        bands[3].oldest = step;
        let rule = Rule::Ageing { step };
        // Three quarters of band 2 are older than a step, and nothing of band 3 than two.
        assert_eq!(gaps(rule, 1, &bands), (4 + 5 + 6, 15 + 5));
        // Two steps of one half, and one of a quarter, of 10 gaps each.
        assert_eq!(gaps(rule, 2, &bands), (4 + 5 + 8, 17 + 12));
    }

    #[test]
    fn late_is_what_would_be_over_two_deviations_before_its_turn() {
        let bands = bands([4], [1.0], [0]);
        let estimate = estimate(Rule::Strict, 0, &bands, Some(GAP));
        assert!(is_late(estimate, 7_999) && !is_late(estimate, 8_000));
    }

    #[test]
    fn under_ageing_no_more_overtake_than_come_within_the_steps() {
        let bands = bands([0, 10], [0.9, 0.1], [0; 2]);
        let strict = gaps(Rule::Ageing { step: u64::MAX }, 1, &bands);
        assert_eq!(strict, (10, 100));
        let step = 10 * GAP as u64;
        assert_eq!(gaps(Rule::Ageing { step }, 1, &bands), (10, 19));
    }

    #[test]
    fn nothing_is_late_that_has_nothing_ahead_or_no_estimate() {
        let bands = bands([0, 5], [1.0, 0.0], [0; 2]);
        assert!(!is_late(estimate(Rule::Strict, 0, &bands, Some(1e18)), 1));
        assert!(!is_late(estimate(Rule::Strict, 1, &bands, None), 1));
        assert!(is_late(estimate(Rule::Strict, 1, &bands, Some(GAP)), 5_000));
    }
}
