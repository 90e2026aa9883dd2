//! [`Index`]: the word in which a FIFO's end stands, and in which slots are claimed.
//!
//! ```text
//!    63                         B        0
//! ┌────────┬─────────────────────┬─────────┐
//! │ CLOSED │ number of the       │ offset  │      B = bits for 0..=SLOTS
//! │        │ segment             │         │
//! └────────┴─────────────────────┴─────────┘
//! ```
//!
//! * `offset < SLOTS`: the next slot to be claimed.
//! * `offset == SLOTS`: **parked**. Every slot of this segment is claimed, the end has not moved to
//!   the next segment yet. Nothing can be claimed; whoever sees it helps (see `handover`).
//! * `CLOSED`: only at the tail. Nothing can be claimed from then on.
//!
//! The word only grows (modulo its width), so a compare-exchange that succeeds means that nothing
//! has happened since the load. The number has at least 54 bits: at one segment of 256 items a
//! microsecond it wraps after 570 years. It is compared for equality only, so even then
//! nothing breaks.

use core::fmt;

/// The word of one end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Index(u64);

/// How positions of a FIFO with `slots` slots a segment are put together.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    slots: u64,
    bits: u32,
}

impl Shape {
    pub(crate) const fn new(slots: usize) -> Self {
        let slots = slots as u64;
        // Offsets 0..=slots.
        Self {
            slots,
            bits: (slots + 1).next_power_of_two().trailing_zeros(),
        }
    }

    /// Where both ends stand before anything was pushed: at the end of a segment that does not
    /// exist, so that the first push hands over to the first segment.
    pub(crate) const fn start(self, number: u64) -> Index {
        Index(((number << self.bits) | self.slots) & !Index::CLOSED)
    }
}

impl Index {
    const CLOSED: u64 = 1 << 63;

    #[inline(always)]
    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    #[inline(always)]
    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// The bit that closes the tail, for a `fetch_or`.
    pub(crate) const fn closed_bit() -> u64 {
        Self::CLOSED
    }

    #[inline(always)]
    pub(crate) const fn is_closed(self) -> bool {
        self.0 & Self::CLOSED != 0
    }

    /// A slot's place.
    pub(crate) const fn at(number: u64, offset: usize, shape: Shape) -> Self {
        Self(((number << shape.bits) | offset as u64) & !Self::CLOSED)
    }

    /// Without the CLOSED bit: only where it stands. Places can be compared with `==`.
    #[inline(always)]
    pub(crate) const fn place(self) -> Self {
        Self(self.0 & !Self::CLOSED)
    }

    /// Whether both stand in one segment. Neither is closed.
    #[inline(always)]
    pub(crate) const fn same_segment(self, other: Self, shape: Shape) -> bool {
        (self.0 ^ other.0) >> shape.bits == 0
    }

    #[inline(always)]
    pub(crate) const fn offset(self, shape: Shape) -> usize {
        (self.0 & ((1 << shape.bits) - 1)) as usize
    }

    /// The number of the segment in which this end stands.
    #[inline(always)]
    pub(crate) const fn number(self, shape: Shape) -> u64 {
        (self.0 & !Self::CLOSED) >> shape.bits
    }

    #[inline(always)]
    pub(crate) const fn is_parked(self, shape: Shape) -> bool {
        self.offset(shape) as u64 == shape.slots
    }

    /// After a claim of `count` slots, which are there.
    #[inline(always)]
    pub(crate) const fn advanced(self, count: usize) -> Self {
        Self(self.0 + count as u64)
    }

    /// Whether more than one claimed slot lies from `self`, the head, up to the place `tail`.
    /// Counts the gap between two segments as slots.
    #[inline(always)]
    pub(crate) const fn is_well_behind(self, tail: Self) -> bool {
        tail.0.wrapping_sub(self.0) as i64 > 1
    }

    /// Whether this place is nearer the front than `other`, so long as less than half of all
    /// numbers lie between them.
    pub(crate) const fn is_before(self, other: Self) -> bool {
        ((other.0.wrapping_sub(self.0) << 1) as i64) > 0
    }

    /// How many segments further back the one with this number is.
    pub(crate) const fn segments_to(self, number: u64, shape: Shape) -> u64 {
        number.wrapping_sub(self.number(shape)) & (!Self::CLOSED >> shape.bits)
    }

    /// From parked, and not closed, to the first slot of the next segment.
    pub(crate) const fn next_segment(self, shape: Shape) -> Self {
        let gap = (1 << shape.bits) - shape.slots;
        Self((self.0 + gap) & !Self::CLOSED) // where the number wraps
    }

    /// How many slots lie from `head` up to this tail.
    pub(crate) const fn since(self, head: Self, shape: Shape) -> usize {
        let slots = head
            .segments_to(self.number(shape), shape)
            .wrapping_mul(shape.slots)
            .wrapping_add(self.offset(shape) as u64);
        slots.wrapping_sub(head.offset(shape) as u64) as usize
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape::new(256);

    #[test]
    fn a_parked_end_moves_to_the_next_segments_first_slot() {
        let parked = SHAPE.start(41);
        assert!(parked.is_parked(SHAPE));
        let next = parked.next_segment(SHAPE);
        assert_eq!((next.number(SHAPE), next.offset(SHAPE)), (42, 0));
        assert!(next.advanced(256).is_parked(SHAPE));
    }

    #[test]
    fn counts_slots_across_segments_and_across_the_wrap() {
        for slots in [1, 2, 3, 127, 255, 256] {
            let shape = Shape::new(slots);
            for number in [0, u64::MAX] {
                let head = shape.start(number);
                let mut tail = head;
                for pushed in 0..3 * slots {
                    assert_eq!(tail.since(head, shape), pushed);
                    if tail.is_parked(shape) {
                        tail = tail.next_segment(shape);
                        assert_eq!(tail.since(head, shape), pushed);
                    }
                    tail = tail.advanced(1);
                }
            }
        }
    }

    #[test]
    fn compares_places_across_the_wrap() {
        for number in [0, 7, u64::MAX - 1, u64::MAX] {
            let place = SHAPE.start(number);
            let next = place.next_segment(SHAPE);
            assert!(place.is_before(next) && next.is_before(next.advanced(1)));
            assert!(!next.is_before(place) && !next.is_before(next));
            assert_eq!(place.segments_to(next.number(SHAPE), SHAPE), 1);
        }
    }

    #[test]
    fn well_behind_is_more_than_one_slot_behind() {
        let head = SHAPE.start(7).next_segment(SHAPE).advanced(3);
        for (slots, is_well_behind) in [(0, false), (1, false), (2, true), (200, true)] {
            assert_eq!(head.is_well_behind(head.advanced(slots)), is_well_behind);
        }
        assert!(!head.advanced(2).is_well_behind(head), "it is ahead");
    }

    #[test]
    fn the_closed_bit_does_not_move_the_place() {
        let tail = SHAPE.start(7).next_segment(SHAPE).advanced(3);
        let closed = Index::from_word(tail.word() | Index::closed_bit());
        assert!(closed.is_closed() && !tail.is_closed());
        assert_eq!(closed.place(), tail);
        assert_eq!((closed.number(SHAPE), closed.offset(SHAPE)), (8, 3));
    }
}
