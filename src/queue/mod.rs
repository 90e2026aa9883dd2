//! The queue: a FIFO a band, and the set that says where to look.
//!
//! [`Queue`] is the core that channels stand on; it can be closed. [`BandQueue`] is the public
//! wrapper that never is. What an operation does is spread by idea:
//!
//! * [`bitmap`]: the set of bands that are worth looking into, and the race of clearing a bit;
//! * [`next`]: which band is next, and what it takes to say that there is none;
//! * [`order`]: a policy's live state; [`fronts`]: when what is at the heads was sent, and
//!   [`stamped`], the queue that knows it;
//! * [`batch`]: many items at once.

mod band_queue;
mod batch;
mod bitmap;
mod fronts;
mod next;
mod order;
mod stamped;

pub use band_queue::BandQueue;
pub(crate) use bitmap::BandSet;
pub(crate) use fronts::Fronts;
pub(crate) use order::Order;
pub(crate) use stamped::StampedQueue;

use crate::{
    band::Band,
    fifo::{Fifo, Look, Stock},
    layout::{AlignedSlice, Spaced},
    parcel::Parcel,
    quiet::drop_payload,
    spin::Slip,
};
use core::mem;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
};

/// Bands of items. Bands are given by their index, which the caller has checked.
pub(crate) struct Queue<T> {
    set: Spaced<BandSet>,
    bands: AlignedSlice<Fifo<T, Slip>>,
    stock: Stock<T>,
}

impl<T> Queue<T> {
    /// With this many bands: 1 to 64.
    pub(crate) fn new(bands: usize) -> Self {
        Self {
            set: Spaced::new(BandSet::default()),
            bands: AlignedSlice::new(bands, Fifo::new),
            stock: Stock::new(),
        }
    }

    /// Appends the item in the parcel; leaves it, and says `false`, if the queue is closed.
    #[inline]
    pub(crate) fn push(&self, band: usize, parcel: &mut Parcel<T>) -> bool {
        self.push_to(band, &self.bands[band], parcel)
    }

    /// A band, if there is one, for [`push_to`](Self::push_to).
    #[inline(always)]
    pub(crate) fn band(&self, band: usize) -> Option<&Fifo<T, Slip>> {
        self.bands.get(band)
    }

    /// [`push`](Self::push), with the band looked up before.
    #[inline(always)]
    pub(crate) fn push_to(
        &self,
        band: usize,
        fifo: &Fifo<T, Slip>,
        parcel: &mut Parcel<T>,
    ) -> bool {
        let pushed = fifo.push(parcel, &self.stock);
        if pushed {
            self.set.insert(band);
        }
        pushed
    }

    pub(crate) fn bands(&self) -> usize {
        self.bands.len()
    }

    /// The number of items in all bands, as exact as [`Fifo::len`].
    pub(crate) fn len(&self) -> usize {
        self.bands
            .iter()
            .fold(0, |sum, band| sum.saturating_add(band.len()))
    }

    /// The number of items in one band; 0 if there is no such band.
    pub(crate) fn band_len(&self, band: usize) -> usize {
        self.bands.get(band).map_or(0, Fifo::len)
    }

    /// Whether one band has an item that nobody has claimed; not if there is no such band.
    pub(crate) fn has_published(&self, band: usize) -> bool {
        let fifo = self.bands.get(band);
        fifo.is_some_and(|fifo| fifo.look(&self.stock) == Look::Published)
    }

    /// Closes every band: no push that begins after this succeeds. May be called by many, and by
    /// whoever sees that somebody else has begun to.
    pub(crate) fn close(&self) {
        for band in self.bands.iter() {
            band.close();
        }
    }

    /// Closes one band.
    pub(crate) fn close_band(&self, band: usize) {
        self.bands[band].close();
    }

    /// Whether a band that is closed has nothing left, not even a claimed slot: for ever, then.
    pub(crate) fn is_drained(&self, band: usize) -> bool {
        self.bands[band].is_empty()
    }

    /// Drops every item, and says of each which band it was in. If dropping one panics, the rest
    /// are dropped all the same and the first panic is returned.
    pub(crate) fn drop_items(&self, from: impl Fn(Band)) -> Result<(), Box<dyn Any + Send>> {
        let mut outcome = Ok(());
        loop {
            let mut parcel = Parcel::empty();
            let Some(band) = self.pop_closed(&mut parcel) else {
                return outcome;
            };
            from(band);
            let dropped = catch_unwind(AssertUnwindSafe(move || drop(parcel)));
            outcome = first_panic(outcome, dropped);
        }
    }

    /// The bands of `mask`, a bit a band, in which something seems to be: one relaxed load.
    #[inline(always)]
    pub(crate) fn listed(&self, mask: u64) -> u64 {
        self.set.load().within(mask)
    }

    #[cfg(feature = "__internals")]
    pub(crate) fn set(&self) -> &BandSet {
        &self.set
    }
}

/// The first panic of two; the other one ends here.
pub(crate) fn first_panic(
    first: Result<(), Box<dyn Any + Send>>,
    second: Result<(), Box<dyn Any + Send>>,
) -> Result<(), Box<dyn Any + Send>> {
    match (first, second) {
        (Err(panic), second) => {
            if let Err(other) = second {
                drop_payload(other);
            }
            Err(panic)
        }
        (Ok(()), second) => second,
    }
}

/// Lets a panic of [`Queue::drop_items`] go on, unless this thread is panicking already.
pub(crate) fn go_on(outcome: Result<(), Box<dyn Any + Send>>) {
    match outcome {
        Err(panic) if thread::panicking() => drop_payload(panic),
        Err(panic) => resume_unwind(panic),
        Ok(()) => {}
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        if !mem::needs_drop::<T>() {
            return; // the bands free their segments
        }
        go_on(self.drop_items(|_| {}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::band::Band;
    use std::cell::Cell;

    fn push<T>(queue: &Queue<T>, band: usize, item: T) {
        assert!(queue.push(band, &mut Parcel::new(item)));
    }

    fn pop<T>(queue: &Queue<T>) -> Option<(Band, T)> {
        let mut parcel = Parcel::empty();
        let band = queue.pop(&mut parcel)?;
        Some((band, parcel.unwrap()))
    }

    #[test]
    fn an_item_that_the_set_does_not_show_is_found() {
        let queue = Queue::new(3);
        push(&queue, 2, 'x');
        queue.set.clear(2); // as a consumer does that is stopped before its re-check
        assert_eq!(pop(&queue), Some((Band::new(2), 'x')));
        push(&queue, 2, 'y');
        queue.set.clear(2);
        let mut out = Vec::new();
        assert_eq!(queue.pop_many(&mut out, 5), 1);
    }

    #[test]
    fn an_item_that_the_set_does_not_show_is_found_in_an_order_of_some_bands() {
        let (queue, order) = (Queue::new(3), Order::new(3));
        push(&queue, 2, 'x');
        queue.set.clear(2);
        let mut parcel = Parcel::empty();
        assert_eq!(queue.pop_under(&order, 0b011, &mut parcel), None);
        let found = queue.pop_under(&order, 0b110, &mut parcel);
        assert_eq!((found, parcel.take()), (Some(Band::new(2)), Some('x')));
    }

    #[test]
    fn a_band_that_is_shown_and_empty_hides_no_other_in_an_order() {
        let (queue, order) = (Queue::new(3), Order::new(3));
        push(&queue, 2, 'x');
        queue.set.insert(1);
        let mut parcel = Parcel::empty();
        let found = queue.pop_under(&order, u64::MAX, &mut parcel);
        assert_eq!((found, parcel.take()), (Some(Band::new(2)), Some('x')));
    }

    /// While the search is between band 0, which was empty, and band 1, an item comes into band 0,
    /// and somebody takes the one of band 1.
    #[test]
    fn nothing_is_there_only_if_all_bands_were_empty_at_one_time() {
        let queue = Queue::new(2);
        push(&queue, 1, 'x');
        let is_over = Cell::new(false);
        let bands = || {
            queue.bands.iter().enumerate().inspect(|(band, _)| {
                if *band == 1 && !is_over.replace(true) {
                    push(&queue, 0, 'y');
                    assert!(queue.pop_band(1, &mut Parcel::empty()));
                }
            })
        };
        let mut parcel = Parcel::empty();
        let found = queue.search_in(2, bands, |band| {
            queue.pop_one_of(band, &mut parcel).then_some(band)
        });
        assert_eq!((found, parcel.take()), (Some(0), Some('y')));
    }

    #[test]
    fn a_band_that_the_set_does_not_show_is_shown_again_by_whoever_finds_it() {
        let queue = Queue::new(3);
        push(&queue, 2, 'x');
        push(&queue, 2, 'y');
        queue.set.clear(2);
        assert_eq!(pop(&queue), Some((Band::new(2), 'x')));
        assert_eq!(queue.set.load().next(), Some(2));
    }

    #[test]
    fn a_band_whose_last_item_was_found_without_the_set_is_not_shown() {
        let queue = Queue::new(3);
        push(&queue, 2, 'x');
        queue.set.clear(2);
        assert_eq!(pop(&queue), Some((Band::new(2), 'x')));
        assert_eq!(queue.set.load().next(), None);
    }

    #[test]
    fn a_band_that_is_shown_and_empty_is_taken_out_by_whoever_finds_it_so() {
        let queue = Queue::<char>::new(3);
        queue.set.insert(2);
        assert_eq!(pop(&queue), None);
        assert_eq!(queue.set.load().next(), None);
        queue.set.insert(1);
        assert_eq!(queue.pop_many(&mut Vec::new(), 5), 0);
        assert_eq!(queue.set.load().next(), None);
    }

    #[test]
    fn a_band_whose_last_item_was_taken_is_not_shown_after_a_slip_either() {
        let queue = Queue::new(3);
        queue.bands[2].companion().learn(64); // it paid, so the next pop slips
        push(&queue, 2, 'x');
        assert_eq!(pop(&queue), Some((Band::new(2), 'x')));
        assert_eq!(queue.set.load().next(), None);
        assert!(!queue.bands[2].companion().is_due(), "nothing came in");
    }

    #[test]
    fn a_running_push_keeps_no_batch_from_the_items_of_other_bands() {
        let queue = Queue::new(2);
        for limit in [1, 5] {
            queue.bands[0].stop_in_push(1, &queue.stock);
            queue.set.insert(0);
            push(&queue, 1, 'x');
            let mut out = Vec::new();
            assert_eq!(queue.pop_many(&mut out, limit), 1);
            assert_eq!(out, [(Band::new(1), 'x')]);
        }
    }

    #[test]
    fn a_closed_queue_gives_up_every_running_push_before_it_says_empty() {
        let queue = Queue::<u64>::new(2);
        for _ in 0..5 {
            queue.bands[1].stop_in_push(32, &queue.stock);
        }
        queue.close();
        assert_eq!(queue.pop_closed(&mut Parcel::empty()), None);
        assert_eq!(queue.len(), 0, "slots in which an item may still appear");
    }

    #[test]
    fn the_set_is_empty_after_a_closed_queue_was_drained() {
        let queue = Queue::new(3);
        push(&queue, 1, 'x');
        push(&queue, 1, 'y');
        queue.close();
        let pop = || queue.pop_closed(&mut Parcel::empty());
        assert_eq!([pop(), pop()], [Some(Band::new(1)); 2]);
        assert_eq!(queue.set.load().next(), None);
    }

    #[test]
    fn the_set_is_empty_after_a_drain() {
        let queue = Queue::new(64);
        for band in 0..64 {
            push(&queue, band, band);
        }
        for band in 0..64 {
            assert_eq!(pop(&queue), Some((Band::from_index(band), band)));
        }
        assert_eq!(queue.set.load().next(), None);
    }
}
