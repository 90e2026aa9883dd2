//! Every bounded wait in one place. Nothing in bandq waits by spinning without a bound.
//!
//! The unit is one **pause**: the processor's pause instruction (`core::hint::spin_loop`). How long
//! that takes is the machine's: some 27 ns on the AMD EPYC (x86-64) on which the constants were
//! chosen, about 40 ns on recent Intel cores, a few ns on older ones and on Arm. So what documents
//! say in microseconds holds for that first machine only.
//!
//! | wait | who waits, and for what | bound in pauses | there |
//! |---|---|---|---|
//! | [`after_a_lost_claim`] | who lost a claim, for the others to stop claiming | 16 to 496 | 0.4 to 14 µs |
//! | [`looks_at_slot`] | a consumer, for a push that has claimed its slot and not published | 64 + size / 16 | 1.7 µs |
//! | [`Slip`] | a consumer on its producers' heels, for items to gather | 32 | 0.9 µs |
//! | [`Backoff`] | a blocking call, before its thread goes to sleep | crossbeam's: 127, then yields | 4 µs |
//!
//! Under loom nobody waits: a pause orders nothing, and tells loom's scheduler to run somebody
//! else.

mod claim;
mod slip;

pub(crate) use crate::sync::Backoff;
pub(crate) use claim::after_a_lost_claim;
pub(crate) use slip::Slip;

use crate::sync::{IS_MODEL, spin_loop};

/// Executes that many pauses.
#[inline]
pub(crate) fn pause(pauses: usize) {
    for _ in 0..pauses {
        spin_loop();
    }
}

/// How often a consumer looks at a claimed slot of `size`-byte items before it gives the slot up;
/// one pause between two looks.
///
/// A producer needs a few nanoseconds between claim and publish, and about a tenth of a nanosecond
/// a byte to copy the item in. So the bound is reached only when the producer was preempted or
/// stopped in between. One look in models, which explore the schedule in which it comes too early.
pub(crate) const fn looks_at_slot(size: usize) -> usize {
    if IS_MODEL { 1 } else { 64 + size / 16 }
}
