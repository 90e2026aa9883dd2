//! Looks without a claim: how many, whether any, and a look that can be compared with a later one.

use super::{Fifo, Stock, index::Index, segment::Segment};
use crate::sync::atomic::Ordering;

/// What a look for an item found, for a later look to be compared with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// An item was there that nobody had claimed.
    Published,
    /// There was none: no claimed slot, or only such as are not published.
    Nothing(Ends),
}

/// The place of an item that was seen, for [`pop_at`](Fifo::pop_at).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(Index);

impl Place {
    pub(super) fn index(self) -> Index {
        self.0
    }
}

/// Where both ends stood: one number that grows whenever one of them moves. (Modulo 2⁶⁴: it comes
/// back to an earlier value after some 2⁶³ slots.) So the same number twice means that no slot was
/// claimed in between, at either end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ends(u64);

impl Ends {
    #[inline(always)]
    fn new(head: Index, tail: Index) -> Self {
        Self(head.word().wrapping_add(tail.word()))
    }

    /// The same for several FIFOs together: one number still, because each of them only grows.
    #[inline(always)]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl<T, C> Fifo<T, C> {
    /// Whether nothing is there, not even a claimed slot.
    ///
    /// SeqCst: C2 in the argument of `queue::bitmap`, the look after a bit was cleared.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.ends_if_empty().is_some()
    }

    /// Where the ends stood, if nothing was there, not even a claimed slot.
    #[inline(always)]
    pub(crate) fn ends_if_empty(&self) -> Option<Ends> {
        let (head, tail) = self.ends();
        // The second when one is parked.
        if head == tail || self.len_between(head, tail) == 0 {
            Some(Ends::new(head, tail))
        } else {
            None
        }
    }

    /// Whether there is an item that nobody has claimed, and if not, where the ends stood.
    pub(crate) fn look(&self, stock: &Stock<T>) -> Look {
        let (head, tail) = self.ends();
        let is_there = head != tail
            && self.len_between(head, tail) != 0
            && self.is_published_between(head, tail, stock);
        if is_there {
            Look::Published
        } else {
            Look::Nothing(Ends::new(head, tail))
        }
    }

    /// Head and tail, the head first.
    #[inline(always)]
    fn ends(&self) -> (Index, Index) {
        // Acquire: pairs with the claims, so that the tail read after it is not behind it, and a
        // push that the taker of an item made before is seen by whoever sees the item taken.
        let head = Index::from_word(self.head.end.index.load(Ordering::Acquire));
        // SeqCst: C2 in the argument of `queue::bitmap`, and the two collects of `queue::next`;
        // pairs with the claim of a push.
        let tail = Index::from_word(self.tail.index.load(Ordering::SeqCst));
        (head, tail.place())
    }

    /// The number of claimed slots: exact when no operation runs.
    pub(crate) fn len(&self) -> usize {
        // Acquire: the tail read after it is not behind it, so there is no underflow.
        let head = Index::from_word(self.head.end.index.load(Ordering::Acquire));
        let tail = Index::from_word(self.tail.index.load(Ordering::Relaxed));
        self.len_between(head, tail)
    }

    fn len_between(&self, head: Index, tail: Index) -> usize {
        tail.since(head, Segment::<T>::SHAPE)
    }

    /// Looks at the first item that nobody has claimed; `None` if there is none, but for running
    /// pushes. `look` as in [`See::see`](super::See::see).
    #[cold]
    pub(crate) fn peek<R>(
        &self,
        stock: &Stock<T>,
        look: impl Fn(*const T) -> R,
    ) -> Option<(Place, R)> {
        loop {
            let (head, tail) = self.ends();
            match self.first_published(head, tail, stock, &look) {
                First::Nothing => return None,
                First::Item(place, seen) => return Some((Place(place), seen)),
                First::Passed => {} // others have taken what was there
            }
        }
    }

    /// Whether some slot between head and tail holds an item that nobody has claimed. If not, the
    /// FIFO was empty, but for running pushes, when the tail was read.
    #[cold]
    pub(crate) fn is_published_beyond(&self, stock: &Stock<T>) -> bool {
        let (head, tail) = self.ends();
        self.is_published_between(head, tail, stock)
    }

    /// The same between places that were read before. True as well if the head has passed such an
    /// item since: it was there when the tail was read.
    #[cold]
    pub(super) fn is_published_between(&self, head: Index, tail: Index, stock: &Stock<T>) -> bool {
        !matches!(
            self.first_published(head, tail, stock, &|_| ()),
            First::Nothing
        )
    }

    /// The first published item between places that were read before.
    #[cold]
    fn first_published<R>(
        &self,
        head: Index,
        tail: Index,
        stock: &Stock<T>,
        look: &impl Fn(*const T) -> R,
    ) -> First<R> {
        let shape = Segment::<T>::SHAPE;
        if !head.is_before(tail) {
            return First::Nothing;
        }
        let _visit = self.visit(stock);
        // Acquire: pairs with H1, for a segment behind this tail's. Those up to the tail's, and the
        // links between them, came with the tail.
        let mut segment = self.head.end.segment.load(Ordering::Acquire);
        if segment.is_null() {
            segment = self.head.first.load(Ordering::Relaxed); // as the links below
        }
        let last = head.segments_to(tail.number(shape), shape);
        let mut is_first = true;
        while let Some(this) = Segment::from_ptr(segment) {
            // SAFETY: the head pointed to it, or to a segment before it, after the visit began: it
            // was in the list then.
            unsafe {
                let nth = head.segments_to(this.number(), shape);
                // The segment of a parked head has nothing left: the walk may begin with the next.
                if nth > last || (is_first && nth > u64::from(head.is_parked(shape))) {
                    break; // the pointer has moved past this tail, or past this head's segment
                }
                is_first = false;
                let from = if nth == 0 { head.offset(shape) } else { 0 };
                let to = if nth == last {
                    tail.offset(shape)
                } else {
                    Segment::<T>::SLOTS
                };
                for slot in from..to {
                    if let Some(seen) = this.look_at(slot, look) {
                        return First::Item(Index::at(this.number(), slot, shape), seen);
                    }
                }
                if nth == last {
                    return First::Nothing;
                }
                segment = this.next().load(Ordering::Relaxed); // T1 comes before T3
            }
        }
        // Others have moved on meanwhile, and taken what was there: that is no "nothing", since an
        // item that they took may have been there when the tail was read.
        First::Passed
    }
}

/// What a walk from a head to a tail found.
enum First<R> {
    /// No item was published between them.
    Nothing,
    Item(Index, R),
    /// The head has left its segment.
    Passed,
}
