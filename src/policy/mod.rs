//! Who is next, and who has to go: the decisions as pure functions, without atomics and without a
//! clock of its own.
//!
//! [`Policy`] is what a user says. [`Rule`] is what it comes down to, small enough for one word,
//! and [`Rule::next`] the decision: which of the bands in which something is comes next. The live
//! queue (`queue::order`), and so `replay`, and the simulations in the tests (`simulation`, and of
//! estimates in `channel::pace`) call the same functions.
//!
//! * [`weights`]: virtual time;
//! * [`ageing`]: due times;
//! * [`victim`]: who goes when there is no room;
//! * [`estimate`]: how long an item would wait.

pub(crate) mod ageing;
pub(crate) mod estimate;
#[cfg(test)]
pub(crate) mod simulation;
pub(crate) mod victim;
pub(crate) mod weights;

use crate::{band::Band, clock::nanos, error::BuildError};
use core::ops::Range;
use std::{sync::Arc, time::Duration};

/// Which band is next, when something is in several.
///
/// [`guide::overload`](crate::guide::overload) shows what each does to a real trace.
///
/// Given to [`Builder::policy`](crate::Builder::policy), and changed at any time, for what is
/// waiting as well, by [`Receiver::set_policy`](crate::Receiver::set_policy). Under every policy a
/// band is a FIFO, nothing is lost, and a receive looks at each band once at the most, whatever
/// waits in them.
///
/// | policy | the next band | when to take it |
/// |---|---|---|
/// | [`strict`](Self::strict) | the most urgent one | urgent work is seldom, or nothing else matters |
/// | [`weighted`](Self::weighted) | by shares | no class of work may ever stand still |
/// | [`strict_then_weighted`](Self::strict_then_weighted) | a few first, then by shares | both |
/// | [`ageing`](Self::ageing) | the first that is due | everything has its time, urgent work a short one |
///
/// ```
/// use bandq::{Band, Builder, Policy};
///
/// let policy = Policy::weighted([2, 1]);
/// let (sender, receiver) = Builder::new(2).policy(policy).build()?;
/// for n in 0..4 {
///     sender.try_send(Band::new(0), n)?;
///     sender.try_send(Band::new(1), n)?;
/// }
/// let first_three: Vec<_> = receiver.try_iter().take(3).map(|(band, _)| band.index()).collect();
/// assert_eq!(first_three, [0, 1, 0]); // two of three
///
/// receiver.set_policy(Policy::strict())?;
/// assert_eq!(receiver.try_recv()?, (Band::new(0), 2));
/// assert_eq!(receiver.try_recv()?, (Band::new(0), 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    Strict,
    /// The first `strict` bands strictly first; weights of the others.
    Weighted {
        strict: usize,
        weights: Arc<[u32]>,
    },
    Ageing {
        step: Duration,
    },
}

impl Policy {
    /// The most urgent band first, always: the default.
    ///
    /// While urgent work keeps coming, less urgent work waits, without a limit.
    ///
    /// ```
    /// use bandq::Policy;
    /// assert_eq!(Policy::strict(), Policy::default());
    /// ```
    #[must_use]
    pub fn strict() -> Self {
        Self(Kind::Strict)
    }

    /// Shares: of the receives that find something in a set of bands, each band of it gets its
    /// weight's part, and in turns, never in runs. A band that is empty takes no part, and saves
    /// nothing up; what it leaves is divided by the others' weights. A weight of at least 1 for
    /// each band.
    ///
    /// What counts is one for each receive, and what [`charge`](crate::Receiver::charge) adds.
    ///
    /// The algorithm is stride scheduling (Waldspurger and Weihl, MIT/LCS/TM-528, 1995): each band
    /// has a virtual time, which a receive moves on by the inverse of the weight, and the least is
    /// next.
    ///
    /// ```
    /// use bandq::{Band, Builder, Policy};
    ///
    /// let (sender, receiver) = Builder::new(2).policy(Policy::weighted([3, 1])).build()?;
    /// for n in 0..100 {
    ///     sender.try_send(Band::new(0), n)?;
    ///     sender.try_send(Band::new(1), n)?;
    /// }
    /// let first_100 = receiver.try_iter().take(100);
    /// let urgent = first_100.filter(|(band, _)| *band == Band::URGENT).count();
    /// assert_eq!(urgent, 75);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn weighted(weights: impl IntoIterator<Item = u32>) -> Self {
        Self::strict_then_weighted(0, weights)
    }

    /// The first `strict` bands strictly first, among themselves too; the others share what they
    /// leave, as under [`weighted`](Self::weighted). A weight of at least 1 for each of the others.
    ///
    /// ```
    /// use bandq::{Band, Builder, Policy};
    ///
    /// let policy = Policy::strict_then_weighted(1, [3, 1]);
    /// let (sender, receiver) = Builder::new(3).policy(policy).build()?;
    /// for band in [2, 2, 1, 1, 1, 1, 0] {
    ///     sender.try_send(Band::new(band), ())?;
    /// }
    /// let bands: Vec<_> = receiver.try_iter().map(|(band, ())| band.index()).collect();
    /// assert_eq!(bands, [0, 1, 1, 2, 1, 1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn strict_then_weighted(strict: usize, weights: impl IntoIterator<Item = u32>) -> Self {
        Self(Kind::Weighted {
            strict,
            weights: weights.into_iter().collect(),
        })
    }

    /// Ageing: an item counts as one band more urgent for each `step` that it has waited. So each
    /// is due `band × step` after it was sent, and the first that is due is next; no item of band
    /// *b* is received after one that was sent more than *b* × `step` later.
    ///
    /// Items carry the time of their send under it, which costs 32 bytes each.
    ///
    /// ```
    /// use bandq::{Band, Builder, Policy};
    /// use std::time::Duration;
    ///
    /// let step = Duration::from_millis(5);
    /// let (sender, receiver) = Builder::new(8).policy(Policy::ageing(step)).build()?;
    /// sender.try_send(Band::new(1), "sent first, due 5 ms later")?;
    /// std::thread::sleep(Duration::from_millis(10));
    /// sender.try_send(Band::new(7), "due in 35 ms")?;
    /// sender.try_send(Band::URGENT, "due now")?;
    /// assert_eq!(receiver.try_recv()?.1, "sent first, due 5 ms later");
    /// assert_eq!(receiver.try_recv()?.1, "due now");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ageing(step: Duration) -> Self {
        Self(Kind::Ageing { step })
    }

    /// Whether it needs to know when an item was sent.
    pub(crate) fn needs_stamps(&self) -> bool {
        matches!(self.0, Kind::Ageing { .. })
    }

    /// What it comes down to for that many bands.
    pub(crate) fn rule(&self, bands: usize) -> Result<Rule, BuildError> {
        match &self.0 {
            Kind::Strict => Ok(Rule::Strict),
            Kind::Weighted { strict, weights } => {
                if strict.checked_add(weights.len()) != Some(bands) {
                    return Err(BuildError::Weights {
                        strict: *strict,
                        weights: weights.len(),
                        bands,
                    });
                }
                match weights.iter().position(|weight| *weight == 0) {
                    Some(n) => Err(BuildError::ZeroWeight(Band::from_index(strict + n))),
                    None => Ok(Rule::Weighted { strict: *strict }),
                }
            }
            Kind::Ageing { step } if step.is_zero() => Err(BuildError::ZeroStep),
            Kind::Ageing { step } => Ok(Rule::Ageing {
                step: nanos(*step).min(ageing::LONGEST_STEP),
            }),
        }
    }

    /// The stride of each band: 0 for those without a weight.
    pub(crate) fn strides(&self, bands: usize) -> impl Iterator<Item = u64> {
        let (strict, weights): (_, &[u32]) = match &self.0 {
            Kind::Weighted { strict, weights } => (*strict, weights),
            Kind::Strict | Kind::Ageing { .. } => (bands, &[]),
        };
        let greatest = weights.iter().copied().max().unwrap_or(1);
        let strides = weights.iter().map(move |w| weights::stride(greatest, *w));
        std::iter::repeat_n(0, strict).chain(strides)
    }
}

/// What a policy comes down to, but for the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Strict,
    /// The first `strict` bands strictly first.
    Weighted {
        strict: usize,
    },
    /// The step in nanoseconds.
    Ageing {
        step: u64,
    },
}

/// What the decision looks at, for the bands of a range, which are all in the set it is about.
pub(crate) trait Heads {
    /// Under weights: the bands' virtual times.
    fn passes(&self, bands: Range<usize>) -> impl Iterator<Item = u64>;
    /// Under ageing: when the items at their heads were sent, as [`ageing::first_due`] has it.
    fn sent(&self, bands: Range<usize>) -> impl Iterator<Item = u64>;
}

/// Who is next.
pub(crate) enum Next {
    /// This band.
    Band(usize),
    /// The band of this pass, which is to be charged.
    Turn(u64),
}

impl Rule {
    /// The next of the bands in `busy`, a bit a band, of which there is one.
    #[inline(always)]
    pub(crate) fn next(self, busy: u64, heads: &impl Heads) -> Next {
        let most_urgent = busy.trailing_zeros() as usize;
        match self {
            Self::Strict => Next::Band(most_urgent),
            Self::Weighted { strict } if most_urgent < strict => Next::Band(most_urgent),
            Self::Weighted { .. } => Next::Turn(weights::least(busy, |bands| heads.passes(bands))),
            Self::Ageing { step } => {
                Next::Band(ageing::first_due(busy, step, |bands| heads.sent(bands)))
            }
        }
    }
}

/// The bands of a set, a bit a band, as runs of such as are next to each other, the most urgent
/// first: bands are mostly busy together, and a loop over a range costs half as much.
#[inline(always)]
fn runs(mut set: u64) -> impl Iterator<Item = Range<usize>> {
    std::iter::from_fn(move || {
        if set == 0 {
            return None;
        }
        // Carries through the first run, to the bit above it.
        let carried = set.wrapping_add(set & set.wrapping_neg());
        let run = set.trailing_zeros() as usize..carried.trailing_zeros() as usize;
        set &= carried;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    #[allow(
        clippy::single_range_in_vec_init,
        reason = "they are vectors of ranges"
    )]
    fn runs_are_the_bands_of_a_set_that_are_next_to_each_other() {
        for (set, expected) in [
            (0, vec![]),
            (0b1, vec![0..1]),
            (0b1110_0110, vec![1..3, 5..8]),
            (1 << 63 | 1, vec![0..1, 63..64]),
            (u64::MAX, vec![0..64]),
            (u64::MAX << 60, vec![60..64]),
        ] {
            assert_eq!(runs(set).collect::<Vec<_>>(), expected);
        }
    }
}
