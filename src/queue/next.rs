//! Which band is next: the one place that decides, for single items and for runs.
//!
//! The most urgent band of the set is. Since the set is a hint (see [`bitmap`](super::bitmap)), a
//! walk that found nothing in it looks into every band itself.
//!
//! # Nothing, in any band, at one time
//!
//! A look goes from band to band, and while it looks into one, an item may come into another that
//! it has seen empty. Each band being empty at *some* moment is not enough: with two items at any
//! time, in changing bands, a look that passes each of them by would say that there is none. So
//! `None` takes two **collects** that agree (the double collect of Afek et al., "Atomic Snapshots
//! of Shared Memory", JACM 1993):
//!
//! ```text
//! collect     for each band: read head and tail. Between them no published item? Add both up.
//! again       until two collects, one after the other, found no item, and the same sum.
//! ```
//!
//! Ends only grow, so an equal sum says that no end of any band has moved. Let X be an instant
//! between the two collects.
//!
//! * *Nothing was claimed by a push around X.* Tails are read by `SeqCst` loads, and pushes claim
//!   by `SeqCst` read-modify-writes. Both loads of a band's tail returned the same value, and X
//!   lies between them in the total order S, so at X the tail had that value, too.
//! * *Nothing was there that was claimed before.* Both times the head stood where it stands, so no
//!   receive took anything in between. If head and tail were equal, that is all. Else every slot
//!   between them was not published when the second collect read its lane, by a `SeqCst` load; a
//!   push publishes by a `SeqCst` read-modify-write before its send returns; so at X that send had
//!   not returned.
//!
//! So at X no item was in any band whose send had returned and that no receive had begun to take.
//! With one band, one collect says as much: its instant is the load of the tail.
//!
//! The search is lock-free: it goes on only if an end has moved or somebody else has taken an item
//! that it saw; both are steps of operations that end. It claims only where it has seen an item, so
//! it poisons no running push for nothing, and cannot keep a producer on the run.

use super::{Queue, Slip, order::Order};
use crate::{
    band::Band,
    fifo::{Blind, Ends, Fifo, Look, Place, Popped, See, Unpublished},
    parcel::Parcel,
    policy::ageing::UNKNOWN,
    sync::model_fence,
};
use core::ops::Range;

impl<T> Queue<T> {
    /// Takes the oldest item of the most urgent band into the parcel, and says which band it was.
    #[inline]
    pub(crate) fn pop(&self, parcel: &mut Parcel<T>) -> Option<Band> {
        // As in `next`, written out: what is used in the walk and in the search is inlined in
        // neither, which costs 20 instructions.
        for band in self.set.load() {
            if self.pop_band(band, parcel) {
                return Some(Band::from_index(band));
            }
        }
        let taken = self.search(|band| self.pop_band(band, parcel).then_some(band))?;
        Some(Band::from_index(taken))
    }

    /// The pop of a closed queue. Slots that are still unpublished are poisoned, so their pushes
    /// fail, and `None` is for ever: no band fills again.
    pub(crate) fn pop_closed(&self, parcel: &mut Parcel<T>) -> Option<Band> {
        let taken = self
            .bands
            .iter()
            .position(|fifo| self.pop_closed_fifo(fifo, parcel))?;
        Some(Band::from_index(taken))
    }

    /// The same for one band, which is closed.
    pub(crate) fn pop_closed_band(&self, band: usize, parcel: &mut Parcel<T>) -> bool {
        self.pop_closed_fifo(&self.bands[band], parcel)
    }

    fn pop_closed_fifo(&self, fifo: &Fifo<T, Slip>, parcel: &mut Parcel<T>) -> bool {
        fifo.pop(&self.stock, Unpublished::Poison, parcel, &Blind)
            .is_some()
    }

    /// Whether nothing is there: there was an instant at which every band was empty. Items of
    /// running pushes count as being there.
    pub(crate) fn is_empty(&self) -> bool {
        let mut before = None;
        loop {
            model_fence();
            let ends = self.bands.iter().try_fold(Ends::default(), |sum, fifo| {
                fifo.ends_if_empty().map(|ends| sum.and(ends))
            });
            if ends.is_none() {
                return false;
            }
            if self.bands.len() == 1 || ends == before {
                return true;
            }
            before = ends;
        }
    }

    /// Calls `take` with the bands in which something seems to be, the most urgent first, until it
    /// gets something; `None` only if nothing was in any band at one time.
    #[inline(always)]
    pub(super) fn next<R>(&self, mut take: impl FnMut(usize) -> Option<R>) -> Option<R> {
        for band in self.set.load() {
            if let Some(taken) = take(band) {
                return Some(taken);
            }
        }
        self.search(take)
    }

    /// The search in all bands, once those of the set had nothing.
    #[cold]
    fn search<R>(&self, take: impl FnMut(usize) -> Option<R>) -> Option<R> {
        self.search_in(self.bands.len(), || self.bands.iter().enumerate(), take)
    }

    /// The search in some of the bands, `count` of them.
    #[inline(always)]
    pub(super) fn search_in<'a, R, I>(
        &'a self,
        count: usize,
        bands: impl Fn() -> I,
        mut take: impl FnMut(usize) -> Option<R>,
    ) -> Option<R>
    where
        T: 'a,
        I: Iterator<Item = (usize, &'a Fifo<T, Slip>)>,
    {
        let mut before = None;
        loop {
            model_fence();
            let mut sum = Ends::default();
            let mut is_nothing = true;
            for (band, fifo) in bands() {
                if let Some(ends) = fifo.ends_if_empty() {
                    sum = sum.and(ends); // the usual case, in a few instructions
                    continue;
                }
                match fifo.look(&self.stock) {
                    Look::Nothing(ends) => sum = sum.and(ends),
                    Look::Published => {
                        if let Some(taken) = take(band) {
                            if !fifo.is_empty() {
                                self.set.restore(band);
                            }
                            return Some(taken);
                        }
                        is_nothing = false; // others took what was there
                    }
                }
            }
            if is_nothing && (count == 1 || before == Some(sum)) {
                return None;
            }
            before = is_nothing.then_some(sum);
        }
    }

    /// The search in the bands of `mask`, a bit a band, once a walk in an order had nothing. `None`
    /// only if nothing was in any of them at one time.
    #[cold]
    pub(super) fn search_under(
        &self,
        order: &Order,
        mask: u64,
        mut take: impl FnMut(usize) -> bool,
    ) -> Option<Band> {
        let bands = || {
            let all = self.bands.iter().enumerate();
            all.filter(move |(band, _)| mask & (1 << band) != 0)
        };
        let taken = self.search_in(bands().count(), bands, |band| take(band).then_some(band))?;
        order.charge(taken, 1);
        Some(Band::from_index(taken))
    }

    /// The next item of the bands in `mask`, in an order that needs no stamps.
    #[inline(always)]
    pub(crate) fn pop_under(
        &self,
        order: &Order,
        mask: u64,
        parcel: &mut Parcel<T>,
    ) -> Option<Band> {
        let unknown = |bands: Range<usize>| bands.map(|_| UNKNOWN);
        let take = |band| self.pop_band(band, parcel); // its only use, so that it is inlined
        match order.walk(self.listed(mask), unknown, take) {
            Some(band) => Some(Band::from_index(band)),
            None => self.search_under(order, mask, |band| self.pop_band(band, parcel)),
        }
    }

    /// The same for a queue that is closed, as [`pop_closed`](Self::pop_closed).
    pub(crate) fn pop_closed_of(&self, mask: u64, parcel: &mut Parcel<T>) -> Option<Band> {
        let mut bands = self.bands.iter().enumerate();
        let taken = bands
            .find(|(band, fifo)| mask & (1 << band) != 0 && self.pop_closed_fifo(fifo, parcel))?;
        Some(Band::from_index(taken.0))
    }

    /// Looks at the first item of one band, as [`Fifo::peek`].
    pub(super) fn peek_band<R>(
        &self,
        band: usize,
        look: impl Fn(*const T) -> R,
    ) -> Option<(Place, R)> {
        self.bands[band].peek(&self.stock, look)
    }

    /// Takes the item that was seen at that place, as [`Fifo::pop_at`].
    pub(super) fn pop_band_at<S: See<T>>(
        &self,
        band: usize,
        place: Place,
        parcel: &mut Parcel<T>,
        sight: &S,
    ) -> Option<Popped<S::Seen>> {
        let fifo = &self.bands[band];
        let popped = fifo.pop_at(place, &self.stock, parcel, sight)?;
        if popped.was_last {
            self.took_last(band, fifo);
        }
        Some(popped)
    }

    /// Takes the oldest item of one band.
    #[inline(always)]
    pub(crate) fn pop_band(&self, band: usize, parcel: &mut Parcel<T>) -> bool {
        self.pop_band_seeing(band, parcel, &Blind).is_some()
    }

    /// The same, with a look at the item behind it.
    #[inline(always)]
    pub(super) fn pop_band_seeing<S: See<T>>(
        &self,
        band: usize,
        parcel: &mut Parcel<T>,
        sight: &S,
    ) -> Option<Popped<S::Seen>> {
        let fifo = &self.bands[band];
        match fifo.pop(&self.stock, Unpublished::Leave, parcel, sight) {
            Some(popped) => {
                if popped.was_last {
                    self.took_last(band, fifo);
                }
                Some(popped)
            }
            None => {
                self.found_empty(band, fifo);
                None
            }
        }
    }

    /// A pop took what looked like a band's last item: takes the band out of the set, or lets some
    /// more gather first, if that pays (see [`Slip`]).
    #[inline(always)]
    pub(super) fn took_last(&self, band: usize, fifo: &Fifo<T, Slip>) {
        if fifo.companion().is_due() {
            self.step_back(band, fifo);
        } else {
            self.emptied(band, fifo);
        }
    }

    #[cold]
    fn step_back(&self, band: usize, fifo: &Fifo<T, Slip>) {
        let before = self.set.load();
        Slip::wait();
        let here = fifo.len();
        fifo.companion()
            .learn(here + self.set.load().not_in(before));
        if here == 0 {
            self.emptied(band, fifo);
        }
    }

    /// A band had nothing, though the set showed it.
    #[cold]
    pub(super) fn found_empty(&self, band: usize, fifo: &Fifo<T, Slip>) {
        // Somebody else may have taken it out meanwhile.
        if self.set.load().contains(band) {
            self.emptied(band, fifo);
        }
    }

    /// The band looked empty: takes it out of the set, unless something came in meanwhile.
    #[inline(always)]
    fn emptied(&self, band: usize, fifo: &Fifo<T, Slip>) {
        self.set.clear(band);
        if !fifo.is_empty() {
            self.set.restore(band);
        }
    }
}
