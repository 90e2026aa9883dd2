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
    fifo.pop(stock, Unpublished::Leave, &mut parcel, &Blind)?;
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
        let popped = fifo.pop(&stock, Unpublished::Leave, &mut parcel, &Blind);
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

/// How many segments lie in front of the one where the head stands.
fn emptied_segments(fifo: &Fifo<u64>) -> u64 {
    let head = Index::from_word(fifo.head.end.index.load(Ordering::Relaxed));
    let oldest = Segment::from_ptr(fifo.head.oldest.load(Ordering::Relaxed)).unwrap();
    // SAFETY: one thread; the oldest segment is alive.
    unsafe { head.number(Segment::<u64>::SHAPE) - oldest.number() }
}

/// Pushes and pops these many items, one after the other.
fn pass(fifo: &Fifo<u64>, count: usize, stock: &Stock<u64>) {
    for item in 0..count as u64 {
        push(fifo, item, stock).unwrap();
        assert_eq!(pop(fifo, stock), Some(item));
    }
}

const SLOTS: usize = Segment::<u64>::SLOTS;

/// Leaves the FIFO as these many pushes of one item do that are stopped after their claims.
fn stop_in_pushes(fifo: &Fifo<u64>, count: usize, stock: &Stock<u64>) {
    for _ in 0..count {
        fifo.stop_in_push(1, stock);
    }
}

#[test]
fn running_pushes_hide_no_item_among_them() {
    // Up to: in the same word, in the same segment, in the next one, in the one after that.
    for before in [1, 31, 32, 40, SLOTS - 1, SLOTS, SLOTS + 1, 2 * SLOTS + 3] {
        for (passed, behind) in [(0, 0), (5, 0), (40, 0), (0, SLOTS - LANES)] {
            let (fifo, stock) = new();
            pass(&fifo, passed, &stock);
            stop_in_pushes(&fifo, before, &stock);
            push(&fifo, 7, &stock).unwrap();
            stop_in_pushes(&fifo, behind, &stock);
            let case = (passed, before, behind);
            assert!(fifo.look(&stock) == Look::Published, "{case:?}");
            assert_eq!(pop(&fifo, &stock), Some(7), "{case:?}");
            assert_eq!(pop(&fifo, &stock), None, "{case:?}");
        }
    }
}

#[test]
fn running_pushes_hide_no_item_from_a_batch() {
    for limit in [1, 2, 64] {
        for running in [1, 32, 70, SLOTS, SLOTS + 1] {
            let (fifo, stock) = new();
            stop_in_pushes(&fifo, running, &stock);
            push(&fifo, 7, &stock).unwrap();
            let mut out = Vec::new();
            let taken = fifo.pop_run(limit, &stock, &mut out, |item| item);
            assert_eq!((taken, out), ((1, true), vec![7]), "{running}, {limit}");
        }
    }
}

#[test]
fn a_look_takes_no_item_that_was_received_for_one_that_is_there() {
    // The running pushes lie in the first and second word of a segment, in its last two, in its
    // last one and the next one's first.
    for passed in [0, SLOTS - 2 * LANES, SLOTS - LANES] {
        let (fifo, stock) = new();
        pass(&fifo, passed, &stock);
        let [_poisoned, left_alone] = two_running_pushes(&fifo, &stock);
        assert!(fifo.look(&stock) != Look::Published, "{passed}");
        assert_eq!(pop(&fifo, &stock), None, "{passed}");
        publish_and_pop(left_alone, &fifo, &stock);
    }
}

#[test]
fn nothing_is_there_when_only_the_tail_was_handed_over() {
    for passed in [0, SLOTS] {
        let (fifo, stock) = new();
        pass(&fifo, passed, &stock);
        let tail = Index::from_word(fifo.tail.index.load(Ordering::Relaxed));
        // As a push that is stopped before its claim.
        fifo.advance_tail(tail, &stock);
        assert!(fifo.is_empty());
        assert_eq!(fifo.len(), 0);
        assert!(fifo.look(&stock) != Look::Published);
        assert_eq!(pop(&fifo, &stock), None);
        pass(&fifo, 3, &stock);
    }
}

#[test]
fn the_ends_of_two_fifos_together_tell_when_one_of_them_moved() {
    let ((one, stock), (other, _)) = (new(), new());
    let ends = || {
        one.ends_if_empty()
            .unwrap()
            .and(other.ends_if_empty().unwrap())
    };
    let mut before = ends();
    assert!(before == ends());
    for moved in [&one, &other] {
        pass(moved, 1, &stock);
        assert!(before != ends());
        before = ends();
    }
}

#[test]
fn a_pop_gives_its_own_slot_up_behind_one_that_was_given_up() {
    let segment = Segment::<u64>::new(0);
    // SAFETY: one thread plays all parts, each slot claimed once by each side.
    unsafe {
        for slot in 0..3 {
            assert_eq!(take(segment, slot, slot + 1), None);
        }
        for slot in 0..3 {
            assert_eq!(segment.publish(slot, 1), 0, "{slot}: nobody would take it");
        }
        segment.free();
    }
}

#[test]
fn a_pop_gives_up_slots_up_to_the_first_dead_one_and_none_behind_it() {
    let segment = Segment::<u64>::new(0);
    // SAFETY: as above.
    unsafe {
        assert_eq!(take(segment, 2, 3), None);
        assert_eq!(segment.publish(2, 1), 0); // dead
        assert_eq!(take(segment, 0, 5), None);
        assert_eq!(segment.publish(0, 2), 0);
        let item = 9;
        segment.write(3, &raw const item);
        segment.write(4, &raw const item);
        assert_eq!(segment.publish(3, 2), 2);
        segment.free();
    }
}

#[test]
fn dead_slots_are_passed_and_not_counted() {
    let (fifo, stock) = new::<u64>();
    stop_in_pushes(&fifo, LANES + 3, &stock);
    assert_eq!(pop(&fifo, &stock), None);
    assert_eq!(fifo.len(), 3, "the pop gave up a word's worth");
    assert_eq!(pop(&fifo, &stock), None);
    assert_eq!(fifo.len(), 0);
}

#[test]
fn a_consumer_that_was_slow_sweeps_the_segment_it_held() {
    let (fifo, stock) = new();
    push(&fifo, 7, &stock).unwrap();
    let parked = Index::from_word(fifo.head.end.index.load(Ordering::Relaxed));
    // The slow consumer claims the first slot.
    let head = fifo.advance_head(parked, &stock);
    let segment = Segment::from_ptr(fifo.head.end.segment.load(Ordering::Relaxed)).unwrap();
    fifo.head
        .end
        .index
        .store(head.advanced(1).word(), Ordering::Relaxed);

    pass(&fifo, 3 * SLOTS, &stock);
    assert_eq!(emptied_segments(&fifo), 3, "behind the one that is held");
    // SAFETY: the slot is claimed, and finished once.
    unsafe {
        assert_eq!(take(segment, 0, 1), Some(7));
        segment.finish(0, 1);
    }
    fifo.sweep_if_left(head, &stock);
    assert_eq!(emptied_segments(&fifo), 0);
}

#[test]
fn a_consumer_sweeps_nothing_while_the_head_is_in_its_segment() {
    let (fifo, stock) = new();
    pass(&fifo, SLOTS + 1, &stock);
    push(&fifo, 7, &stock).unwrap();
    let head = Index::from_word(fifo.head.end.index.load(Ordering::Relaxed));
    // A sweep would put it back.
    let oldest = fifo.head.oldest.swap(ptr::null_mut(), Ordering::Relaxed);
    fifo.sweep_if_left(head, &stock);
    assert!(fifo.head.oldest.swap(oldest, Ordering::Relaxed).is_null());
}

/// Passes a segment's worth; whether the first segment is in the pool then.
fn is_at_once_in_the_pool(fifo: &Fifo<u64>, stock: &Stock<u64>) -> bool {
    pass(fifo, 1, stock);
    let first = fifo.head.end.segment.load(Ordering::Relaxed);
    pass(fifo, SLOTS, stock);
    assert_eq!(emptied_segments(fifo), 0);
    let spare = stock.pool.take(0);
    let is_it = spare.as_ptr() == first;
    // SAFETY: it is ours alone, and empty.
    unsafe { spare.free() };
    is_it
}

#[test]
fn a_run_up_to_a_tail_seen_before_is_not_the_last_where_more_has_come() {
    let (fifo, stock) = new();
    (0..4).for_each(|item| push(&fifo, item, &stock).unwrap());
    assert_eq!(pop(&fifo, &stock), Some(0)); // notes the tail
    (4..6).for_each(|item| push(&fifo, item, &stock).unwrap());
    let mut out = Vec::new();
    let (taken, was_last) = fifo.pop_run(64, &stock, &mut out, |item| item);
    assert!(taken == out.len() && taken > 0);
    assert_eq!(was_last, fifo.is_empty(), "after {taken} of 5");
}

#[test]
fn a_look_that_was_overtaken_does_not_say_nothing() {
    let (fifo, stock) = new();
    let slots = Segment::<u64>::SLOTS as u64;
    (0..slots).for_each(|item| push(&fifo, item, &stock).unwrap());
    assert_eq!(pop(&fifo, &stock), Some(0));
    fifo.stop_in_push(1, &stock); // in the next segment
    let head = Index::from_word(fifo.head.end.index.load(Ordering::Relaxed));
    let tail = Index::from_word(fifo.tail.index.load(Ordering::Relaxed));
    push(&fifo, slots, &stock).unwrap();
    // The head leaves the segment in which the look began.
    (1..=slots).for_each(|item| assert_eq!(pop(&fifo, &stock), Some(item)));
    assert!(fifo.is_published_between(head, tail, &stock));
}

#[test]
fn an_emptied_segment_is_used_again_at_once_unless_somebody_visits() {
    let (fifo, stock) = new();
    assert!(is_at_once_in_the_pool(&fifo, &stock));
    let visit = fifo.visit(&stock);
    assert!(
        !is_at_once_in_the_pool(&fifo, &stock),
        "a visitor may look into it"
    );
    drop(visit);
    // What the visit held back comes first.
    for _ in 0..64 {
        pass(&fifo, SLOTS, &stock);
    }
    let fifo = Fifo::new();
    drop(fifo.visit(&stock));
    assert!(is_at_once_in_the_pool(&fifo, &Stock::new()));
}
