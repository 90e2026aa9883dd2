//! Promise 10: empty means empty, across bands too. A thread that has put an item in and not taken
//! one out finds something: what is inside is never less than what the threads have yet to take.
//!
//! `BANDQ_EMPTY_TURNS` is how many turns each thread takes.

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bandq::{BandQueue, Receiver, Sender, bounded, unbounded};
use futures_lite::future::block_on;
use support::{Watchdog, XorShift, b, env_number};

const BANDS: usize = 8;
const THREADS: u64 = 4;

/// A band that changes with each turn.
fn band(rng: &mut XorShift) -> bandq::Band {
    b(rng.below(BANDS as u64) as u8)
}

/// Each of the threads takes its turns, given its generator; it says how often it found nothing
/// where something was. There must be no such time.
#[track_caller]
fn never_empty(turn: impl Fn(&mut XorShift) -> u64 + Sync) {
    let turns = env_number("BANDQ_EMPTY_TURNS", 200_000);
    let wrong = AtomicU64::new(0);
    thread::scope(|s| {
        for seed in 0..THREADS {
            let (turn, wrong) = (&turn, &wrong);
            s.spawn(move || {
                let mut rng = XorShift::new(seed);
                for _ in 0..turns {
                    wrong.fetch_add(turn(&mut rng), Ordering::Relaxed);
                }
            });
        }
    });
    let wrong = wrong.into_inner();
    let all = turns * THREADS;
    assert_eq!(
        wrong, 0,
        "found empty what was not, {wrong} times in {all} turns"
    );
}

/// Takes one, again and again until it has it; how often it had nothing.
fn take<R>(mut attempt: impl FnMut() -> Option<R>) -> u64 {
    let mut wrong = 0;
    while attempt().is_none() {
        wrong += 1;
    }
    wrong
}

/// Takes `left` items in batches of at most that many; how often it had none.
fn take_many(rng: &mut XorShift, mut left: usize, mut attempt: impl FnMut(usize) -> usize) -> u64 {
    let mut wrong = 0;
    while left > 0 {
        let limit = 1 + rng.below(left as u64) as usize;
        let taken = attempt(limit);
        assert!(taken <= limit);
        wrong += u64::from(taken == 0);
        left -= taken;
    }
    wrong
}

#[test]
fn a_pop_finds_something_where_the_thread_pushed() {
    let _watchdog = Watchdog::new("a_pop_finds_something_where_the_thread_pushed");
    let queue = BandQueue::new(BANDS);
    never_empty(|rng| {
        queue.push(band(rng), 0u64).unwrap();
        take(|| queue.pop())
    });
    assert!(queue.is_empty());
}

#[test]
fn a_batch_pop_finds_something_where_the_thread_pushed() {
    let _watchdog = Watchdog::new("a_batch_pop_finds_something_where_the_thread_pushed");
    let queue = BandQueue::new(BANDS);
    never_empty(|rng| {
        let items = 1 + rng.below(3) as usize;
        if rng.one_in(2) {
            queue.push_many(band(rng), 0..items).unwrap();
        } else {
            for item in 0..items {
                queue.push(band(rng), item).unwrap();
            }
        }
        let mut out = Vec::new();
        take_many(rng, items, |limit| queue.pop_many(&mut out, limit))
    });
    assert!(queue.is_empty());
}

/// Turns of `try_recv` on a channel that has room for what all threads have in hand.
#[track_caller]
fn never_empty_for_try_recv((tx, rx): (Sender<u64>, Receiver<u64>)) {
    never_empty(|rng| {
        tx.try_send(band(rng), 0).unwrap();
        take(|| rx.try_recv().ok())
    });
    assert!(rx.is_empty());
}

#[test]
fn try_recv_finds_something_where_the_thread_sent() {
    let _watchdog = Watchdog::new("try_recv_finds_something_where_the_thread_sent");
    never_empty_for_try_recv(unbounded(BANDS));
}

#[test]
fn try_recv_of_a_bounded_channel_finds_something_where_the_thread_sent() {
    let _watchdog =
        Watchdog::new("try_recv_of_a_bounded_channel_finds_something_where_the_thread_sent");
    never_empty_for_try_recv(bounded(BANDS, THREADS as usize));
}

#[test]
fn a_batch_receive_finds_something_where_the_thread_sent() {
    let _watchdog = Watchdog::new("a_batch_receive_finds_something_where_the_thread_sent");
    let (tx, rx) = unbounded(BANDS);
    never_empty(|rng| {
        let items = 1 + rng.below(3) as usize;
        if rng.one_in(2) {
            block_on(tx.send_many(band(rng), 0..items)).unwrap();
        } else {
            for item in 0..items {
                tx.try_send(band(rng), item).unwrap();
            }
        }
        let mut out = Vec::new();
        take_many(rng, items, |limit| {
            rx.try_recv_many(&mut out, limit).unwrap_or(0)
        })
    });
    assert!(rx.is_empty());
}

/// A receive of a closed channel is as true: it says `Closed` only when nothing is left.
#[test]
fn a_receive_of_a_closed_channel_finds_what_is_left() {
    let _watchdog = Watchdog::new("a_receive_of_a_closed_channel_finds_what_is_left");
    let rounds = env_number("BANDQ_EMPTY_TURNS", 200_000) / 100;
    for seed in 0..rounds {
        let mut rng = XorShift::new(seed);
        let (tx, rx) = unbounded(BANDS);
        let items = 20 * THREADS;
        for item in 0..items {
            tx.try_send(band(&mut rng), item).unwrap();
        }
        drop(tx);
        let taken = AtomicU64::new(0);
        thread::scope(|s| {
            for _ in 0..THREADS {
                s.spawn(|| {
                    while rx.try_recv().is_ok() {
                        taken.fetch_add(1, Ordering::SeqCst);
                    }
                    // This thread was told that nothing is left.
                    assert!(rx.is_empty());
                });
            }
        });
        assert_eq!(taken.into_inner(), items);
    }
}

#[test]
fn is_empty_is_false_where_the_thread_pushed() {
    let _watchdog = Watchdog::new("is_empty_is_false_where_the_thread_pushed");
    let queue = BandQueue::new(BANDS);
    never_empty(|rng| {
        queue.push(band(rng), 0u64).unwrap();
        let wrong = (0..4).filter(|_| queue.is_empty()).count() as u64;
        take(|| queue.pop());
        wrong
    });
    let (tx, rx) = unbounded(BANDS);
    never_empty(|rng| {
        tx.try_send(band(rng), 0u64).unwrap();
        let wrong = u64::from(rx.is_empty()) + u64::from(tx.is_empty());
        take(|| rx.try_recv().ok());
        wrong
    });
}

#[test]
#[allow(clippy::len_zero)] // it is `len` that is tried
fn len_is_not_zero_where_the_thread_pushed() {
    let _watchdog = Watchdog::new("len_is_not_zero_where_the_thread_pushed");
    let queue = BandQueue::new(BANDS);
    never_empty(|rng| {
        queue.push(band(rng), 0u64).unwrap();
        let wrong = (0..4).filter(|_| queue.len() == 0).count() as u64;
        take(|| queue.pop());
        wrong
    });
    let (tx, rx) = unbounded(BANDS);
    never_empty(|rng| {
        tx.try_send(band(rng), 0u64).unwrap();
        let wrong = u64::from(rx.len() == 0) + u64::from(tx.len() == 0);
        take(|| rx.try_recv().ok());
        wrong
    });
}
