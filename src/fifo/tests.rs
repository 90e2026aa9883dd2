//! The FIFO by one thread: order, hand-over, the wrap, close, runs.

use super::{push::Claim, segment::LANES, *};
use crate::parcel::Parcel;

fn new<T>() -> (Fifo<T>, Stock<T>) {
    (Fifo::new(), Stock::new())
}

fn push<T>(fifo: &Fifo<T>, item: T, stock: &Stock<T>) -> Result<(), T> {
    let mut parcel = Parcel::new(item);
    if fifo.push(&mut parcel, stock) {
        Ok(())
    } else {
        Err(parcel.unwrap())
    }
}

fn pop<T>(fifo: &Fifo<T>, stock: &Stock<T>) -> Option<T> {
    let mut parcel = Parcel::empty();
    fifo.pop(stock, Unpublished::Leave, &mut parcel)?;
    parcel.take()
}

/// Takes what is in a slot, after two looks.
///
/// # Safety
///
/// As for [`Segment::take`].
unsafe fn take<T>(segment: Segment<T>, slot: usize, end: usize) -> Option<T> {
    let mut parcel = Parcel::empty();
    // SAFETY: the caller's.
    unsafe { segment.take(slot, || end, 2, &mut parcel) };
    parcel.take()
}

#[test]
fn is_a_fifo_across_many_segments() {
    let (fifo, stock) = new();
    for round in 0..3 {
        for item in 0..1000u64 {
            assert!(push(&fifo, round * 1000 + item, &stock).is_ok());
            assert_eq!(fifo.len() as u64, item + 1);
        }
        for item in 0..1000u64 {
            assert_eq!(pop(&fifo, &stock), Some(round * 1000 + item));
        }
        assert!(fifo.is_empty());
        assert_eq!(pop(&fifo, &stock), None);
    }
}

#[test]
fn works_across_the_wrap_of_the_segment_number() {
    for before in 0..4 {
        let fifo: Fifo<u64> = Fifo::starting_at(u64::MAX - before);
        let stock = Stock::new();
        for item in 0..2000u64 {
            assert!(push(&fifo, item, &stock).is_ok());
            if item >= 700 {
                assert_eq!(pop(&fifo, &stock), Some(item - 700));
            }
        }
        assert_eq!(fifo.len(), 700);
    }
}

#[test]
fn says_when_the_last_item_was_taken() {
    let (fifo, stock) = new();
    assert!(push(&fifo, 'a', &stock).is_ok());
    assert!(push(&fifo, 'b', &stock).is_ok());
    for (item, was_last) in [('a', false), ('b', true)] {
        let mut parcel = Parcel::empty();
        let popped = fifo.pop(&stock, Unpublished::Leave, &mut parcel);
        assert_eq!(popped.map(|popped| popped.was_last), Some(was_last));
        assert_eq!(parcel.take(), Some(item));
    }
}

#[test]
fn a_closed_fifo_gives_items_back_and_drains() {
    let (fifo, stock) = new();
    assert!(push(&fifo, 1, &stock).is_ok());
    fifo.close();
    fifo.close();
    assert_eq!(push(&fifo, 2, &stock), Err(2));
    assert_eq!(pop(&fifo, &stock), Some(1));
    assert_eq!(pop(&fifo, &stock), None);
}

#[test]
fn runs_keep_their_order_across_words_and_segments() {
    let (fifo, stock) = new();
    let items: Vec<u64> = (0..1000).collect();
    let mut out = Vec::new();
    let mut pushed = 0;
    for run in (1..).take_while(|run| run * (run + 1) / 2 <= items.len()) {
        // SAFETY: plain numbers, read in bounds.
        pushed += unsafe { fifo.push_run(items.as_ptr().add(pushed), run, &stock) };
        fifo.pop_run(run / 2 + 1, &stock, &mut out, |item| item);
    }
    while fifo.pop_run(64, &stock, &mut out, |item| item).0 > 0 {}
    assert_eq!(out, items[..pushed]);
}

#[test]
fn poisoned_slots_give_a_runs_end_back_in_order() {
    let segment = Segment::<u64>::new(0);
    // SAFETY: one thread plays all parts, each slot claimed once by each side.
    unsafe {
        for (slot, item) in (0..6u64).enumerate() {
            segment.write(slot, &raw const item);
        }
        assert_eq!(segment.publish(0, 2), 2);
        // The consumer of slot 3 gives up: 3, 4 and 5 are poisoned, 2 is not.
        assert_eq!(take(segment, 3, 6), None);
        assert_eq!(segment.publish(2, 4), 1);
        for slot in 0..3 {
            assert!(take(segment, slot, 6) == Some(slot as u64));
        }
        assert_eq!(take(segment, 4, 6), None);
        segment.free();
    }
}

#[test]
fn a_segment_is_finished_when_both_sides_are_done_with_every_slot() {
    let slots = Segment::<u64>::SLOTS;
    let segment = Segment::<u64>::new(0);
    // SAFETY: as above.
    unsafe {
        for slot in 0..slots {
            assert!(!segment.is_finished());
            segment.write(slot, &raw const slot as *const u64);
            if slot == 40 {
                assert_eq!(take(segment, slot, slot + 1), None);
                segment.finish(slot, 1);
                assert_eq!(segment.publish(slot, 1), 0);
            } else {
                assert_eq!(segment.publish(slot, 1), 1);
                assert!(take(segment, slot, slot + 1).is_some());
                segment.finish(slot, 1);
            }
        }
        assert!(segment.is_finished());
        segment.renew(9);
        assert!(!segment.is_finished());
        assert_eq!(segment.number(), 9);
        segment.free();
    }
}

#[test]
fn a_run_is_noted_as_one() {
    let slots = Segment::<u64>::SLOTS;
    for longest in [2, 5, 31, LANES] {
        let segment = Segment::<u64>::new(0);
        // SAFETY: as above; no item is read.
        unsafe {
            let mut slot = 0;
            while slot < slots {
                assert!(!segment.is_finished());
                let run = longest.min(slots - slot).min(LANES - slot % LANES);
                assert_eq!(segment.publish(slot, run), run);
                segment.finish(slot, run);
                slot += run;
            }
            assert!(segment.is_finished());
            segment.free();
        }
    }
}

impl<T, C> Fifo<T, C> {
    /// Leaves the FIFO as a push does that is stopped after its claim of up to `count` slots.
    pub(crate) fn stop_in_push(&self, count: usize, stock: &Stock<T>) {
        assert!(self.claim_tail(count, stock).is_some());
    }
}

/// Two words of slots, claimed by producers that have not published.
fn two_running_pushes(fifo: &Fifo<u64>, stock: &Stock<u64>) -> [Claim<u64>; 2] {
    let claims = [0, 1].map(|_| fifo.claim_tail(LANES, stock).unwrap());
    assert!(claims.iter().all(|claim| claim.count == LANES));
    claims
}

/// Publishes a claim that lies in no poisoned word, and finds its items.
fn publish_and_pop(claim: Claim<u64>, fifo: &Fifo<u64>, stock: &Stock<u64>) {
    let items: Vec<u64> = (0..LANES as u64).collect();
    // SAFETY: plain numbers; the slots are claimed and not published.
    unsafe {
        claim.segment.write_run(claim.offset, items.as_ptr(), LANES);
        assert_eq!(claim.segment.publish(claim.offset, LANES), LANES);
    }
    for item in items {
        assert_eq!(pop(fifo, stock), Some(item));
    }
}

#[test]
fn a_pop_poisons_one_word_of_running_pushes_and_no_more() {
    let (fifo, stock) = new();
    let [_poisoned, left_alone] = two_running_pushes(&fifo, &stock);
    assert_eq!(pop(&fifo, &stock), None);
    publish_and_pop(left_alone, &fifo, &stock);
}

#[test]
fn a_pop_of_a_run_poisons_one_word_of_running_pushes_and_no_more() {
    let (fifo, stock) = new();
    let [_poisoned, left_alone] = two_running_pushes(&fifo, &stock);
    let mut out = Vec::new();
    assert_eq!(fifo.pop_run(64, &stock, &mut out, |item| item).0, 0);
    publish_and_pop(left_alone, &fifo, &stock);
}

#[test]
fn a_pop_of_a_run_takes_it_across_two_words() {
    let (fifo, stock) = new();
    let items: Vec<u64> = (0..100).collect();
    // SAFETY: plain numbers.
    let pushed = unsafe { fifo.push_run(items.as_ptr(), items.len(), &stock) };
    assert_eq!(pushed, items.len());
    let mut out = Vec::new();
    for (limit, taken, is_last) in [
        (5, 5, false),
        (32, 32, false),
        (90, 32, false),
        (90, 31, true),
    ] {
        let run = fifo.pop_run(limit, &stock, &mut out, |item| item);
        assert_eq!(run, (taken, is_last));
    }
    assert_eq!(out, items);
}

#[test]
fn a_pop_of_a_run_across_two_words_poisons_those_and_no_more() {
    let (fifo, stock) = new();
    push(&fifo, 7, &stock).unwrap();
    assert_eq!(pop(&fifo, &stock), Some(7)); // from now on runs begin with a word's second slot
    let running = fifo.claim_tail(LANES, &stock).unwrap();
    assert_eq!(running.count, LANES - 1);
    let [_, left_alone] = two_running_pushes(&fifo, &stock);
    let mut out = Vec::new();
    assert_eq!(fifo.pop_run(64, &stock, &mut out, |item| item).0, 0);
    // SAFETY: plain numbers; the slots are claimed and not published.
    unsafe {
        let items = [0_u64; LANES];
        running
            .segment
            .write_run(running.offset, items.as_ptr(), running.count);
        assert_eq!(running.segment.publish(running.offset, running.count), 0);
    }
    publish_and_pop(left_alone, &fifo, &stock);
}
