//! Shares by virtual time: stride scheduling (Waldspurger and Weihl, MIT/LCS/TM-528, 1995).
//!
//! Each band has a *pass*, its virtual time. The band with the least is next, and its pass moves on
//! by its *stride*, the inverse of its weight, for each unit of cost. The *floor* is the pass of
//! the band that was last chosen; it only grows. A band that was idle meanwhile has a pass below
//! it, which counts as the floor: it saves nothing up.
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
//! A pass is a `u64` that wraps around; two are compared by their distance from the floor, as a
//! signed number. That is right while every pass is within 2⁶² of the floor: charges end there
//! ([`charged`]), and whoever moves the floor across a multiple of [`AGE`] brings bands that stayed
//! behind up to it.

use super::each;

/// The stride of the greatest weight. A stride is rounded to a whole number, so a share is off by
/// 1 in twice this at the most.
const UNIT: u64 = 1 << 16;

/// Strides have this many bits, so that one fits a word with a version.
pub(crate) const STRIDE_BITS: u32 = 48;

/// How far a pass may be ahead of the floor.
const MOST_AHEAD: u64 = 1 << 62;

/// When the floor moves across a multiple of this, what stayed behind is brought up.
pub(crate) const AGE: u64 = 1 << 60;

/// The stride of a weight, beside the greatest of its policy.
pub(crate) fn stride(greatest: u32, weight: u32) -> u64 {
    let (greatest, weight) = (u64::from(greatest), u64::from(weight.max(1)));
    // Rounded; below 2⁴⁹, and never 0, because no weight is above the greatest.
    let stride = (greatest * UNIT + weight / 2) / weight;
    stride.min((1 << STRIDE_BITS) - 1)
}

/// Where a band's pass begins: half a stride above the floor, so that over any number of receives
/// its turns are its share, rounded.
pub(crate) fn first_pass(floor: u64, stride: u64) -> u64 {
    floor.wrapping_add(stride / 2)
}

/// How far a pass is above the floor; 0 if it is below.
#[inline(always)]
pub(crate) fn ahead(pass: u64, floor: u64) -> u64 {
    (pass.wrapping_sub(floor) as i64).max(0) as u64
}

/// The band in `busy`, which is not empty, whose pass is the least; the most urgent of several.
#[inline(always)]
pub(crate) fn least(busy: u64, floor: u64, pass: impl Fn(usize) -> u64) -> usize {
    let mut least = (u64::MAX, 0);
    for band in each(busy) {
        let ahead = ahead(pass(band), floor);
        if ahead < least.0 {
            least = (ahead, band);
        }
    }
    least.1
}

/// A band's pass once it is charged `cost` units.
#[inline(always)]
pub(crate) fn charged(pass: u64, floor: u64, stride: u64, cost: u64) -> u64 {
    let ahead = ahead(pass, floor).saturating_add(stride.saturating_mul(cost));
    floor.wrapping_add(ahead.min(MOST_AHEAD))
}
