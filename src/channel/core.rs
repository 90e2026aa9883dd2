//! What the handles of a channel share: the queue, the room, those who wait, and the close.

use super::{
    close::{Closing, Handles},
    room::{NoRoom, Room},
    waits::Waits,
};
use crate::{
    band::Band,
    error::{RecvError, SendError, TryRecvError, TrySendError},
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
    pub(super) fn new(bands: usize, capacity: Option<usize>) -> Self {
        Self {
            queue: Queue::new(bands),
            room: capacity.map(Room::new),
            waits: Spaced::new(Waits::new()),
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
        self.room.as_ref().map(Room::capacity)
    }

    pub(super) fn available(&self) -> Option<usize> {
        self.room.as_ref().map(Room::available)
    }

    pub(super) fn len(&self) -> usize {
        // A receive and a send between the look at the two ends of a band may count as two.
        let most = self.capacity().unwrap_or(usize::MAX);
        self.queue.len().min(most)
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
        self.give_room_back(1);
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
                NoRoom::TooHeavy => TrySendError::TooHeavy(()),
            }
        })
    }

    /// Gives units of room back and wakes those who wait for them.
    #[inline]
    pub(super) fn give_room_back(&self, units: usize) {
        if let Some(room) = &self.room {
            room.give_back(units);
            self.waits.room_came(units);
        }
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
                self.give_room_back(1);
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
        self.give_room_back(1);
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
            self.give_room_back(received);
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
