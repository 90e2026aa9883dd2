//! What the handles of a channel share: the queue, the room, those who wait, and the close.

use super::{
    close::{Closing, Handles},
    room::{Limits, NoRoom, Room},
    waits::{RoomWait, Waits},
};
use crate::{
    band::Band,
    error::{BuildError, RecvError, SendError, TryRecvError, TrySendError},
    layout::Spaced,
    parcel::Parcel,
    queue::{Queue, go_on},
};

/// The shared part of a channel.
pub(crate) struct Core<T> {
    queue: Queue<T>,
    room: Option<Room>,
    pub(super) waits: Spaced<Waits>,
    closing: Closing,
    pub(super) senders: Handles,
    pub(super) receivers: Handles,
    pub(super) weak: Handles,
}

impl<T> Core<T> {
    /// With one sender and one receiver.
    pub(super) fn new(bands: usize, limits: &Limits) -> Self {
        let room = Room::new(bands, limits);
        let waits = Waits::new(if room.is_some() { bands } else { 0 });
        Self {
            queue: Queue::new(bands),
            room,
            waits: Spaced::new(waits),
            closing: Closing::new(),
            senders: Handles::new(1),
            receivers: Handles::new(1),
            weak: Handles::new(0),
        }
    }

    pub(super) fn queue(&self) -> &Queue<T> {
        &self.queue
    }

    pub(super) fn has_band(&self, band: Band) -> bool {
        band.index() < self.queue.bands()
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        self.room.as_ref().and_then(Room::capacity)
    }

    pub(super) fn set_capacity(&self, units: usize) -> Result<(), BuildError> {
        if units == 0 {
            return Err(BuildError::ZeroCapacity);
        }
        let room = self.room.as_ref().ok_or(BuildError::Unbounded)?;
        room.set_capacity(units);
        self.waits.limit_changed(room);
        Ok(())
    }

    pub(super) fn available(&self) -> Option<usize> {
        self.room.as_ref().and_then(Room::available)
    }

    pub(super) fn is_full(&self) -> bool {
        self.room.as_ref().is_some_and(Room::is_full)
    }

    pub(super) fn len(&self) -> usize {
        // A receive and a send between the look at the two ends of a band may count as two.
        let most = self.room.as_ref().map_or(usize::MAX, Room::most);
        self.queue.len().min(most)
    }

    pub(super) fn band_len(&self, band: Band) -> usize {
        // As in `len`.
        let most = self
            .room
            .as_ref()
            .map_or(usize::MAX, |room| room.most_of(band));
        self.queue.band_len(band.index()).min(most)
    }

    /// Where a sender waits for one unit.
    pub(super) fn room_wait(&self, band: Band) -> RoomWait<'_> {
        RoomWait::single(&self.waits, self.room.as_ref(), band)
    }

    /// Where one waits for several, or a sink.
    pub(super) fn any_room_wait(&self, band: Band) -> RoomWait<'_> {
        RoomWait::several(&self.waits, self.room.as_ref(), band)
    }

    // Sending.

    /// Sends what is in the parcel, or says why not and leaves it.
    #[inline]
    pub(super) fn try_send(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
    ) -> Result<(), TrySendError<()>> {
        if !self.has_band(band) {
            return Err(TrySendError::NoSuchBand(()));
        }
        self.try_take_room(band, 1)?;
        if self.push(band, parcel) {
            return Ok(());
        }
        self.give_room_back(band, 1);
        Err(TrySendError::Closed(()))
    }

    /// Takes units of room for permits.
    pub(super) fn try_reserve(&self, band: Band, units: usize) -> Result<(), TrySendError<()>> {
        if !self.has_band(band) {
            return Err(TrySendError::NoSuchBand(()));
        }
        if self.is_closed() {
            return Err(TrySendError::Closed(()));
        }
        self.try_take_room(band, units)
    }

    #[inline]
    fn try_take_room(&self, band: Band, units: usize) -> Result<(), TrySendError<()>> {
        let Some(room) = &self.room else {
            return Ok(());
        };
        room.try_take(band, units).map_err(|no| {
            // A full channel may be closed as well, and that wins.
            if self.is_closed() {
                return TrySendError::Closed(());
            }
            match no {
                NoRoom::Full => TrySendError::Full(()),
                NoRoom::Undone => {
                    self.waits.room_came(room, units);
                    TrySendError::Full(())
                }
                NoRoom::TooHeavy => TrySendError::TooHeavy(()),
            }
        })
    }

    /// Gives units of room back that were taken for that band, and wakes those who wait for them.
    #[inline]
    pub(super) fn give_room_back(&self, band: Band, units: usize) {
        if let Some(room) = &self.room {
            room.give_back(band, units);
            self.waits.room_came(room, units);
        }
    }

    /// The same for a batch of items.
    #[inline]
    fn give_rooms_back(&self, items: &[(Band, T)]) {
        let Some(room) = &self.room else {
            return;
        };
        if room.is_one() {
            room.give_back(Band::URGENT, items.len());
        } else {
            for run in items.chunk_by(|(one, _), (next, _)| one == next) {
                room.give_back(run[0].0, run.len());
            }
        }
        self.waits.room_came(room, items.len());
    }

    /// Pushes what is in the parcel, for which there is room; leaves it, and says `false`, if the
    /// channel is closed.
    #[inline]
    pub(super) fn push(&self, band: Band, parcel: &mut Parcel<T>) -> bool {
        let pushed = self.queue.push(band.index(), parcel);
        if pushed {
            self.waits.item_came();
        } else {
            self.finish_close();
        }
        pushed
    }

    // Receiving.

    /// Takes an item into the parcel.
    #[inline]
    pub(super) fn try_recv(&self, parcel: &mut Parcel<T>) -> Result<Band, TryRecvError> {
        match self.queue.pop(parcel) {
            Some(band) => {
                self.give_room_back(band, 1);
                Ok(band)
            }
            None => self.nothing_there(parcel),
        }
    }

    #[cold]
    fn nothing_there(&self, parcel: &mut Parcel<T>) -> Result<Band, TryRecvError> {
        if !self.is_closed() {
            return Err(TryRecvError::Empty);
        }
        // Marked now, so this look is final.
        let band = self.queue.pop_closed(parcel).ok_or(TryRecvError::Closed)?;
        self.give_room_back(band, 1);
        Ok(band)
    }

    /// Takes up to `limit` items; `Ok(0)` only if `limit` is 0.
    pub(super) fn try_recv_many(
        &self,
        out: &mut Vec<(Band, T)>,
        limit: usize,
    ) -> Result<usize, TryRecvError> {
        let received = self.queue.pop_many(out, limit);
        if received == 0 && limit > 0 {
            let mut parcel = Parcel::empty();
            let band = self.nothing_there(&mut parcel)?;
            out.push((band, parcel.unwrap()));
            return Ok(1);
        }
        if received > 0 {
            self.give_rooms_back(&out[out.len() - received..]);
        }
        Ok(received)
    }

    // Closing: see `close`.

    /// Closes; true for the call that did it.
    pub(super) fn close(&self) -> bool {
        let first = self.closing.begin();
        self.finish_close();
        // Whoever was first: a closing thread that is stopped in between leaves nobody asleep.
        self.waits.closed();
        first
    }

    /// Whether it is closed; true only when every band is marked.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        let closed = self.closing.has_begun();
        if closed {
            self.finish_close();
        }
        closed
    }

    /// CL2: does what is left of a close that has begun.
    #[cold]
    fn finish_close(&self) {
        self.queue.close();
    }

    pub(super) fn drop_sender(&self) {
        if self.senders.remove() {
            self.close();
        }
    }

    pub(super) fn drop_receiver(&self) {
        if self.receivers.remove() {
            self.close();
            // Nobody is left to receive, so what is inside goes now, not with the last sender.
            go_on(self.queue.drop_items());
        }
    }
}

/// The part of a send that ends it; `None` while the channel is full.
#[inline]
pub(super) fn sent(result: Result<(), TrySendError<()>>) -> Option<Result<(), SendError<()>>> {
    match result {
        Ok(()) => Some(Ok(())),
        Err(error) => error.final_one().map(Err),
    }
}

/// The part of a receive that ends it; `None` while the channel is empty.
#[inline]
pub(super) fn received<R>(result: Result<R, TryRecvError>) -> Option<Result<R, RecvError>> {
    match result {
        Ok(received) => Some(Ok(received)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some(Err(RecvError)),
    }
}
