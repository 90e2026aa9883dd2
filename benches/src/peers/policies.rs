//! The peers of the group `policies`: bandq's channel, and behind a lock a heap and a deque a band,
//! each serving by the same policy. The strict ones with a lock are [`MutexHeap`] and
//! [`MutexDeques`], and the others have their names.
//!
//! [`MutexHeap`]: super::MutexHeap
//! [`MutexDeques`]: super::MutexDeques

use std::time::{Duration, Instant};

mod ageing_deques;
mod ageing_heap;
mod bandq_serving;
mod weighted_deques;
mod weighted_heap;

pub use self::ageing_deques::AgeingDeques;
pub use self::ageing_heap::AgeingHeap;
pub use self::bandq_serving::{Ageing, BandqServing, Serving, Strict, Weighted};
pub use self::weighted_deques::WeightedDeques;
pub use self::weighted_heap::WeightedHeap;

/// Ageing makes an item one band more urgent for each of these.
pub const STEP: Duration = Duration::from_millis(1);

/// The weights of the bands after the first `strict`: 1 for the least urgent, one more for each
/// that is more urgent.
pub fn weights(bands: usize, strict: usize) -> impl Iterator<Item = u32> {
    (1..=(bands - strict) as u32).rev()
}

/// What each band's virtual time moves on by for an item: 0 for the first `strict`, for the others
/// the inverse of the weight.
fn strides(bands: usize, strict: usize) -> impl Iterator<Item = u64> {
    let strides = weights(bands, strict).map(|weight| (1 << 32) / u64::from(weight));
    std::iter::repeat_n(0, strict).chain(strides)
}

/// The turn of a band that is empty.
const IDLE: u64 = u64::MAX;

/// The band whose turn is the least, the most urgent of several; `None` if all are idle.
#[inline]
fn first(turns: &[u64]) -> Option<usize> {
    let band = (0..turns.len()).min_by_key(|&band| turns[band])?;
    (turns[band] != IDLE).then_some(band)
}

/// Nanoseconds since it was made.
#[derive(Debug)]
struct Clock(Instant);

impl Clock {
    fn new() -> Self {
        Clock(Instant::now())
    }

    #[inline]
    fn now(&self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// When an item is due that was sent then.
#[inline]
fn due(band: u8, sent: u64) -> u64 {
    sent + u64::from(band) * STEP.as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loads::Bands;
    use crate::queue::Queue;

    const BANDS: usize = 8;

    /// Pushes and pops at times that a test chooses, against a search for what is due first.
    fn takes_what_is_due_first<Q: Queue>(push_sent: impl Fn(&Q, u8, u64, u64)) {
        let queue = Q::new(BANDS);
        let mut model: Vec<(u64, u64)> = Vec::new();
        let mut band = Bands::new(BANDS, 0);
        let mut sent = 0;
        for item in 0..2_000 {
            // Times that no two items are due at: steps are whole milliseconds.
            sent += 1 + u64::from(band.pick()) * 100_000;
            let target = band.pick();
            push_sent(&queue, target, sent, item);
            model.push((sent + u64::from(target) * 1_000_000, item));
            if item % 3 == 0 || item > 1_000 {
                let first = (0..model.len()).min_by_key(|&n| model[n]);
                let expected = first.map(|first| model.swap_remove(first).1);
                assert_eq!(queue.pop(), expected, "{}", Q::PEER.name);
            }
        }
        assert!(model.len() > 500, "there was a choice");
    }

    #[test]
    fn ageing_takes_what_is_due_first() {
        takes_what_is_due_first(AgeingHeap::push_sent);
        takes_what_is_due_first(AgeingDeques::push_sent);
    }
}
