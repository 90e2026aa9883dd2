//! One segment: a block of slots in one allocation, and the states of a slot.
//!
//! ```text
//! ┌────────────────┬──────────────────┬────────────────┬────────────────────────┐
//! │ next, number   │ lanes: 2 bits a  │ done: 1 byte a │ values: SLOTS × T      │
//! │                │ slot, 32 a word  │ slot           │                        │
//! └────────────────┴──────────────────┴────────────────┴────────────────────────┘
//! ```
//!
//! # The states of a slot
//!
//! A slot is claimed twice, in the index words and not here: by one producer at the tail, then by
//! one consumer at the head. Its lane says what has become of the item:
//!
//! | lane | name | meaning |
//! |---|---|---|
//! | `00` | empty | unclaimed, or claimed and the producer is still writing |
//! | `01` | written | the item is there; it belongs to the consumer that claimed the slot |
//! | `10` | poisoned | a consumer gave the slot up; its producer has not noticed yet |
//! | `11` | dead | the producer has noticed and keeps its item, to push it elsewhere |
//!
//! ```text
//!         producer: +01              consumer: +10, only from empty (CAS)
//! empty ───────────────▶ written     empty ───────────────▶ poisoned
//!                                    poisoned ─ producer: +01 ─▶ dead
//! ```
//!
//! A producer publishes with one `fetch_add` of `01`, for one slot or for a run of up to 32, and
//! learns from the old value which of them are poisoned. It never waits. A consumer poisons not
//! only its own slot but all slots behind it, up to the first that is not empty or not claimed, or
//! the end of the word: a run is published as one, so the poisoned part of a run is always its end,
//! and a batch keeps its order when its producer pushes the rest again. The consumer then passes
//! the poisoned slots as well, so that they are not counted as items for longer than it takes.
//!
//! # When a segment is finished with
//!
//! Nobody looks into a slot without having claimed it, except under a pin. So when, in every slot,
//! the producer has added its `01` (its last access: it keeps a copy of the item until then) and
//! the consumer has noted that it is done (its last access), only pinned threads may still hold the
//! segment. What a consumer claims at once, a run of 1 to 32 slots, it notes as one, by a plain
//! store: the `done` byte of the run's first slot becomes the length of the run. (A shared counter
//! would cost every receive another locked instruction, a store for each slot a batch 32 of them.)
//! No run is noted twice and none crosses a word, so a word of slots is done with when its bytes
//! add up to their number.

use crate::sync::{
    IS_MODEL, UnsafeCell, alloc,
    atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering},
    dealloc, spin_loop, write_cells, zero_atomics,
};
use crate::{parcel::Parcel, spin::looks_at_slot};
use core::{
    alloc::Layout,
    marker::PhantomData,
    mem::MaybeUninit,
    ptr::{self, NonNull},
};
use std::alloc::handle_alloc_error;

use super::index::Shape;

const WRITTEN: u64 = 0b01;
const POISONED: u64 = 0b10;
const LANE: u64 = 0b11;
/// `WRITTEN` in all lanes of a word.
const ALL_WRITTEN: u64 = 0x5555_5555_5555_5555;
/// Lanes in a word.
pub(super) const LANES: usize = 32;

/// `WRITTEN` in the first `count` lanes of a word; `count` is in `1..=LANES`.
#[inline(always)]
const fn all_written(count: usize) -> u64 {
    ALL_WRITTEN >> (2 * (LANES - count))
}

/// The head of the allocation; the arrays follow it.
pub(super) struct Header<T> {
    /// The segment behind this one; null until a producer installs it, then never changed.
    next: AtomicPtr<Header<T>>,
    /// Its place in the FIFO. Written only while nobody else can see the segment, and in a cell
    /// only so that loom sees it if that is not so.
    number: UnsafeCell<u64>,
    _items: PhantomData<T>,
}

/// How many slots a segment of `size`-byte items has.
///
/// About 2 KiB of items, at most 256, at least one. So for items of 1 to 8, 16, 32 or 64 bytes the
/// lanes fill their words, and a batch of 32 that begins with a word stays in one. Two in models,
/// so that handing over to the next segment is part of each.
const fn slots_per_segment(size: usize) -> usize {
    const BYTES: usize = 2048;
    const MOST: usize = 256;
    if IS_MODEL {
        return 2;
    }
    if size == 0 {
        return MOST;
    }
    let fit = BYTES / size;
    if fit == 0 {
        1
    } else if fit > MOST {
        MOST
    } else {
        fit
    }
}

/// A pointer to a segment, not null.
pub(super) struct Segment<T>(NonNull<Header<T>>);

impl<T> Clone for Segment<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Segment<T> {}

/// Where the arrays begin, and how large the whole is.
struct Plan {
    layout: Layout,
    lanes: usize,
    done: usize,
    values: usize,
}

impl<T> Segment<T> {
    pub(super) const SLOTS: usize = slots_per_segment(size_of::<T>());
    pub(super) const SHAPE: Shape = Shape::new(Self::SLOTS);
    const WORDS: usize = Self::SLOTS.div_ceil(LANES);
    const PLAN: Plan = Self::plan();

    const fn plan() -> Plan {
        // `Layout::extend` and `Layout::array` would do, were they const in our MSRV. None of these
        // sums can overflow: a segment holds about 2 KiB of items, or one item.
        const fn up(offset: usize, align: usize) -> usize {
            (offset + align - 1) & !(align - 1)
        }
        const fn max(a: usize, b: usize) -> usize {
            if a > b { a } else { b }
        }
        let lanes = up(size_of::<Header<T>>(), align_of::<AtomicU64>());
        let done = up(
            lanes + Self::WORDS * size_of::<AtomicU64>(),
            align_of::<AtomicU8>(),
        );
        let values = up(
            done + Self::SLOTS * size_of::<AtomicU8>(),
            align_of::<UnsafeCell<MaybeUninit<T>>>(),
        );
        let size = values + Self::SLOTS * size_of::<UnsafeCell<MaybeUninit<T>>>();
        let align = max(
            max(align_of::<Header<T>>(), align_of::<AtomicU64>()),
            max(
                align_of::<AtomicU8>(),
                align_of::<UnsafeCell<MaybeUninit<T>>>(),
            ),
        );
        match Layout::from_size_align(size, align) {
            Ok(layout) => Plan {
                layout,
                lanes,
                done,
                values,
            },
            Err(_) => panic!("the item is too large for the address space"),
        }
    }

    /// A new, empty segment.
    pub(super) fn new(number: u64) -> Self {
        // SAFETY: the layout has a size above zero, it holds a `Header`.
        let base = unsafe { alloc(Self::PLAN.layout) };
        let Some(base) = NonNull::new(base) else {
            handle_alloc_error(Self::PLAN.layout)
        };
        let segment = Self(base.cast());
        // SAFETY: the allocation is ours alone and `PLAN` placed header and arrays inside it, each
        // at its alignment.
        unsafe {
            segment.0.write(Header {
                next: AtomicPtr::new(ptr::null_mut()),
                number: UnsafeCell::new(0),
                _items: PhantomData,
            });
            // A write of its own, because loom takes what a cell begins with for known to
            // everybody.
            segment.0.as_ref().number.with_mut(|cell| *cell = number);
            for word in 0..Self::WORDS {
                segment.word_ptr(word).write(AtomicU64::new(0));
            }
            for slot in 0..Self::SLOTS {
                segment.done_ptr(slot).write(AtomicU8::new(0));
                segment
                    .value_ptr(slot)
                    .write(UnsafeCell::new(MaybeUninit::uninit()));
            }
        }
        segment
    }

    /// Makes a segment that was finished with as good as new.
    ///
    /// # Safety
    ///
    /// The caller has it alone, and no item is in it.
    pub(super) unsafe fn renew(mut self, number: u64) {
        // SAFETY: the caller has the segment alone.
        unsafe {
            let header = self.0.as_mut();
            header.number.with_mut(|cell| *cell = number);
            // Relaxed: the caller passes the segment on with a release.
            header.next.store(ptr::null_mut(), Ordering::Relaxed);
            zero_atomics(self.word_ptr(0), Self::WORDS);
            zero_atomics(self.done_ptr(0), Self::SLOTS);
        }
    }

    /// Gives the memory back. Items still inside are forgotten.
    ///
    /// # Safety
    ///
    /// The caller has it alone and does not use it again.
    pub(super) unsafe fn free(self) {
        // SAFETY: it came from `new` with this layout, and nobody else has it. The parts are
        // dropped first because loom's have something to drop; `core`'s have not.
        unsafe {
            self.0.as_ref().number.with_mut(|_| ()); // so that loom sees it if somebody still reads
            for word in 0..Self::WORDS {
                self.word_ptr(word).drop_in_place();
            }
            for slot in 0..Self::SLOTS {
                self.done_ptr(slot).drop_in_place();
                self.value_ptr(slot).drop_in_place();
            }
            self.0.drop_in_place();
            dealloc(self.0.as_ptr().cast(), Self::PLAN.layout);
        }
    }

    #[inline(always)]
    pub(super) fn from_ptr(segment: *mut Header<T>) -> Option<Self> {
        NonNull::new(segment).map(Self)
    }

    /// # Safety
    ///
    /// Not null.
    #[inline(always)]
    pub(super) unsafe fn from_ptr_unchecked(segment: *mut Header<T>) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { NonNull::new_unchecked(segment) })
    }

    #[inline(always)]
    pub(super) fn as_ptr(self) -> *mut Header<T> {
        self.0.as_ptr()
    }

    // All below: the caller vouches that the segment is alive for as long as it uses the result,
    // because it owns a slot in it that is not finished with, is pinned, or has the segment alone.

    /// # Safety
    ///
    /// The segment is alive.
    pub(super) unsafe fn next<'a>(self) -> &'a AtomicPtr<Header<T>> {
        // SAFETY: alive, says the caller; the field is initialised and never borrowed mutably while
        // the segment is shared.
        unsafe { &(*self.0.as_ptr()).next }
    }

    /// # Safety
    ///
    /// The segment is alive.
    pub(super) unsafe fn number(self) -> u64 {
        // SAFETY: alive, says the caller; written only before the segment is shared.
        unsafe { (*self.0.as_ptr()).number.with(|cell| *cell) }
    }

    /// # Safety
    ///
    /// The segment is allocated and `word < WORDS`.
    #[inline(always)]
    unsafe fn word_ptr(self, word: usize) -> *mut AtomicU64 {
        debug_assert!(word < Self::WORDS);
        // SAFETY: `PLAN` put `WORDS` words there.
        unsafe {
            self.0
                .as_ptr()
                .byte_add(Self::PLAN.lanes)
                .cast::<AtomicU64>()
                .add(word)
        }
    }

    /// # Safety
    ///
    /// The segment is alive and `word < WORDS`.
    #[inline(always)]
    unsafe fn word<'a>(self, word: usize) -> &'a AtomicU64 {
        // SAFETY: alive, says the caller; initialised by `new`.
        unsafe { &*self.word_ptr(word) }
    }

    /// # Safety
    ///
    /// The segment is allocated and `slot < SLOTS`.
    #[inline(always)]
    unsafe fn done_ptr(self, slot: usize) -> *mut AtomicU8 {
        debug_assert!(slot < Self::SLOTS);
        // SAFETY: `PLAN` put `SLOTS` bytes there.
        unsafe {
            self.0
                .as_ptr()
                .byte_add(Self::PLAN.done)
                .cast::<AtomicU8>()
                .add(slot)
        }
    }

    /// # Safety
    ///
    /// The segment is alive and `slot < SLOTS`.
    #[inline(always)]
    unsafe fn done<'a>(self, slot: usize) -> &'a AtomicU8 {
        // SAFETY: alive, says the caller; initialised by `new`.
        unsafe { &*self.done_ptr(slot) }
    }

    /// # Safety
    ///
    /// The segment is allocated and `slot < SLOTS`.
    #[inline(always)]
    unsafe fn value_ptr(self, slot: usize) -> *mut UnsafeCell<MaybeUninit<T>> {
        debug_assert!(slot < Self::SLOTS);
        // SAFETY: `PLAN` put `SLOTS` values there.
        unsafe {
            self.0
                .as_ptr()
                .byte_add(Self::PLAN.values)
                .cast::<UnsafeCell<MaybeUninit<T>>>()
                .add(slot)
        }
    }

    /// Copies an item into a slot. The caller keeps its copy until [`publish`](Self::publish) says
    /// which of the two counts.
    ///
    /// # Safety
    ///
    /// The caller has claimed the slot as its producer and not published it; `item` is valid.
    #[inline(always)]
    pub(super) unsafe fn write(self, slot: usize, item: *const T) {
        // SAFETY: nobody reads a value before its lane is written, and only this producer writes
        // it; the unpublished slot keeps the segment alive.
        unsafe { write_cells(self.value_ptr(slot), item, 1) };
    }

    /// [`write`](Self::write) for a run of slots.
    ///
    /// # Safety
    ///
    /// As for `write`, for `count` slots and as many items at `items`.
    #[inline(always)]
    pub(super) unsafe fn write_run(self, slot: usize, items: *const T, count: usize) {
        // SAFETY: as for `write`; the cells lie one behind the other.
        unsafe { write_cells(self.value_ptr(slot), items, count) };
    }

    /// Publishes a run of slots within one word and returns how many of them count: the items of
    /// the rest, always the end of the run, are still the caller's. The segment must not be touched
    /// after that.
    ///
    /// # Safety
    ///
    /// The caller has claimed these slots as their producer, has written them, and publishes them
    /// once; all are in one word.
    #[inline(always)]
    pub(super) unsafe fn publish(self, slot: usize, count: usize) -> usize {
        let lane = slot % LANES;
        debug_assert!(count >= 1 && lane + count <= LANES);
        let run = all_written(count) << (2 * lane);
        // SAFETY: unpublished slots keep the segment alive.
        let word = unsafe { self.word(slot / LANES) };
        // SeqCst: as a release it hands the values to the consumers' acquiring load of the lane;
        // its place in the total order before the sender's look at the eventcount is what `wait.md`
        // builds on.
        let before = word.fetch_add(run, Ordering::SeqCst);
        let poisoned = before & (run << 1);
        if poisoned == 0 {
            count
        } else {
            poisoned.trailing_zeros() as usize / 2 - lane
        }
    }

    /// Takes the item out of a slot, after at most `looks` looks; if it is not there by then, gives
    /// up this slot and the empty ones directly behind it in its word that are below `end`, and
    /// says so by `false`. The slot is finished with by [`finish`](Self::finish) only.
    ///
    /// # Safety
    ///
    /// The caller has claimed the slot as its consumer; every slot below `end` has been claimed by
    /// a producer.
    #[inline(always)]
    pub(super) unsafe fn take(
        self,
        slot: usize,
        end: impl FnOnce() -> usize,
        looks: usize,
        parcel: &mut Parcel<T>,
    ) -> bool {
        // SAFETY: the claimed, unfinished slot keeps the segment alive.
        let word = unsafe { self.word(slot / LANES) };
        // Acquire: pairs with `publish`, for the value.
        let mut lane = Self::lane(word.load(Ordering::Acquire), slot);
        if lane != WRITTEN {
            lane = Self::wait_or_poison(word, slot, end(), looks);
        }
        if lane == WRITTEN {
            // SAFETY: published, with acquire, and this is the one consumer that claimed it.
            unsafe { (*self.value_ptr(slot)).with(|value| parcel.put_from(value.cast())) };
        }
        lane == WRITTEN
    }

    /// [`take`](Self::take) for a run of slots within one word, if all of it is written: appends
    /// the items, wrapped, to `out`, finishes the slots, and returns true. Else does nothing.
    ///
    /// # Safety
    ///
    /// The caller has claimed these slots as their consumer; all are in one word. `wrap` does not
    /// panic.
    #[inline(always)]
    pub(super) unsafe fn take_written<U>(
        self,
        slot: usize,
        count: usize,
        out: &mut Vec<U>,
        wrap: impl Fn(T) -> U,
    ) -> bool {
        let lane = slot % LANES;
        debug_assert!(count >= 1 && lane + count <= LANES);
        let written = all_written(count) << (2 * lane);
        // SAFETY: claimed, unfinished slots keep the segment alive; each is read once, after its
        // lane was seen written, and finished after that.
        unsafe {
            // Acquire: as in `take`.
            let lanes = self.word(slot / LANES).load(Ordering::Acquire);
            if lanes & (written | (written << 1)) != written {
                return false;
            }
            let values = self.value_ptr(slot);
            out.extend(
                (0..count).map(|n| wrap((*values.add(n)).with(|value| value.cast::<T>().read()))),
            );
            self.finish(slot, count);
        }
        true
    }

    #[cold]
    fn wait_or_poison(word: &AtomicU64, slot: usize, end: usize, looks: usize) -> u64 {
        let mut left = looks;
        let mut lanes = loop {
            let lanes = word.load(Ordering::Acquire); // as in `take`
            if Self::lane(lanes, slot) != 0 {
                return Self::lane(lanes, slot);
            }
            left = left.saturating_sub(1);
            if left == 0 {
                break lanes;
            }
            spin_loop();
        };
        let first = slot % LANES;
        let count = (end - slot).min(LANES - first);
        let reach = all_written(count) << (2 * first);
        loop {
            // The empty lanes from ours on, up to the first that is not.
            let taken = (lanes | (lanes >> 1)) & reach;
            let empty = reach & taken.wrapping_sub(1) & !taken;
            // Strong: a claim was lost for it, so one more try is cheap, but nothing is gained by
            // one that fails for no reason. Relaxed on success: a poisoned slot carries nothing.
            // Acquire on failure: we may have lost to `publish`.
            match word.compare_exchange(
                lanes,
                lanes | (empty << 1),
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => return POISONED,
                Err(now) => lanes = now,
            }
            if Self::lane(lanes, slot) != 0 {
                return Self::lane(lanes, slot);
            }
        }
    }

    /// How many slots directly behind this one, within its word, are poisoned or dead.
    ///
    /// # Safety
    ///
    /// The caller has claimed the slot as its consumer and not finished it.
    #[cold]
    pub(super) unsafe fn dead_behind(self, slot: usize) -> usize {
        // SAFETY: the claimed, unfinished slot keeps the segment alive.
        // Relaxed: there is nothing in a poisoned slot.
        let lanes = unsafe { self.word(slot / LANES) }.load(Ordering::Relaxed);
        let behind = LANES - 1 - slot % LANES;
        if behind == 0 {
            return 0;
        }
        let lanes = lanes >> (2 * (slot % LANES + 1));
        let alive = !(lanes >> 1) & ALL_WRITTEN;
        (alive.trailing_zeros() as usize / 2).min(behind)
    }

    #[inline(always)]
    fn lane(lanes: u64, slot: usize) -> u64 {
        (lanes >> (2 * (slot % LANES))) & LANE
    }

    /// Whether the item is there, for a look without a claim.
    ///
    /// # Safety
    ///
    /// The segment is alive and `slot < SLOTS`.
    #[inline(always)]
    pub(super) unsafe fn is_written(self, slot: usize) -> bool {
        // SeqCst: for the two collects of `queue::next`; pairs with `publish`. SAFETY: the
        // caller's.
        let lanes = unsafe { self.word(slot / LANES) }.load(Ordering::SeqCst);
        Self::lane(lanes, slot) == WRITTEN
    }

    /// Looks at an item without taking it, if it was written. Somebody else may have moved it out
    /// since; what was written is still there.
    ///
    /// # Safety
    ///
    /// The segment is alive and `slot < SLOTS`; `look` only reads, and only what does not change
    /// after it was written.
    #[inline(always)]
    pub(super) unsafe fn look_at<R>(
        self,
        slot: usize,
        look: impl FnOnce(*const T) -> R,
    ) -> Option<R> {
        // SAFETY: the caller's. Whoever takes the item reads the value, too.
        // SeqCst: as in `is_written`; as an acquire it pairs with `publish`, for the value.
        unsafe {
            self.is_written(slot)
                .then(|| (*self.value_ptr(slot)).with(|value| look(value.cast())))
        }
    }

    /// The consumer's last access to a run of slots that it claimed.
    ///
    /// # Safety
    ///
    /// The caller has claimed these slots as their consumer and taken what there was, and says so
    /// once; it does not touch the segment again unless it owns another slot. All are in one word.
    #[inline(always)]
    pub(super) unsafe fn finish(self, slot: usize, count: usize) {
        debug_assert!(count >= 1 && slot % LANES + count <= LANES);
        // SAFETY: until this store the slots keep the segment alive.
        // Release: pairs with `is_finished`, so that reading the values comes before their reuse.
        unsafe { self.done(slot) }.store(count as u8, Ordering::Release);
    }

    /// Whether producers and consumers have made their last access to every slot.
    ///
    /// # Safety
    ///
    /// The segment is alive.
    pub(super) unsafe fn is_finished(self) -> bool {
        // From the end: that is where the late ones are.
        (0..Self::WORDS).rev().all(|word| {
            let first = word * LANES;
            let slots = (Self::SLOTS - first).min(LANES);
            // SAFETY: alive, says the caller.
            // Acquire: pairs with `finish` and with `publish`.
            unsafe {
                let done = |slot| usize::from(self.done(slot).load(Ordering::Acquire));
                (first..first + slots).map(done).sum::<usize>() == slots
                    && self.word(word).load(Ordering::Acquire) & all_written(slots)
                        == all_written(slots)
            }
        })
    }

    /// How many looks a slot is worth.
    pub(super) const LOOKS: usize = looks_at_slot(size_of::<T>());
}
