//! Who waits, by class, and who is woken: the one place that decides.

use crate::wait::EventCount;

/// Where the users of a channel wait: an eventcount for each class.
///
/// | class | woken by an item | by room for *n* | by the close |
/// |---|---|---|---|
/// | receives | one | | all |
/// | streams | all | | all |
/// | senders that wait for one unit of room | | *n* | all |
/// | senders that wait for several, and sinks | | all | all |
/// | those who wait for the close | | | all |
///
/// Streams, all of them: a stream may be kept for long without being polled, its `next()` may have
/// been cancelled, and nobody is told. So a wake that is given to one never stands for one that is
/// owed to another, nor to a receive.
///
/// Sinks, all of them, for the same reason: a sink that waited may not be polled any more. Senders
/// that wait for several units, all of them: one that finds too little room for itself would have
/// to pass its wake on, in circles when none of them finds enough.
pub(super) struct Waits {
    pub(super) recv: EventCount,
    pub(super) stream: EventCount,
    pub(super) room: EventCount,
    pub(super) any_room: EventCount,
    pub(super) close: EventCount,
}

impl Waits {
    pub(super) fn new() -> Self {
        Self {
            recv: EventCount::new(),
            stream: EventCount::new(),
            room: EventCount::new(),
            any_room: EventCount::new(),
            close: EventCount::new(),
        }
    }

    // Each of these marks everybody first and runs foreign code, the wakers, at its end.

    /// An item was published, by a `SeqCst` operation.
    #[inline(always)]
    pub(super) fn item_came(&self) {
        if !(self.recv.is_idle() && self.stream.is_idle()) {
            self.wake_for_item();
        }
    }

    #[cold]
    fn wake_for_item(&self) {
        drop((self.recv.notify(1), self.stream.notify_all()));
    }

    /// Units of room were given back, by a `SeqCst` operation.
    #[inline(always)]
    pub(super) fn room_came(&self, units: usize) {
        if !(self.room.is_idle() && self.any_room.is_idle()) {
            self.wake_for_room(units);
        }
    }

    #[cold]
    fn wake_for_room(&self, units: usize) {
        drop((self.room.notify(units), self.any_room.notify_all()));
    }

    /// The channel was closed, by a `SeqCst` operation.
    pub(super) fn closed(&self) {
        let all = [
            &self.recv,
            &self.stream,
            &self.room,
            &self.any_room,
            &self.close,
        ];
        drop(all.map(EventCount::notify_all));
    }
}
