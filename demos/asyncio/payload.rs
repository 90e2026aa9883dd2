//! What is worked on. `payloads.py` makes the same.

use bandq::Band;

/// A request.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) number: u64,
    pub(crate) priority: Band,
    pub(crate) amount: u64,
    /// How often it fails before it is done.
    pub(crate) failures: u32,
}

/// How many priorities there are.
pub(crate) const PRIORITIES: usize = 4;

impl Payload {
    /// So many percent of all fail at first.
    pub(crate) fn new(number: u64, failing: u64) -> Self {
        let bits = mixed(number + 1);
        let percent = ((bits >> 8 & 0xFFFF) * 100) >> 16;
        Self {
            number,
            priority: Band::new((bits & 3) as u8),
            amount: bits >> 40,
            failures: match percent < failing {
                false => 0,
                true if bits >> 24 & 3 == 0 => 2,
                true => 1,
            },
        }
    }
}

/// A number's bits, stirred (splitmix64).
fn mixed(number: u64) -> u64 {
    let bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}
