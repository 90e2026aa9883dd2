//! Who waits, by class, and who is woken: the one place that decides.

use super::{reach::Reaches, room::Room};
use crate::{
    band::Band,
    sync::atomic::{Ordering, fence},
    wait::{Class, EventCount, EventListener, Group, Line, Place, Total, Wakes},
};

/// Those who wait in a `recv`.
pub(super) const RECEIVES: Class = Class::FIRST;
/// Those who wait as a stream.
pub(super) const STREAMS: Class = Class::SECOND;

/// Where the users of a channel wait: an eventcount for each class; for senders two a band, all in
/// one group.
///
/// | class | woken by an item | by room for *n* | by the close |
/// |---|---|---|---|
/// | receives | one that may take it, of those with the fewest bands | | all |
/// | streams | all that may take it | | all |
/// | senders that wait for one unit of room | | *n* of those it admits | all |
/// | senders that wait for several, and sinks | | all of the bands that it admits | all |
/// | those who wait for the close | | | all |
///
/// Streams, all of them: a stream may be kept for long without being polled, its `next()` may have
/// been cancelled, and nobody is told. So a wake that is given to one never stands for one that is
/// owed to another, nor to a receive.
///
/// Sinks, all of them, for the same reason: a sink that waited may not be polled any more. Senders
/// that wait for several units, all of them: one that finds too little room for itself would have
/// to pass its wake on, in circles when none of them finds enough.
///
/// # Who is admitted
///
/// Room wakes senders of a band only as far as the limits of that band, as they are at that moment,
/// leave it units: the more urgent bands first, within a band in arrival order. The less urgent
/// ones get what is left when those who were woken before them have entered.
///
/// *No wake is lost.* Whoever makes room, by giving units back or by raising a limit, does so by a
/// `SeqCst` read-modify-write (N1), and looks at the limits behind a fence. When the room for a
/// sender is made by two at once, of which each sees too little, then each looked before the other
/// one's N1; but both looks come after both N1 in the order of the fences, or one of them does.
///
/// What a wake was given for may not be there for its receiver, but for somebody else: two of one
/// band were woken, and the band's own capacity had one unit left; or the woken one is dropped. So
/// a sender that was woken and finds no room, or leaves, has those woken whom the room admits
/// *now*, in any band. That does not go round in circles: they are woken only if at that moment
/// there is room for them, and then either enter or were overtaken by somebody who did.
///
/// # Receivers of some bands only
///
/// An item wakes one receive that may take it. But who was woken for it may look, and take
/// something else that came meanwhile and is more urgent, while the one that was woken for that may
/// not take the first: it would lie there with nobody awake for it. So a receive that takes an item
/// which such a receiver might have been woken for has others woken for what that one may not take
/// ([`took`](Self::took)).
///
/// The receiver may also appear after that, and be woken by a send that had not yet looked who
/// waits: for an item that is gone. So one that was woken and finds nothing has others woken for
/// what is there and out of its reach; one that leaves, for all that is there. That does not go
/// round in circles: they are woken only for what is published, and then find it, or were overtaken
/// by somebody who took it.
pub(super) struct Waits {
    /// All receives and streams that wait.
    receiving: Total,
    /// Those of all bands.
    recv: Line,
    stream: Line,
    pub(super) reaches: Reaches,
    /// First those of each band that wait for one unit, then those who wait for several.
    room: Group,
    pub(super) close: EventCount,
}

impl Waits {
    /// For that many bands with limits; 0 if there are none.
    pub(super) fn new(bands: usize) -> Self {
        Self {
            receiving: Total::new(),
            recv: Line::new(),
            stream: Line::new(),
            reaches: Reaches::new(),
            room: Group::new(2 * bands),
            close: EventCount::new(),
        }
    }

    /// How many receives and streams wait.
    #[cfg(feature = "observe")]
    pub(super) fn receivers_waiting(&self) -> usize {
        self.receiving.waiting()
    }

    /// How many senders wait for room.
    #[cfg(feature = "observe")]
    pub(super) fn senders_waiting(&self) -> usize {
        self.room.waiting()
    }

    // Each of these marks everybody first and runs foreign code, the wakers, at its end.

    /// An item was published in a band, by a `SeqCst` operation.
    #[inline(always)]
    pub(super) fn item_came(&self, band: Band) {
        if !self.receiving.is_idle() {
            self.wake_for_item(band);
        }
    }

    #[cold]
    fn wake_for_item(&self, band: Band) {
        let bit = 1 << band.index();
        drop(self.receiving.notify(|class| match class {
            RECEIVES => self.mark_recv(bit),
            _ => {
                let able = self.reaches.iter().filter(|reach| reach.mask & bit != 0);
                let streams = able.map(|reach| reach.stream.mark(usize::MAX));
                streams.sum::<usize>() + self.stream.mark(usize::MAX)
            }
        }));
    }

    /// Marks one receive that may take from the band of that bit; the one with the fewest bands.
    fn mark_recv(&self, bit: u64) -> usize {
        let mut able = self.reaches.iter().filter(|reach| reach.mask & bit != 0);
        if able.any(|reach| reach.recv.mark(1) == 1) {
            return 1;
        }
        self.recv.mark(1)
    }

    /// Receives for what is still there: one for each of the bands in `mask`, a bit a band, that
    /// have something.
    fn wake_receives(&self, mask: u64, items: &impl Items) -> Wakes {
        self.receiving.notify(|class| match class {
            RECEIVES => (0..Band::MAX_BANDS)
                .filter(|&band| mask & (1 << band) != 0 && items.are_in(Band::from_index(band)))
                .map(|band| self.mark_recv(1 << band))
                .sum(),
            _ => 0,
        })
    }

    /// A receive took one of the items, of that band.
    #[inline]
    pub(super) fn took(&self, band: Band, items: &impl Items) {
        if !self.receiving.is_idle() {
            self.wake_for_what_is_left(band, items);
        }
    }

    #[cold]
    fn wake_for_what_is_left(&self, band: Band, items: &impl Items) {
        let bit = 1 << band.index();
        let able = self.reaches.iter().filter(|reach| reach.mask & bit != 0);
        let out_of_reach = able.fold(0, |bands, reach| bands | !reach.mask);
        if out_of_reach != 0 {
            drop(self.wake_receives(out_of_reach, items));
        }
    }

    /// Units of room were given back, by a `SeqCst` operation.
    #[inline(always)]
    pub(super) fn room_came(&self, room: &Room, units: usize) {
        if !self.room.is_idle() {
            self.wake_for_room(room, units);
        }
    }

    #[cold]
    fn wake_for_room(&self, room: &Room, units: usize) {
        drop(self.wake_admitted(
            room,
            units,
            |available| {
                if available > 0 { usize::MAX } else { 0 }
            },
        ));
    }

    /// A limit was changed, by a `SeqCst` operation. Whom it admits now is woken; of those who wait
    /// for several units all, since some may ask for more than there will ever be.
    pub(super) fn limit_changed(&self, room: &Room) {
        drop(self.wake_admitted(room, usize::MAX, |_| usize::MAX));
    }

    /// Senders that wait for one unit: up to that many of those who are admitted. And how many of
    /// each band that wait for several, by the units that are available to it.
    fn wake_admitted(&self, room: &Room, units: usize, several: impl Fn(usize) -> usize) -> Wakes {
        // SeqCst: after N1, before the look at the limits; pairs with itself, see above.
        fence(Ordering::SeqCst);
        let bands = self.bands();
        self.room.notify(|member, woken| {
            let available = room.available_to(Band::from_index(member % bands));
            if member < bands {
                available.saturating_sub(woken).min(units - woken)
            } else {
                several(available)
            }
        })
    }

    fn bands(&self) -> usize {
        self.room.members() / 2
    }

    /// The channel was closed, by a `SeqCst` operation.
    pub(super) fn closed(&self) {
        let receiving = self.receiving.notify(|class| {
            let lines = self.reaches.iter().map(|reach| match class {
                RECEIVES => &reach.recv,
                _ => &reach.stream,
            });
            let of_all = if class == RECEIVES {
                &self.recv
            } else {
                &self.stream
            };
            let marked = lines.chain([of_all]).map(|line| line.mark(usize::MAX));
            marked.sum()
        });
        drop((receiving, self.close.notify_all(), self.room.notify_all()));
    }
}

/// What receivers wait for.
pub(super) trait Items {
    /// Who waits for it.
    fn waits(&self) -> &Waits;
    /// Whether something is in that band that a receive would find.
    fn are_in(&self, band: Band) -> bool;
}

/// Where a receiver waits for an item.
pub(super) struct ItemWait<'a, I> {
    pub(super) items: &'a I,
    /// The bands that it takes from, a bit a band: all, or a reach was added for them.
    pub(super) mask: u64,
    class: Class,
}

impl<'a, I: Items> ItemWait<'a, I> {
    /// As one of [`RECEIVES`] or [`STREAMS`].
    pub(super) fn new(items: &'a I, mask: u64, class: Class) -> Self {
        Self { items, mask, class }
    }

    fn line(&self) -> &'a Line {
        let waits = self.items.waits();
        let reach = if self.mask == u64::MAX {
            None
        } else {
            waits.reaches.get(self.mask)
        };
        match (reach, self.class) {
            (Some(reach), RECEIVES) => &reach.recv,
            (Some(reach), _) => &reach.stream,
            (None, RECEIVES) => &waits.recv,
            (None, _) => &waits.stream,
        }
    }
}

impl<I: Items> Place for ItemWait<'_, I> {
    fn listen(&self) -> EventListener {
        let receiving = &self.items.waits().receiving;
        receiving.listen(self.class, self.line())
    }

    fn left_unwoken(&self) {
        self.items.waits().receiving.left_unwoken(self.class);
    }

    /// To receives for what is there, in all bands: see [`Waits`]. A stream's wake was in nobody
    /// else's place.
    fn pass_on(&self) -> Wakes {
        let waits = self.items.waits();
        if self.class == STREAMS {
            Wakes::none()
        } else if waits.reaches.is_empty() {
            waits.receiving.notify(|class| match class {
                RECEIVES => waits.recv.mark(1),
                _ => 0,
            })
        } else {
            waits.wake_receives(u64::MAX, self.items)
        }
    }

    /// To receives for what is there and out of reach.
    fn looked_in_vain(&self) -> Wakes {
        if self.class == STREAMS || self.mask == u64::MAX {
            Wakes::none()
        } else {
            self.items.waits().wake_receives(!self.mask, self.items)
        }
    }
}

/// Where a sender waits for room.
pub(super) struct RoomWait<'a> {
    waits: &'a Waits,
    /// Without a limit nobody waits.
    room: Option<&'a Room>,
    band: Band,
    /// For several units, or as a sink.
    is_several: bool,
}

impl<'a> RoomWait<'a> {
    /// For one unit, as a future or a thread, which look when they are woken.
    pub(super) fn single(waits: &'a Waits, room: Option<&'a Room>, band: Band) -> Self {
        Self {
            waits,
            room,
            band,
            is_several: false,
        }
    }

    /// For several, or as a sink.
    pub(super) fn several(waits: &'a Waits, room: Option<&'a Room>, band: Band) -> Self {
        Self {
            is_several: true,
            ..Self::single(waits, room, band)
        }
    }

    fn member(&self) -> usize {
        let of_single = self.band.index();
        if self.is_several {
            self.waits.bands() + of_single
        } else {
            of_single
        }
    }
}

impl Place for RoomWait<'_> {
    fn listen(&self) -> EventListener {
        self.waits.room.listen(self.member())
    }

    fn left_unwoken(&self) {
        self.waits.room.left_unwoken(self.member());
    }

    /// To whom the room admits now; those who wait for several have been woken with it, all.
    fn pass_on(&self) -> Wakes {
        match self.room {
            Some(room) if !self.is_several => self.waits.wake_admitted(room, 1, |_| 0),
            _ => Wakes::none(),
        }
    }

    fn looked_in_vain(&self) -> Wakes {
        self.pass_on()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::{
        future::Future,
        pin::Pin,
        task::{Context, Waker},
    };

    /// A channel with something in these bands.
    struct Has {
        waits: Waits,
        bands: u64,
    }

    impl Items for Has {
        fn waits(&self) -> &Waits {
            &self.waits
        }

        fn are_in(&self, band: Band) -> bool {
            self.bands & (1 << band.index()) != 0
        }
    }

    /// Bands 0 and 1, and a receiver of each.
    fn has(bands: u64) -> Has {
        let waits = Waits::new(0);
        waits.reaches.add(1);
        waits.reaches.add(2);
        Has { waits, bands }
    }

    fn is_woken(listener: &mut EventListener) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(listener).poll(&mut context).is_ready()
    }

    #[test]
    fn a_receive_that_looked_in_vain_has_those_woken_who_can_take_what_it_cannot() {
        let channel = has(0b11);
        let [mut same, mut other] =
            [1, 2].map(|mask| ItemWait::new(&channel, mask, RECEIVES).listen());
        let mut stream = ItemWait::new(&channel, 2, STREAMS).listen();
        drop(ItemWait::new(&channel, 1, RECEIVES).looked_in_vain());
        assert!(is_woken(&mut other));
        assert!(!is_woken(&mut same) && !is_woken(&mut stream));
    }

    #[test]
    fn a_receive_of_all_bands_or_a_stream_that_looked_in_vain_has_nobody_woken() {
        let channel = has(0b11);
        let mut others = [1, 2].map(|mask| ItemWait::new(&channel, mask, RECEIVES).listen());
        drop(ItemWait::new(&channel, u64::MAX, RECEIVES).looked_in_vain());
        drop(ItemWait::new(&channel, 1, STREAMS).looked_in_vain());
        assert!(!others.iter_mut().any(is_woken));
    }

    #[test]
    fn nobody_is_woken_for_a_band_that_has_nothing() {
        let channel = has(0);
        let mut other = ItemWait::new(&channel, 2, RECEIVES).listen();
        drop(ItemWait::new(&channel, 1, RECEIVES).looked_in_vain());
        assert!(!is_woken(&mut other));
    }
}
