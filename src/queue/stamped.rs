//! A queue of entries: it knows when the item at each band's head was sent.

use super::{Queue, fronts::Fronts, order::Order};
use crate::{
    band::Band,
    entry::Entry,
    fifo::{Place, See},
    parcel::Parcel,
};
use std::any::Any;

/// A [`Queue`] of [`Entry`]s, with their [`Fronts`].
pub(crate) struct StampedQueue<T> {
    queue: Queue<Entry<T>>,
    fronts: Fronts,
}

/// Sees when the entry behind was sent.
struct Stamp;

impl<T> See<Entry<T>> for Stamp {
    type Seen = Option<u64>;
    const SEES: bool = true;

    #[inline(always)]
    unsafe fn see(&self, entry: *const Entry<T>) -> Option<u64> {
        // SAFETY: the caller's.
        Some(unsafe { Entry::times(entry) }.0)
    }
}

impl<T> StampedQueue<T> {
    pub(crate) fn new(bands: usize) -> Self {
        Self {
            queue: Queue::new(bands),
            fronts: Fronts::new(bands),
        }
    }

    /// The fronts, for who looks at them only.
    pub(crate) fn fronts(&self) -> &Fronts {
        &self.fronts
    }

    /// What does not depend on stamps.
    pub(crate) fn queue(&self) -> &Queue<Entry<T>> {
        &self.queue
    }

    /// When the item at the band's head was sent; `None` if none is known.
    pub(crate) fn front(&self, band: usize) -> Option<u64> {
        self.fronts.sent(band)
    }

    /// Appends the entry in the parcel; leaves it, and says `false`, if the queue is closed.
    #[inline]
    pub(crate) fn push(&self, band: usize, parcel: &mut Parcel<Entry<T>>) -> bool {
        // SAFETY: it is there, says the caller who gave it.
        let (sent, _) = unsafe { Entry::times(parcel.as_ptr()) };
        let pushed = self.queue.push(band, parcel);
        if pushed {
            self.fronts.came(band, sent, || self.first_sent(band));
        }
        pushed
    }

    /// Takes the next entry, in this order, of the bands in `mask`, a bit a band.
    #[inline(always)]
    pub(crate) fn pop(
        &self,
        order: &Order,
        mask: u64,
        parcel: &mut Parcel<Entry<T>>,
    ) -> Option<Band> {
        let sent = |bands| self.fronts.all_sent(bands);
        // As in `Queue::pop_under`.
        if let Some(turn) = order.turn(self.queue.listed(mask), sent) {
            if self.pop_band(turn.band, parcel) {
                return Some(Band::from_index(turn.band));
            }
            order.undo(turn);
        }
        self.queue
            .next_under(order, mask, sent, |band| self.pop_one_of(band, parcel))
    }

    /// Takes the oldest entry of one band.
    #[inline(never)]
    pub(crate) fn pop_one_of(&self, band: usize, parcel: &mut Parcel<Entry<T>>) -> bool {
        self.pop_band(band, parcel)
    }

    /// The same, in line.
    #[inline(always)]
    fn pop_band(&self, band: usize, parcel: &mut Parcel<Entry<T>>) -> bool {
        let Some(popped) = self.queue.pop_band_seeing(band, parcel, &Stamp) else {
            self.fronts.found_nothing(band, || self.first_sent(band));
            return false;
        };
        self.took(band, parcel, popped.behind);
        true
    }

    /// An entry was taken into the parcel.
    #[inline(always)]
    fn took(&self, band: usize, parcel: &Parcel<Entry<T>>, behind: Option<u64>) {
        // SAFETY: it was taken into the parcel.
        let (sent, _) = unsafe { Entry::times(parcel.as_ptr()) };
        self.fronts
            .took(band, sent, behind, || self.first_sent(band));
    }

    /// As [`Queue::pop_closed_of`].
    pub(crate) fn pop_closed_of(&self, mask: u64, parcel: &mut Parcel<Entry<T>>) -> Option<Band> {
        let band = self.queue.pop_closed_of(mask, parcel)?;
        self.took(band.index(), parcel, None);
        Some(band)
    }

    /// As [`Queue::drop_items`].
    pub(crate) fn drop_items(&self, from: impl Fn(Band)) -> Result<(), Box<dyn Any + Send>> {
        let outcome = self.queue.drop_items(from);
        for band in 0..self.queue.bands() {
            self.fronts.found_nothing(band, || self.first_sent(band));
        }
        outcome
    }

    /// When the first entry of a band was sent.
    pub(crate) fn first_sent(&self, band: usize) -> Option<u64> {
        let (_, (sent, _)) = self.peek(band)?;
        Some(sent)
    }

    /// Where the first entry of a band lies, when it was sent, and when it expires.
    pub(crate) fn peek(&self, band: usize) -> Option<(Place, (u64, u64))> {
        // SAFETY: a look is at entries that were written.
        self.queue
            .peek_band(band, |entry| unsafe { Entry::times(entry) })
    }

    /// Takes the entry that was seen at that place, unless somebody else has claimed it, or
    /// something was, or still may be, before it.
    pub(crate) fn pop_at(&self, band: usize, place: Place, parcel: &mut Parcel<Entry<T>>) -> bool {
        let Some(popped) = self.queue.pop_band_at(band, place, parcel, &Stamp) else {
            return false;
        };
        self.took(band, parcel, popped.behind);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{About, Origin};

    fn push(queue: &StampedQueue<char>, band: usize, sent: u64, item: char) -> bool {
        let about = About {
            sent,
            expires: u64::MAX,
            units: 1,
            origin: Origin::here(),
        };
        queue.push(band, &mut Parcel::new(Entry { about, item }))
    }

    #[test]
    fn what_a_closed_queue_holds_is_taken_by_urgency_and_shown_no_more() {
        let queue = StampedQueue::new(3);
        for (band, sent, item) in [(2, 1, 'c'), (0, 2, 'x'), (1, 3, 'a'), (1, 4, 'b')] {
            assert!(push(&queue, band, sent, item));
        }
        queue.queue().close();
        assert!(!push(&queue, 1, 5, 'd'));
        let mut taken = Vec::new();
        let mut parcel = Parcel::empty();
        while let Some(band) = queue.pop_closed_of(0b110, &mut parcel) {
            let next = queue.front(band.index());
            taken.push((band.index(), parcel.unwrap().item, next));
        }
        assert_eq!(taken, [(1, 'a', Some(4)), (1, 'b', None), (2, 'c', None)]);
        assert_eq!(queue.front(0), Some(2));
    }
}
