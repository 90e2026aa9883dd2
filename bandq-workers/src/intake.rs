//! What the driver receives from: the channel, or the bands of it that are open now.

use bandq::{Band, Receiver};
use futures_core::Stream;
use std::{
    ops::RangeInclusive,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

pub(crate) enum Received<T> {
    Item(Band, T),
    Nothing,
    /// Nothing will ever come, in any band.
    Closed,
}

/// One receiver for each run of bands that was asked for; the task waits in its stream.
pub(crate) struct Intake<T> {
    base: Arc<Receiver<T>>,
    /// All bands, a bit a band.
    all: u64,
    runs: Vec<(u64, Receiver<T>)>,
}

impl<T> Intake<T> {
    pub(crate) fn new(base: &Arc<Receiver<T>>) -> Self {
        let all = u64::MAX >> (Band::MAX_BANDS - base.bands());
        Self {
            base: Arc::clone(base),
            all,
            runs: Vec::new(),
        }
    }

    /// An item of those bands, the most urgent one under the strict policy. Under others, the
    /// policy decides within each run of neighbouring bands. The task is woken when there is one.
    pub(crate) fn poll(&mut self, mask: u64, context: &mut Context<'_>) -> Received<T> {
        let mask = mask & self.all;
        if let Some((_, receiver)) = self.runs.first_mut().filter(|(run, _)| *run == mask) {
            // The same as last time, most often.
            return match Pin::new(receiver).poll_next(context) {
                Poll::Ready(Some((band, item))) => Received::Item(band, item),
                Poll::Ready(None) if mask == self.all => Received::Closed,
                Poll::Ready(None) | Poll::Pending => Received::Nothing,
            };
        }
        let mut is_closed = mask == self.all;
        for run in runs(mask) {
            match Pin::new(self.of(run)).poll_next(context) {
                Poll::Ready(Some((band, item))) => return Received::Item(band, item),
                Poll::Ready(None) => {}
                Poll::Pending => is_closed = false,
            }
        }
        if is_closed {
            Received::Closed
        } else {
            Received::Nothing
        }
    }

    /// The same, without waiting.
    pub(crate) fn look(&mut self, mask: u64) -> Option<(Band, T)> {
        runs(mask & self.all).find_map(|run| self.of(run).try_recv().ok())
    }

    fn of(&mut self, run: u64) -> &mut Receiver<T> {
        let found = self.runs.iter().position(|(mask, _)| *mask == run);
        let index = found.unwrap_or_else(|| {
            let receiver = within(&self.base, run, self.all);
            self.runs.push((run, receiver));
            self.runs.len() - 1
        });
        &mut self.runs[index].1
    }
}

/// A receiver of those bands, of one run.
pub(crate) fn within<T>(base: &Receiver<T>, mask: u64, all: u64) -> Receiver<T> {
    if mask & all == all {
        base.clone() // no need for a channel that knows of receivers of some bands
    } else {
        base.within(range(mask))
    }
}

pub(crate) fn range(run: u64) -> RangeInclusive<Band> {
    let band = |number: u32| Band::new(number.min(63) as u8);
    band(run.trailing_zeros())..=band(63 - run.leading_zeros().min(63))
}

/// Those of a range that a channel may have, a bit a band.
pub(crate) fn mask(range: &RangeInclusive<Band>) -> u64 {
    let (first, last) = (range.start().index(), range.end().index());
    if first > last {
        0
    } else {
        (u64::MAX << first) & (u64::MAX >> (Band::MAX_BANDS - 1 - last))
    }
}

/// The runs of neighbouring bands, the most urgent first.
fn runs(mut mask: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let first = mask.trailing_zeros();
        let length = (mask >> first).trailing_ones();
        let run = (u64::MAX >> (64 - length)) << first;
        mask &= !run;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_neighbours() {
        let all: Vec<u64> = runs(0b1101_1000_0111).collect();
        assert_eq!(all, [0b111, 0b1_1000_0000, 0b1100_0000_0000]);
        assert_eq!(runs(u64::MAX).collect::<Vec<_>>(), [u64::MAX]);
        assert_eq!(range(0b1_1000), Band::new(3)..=Band::new(4));
        assert_eq!(mask(&range(0b1_1000)), 0b1_1000);
        assert_eq!(range(u64::MAX), Band::new(0)..=Band::new(63));
    }
}
