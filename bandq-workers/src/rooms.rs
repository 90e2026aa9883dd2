//! The room of the channel that items inside the pool keep.

use bandq::{Band, HeldRoom};

/// By band, that of all items in the store. To give some back wakes senders, so it is split off
/// under the pool's lock, and dropped after it.
pub(crate) struct Rooms<T>(Vec<Option<HeldRoom<T>>>);

impl<T> Rooms<T> {
    pub(crate) fn new(bands: usize) -> Self {
        Self((0..bands).map(|_| None).collect())
    }

    /// Keeps room for an item that goes into the store, and says how much it is. What cannot be
    /// kept stays: it is not to be dropped under the lock.
    pub(crate) fn keep(&mut self, room: &mut Option<HeldRoom<T>>) -> usize {
        let Some(new) = room.take() else {
            return 0;
        };
        let units = new.units();
        let kept = self.0.get_mut(new.band().index());
        *room = match kept {
            Some(Some(kept)) => kept.merge(new).err(),
            Some(kept) => {
                *kept = Some(new);
                None
            }
            None => Some(new),
        };
        if room.is_none() { units } else { 0 }
    }

    /// The room of an item that leaves the store.
    pub(crate) fn release(&mut self, band: Band, units: usize) -> Option<HeldRoom<T>> {
        if units == 0 {
            return None;
        }
        self.0.get_mut(band.index())?.as_mut()?.split(units)
    }

    /// All of it.
    pub(crate) fn release_all(&mut self) -> Vec<HeldRoom<T>> {
        self.0.iter_mut().filter_map(Option::take).collect()
    }
}
