//! What the handles of a channel share: the queue, the room, those who wait, and the close.

use super::{
    close::{Closing, Handles},
    managed::{Entries, Managed},
    room::{Limits, NoRoom, Room},
    waits::{ItemWait, Items, RoomWait, Waits},
};
use crate::{
    band::Band,
    entry::Sending,
    error::{BuildError, RecvError, SendError, TryRecvError, TrySendError},
    layout::Spaced,
    once::OnceBox,
    parcel::Parcel,
    queue::{Queue, first_panic, go_on},
    wait::Class,
};

/// The shared part of a channel.
pub(crate) struct Core<T> {
    queue: Queue<T>,
    managed: OnceBox<Managed<T>>,
    /// The most urgent band whose items may be evicted.
    evictable_from: usize,
    room: Option<Room>,
    pub(super) waits: Spaced<Waits>,
    closing: Closing,
    pub(super) senders: Handles,
    pub(super) receivers: Handles,
    pub(super) weak: Handles,
}

impl<T> Core<T> {
    /// With one sender and one receiver.
    pub(super) fn new(bands: usize, limits: &Limits, evictable_from: usize) -> Self {
        let room = Room::new(bands, limits);
        let waits = Waits::new(if room.is_some() { bands } else { 0 });
        Self {
            queue: Queue::new(bands),
            managed: OnceBox::new(),
            evictable_from,
            room,
            waits: Spaced::new(waits),
            closing: Closing::new(),
            senders: Handles::new(1),
            receivers: Handles::new(1),
            weak: Handles::new(0),
        }
    }

    pub(super) fn bands(&self) -> usize {
        self.queue.bands()
    }

    pub(super) fn has_band(&self, band: Band) -> bool {
        band.index() < self.queue.bands()
    }

    pub(super) fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    pub(super) fn evictable_from(&self) -> usize {
        self.evictable_from
    }

    /// The items of a plain channel; those that are bare, of another.
    pub(super) fn bare(&self) -> &Queue<T> {
        &self.queue
    }

    /// Whether it is more than plain; what it is then, is to be asked for after this.
    #[inline(always)]
    fn is_managed(&self) -> bool {
        self.managed.is_set()
    }

    /// What goes beyond a plain channel, if it was asked for.
    pub(super) fn managed(&self) -> Option<&Managed<T>> {
        self.managed.get()
    }

    /// The same, asked for now.
    pub(super) fn manage(&self) -> &Managed<T> {
        self.managed.get_or_init(|| Managed::new(self.bands()))
    }

    /// The entries, if there are any; after a `SeqCst` operation, also if they are new.
    pub(super) fn entries(&self) -> Option<&Entries<T>> {
        self.managed.get_late()?.entries_late()
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
        let entries = self.entries().map_or(0, |entries| entries.len());
        self.queue.len().saturating_add(entries).min(most)
    }

    /// As [`Queue::listed`].
    pub(super) fn listed(&self, mask: u64) -> u64 {
        let entries = self.managed().and_then(Managed::entries);
        self.queue.listed(mask) | entries.map_or(0, |entries| entries.listed(mask))
    }

    /// As [`Queue::is_empty`].
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.entries().is_none_or(Entries::is_empty)
    }

    pub(super) fn band_len(&self, band: Band) -> usize {
        // As in `len`.
        let most = self
            .room
            .as_ref()
            .map_or(usize::MAX, |room| room.most_of(band));
        let entries = self.entries().map_or(0, |entries| entries.band_len(band));
        self.queue
            .band_len(band.index())
            .saturating_add(entries)
            .min(most)
    }

    /// Where a receiver of those bands waits.
    pub(super) fn item_wait(&self, mask: u64, class: Class) -> ItemWait<'_, Self> {
        ItemWait::new(self, mask, class)
    }

    /// Where a sender waits for room for an item.
    pub(super) fn room_wait(&self, band: Band) -> RoomWait<'_> {
        if self.has_weigher() {
            return self.any_room_wait(band); // it may be more than one unit
        }
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
        sending: Sending,
    ) -> Result<(), TrySendError<()>> {
        match self.try_send_plain(band, parcel) {
            Some(sent) => sent,
            None => parcel.lend(|parcel| self.try_send_managed(band, parcel, sending)),
        }
    }

    /// The same if the channel is plain, and open; else `None`.
    #[inline(always)]
    fn try_send_plain(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
    ) -> Option<Result<(), TrySendError<()>>> {
        if self.is_managed() {
            return None;
        }
        let Some(fifo) = self.queue.band(band.index()) else {
            return Some(Err(TrySendError::NoSuchBand(())));
        };
        if let Err(error) = self.try_take_room(band, 1) {
            return Some(Err(error));
        }
        if self.queue.push_to(band.index(), fifo, parcel) {
            self.waits.item_came(band);
            return Some(Ok(()));
        }
        self.give_room_back(band, 1);
        None
    }

    /// Takes units of room for permits.
    pub(super) fn try_reserve(
        &self,
        band: Band,
        units: usize,
        ttl: u64,
    ) -> Result<(), TrySendError<()>> {
        if !self.has_band(band) {
            return Err(TrySendError::NoSuchBand(()));
        }
        if self.is_closed() {
            return Err(TrySendError::Closed(()));
        }
        self.try_take_room_managed(band, units, ttl)
    }

    #[inline(always)]
    pub(super) fn try_take_room(&self, band: Band, units: usize) -> Result<(), TrySendError<()>> {
        let Some(room) = &self.room else {
            return Ok(());
        };
        self.or_why_not(room, units, room.try_take(band, units))
    }

    /// What is said where there is no room for so many units.
    #[inline]
    pub(super) fn or_why_not(
        &self,
        room: &Room,
        units: usize,
        taken: Result<(), NoRoom>,
    ) -> Result<(), TrySendError<()>> {
        taken.map_err(|no| {
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
    pub(super) fn push(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
        units: usize,
        sending: Sending,
    ) -> bool {
        if !self.queue.push(band.index(), parcel) {
            return self.push_elsewhere(band, parcel, units, sending);
        }
        self.waits.item_came(band);
        true
    }

    /// The bare queue is closed: because the channel is, or because there are entries.
    #[cold]
    fn push_elsewhere(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
        units: usize,
        sending: Sending,
    ) -> bool {
        if let Some(entries) = self.entries() {
            // SeqCst: see `managed`, "Closed is final".
            let is_open = !self.closing.has_begun_late();
            if is_open && entries.push(band, units, sending, parcel) {
                self.waits.item_came(band);
                return true;
            }
        }
        self.finish_close();
        false
    }

    /// Sends what is in the parcel by a permit of so many units; leaves it, and they stay the
    /// permit's, if it fails.
    pub(super) fn send_reserved(
        &self,
        band: Band,
        parcel: &mut Parcel<T>,
        reserved: usize,
        sending: Sending,
    ) -> Result<(), SendError<()>> {
        let units = self.units(parcel);
        if units > reserved {
            return Err(SendError::TooHeavy(()));
        }
        if !self.push(band, parcel, units, sending) {
            return Err(SendError::Closed(()));
        }
        if units < reserved {
            self.give_room_back(band, reserved - units);
        }
        Ok(())
    }

    // Receiving.

    /// Takes an item of the bands in `mask`, a bit a band, into the parcel.
    #[inline(always)]
    pub(super) fn try_recv(&self, mask: u64, parcel: &mut Parcel<T>) -> Result<Band, TryRecvError> {
        match self.try_recv_plain(parcel) {
            Some(band) => Ok(band),
            None => parcel.lend(|parcel| self.try_recv_else(mask, parcel)),
        }
    }

    /// The same if the channel is plain, and something is there.
    #[inline(always)]
    fn try_recv_plain(&self, parcel: &mut Parcel<T>) -> Option<Band> {
        if self.is_managed() {
            return None;
        }
        let band = self.queue.pop(parcel)?;
        self.give_room_back(band, 1);
        Some(band)
    }

    /// The same where the plain channel had nothing, or it is not plain.
    #[inline(never)]
    fn try_recv_else(&self, mask: u64, parcel: &mut Parcel<T>) -> Result<Band, TryRecvError> {
        // Late: it may have come while the plain channel was looked through.
        if let Some(managed) = self.managed.get_late() {
            return match managed.entries() {
                None => self.try_recv_bare(managed, mask, parcel),
                Some(entries) => self.try_recv_entry(managed, entries, mask, parcel),
            };
        }
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
        mask: u64,
        out: &mut Vec<(Band, T)>,
        limit: usize,
    ) -> Result<usize, TryRecvError> {
        if self.is_managed() {
            return self.try_recv_many_managed(mask, out, limit);
        }
        let received = self.queue.pop_many(out, limit);
        if received == 0 && limit > 0 {
            let mut parcel = Parcel::empty();
            let band = self.try_recv_else(mask, &mut parcel)?;
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
        #[cfg(feature = "tracing")]
        if let Some(record) = self.record().filter(|_| first) {
            record.closed(self.len());
        }
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
        if let Some(entries) = self.entries() {
            entries.close();
        }
    }

    pub(super) fn drop_sender(&self) {
        if self.senders.remove() {
            self.close();
        }
    }

    pub(super) fn drop_receiver(&self) {
        if self.receivers.remove() {
            self.close();
            // Nobody is left to receive, so what is inside goes now, not with the last sender; all
            // of it, before a panic of the first goes on.
            let bare = self.queue.drop_items(|_| {});
            let entries = self.entries().map_or(Ok(()), Entries::drop_items);
            go_on(first_panic(bare, entries));
        }
    }
}

impl<T> Items for Core<T> {
    fn waits(&self) -> &Waits {
        &self.waits
    }

    fn are_in(&self, band: Band) -> bool {
        self.queue.has_published(band.index())
            || self
                .entries()
                .is_some_and(|entries| entries.has_published(band))
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
