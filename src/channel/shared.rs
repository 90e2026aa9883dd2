//! What the handles of a channel share: the queue, the room, the gates, and how it closes.
//!
//! # Close
//!
//! ```text
//! open ──(CL1 flag, by RMW)──▶ closing ──(CL2 mark each band)──▶ closed
//! ```
//!
//! A claim before a band's mark counts as sent; none comes after it. `closing` is over before anybody
//! is told: whoever is about to say `Closed` marks all bands first, so that nobody's later send slips
//! into a band that the closing thread has not reached. Marking is idempotent, so a closing thread that
//! is stopped stops nobody. A receive says `Closed` once every band is marked and empty, poisoning what
//! is claimed and unpublished: those pushes try again and meet the mark.
//!
//! # Room
//!
//! A bounded channel counts the units in use: a unit is taken by CAS before the push, and given back
//! after the take. Adding first and undoing would make others see `Full` where there is room. A
//! permit is a unit without an item.

use super::{Receiver, Sender};
use crate::{
    band::Band,
    error::{SendError, TryRecvError, TrySendError},
    queue::BandQueue,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    wait::Gate,
};
use crossbeam_utils::CachePadded;
use std::{panic::resume_unwind, thread};

/// The shared part of a channel.
pub(crate) struct Channel<T> {
    queue: BandQueue<T>,
    room: Option<Room>,
    pub(crate) gates: CachePadded<Gates>,
    closed: AtomicBool,
    senders: AtomicUsize,
    receivers: AtomicUsize,
}

/// Where the channel's users wait.
pub(crate) struct Gates {
    /// `recv` and the blocking receives.
    pub(crate) recv: Gate,
    /// Streams.
    pub(crate) stream: Gate,
    /// Senders waiting for room.
    pub(crate) room: Gate,
    /// Those who wait for the close.
    pub(crate) close: Gate,
}

/// The units of a bounded channel.
struct Room {
    used: CachePadded<AtomicUsize>,
    capacity: usize,
}

impl Room {
    fn try_take(&self) -> bool {
        let mut used = self.used.load(Ordering::Relaxed); // the claim below orders
        while used < self.capacity {
            // Acquire on success: pairs with `give_back`, so that a receive happens before whatever
            // takes its room. Relaxed on failure: only to try again.
            match self.used.compare_exchange_weak(
                used,
                used + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => used = now,
            }
        }
        false
    }

    fn give_back(&self, units: usize) {
        // SeqCst: N1 of `wait.md` for senders that wait for room.
        self.used.fetch_sub(units, Ordering::SeqCst);
    }
}

pub(crate) fn new<T>(bands: usize, capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel {
        queue: BandQueue::new(bands),
        room: capacity.map(|capacity| Room {
            used: CachePadded::new(AtomicUsize::new(0)),
            capacity,
        }),
        gates: CachePadded::new(Gates {
            recv: Gate::new(),
            stream: Gate::new(),
            room: Gate::new(),
            close: Gate::new(),
        }),
        closed: AtomicBool::new(false),
        senders: AtomicUsize::new(1),
        receivers: AtomicUsize::new(1),
    });
    (
        Sender::from_counted(Arc::clone(&channel)),
        Receiver::from_counted(channel),
    )
}

impl<T> Channel<T> {
    pub(crate) fn queue(&self) -> &BandQueue<T> {
        &self.queue
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.room.as_ref().map(|room| room.capacity)
    }

    pub(crate) fn is_full(&self) -> bool {
        // Relaxed: a look at one word, which orders nothing.
        self.room
            .as_ref()
            .is_some_and(|room| room.used.load(Ordering::Relaxed) >= room.capacity)
    }

    pub(crate) fn has_band(&self, band: Band) -> bool {
        band.index() < self.queue.bands()
    }

    // Sending.

    #[inline]
    pub(crate) fn try_send(&self, band: Band, item: T) -> Result<(), TrySendError<T>> {
        if !self.has_band(band) {
            return Err(TrySendError::NoSuchBand(item));
        }
        match self.try_take_room() {
            Ok(()) => {}
            Err(TrySendError::Full(())) => return Err(TrySendError::Full(item)),
            Err(_) => return Err(TrySendError::Closed(item)),
        }
        self.push(band, item).map_err(|item| {
            self.give_room_back(1);
            TrySendError::Closed(item)
        })
    }

    /// Takes a unit of room.
    #[inline]
    pub(crate) fn try_take_room(&self) -> Result<(), TrySendError<()>> {
        if self.room.as_ref().is_none_or(Room::try_take) {
            return Ok(());
        }
        // A full channel may be closed as well, and that wins.
        Err(if self.is_closed() {
            TrySendError::Closed(())
        } else {
            TrySendError::Full(())
        })
    }

    /// Gives units of room back and wakes that many of those who wait for room.
    #[inline]
    pub(crate) fn give_room_back(&self, units: usize) {
        if let Some(room) = &self.room {
            room.give_back(units);
            self.gates.room.notify(units);
        }
    }

    /// Pushes an item for which there is room; gives it back if the channel is closed.
    #[inline]
    pub(crate) fn push(&self, band: Band, item: T) -> Result<(), T> {
        match self.queue.push_open(band.index(), item) {
            Ok(()) => {
                self.gates.recv.notify(1);
                self.gates.stream.notify(1);
                Ok(())
            }
            Err(item) => {
                self.finish_close();
                Err(item)
            }
        }
    }

    /// Whether a permit for this band can be had: the errors of `reserve`.
    pub(crate) fn reserve(&self, band: Band) -> Result<(), TrySendError<()>> {
        if !self.has_band(band) {
            return Err(TrySendError::NoSuchBand(()));
        }
        if self.is_closed() {
            return Err(TrySendError::Closed(()));
        }
        self.try_take_room()
    }

    // Receiving.

    #[inline]
    pub(crate) fn try_recv(&self) -> Result<(Band, T), TryRecvError> {
        match self.queue.pop() {
            Some(received) => {
                self.give_room_back(1);
                Ok(received)
            }
            None => self.nothing_there(),
        }
    }

    #[cold]
    fn nothing_there(&self) -> Result<(Band, T), TryRecvError> {
        if !self.is_closed() {
            return Err(TryRecvError::Empty);
        }
        // Marked now, so this look is final.
        let received = self.queue.pop_closed().ok_or(TryRecvError::Closed)?;
        self.give_room_back(1);
        Ok(received)
    }

    /// Takes up to `limit` items; `Ok(0)` only if `limit` is 0.
    pub(crate) fn try_recv_many(
        &self,
        out: &mut Vec<(Band, T)>,
        limit: usize,
    ) -> Result<usize, TryRecvError> {
        let received = self.queue.pop_many(out, limit);
        if received == 0 && limit > 0 {
            out.push(self.nothing_there()?);
            return Ok(1);
        }
        if received > 0 {
            self.give_room_back(received);
        }
        Ok(received)
    }

    // Closing.

    /// Closes; true for the call that did it.
    pub(crate) fn close(&self) -> bool {
        // CL1. SeqCst: N1 of `wait.md` for everybody who waits, as far as they look at the flag.
        let first = !self.closed.swap(true, Ordering::SeqCst);
        self.finish_close();
        if first {
            self.gates.recv.notify_all();
            self.gates.stream.notify_all();
            self.gates.room.notify_all();
            self.gates.close.notify_all();
        }
        first
    }

    /// Whether it is closed; true only when every band is marked.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        // Acquire: pairs with CL1.
        let closed = self.closed.load(Ordering::Acquire);
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

    // Handles.

    pub(crate) fn sender_count(&self) -> usize {
        self.senders.load(Ordering::Relaxed) // a look at one word, which orders nothing
    }

    pub(crate) fn receiver_count(&self) -> usize {
        self.receivers.load(Ordering::Relaxed) // as above
    }

    pub(crate) fn add_sender(&self) {
        add_handle(&self.senders);
    }

    pub(crate) fn add_receiver(&self) {
        add_handle(&self.receivers);
    }

    pub(crate) fn upgrade_sender(&self) -> bool {
        upgrade_handle(&self.senders)
    }

    pub(crate) fn upgrade_receiver(&self) -> bool {
        upgrade_handle(&self.receivers)
    }

    pub(crate) fn drop_sender(&self) {
        // AcqRel: what every other sender did comes before the close by the last.
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
        }
    }

    pub(crate) fn drop_receiver(&self) {
        // AcqRel: what every other receiver did comes before the close by the last.
        if self.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
            // Nobody is left to receive, so what is inside goes now, not with the last sender.
            if let Err(panic) = self.queue.drop_items() {
                if !thread::panicking() {
                    resume_unwind(panic);
                }
            }
        }
    }
}

fn add_handle(count: &AtomicUsize) {
    // Relaxed, as in `Arc`: the new handle is made from one that keeps the count above zero.
    if count.fetch_add(1, Ordering::Relaxed) > isize::MAX as usize {
        std::process::abort(); // as in `Arc`: handles were forgotten in a loop
    }
}

fn upgrade_handle(count: &AtomicUsize) -> bool {
    // Relaxed: only the count decides; the close that goes with zero has its own orderings.
    count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |handles| {
            (handles > 0).then_some(handles + 1)
        })
        .is_ok()
}

/// The part of `send` that gives up for good; `None` while the channel is full.
pub(crate) fn settled<T>(
    result: Result<(), TrySendError<T>>,
    keep: &mut Option<T>,
) -> Option<Result<(), SendError<T>>> {
    match result {
        Ok(()) => Some(Ok(())),
        Err(TrySendError::Full(item)) => {
            *keep = Some(item);
            None
        }
        Err(TrySendError::Closed(item)) => Some(Err(SendError::Closed(item))),
        Err(TrySendError::NoSuchBand(item)) => Some(Err(SendError::NoSuchBand(item))),
    }
}
