//! The inner layers, each on its own, for models, fuzzing and benchmarks. Not part of the API: no
//! stability, no promises.
#![allow(missing_docs, missing_debug_implementations)]

use crate::{
    Policy, Receiver,
    entry::{About, Entry, Origin},
    fifo,
    parcel::Parcel,
    queue::{self, BandQueue},
    sync, wait,
};
#[cfg(feature = "observe")]
use crate::{band::Band, clock::Clock, record};
use core::{
    ops::Deref,
    task::{Context, Poll},
    time::Duration,
};

/// One band.
pub struct Fifo<T> {
    fifo: fifo::Fifo<T>,
    stock: fifo::Stock<T>,
}

impl<T> Fifo<T> {
    pub fn new() -> Self {
        Self::starting_at(0)
    }

    /// With the number of the first segment given.
    pub fn starting_at(number: u64) -> Self {
        Self {
            fifo: fifo::Fifo::starting_at(number),
            stock: fifo::Stock::new(),
        }
    }

    pub fn push(&self, item: T) -> Result<(), T> {
        let mut parcel = Parcel::new(item);
        if self.fifo.push(&mut parcel, &self.stock) {
            Ok(())
        } else {
            Err(parcel.unwrap())
        }
    }

    /// Pushes an array as a run; returns how many of the items went in.
    pub fn push_run<const N: usize>(&self, items: [T; N]) -> usize
    where
        T: Copy,
    {
        // SAFETY: the items are `Copy` and initialised.
        unsafe { self.fifo.push_run(items.as_ptr(), N, &self.stock) }
    }

    pub fn pop(&self) -> Option<T> {
        let mut parcel = Parcel::empty();
        let leave = fifo::Unpublished::Leave;
        self.fifo
            .pop(&self.stock, leave, &mut parcel, &fifo::Blind)?;
        parcel.take()
    }

    /// The pop of a closed FIFO: its `None` is final.
    pub fn pop_closed(&self) -> Option<T> {
        let mut parcel = Parcel::empty();
        let poison = fifo::Unpublished::Poison;
        self.fifo
            .pop(&self.stock, poison, &mut parcel, &fifo::Blind)?;
        parcel.take()
    }

    pub fn pop_run(&self, limit: usize) -> Vec<T> {
        let mut out = Vec::with_capacity(limit);
        self.fifo.pop_run(limit, &self.stock, &mut out, |item| item);
        out
    }

    /// The look of a pop that has found a slot dead: is there an item behind?
    pub fn is_published_beyond(&self) -> bool {
        self.fifo.is_published_beyond(&self.stock)
    }

    /// A copy of the first item that nobody has claimed, and its place.
    pub fn peek(&self) -> Option<(Place, T)>
    where
        T: Copy,
    {
        // SAFETY: a look is at an item that was written, and a `Copy` one stays as it is.
        let copy = |item: *const T| unsafe { *item };
        let (place, item) = self.fifo.peek(&self.stock, copy)?;
        Some((Place(place), item))
    }

    /// Takes the item that was seen at that place, unless somebody else has claimed it, or
    /// something was, or still may be, before it.
    pub fn pop_at(&self, place: Place) -> Option<T> {
        let mut parcel = Parcel::empty();
        self.fifo
            .pop_at(place.0, &self.stock, &mut parcel, &fifo::Blind)?;
        parcel.take()
    }

    pub fn close(&self) {
        self.fifo.close();
    }

    pub fn len(&self) -> usize {
        self.fifo.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fifo.is_empty()
    }
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Fifo<T> {
    fn drop(&mut self) {
        while self.pop_closed().is_some() {}
    }
}

/// The place of an item in a [`Fifo`].
#[derive(Clone, Copy)]
pub struct Place(fifo::Place);

/// One band of a queue that knows when the item at its head was sent. Here the sender says when.
pub struct StampedBand<T>(queue::StampedQueue<T>);

impl<T> StampedBand<T> {
    pub fn new() -> Self {
        Self(queue::StampedQueue::new(1))
    }

    pub fn push(&self, sent: u64, item: T) {
        let about = About {
            sent,
            expires: u64::MAX,
            units: 1,
            origin: Origin::here(),
        };
        let entry = Entry { about, item };
        self.0.push(0, &mut Parcel::new(entry));
    }

    /// With when it was sent.
    pub fn pop(&self) -> Option<(u64, T)> {
        let mut parcel = Parcel::empty();
        self.0.pop_one_of(0, &mut parcel);
        let entry = parcel.take()?;
        Some((entry.about.sent, entry.item))
    }

    /// When the item at the head was sent, as far as that is known.
    pub fn front(&self) -> Option<u64> {
        self.0.front(0)
    }
}

impl<T> Default for StampedBand<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The order in which bands are served.
pub struct Order(queue::Order);

impl Order {
    pub fn new(bands: usize) -> Self {
        Self(queue::Order::new(bands))
    }

    pub fn set(&self, policy: Policy) {
        self.0.set(policy).expect("a policy that fits");
    }

    pub fn policy(&self) -> Policy {
        self.0.policy()
    }

    /// Whether all that receives look at is of the current policy and one version.
    pub fn is_whole(&self) -> bool {
        self.0.is_whole()
    }
}

/// Who works on what, in a channel in which nothing is.
#[cfg(feature = "observe")]
pub struct Work(std::sync::Arc<record::Work>);

#[cfg(feature = "observe")]
impl Work {
    pub fn new(bands: usize) -> Self {
        let queue = queue::StampedQueue::<()>::new(bands);
        let work = record::Work::new(bands, Clock::new(), queue.fronts().clone());
        Self(std::sync::Arc::new(work))
    }

    /// A receiver of those bands is a worker from now on, or no longer.
    pub fn hire(&self, mask: u64) {
        self.0.hire(mask);
    }

    pub fn dismiss(&self, mask: u64) {
        self.0.dismiss(mask);
    }

    /// One of them begins to work on an item of that band.
    pub fn begin(&self, mask: u64, band: usize) -> record::Working {
        self.0.begin(mask, Band::from_index(band))
    }

    /// Whether all who may take from that band are at less urgent work.
    pub fn is_exposed(&self, band: usize) -> bool {
        self.0.is_exposed(band)
    }
}

/// The set of bands.
#[derive(Default)]
pub struct BandSet(queue::BandSet);

impl BandSet {
    pub fn insert(&self, band: usize) {
        self.0.insert(band);
    }

    pub fn clear(&self, band: usize) {
        self.0.clear(band);
    }

    pub fn restore(&self, band: usize) {
        self.0.restore(band);
    }

    pub fn first(&self) -> Option<usize> {
        self.0.load().next()
    }
}

/// Leaves a queue as a consumer does that is stopped for ever between clearing a bit and its
/// re-check.
pub fn stop_after_clear<T>(queue: &BandQueue<T>, band: usize) {
    queue.queue().set().clear(band);
}

/// Takes the oldest item of one band, whatever is in the others.
pub fn pop_from<T>(queue: &BandQueue<T>, band: usize) -> Option<T> {
    let mut parcel = Parcel::empty();
    queue.queue().pop_band(band, &mut parcel);
    parcel.take()
}

/// A place to wait.
pub struct EventCount(wait::EventCount);

impl EventCount {
    pub fn new() -> Self {
        Self(wait::EventCount::new())
    }

    pub fn notify(&self, n: usize) {
        drop(self.0.notify(n));
    }

    pub fn notify_all(&self) {
        drop(self.0.notify_all());
    }

    #[cfg(not(target_family = "wasm"))]
    pub fn block<R>(&self, attempt: impl FnMut() -> Option<R>) -> R {
        wait::Waiter::block(&self.0, None, attempt).expect("without a deadline it waits")
    }
}

impl Default for EventCount {
    fn default() -> Self {
        Self::new()
    }
}

/// A place at an eventcount, which it borrows or shares.
pub struct Waiter<E: Deref<Target = EventCount>> {
    event: E,
    waiter: wait::Waiter,
}

impl<E: Deref<Target = EventCount>> Waiter<E> {
    pub fn new(event: E) -> Self {
        Self {
            event,
            waiter: wait::Waiter::new(),
        }
    }

    pub fn poll<R>(
        &mut self,
        context: &mut Context<'_>,
        attempt: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        self.waiter.poll(&self.event.0, context, attempt)
    }
}

impl<E: Deref<Target = EventCount>> Drop for Waiter<E> {
    fn drop(&mut self) {
        self.waiter.leave(&self.event.0);
    }
}

/// How much each band has been charged under weights, on top of where it began.
pub fn charges<T>(receiver: &Receiver<T>) -> Vec<u64> {
    receiver.charges()
}

/// Lets time pass. A model has a clock of its own, which stands still but for this.
pub fn sleep(duration: Duration) {
    sync::time::sleep(duration);
}

/// The most urgent band that the set shows, without the look into each band.
pub fn first_listed<T>(queue: &BandQueue<T>) -> Option<usize> {
    queue.queue().set().load().next()
}

/// The stall points (`cfg(bandq_stall)`).
#[cfg(all(bandq_stall, not(loom)))]
pub mod stall {
    use crate::sync::stall;
    use core::panic::Location;

    /// From now on this thread runs `hook` before each atomic access, with the place of the access
    /// in the source. Dropped when it is replaced, by `None` too.
    pub fn set_hook(hook: Option<Box<dyn FnMut(&'static Location<'static>)>>) {
        stall::set_hook(hook);
    }
}
