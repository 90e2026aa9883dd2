//! How bytes become a program: two bytes of setup, then four bytes a step.
//!
//! A derived `Arbitrary` spends four bytes on the choice of a variant and one before each element
//! of a list. Most of those bytes mean nothing, and a fuzzer that changes one of them has tried
//! nothing new. So each step has four bytes, the first chooses the variant, and the rest are its
//! arguments; a step that is put in, cut out or changed leaves the others as they are.

use std::fmt;

use arbitrary::{Arbitrary, Result, Unstructured};

/// Bytes of setup before the first step.
pub const SETUP: usize = 2;

/// Bytes of one step.
pub const STEP: usize = 4;

/// The most steps a program may have; the rest of the input is not looked at.
pub const MOST_STEPS: usize = 256;

/// A setup and the steps to take.
#[derive(Clone)]
pub struct Program<Op> {
    /// What the target makes of the first two bytes.
    pub setup: [u8; SETUP],
    /// The calls, in order.
    pub steps: Vec<Op>,
}

impl<Op: for<'a> Arbitrary<'a>> Program<Op> {
    /// Reads a program from bytes; a last step that is cut off is filled with zeros.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut setup = [0; SETUP];
        let cut = bytes.len().min(SETUP);
        setup[..cut].copy_from_slice(&bytes[..cut]);
        let steps = bytes[cut..]
            .chunks(STEP)
            .take(MOST_STEPS)
            .map(step)
            .collect::<Result<_>>()?;
        Ok(Self { setup, steps })
    }
}

/// Reads one step. The derived code takes a `u32` for the variant and looks only at its top bits.
fn step<Op: for<'a> Arbitrary<'a>>(bytes: &[u8]) -> Result<Op> {
    let mut spread = [0; STEP + 3];
    spread[3..3 + bytes.len()].copy_from_slice(bytes);
    Op::arbitrary(&mut Unstructured::new(&spread))
}

impl<'a, Op: for<'b> Arbitrary<'b>> Arbitrary<'a> for Program<Op> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let all = u.len();
        Self::decode(u.bytes(all)?)
    }
}

impl<Op: fmt::Debug> fmt::Debug for Program<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "setup {:?}", self.setup)?;
        for (index, op) in self.steps.iter().enumerate() {
            writeln!(f, "{index:3} {op:?}")?;
        }
        Ok(())
    }
}
