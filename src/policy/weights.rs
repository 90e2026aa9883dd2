//! Shares by virtual time: stride scheduling (Waldspurger and Weihl, MIT/LCS/TM-528, 1995).
//!
//! Each band has a *pass*, its virtual time. The band with the least is next, and its pass moves on
//! by its *stride*, the inverse of its weight, for each unit of cost. The *floor* is the pass of
//! the band that was last chosen; it only grows. A band that was idle meanwhile has a pass below
//! it: it is next, and charged as if its pass were the floor, so it saves nothing up.
//!
//! # How far apart two turns are
//!
//! Between two turns of band *b* its pass is stride_b above the floor of the first. Every other
//! busy band j is chosen only while its pass is not above that: at most ⌊stride_b / stride_j⌋ + 1 =
//! ⌊w_j / w_b⌋ + 1 times. So the next turn comes within Σw / w_b + bands receives; each receive
//! that runs at the same time may have chosen before the last charge, and adds one.
//!
//! # Numbers
//!
//! A pass is one word, so that a choice is a comparison and a move for each band:
//!
//! ```text
//! virtual time, which wraps around: 58 │ band: 6 │   at the same time, the more urgent is less
//! ```
//!
//! Two are compared by the sign of their difference. That is right while all are within 2⁶³ of each
//! other: charges end 2⁶² above the floor ([`charged`]), and whoever moves the floor across a
//! multiple of [`AGE`] brings bands that stayed behind up to it. Strides and the floor are
//! multiples of 2⁶.

use super::runs;

/// Below the virtual time there is the band's number.
const BAND_BITS: u32 = 6;

/// The stride of the greatest weight, in virtual time. A stride is rounded to a whole number, so a
/// share is off by 1 in twice this at the most.
const UNIT: u64 = 1 << 10;

/// Strides have this many bits, so that one fits a word with a version.
pub(crate) const STRIDE_BITS: u32 = 48;

/// How far a pass may be ahead of the floor.
const MOST_AHEAD: u64 = 1 << 62;

/// When the floor moves across a multiple of this, what stayed behind is brought up.
pub(crate) const AGE: u64 = 1 << 60;

/// The number below the virtual time.
#[inline(always)]
fn band_of(pass: u64) -> u64 {
    pass & ((1 << BAND_BITS) - 1)
}

/// The stride of a weight, beside the greatest of its policy.
pub(crate) fn stride(greatest: u32, weight: u32) -> u64 {
    let (greatest, weight) = (u64::from(greatest), u64::from(weight.max(1)));
    // Rounded; below 2⁴², so that it fits, and never 0, because no weight is above the greatest.
    ((greatest * UNIT + weight / 2) / weight) << BAND_BITS
}

/// Where a band's pass begins: half a stride above the floor, so that it is ahead of its share as
/// often as behind. Over any number of receives it is off by fewer turns than half the number of
/// busy bands, the rounding of strides aside.
pub(crate) fn first_pass(floor: u64, stride: u64, band: usize) -> u64 {
    let half = stride / 2;
    floor.wrapping_add(half - band_of(half)) | band as u64
}

/// The least pass of the bands in `busy`, which is not empty. `passes` gives those of a range.
#[inline(always)]
pub(crate) fn least<I: Iterator<Item = u64>>(
    busy: u64,
    passes: impl Fn(core::ops::Range<usize>) -> I,
) -> u64 {
    let mut runs = runs(busy);
    let mut first_run = passes(runs.next().unwrap_or_default());
    let first = first_run.next().unwrap_or_default();
    let least = least_of(first, first_run);
    runs.fold(least, |least, run| least_of(least, passes(run)))
}

#[inline(always)]
fn least_of(mut least: u64, passes: impl Iterator<Item = u64>) -> u64 {
    for pass in passes {
        least = if is_before(pass, least) { pass } else { least };
    }
    least
}

/// The band that a pass is of.
#[inline(always)]
pub(crate) fn band(pass: u64) -> usize {
    band_of(pass) as usize
}

#[inline(always)]
fn is_before(one: u64, other: u64) -> bool {
    (one.wrapping_sub(other) as i64) < 0
}

/// A pass from which a band is charged: not below the floor.
#[inline(always)]
pub(crate) fn from_floor(pass: u64, floor: u64) -> u64 {
    if is_before(pass, floor) {
        floor | band_of(pass)
    } else {
        pass
    }
}

/// The floor once a band was chosen at that pass, which is not below it.
#[inline(always)]
pub(crate) fn floor_at(pass: u64) -> u64 {
    pass - band_of(pass)
}

/// A band's pass once it is charged `cost` units.
#[inline(always)]
pub(crate) fn charged(pass: u64, floor: u64, stride: u64, cost: u64) -> u64 {
    let ahead = floor_at(from_floor(pass, floor)).wrapping_sub(floor);
    let ahead = ahead.saturating_add(stride.saturating_mul(cost));
    floor.wrapping_add(ahead.min(MOST_AHEAD)) | band_of(pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_is_the_inverse_of_the_weight_rounded() {
        let whole = |greatest, weight| {
            let stride = stride(greatest, weight);
            assert_eq!(band_of(stride), 0);
            stride >> BAND_BITS
        };
        assert_eq!([whole(9, 9), whole(9, 3), whole(9, 1)], [1024, 3072, 9216]);
        assert_eq!([whole(4, 3), whole(7, 5)], [1365, 1434]);
        assert_eq!(stride(u32::MAX, 1) >> STRIDE_BITS, 0, "it fits");
    }

    #[test]
    fn a_pass_begins_half_a_stride_above_the_floor() {
        assert_eq!(first_pass(10 << 6, 4 << 6, 63), 12 << 6 | 63);
        assert_eq!(first_pass(10 << 6, 5 << 6, 63), 12 << 6 | 63);
        assert_eq!(first_pass(10 << 6, 0, 1), 10 << 6 | 1);
    }

    #[test]
    fn the_least_pass_is_the_one_before_the_others_also_where_numbers_begin_anew() {
        let least = |passes: [u64; 3]| least(0b111, |bands| passes[bands].iter().copied());
        assert_eq!(least([3, 1, 2]), 1);
        assert_eq!(least([1, u64::MAX, 2]), u64::MAX);
        assert_eq!(band(9 << 6 | 63), 63);
    }

    #[test]
    fn a_charge_begins_at_the_floor_and_ends_at_most_so_far_above_it() {
        let (floor, stride) = (10 << 6, 3 << 6);
        assert_eq!(charged(20 << 6 | 7, floor, stride, 2), 26 << 6 | 7);
        assert_eq!(charged(4 << 6 | 7, floor, stride, 2), 16 << 6 | 7);
        assert_eq!(charged(7, floor, stride, u64::MAX), (floor + (1 << 62)) | 7);
        assert_eq!(floor_at(20 << 6 | 7), 20 << 6);
    }
}
