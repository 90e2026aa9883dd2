//! The order of the bands, said once more: shares by virtual time in whole numbers without an end,
//! and due times by the number of the send.

use bandq::Policy;
use std::time::Duration;

/// What one unit costs the band with the greatest weight: the strides of all weights that are used
/// here, and half of them, are whole numbers of it.
const UNIT: i128 = 48;

/// How far charges may bring a band ahead, which is in the contract of `charge`: 2⁴⁶ units of the
/// greatest weight.
const MOST_AHEAD: i128 = UNIT << 46;

/// After so many units what stayed behind is forgotten: that is how long words can tell it.
const AGE: i128 = UNIT << 44;

/// Weights whose quotients are whole numbers, halves of them at most.
const WEIGHTS: [[u32; 4]; 2] = [[1, 2, 4, 8], [1, 2, 3, 6]];

/// A policy of which it is certain who is next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Strict.
    Strict,
    /// The first bands strictly first, and weights of the others.
    Weighted(usize, Vec<u32>),
    /// Ageing by so short a step that what was sent first is due first.
    AgeingShort,
    /// Ageing by so long a step that only the band decides.
    AgeingLong,
}

impl Rule {
    /// What three bytes of a step, or of setup, stand for.
    pub(super) fn from(kind: u8, a: u8, b: u8, bands: usize) -> Self {
        let bits = usize::from(a) | usize::from(b) << 8;
        let weights = WEIGHTS[usize::from(kind) / 8 % 2];
        let weight = |band: usize| weights[bits >> (2 * band) & 3];
        match kind % 8 {
            0 | 1 => Self::Strict,
            2 | 3 => Self::Weighted(0, (0..bands).map(weight).collect()),
            4 | 5 => {
                let strict = usize::from(kind) / 16 % (bands + 1);
                Self::Weighted(strict, (strict..bands).map(weight).collect())
            }
            6 => Self::AgeingShort,
            _ => Self::AgeingLong,
        }
    }

    /// As the library has it.
    pub(super) fn policy(&self) -> Policy {
        match self {
            Self::Strict => Policy::strict(),
            Self::Weighted(0, weights) => Policy::weighted(weights.iter().copied()),
            Self::Weighted(strict, weights) => {
                Policy::strict_then_weighted(*strict, weights.iter().copied())
            }
            Self::AgeingShort => Policy::ageing(Duration::from_nanos(1)),
            Self::AgeingLong => Policy::ageing(Duration::from_secs(3_600)),
        }
    }

    /// Whether items have to know when they were sent.
    pub(super) fn needs_stamps(&self) -> bool {
        matches!(self, Self::AgeingShort | Self::AgeingLong)
    }
}

/// The rule, and the virtual times.
pub(super) struct Turns {
    rule: Rule,
    strides: Vec<i128>,
    passes: Vec<i128>,
    floor: i128,
}

impl Turns {
    /// Strict.
    pub(super) fn new(bands: usize) -> Self {
        Self {
            rule: Rule::Strict,
            strides: vec![0; bands],
            passes: vec![0; bands],
            floor: 0,
        }
    }

    /// Another rule; shares begin anew.
    pub(super) fn set(&mut self, rule: Rule) {
        let bands = self.strides.len();
        self.strides = match &rule {
            Rule::Weighted(strict, weights) => {
                let greatest = weights.iter().max().map_or(1, |&weight| i128::from(weight));
                let stride = |&weight: &u32| greatest * UNIT / i128::from(weight);
                let strides = weights.iter().map(stride);
                std::iter::repeat_n(0, *strict).chain(strides).collect()
            }
            _ => vec![0; bands],
        };
        self.passes = self
            .strides
            .iter()
            .map(|stride| self.floor + stride / 2)
            .collect();
        self.rule = rule;
    }

    /// The rule that was set last.
    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The next of some bands, of each of which it is given when its first item was sent; and it is
    /// charged for one.
    pub(super) fn next(&mut self, busy: &[(usize, u64)]) -> Option<usize> {
        let most_urgent = busy.iter().map(|&(band, _)| band).min()?;
        match self.rule {
            Rule::Strict | Rule::AgeingLong => Some(most_urgent),
            Rule::AgeingShort => {
                let first = busy.iter().min_by_key(|&&(band, sent)| (sent, band));
                first.map(|&(band, _)| band)
            }
            Rule::Weighted(strict, _) if most_urgent < strict => Some(most_urgent),
            Rule::Weighted(..) => {
                let bands = busy.iter().map(|&(band, _)| band);
                let next = bands.min_by_key(|&band| (self.passes[band], band))?;
                let before = self.floor;
                self.floor = self.floor.max(self.passes[next]);
                self.charge(next, 1);
                if self.floor / AGE != before / AGE {
                    self.bring_up();
                }
                Some(next)
            }
        }
    }

    /// What was taken in a band's turn was nothing for anybody.
    pub(super) fn give_back(&mut self, band: usize) {
        self.passes[band] -= self.strides[band];
    }

    /// What stayed behind the floor is brought up to it, once in an age.
    fn bring_up(&mut self) {
        for pass in &mut self.passes {
            *pass = (*pass).max(self.floor);
        }
    }

    /// Charges a band.
    pub(super) fn charge(&mut self, band: usize, cost: u64) {
        if let Some(pass) = self.passes.get_mut(band) {
            let ahead = (*pass - self.floor).max(0) + self.strides[band] * i128::from(cost);
            *pass = self.floor + ahead.min(MOST_AHEAD);
        }
    }
}
