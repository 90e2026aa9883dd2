//! The order of the bands as it is served now: the live state behind [`policy`](crate::policy).
//!
//! # Words
//!
//! ```text
//! rule        │ version: 16 │ kind: 2 │ value: 46 │   strict: –; weights: how many are strict;
//!                                                     ageing: the step, as a small float
//! stride[b]   │ version: 16 │ stride: 48          │
//! pass[b]     │ virtual time, see policy::weights │
//! floor       │ the pass of the band last chosen  │
//! ```
//!
//! A change of the policy writes the rule and every stride, one after the other. Its version says
//! for each word which of two changes that run at once is the later: a word is replaced by a later
//! version only. So when both have returned, all words are the later one's, whoever was stopped in
//! between; and while a change runs, receives decide by a mixture, which costs nothing but shares.
//!
//! # A receive under weights
//!
//! It chooses, charges the band by a compare-exchange on its pass, and then takes. A lost exchange
//! means that somebody else chose the band at the same time; the loser chooses again. So a turn is
//! taken once; but whoever has read some passes before another one's charge may choose by them, and
//! take a turn too early: `weights` counts one for each receive that runs. A band that was chosen
//! and had nothing gets its charge back.

use crate::{
    error::BuildError,
    policy::{Heads, Next, Policy, Rule, weights},
    sync::{
        atomic::{AtomicPtr, AtomicU64, Ordering},
        reclaim::Domain,
    },
};
use core::{ops::Range, ptr};

/// What is kept for each band under weights.
struct Share {
    stride: AtomicU64,
    pass: AtomicU64,
}

/// A policy, and which change of it this is.
struct Versioned {
    version: u64,
    policy: Policy,
}

/// The turn of a band.
pub(crate) struct Turn {
    pub(crate) band: usize,
    /// What it was charged.
    charge: u64,
}

/// The order in which bands are served.
pub(crate) struct Order {
    rule: AtomicU64,
    floor: AtomicU64,
    shares: Box<[Share]>,
    /// Counts changes.
    version: AtomicU64,
    /// What [`policy`](Self::policy) returns; null until the first change.
    current: AtomicPtr<Versioned>,
    domain: Domain,
}

impl Order {
    /// Strict.
    pub(crate) fn new(bands: usize) -> Self {
        let share = |band| Share {
            stride: AtomicU64::new(0),
            pass: AtomicU64::new(weights::first_pass(0, 0, band)),
        };
        Self {
            rule: AtomicU64::new(Word::of(0, Rule::Strict).0),
            floor: AtomicU64::new(0),
            shares: (0..bands).map(share).collect(),
            version: AtomicU64::new(0),
            current: AtomicPtr::new(ptr::null_mut()),
            domain: Domain::new(),
        }
    }

    /// The policy that was set last.
    pub(crate) fn policy(&self) -> Policy {
        let _guard = self.domain.pin();
        // Acquire: pairs with the exchange in `set`.
        let current = self.current.load(Ordering::Acquire);
        // SAFETY: it was put there by `set`, and goes only after every pin of that time.
        unsafe { current.as_ref() }.map_or_else(Policy::strict, |current| current.policy.clone())
    }

    /// Changes the policy. Receives that begin after it has returned are served by it.
    ///
    /// # Errors
    ///
    /// It does not fit this many bands; nothing has changed.
    pub(crate) fn set(&self, policy: Policy) -> Result<(), BuildError> {
        let rule = policy.rule(self.shares.len())?;
        // Relaxed: only that no two changes get the same.
        let version = self.version.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let floor = self.floor.load(Ordering::Relaxed);
        let strides = policy.strides(self.shares.len());
        for ((band, share), stride) in self.shares.iter().enumerate().zip(strides) {
            Word::new(version, stride).replace_older(&share.stride);
            let pass = weights::first_pass(floor, stride, band);
            share.pass.store(pass, Ordering::Relaxed); // shares begin anew
        }
        Word::of(version, rule).replace_older(&self.rule);
        self.note(Versioned { version, policy });
        Ok(())
    }

    /// Whether every word is that of the current policy and of one version: what is true when no
    /// change runs.
    #[cfg(feature = "__internals")]
    pub(crate) fn is_whole(&self) -> bool {
        let policy = self.policy();
        let rule = Word(self.rule.load(Ordering::Relaxed));
        let version = rule.0 >> VALUE_BITS;
        let strides = policy.strides(self.shares.len());
        Ok(rule.rule()) == policy.rule(self.shares.len())
            && self.shares.iter().zip(strides).all(|(share, stride)| {
                share.stride.load(Ordering::Relaxed) == Word::new(version, stride).0
            })
    }

    /// How far each band's pass is from where it began; only while no change has moved the floor.
    #[cfg(feature = "__internals")]
    pub(crate) fn charges(&self) -> Vec<u64> {
        let charged = |(band, share): (usize, &Share)| {
            let pass = share.pass.load(Ordering::Relaxed);
            pass.wrapping_sub(weights::first_pass(0, self.stride(band), band))
        };
        self.shares.iter().enumerate().map(charged).collect()
    }

    /// Replaces the current policy by a later one.
    fn note(&self, later: Versioned) {
        let guard = self.domain.pin();
        let version = later.version;
        let later = Box::into_raw(Box::new(later));
        let mut current = self.current.load(Ordering::Acquire); // pairs with the exchange
        loop {
            // SAFETY: as in `policy`.
            let is_later = unsafe { current.as_ref() }
                .is_some_and(|current| version.wrapping_sub(current.version) as i64 <= 0);
            if is_later {
                // SAFETY: nobody else has seen ours.
                drop(unsafe { Box::from_raw(later) });
                return;
            }
            // Release: hands the policy to whoever reads it. What it replaces was acquired by the
            // look before: while this is pinned no other policy gets its place. Acquire on failure:
            // as above.
            match self.current.compare_exchange(
                current,
                later,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => break,
                Err(now) => current = now,
            }
        }
        if !current.is_null() {
            let current = Retired(current);
            // SAFETY: nobody gets it any more but those who are pinned; it came from a box.
            unsafe { guard.retire(move || drop(current.into_box())) };
        }
    }

    #[inline(always)]
    pub(crate) fn rule(&self) -> Rule {
        Word(self.rule.load(Ordering::Relaxed)).rule()
    }

    /// A band's stride under weights; 0 without a weight.
    pub(crate) fn stride(&self, band: usize) -> u64 {
        Word(self.shares[band].stride.load(Ordering::Relaxed)).value()
    }

    /// Adds to what a band has cost under weights.
    pub(crate) fn charge(&self, band: usize, cost: u64) {
        let Some(share) = self.shares.get(band) else {
            return;
        };
        let stride = Word(share.stride.load(Ordering::Relaxed)).value();
        let mut pass = share.pass.load(Ordering::Relaxed);
        loop {
            let floor = self.floor.load(Ordering::Relaxed);
            let charged = weights::charged(pass, floor, stride, cost);
            // Relaxed: passes order nothing; at worst a turn comes early or late.
            match share.pass.compare_exchange_weak(
                pass,
                charged,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => pass = now,
            }
        }
    }

    /// What was taken in a band's turn was nothing for anybody: the band has its turn again.
    #[cold]
    pub(crate) fn give_turn_back(&self, band: usize) {
        // Relaxed: as in `charge`. A band without a weight has a stride of 0.
        self.shares[band]
            .pass
            .fetch_sub(self.stride(band), Ordering::Relaxed);
    }

    /// Calls `take` with the bands in `listed`, in order, until it gets something. `sent` gives
    /// when the items at the heads of some bands were sent, as for [`Heads::sent`].
    pub(crate) fn walk<I: Iterator<Item = u64>>(
        &self,
        mut listed: u64,
        sent: impl Fn(Range<usize>) -> I,
        mut take: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        while listed != 0 {
            let Some(turn) = self.turn(listed, &sent) else {
                continue; // somebody else has it: choose again
            };
            if take(turn.band) {
                return Some(turn.band);
            }
            listed &= !(1 << turn.band);
            self.undo(turn);
        }
        None
    }

    /// Who is next of the bands in `listed`: it has its turn, and is charged for it. `None` if
    /// there is none, or somebody else has just taken that turn. `sent` as for
    /// [`walk`](Self::walk).
    #[inline(always)]
    pub(crate) fn turn<I: Iterator<Item = u64>>(
        &self,
        listed: u64,
        sent: impl Fn(Range<usize>) -> I,
    ) -> Option<Turn> {
        if listed == 0 {
            return None;
        }
        // Relaxed: whoever set it before this receive began has written it before.
        let rule = Word(self.rule.load(Ordering::Relaxed));
        let heads = Live { order: self, sent };
        match rule.with_rule(|rule| rule.next(listed, &heads)) {
            Next::Band(band) => Some(Turn { band, charge: 0 }),
            Next::Turn(pass) => Some(Turn {
                charge: self.take_turn(pass)?,
                band: weights::band(pass),
            }),
        }
    }

    /// The band had nothing, and pays nothing.
    pub(crate) fn undo(&self, turn: Turn) {
        if turn.charge != 0 {
            let pass = &self.shares[turn.band].pass;
            pass.fetch_sub(turn.charge, Ordering::Relaxed); // as in `charge`
        }
    }

    /// Charges the band that was chosen at this pass for one receive, and moves the floor to where
    /// it was. Returns what was charged; `None` if its pass has moved.
    #[inline(always)]
    fn take_turn(&self, pass: u64) -> Option<u64> {
        let share = &self.shares[weights::band(pass)];
        let stride = Word(share.stride.load(Ordering::Relaxed)).value();
        let floor = self.floor.load(Ordering::Relaxed);
        let chosen = weights::from_floor(pass, floor);
        let charged = chosen.wrapping_add(stride); // which is not too far ahead: it was the least
        // Relaxed: as in `charge`.
        share
            .pass
            .compare_exchange(pass, charged, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        let chosen = weights::floor_at(chosen);
        if chosen != floor {
            // A store, no maximum: an earlier value over a later one gives an idle band a turn.
            self.floor.store(chosen, Ordering::Relaxed);
            if (chosen ^ floor) & !(weights::AGE - 1) != 0 {
                self.bring_up(chosen);
            }
        }
        Some(stride)
    }

    /// Brings the passes that stayed behind up to the floor, before they seem to be ahead.
    #[cold]
    fn bring_up(&self, floor: u64) {
        for share in &self.shares {
            let pass = share.pass.load(Ordering::Relaxed);
            let raised = weights::from_floor(pass, floor);
            if raised != pass {
                // Relaxed, and if it fails, somebody has moved it on.
                _ = share
                    .pass
                    .compare_exchange(pass, raised, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Order {
    fn drop(&mut self) {
        let current = self.current.load(Ordering::Relaxed); // `&mut self` comes after everything
        if !current.is_null() {
            // SAFETY: it came from a box and is ours alone.
            drop(unsafe { Box::from_raw(current) });
        }
    }
}

/// A policy on its way to be dropped, on whatever thread.
struct Retired(*mut Versioned);

// SAFETY: a policy is `Send`, and this is its only owner.
unsafe impl Send for Retired {}

impl Retired {
    /// # Safety
    ///
    /// Nobody uses it any more.
    unsafe fn into_box(self) -> Box<Versioned> {
        // SAFETY: it came from a box.
        unsafe { Box::from_raw(self.0) }
    }
}

/// What the decision looks at, as it is now.
struct Live<'a, S> {
    order: &'a Order,
    sent: S,
}

impl<S: Fn(Range<usize>) -> I, I: Iterator<Item = u64>> Heads for Live<'_, S> {
    #[inline(always)]
    fn passes(&self, bands: Range<usize>) -> impl Iterator<Item = u64> {
        let shares = self.order.shares[bands].iter();
        shares.map(|share| share.pass.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn sent(&self, bands: Range<usize>) -> impl Iterator<Item = u64> {
        (self.sent)(bands)
    }
}

/// A word with a version.
#[derive(Clone, Copy)]
struct Word(u64);

const VALUE_BITS: u32 = weights::STRIDE_BITS;
const KIND_SHIFT: u32 = 46;
const STRICT: u64 = 0;
const WEIGHTED: u64 = 1;
const AGEING: u64 = 2;
/// A step: a mantissa of this many bits, and how far it is shifted.
const MANTISSA_BITS: u32 = 40;

impl Word {
    fn new(version: u64, value: u64) -> Self {
        Self((version << VALUE_BITS) | value)
    }

    fn of(version: u64, rule: Rule) -> Self {
        let (kind, value) = match rule {
            Rule::Strict => (STRICT, 0),
            Rule::Weighted { strict } => (WEIGHTED, strict as u64),
            Rule::Ageing { step } => {
                let shift = (u64::BITS - step.leading_zeros()).saturating_sub(MANTISSA_BITS);
                (
                    AGEING,
                    (u64::from(shift) << MANTISSA_BITS) | (step >> shift),
                )
            }
        };
        Self::new(version, (kind << KIND_SHIFT) | value)
    }

    #[inline(always)]
    fn value(self) -> u64 {
        self.0 & ((1 << VALUE_BITS) - 1)
    }

    fn rule(self) -> Rule {
        self.with_rule(|rule| rule)
    }

    /// Calls `f` with the rule: each kind on a path of its own, which decodes what it needs.
    #[inline(always)]
    fn with_rule<R>(self, f: impl Fn(Rule) -> R) -> R {
        let value = self.0 & ((1 << KIND_SHIFT) - 1);
        match self.value() >> KIND_SHIFT {
            STRICT => f(Rule::Strict),
            WEIGHTED => f(Rule::Weighted {
                strict: value as usize,
            }),
            _ => f(Rule::Ageing {
                step: (value & ((1 << MANTISSA_BITS) - 1)) << (value >> MANTISSA_BITS),
            }),
        }
    }

    /// Puts it there, unless what is there is later.
    fn replace_older(self, word: &AtomicU64) {
        let mut now = word.load(Ordering::Relaxed);
        loop {
            let later_by = (self.0 >> VALUE_BITS).wrapping_sub(now >> VALUE_BITS) as u16 as i16;
            if later_by <= 0 {
                return;
            }
            // Relaxed: the words stand for themselves.
            match word.compare_exchange_weak(now, self.0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_holds_its_version_and_its_rule() {
        let steps = [1, 7, (1 << 40) - 1, 1 << 40, 3 << 45, 1 << 56];
        let ageing = steps.map(|step| Rule::Ageing { step });
        let weighted = [0, 1, 64].map(|strict| Rule::Weighted { strict });
        for rule in [Rule::Strict].into_iter().chain(weighted).chain(ageing) {
            let word = Word::of(0x1_2345, rule);
            assert_eq!((word.rule(), word.0 >> VALUE_BITS), (rule, 0x2345));
        }
        let long = Word::of(
            0,
            Rule::Ageing {
                step: u64::MAX >> 7,
            },
        );
        let step = ((1 << 40) - 1) << 17;
        assert_eq!(long.rule(), Rule::Ageing { step }, "its first 40 bits");
    }

    #[test]
    fn a_word_is_replaced_by_a_later_version_only() {
        let word = AtomicU64::new(Word::new(0xFFFE, 0).0);
        let mut value = 0;
        for (version, replaces) in [
            (0xFFFE, false),
            (0xFFFF, true),
            (0xFFFE, false),
            (0x1_0000, true),
            (0xFFFF, false),
            (0x1_0001, true),
        ] {
            let other = value + 1;
            Word::new(version, other).replace_older(&word);
            value = if replaces { other } else { value };
            assert_eq!(Word(word.load(Ordering::Relaxed)).value(), value);
        }
    }

    #[test]
    fn a_turn_that_is_undone_has_cost_nothing() {
        let order = Order::new(2);
        order.set(Policy::weighted([1, 1])).unwrap();
        let passes = || {
            let passes = order.shares.iter();
            passes
                .map(|share| share.pass.load(Ordering::Relaxed))
                .collect::<Vec<_>>()
        };
        let before = passes();
        let sent = |bands: Range<usize>| bands.map(|_| 0);
        let turn = order.turn(0b11, sent).unwrap();
        assert_ne!(passes(), before);
        order.undo(turn);
        assert_eq!(passes(), before);
        assert!(order.turn(0, sent).is_none());
    }

    #[test]
    fn a_walk_asks_each_listed_band_once_at_the_most() {
        for policy in [Policy::strict(), Policy::weighted([1, 1, 1])] {
            let order = Order::new(3);
            order.set(policy).unwrap();
            let mut asked = Vec::new();
            let nothing = |band| {
                asked.push(band);
                assert!(asked.len() < 9, "{asked:?}");
                false
            };
            let sent = |bands: Range<usize>| bands.map(|_| 0);
            assert_eq!(order.walk(0b101, sent, nothing), None);
            assert_eq!(asked, [0, 2]);
        }
    }
}
