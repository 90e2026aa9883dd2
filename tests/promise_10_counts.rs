//! Promise 10: what the counts mean. `len` is exact at rest, counts every item that is there while
//! others run, and never underflows. `None` and `Full` are only said when they were true.

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use bandq::{BandQueue, TrySendError, bounded, unbounded};
use support::{Task, Watchdog, XorShift, b};

#[test]
fn counts_are_exact_at_rest() {
    let (tx, rx) = unbounded(5);
    let queue = BandQueue::new(5);
    let mut rng = XorShift::new(11);
    let mut model = [0usize; 5];
    let mut buffer = Vec::new();
    for n in 0..10_000 {
        match rng.below(5) {
            0..2 => {
                let band = rng.below(5) as usize;
                tx.try_send(b(band as u8), n).unwrap();
                queue.push(b(band as u8), n).unwrap();
                model[band] += 1;
            }
            2 if rng.one_in(20) => {
                let band = rng.below(5) as usize;
                let run = rng.below(400) as usize;
                queue.push_many(b(band as u8), 0..run as u64).unwrap();
                let mut send = Task::new(tx.send_many(b(band as u8), 0..run as u64));
                assert_eq!(send.ready().unwrap(), run);
                model[band] += run;
            }
            3 if rng.one_in(20) => {
                let limit = rng.below(400) as usize;
                buffer.clear();
                let taken = queue.pop_many(&mut buffer, limit);
                assert_eq!(taken, limit.min(model.iter().sum()));
                buffer.clear();
                let _ = rx.try_recv_many(&mut buffer, limit);
                assert_eq!(buffer.len(), taken);
                for (band, _) in &buffer {
                    model[band.index()] -= 1;
                }
            }
            _ => {
                let popped = queue.pop();
                assert_eq!(rx.try_recv().ok(), popped);
                if let Some((band, _)) = popped {
                    model[band.index()] -= 1;
                }
            }
        }
        let total: usize = model.iter().sum();
        assert_eq!((queue.len(), tx.len(), rx.len()), (total, total, total));
        assert_eq!(queue.is_empty(), total == 0);
        assert_eq!((tx.is_empty(), rx.is_empty()), (total == 0, total == 0));
        for (band, &n) in model.iter().enumerate() {
            let band = b(band as u8);
            assert_eq!(
                (queue.band_len(band), tx.band_len(band), rx.band_len(band)),
                (n, n, n)
            );
        }
    }
}

#[test]
fn counts_are_exact_at_rest_after_a_storm() {
    let _watchdog = Watchdog::new("counts_are_exact_at_rest_after_a_storm");
    for round in 0..20 {
        let queue = BandQueue::new(4);
        let sent: [AtomicUsize; 4] = Default::default();
        let got: [AtomicUsize; 4] = Default::default();
        thread::scope(|s| {
            for thread in 0..4 {
                let (queue, sent, got) = (&queue, &sent, &got);
                s.spawn(move || {
                    let mut rng = XorShift::new(round * 10 + thread);
                    for n in 0..1_000 {
                        if rng.below(5) < 3 {
                            let band = rng.below(4) as usize;
                            queue.push(b(band as u8), n).unwrap();
                            sent[band].fetch_add(1, Ordering::Relaxed);
                        } else if let Some((band, _)) = queue.pop() {
                            got[band.index()].fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let mut total = 0;
        for i in 0..4 {
            let there = sent[i].load(Ordering::Relaxed) - got[i].load(Ordering::Relaxed);
            assert_eq!(queue.band_len(b(i as u8)), there);
            total += there;
        }
        assert_eq!(queue.len(), total);
        assert_eq!(queue.is_empty(), total == 0);
        assert_eq!(std::iter::from_fn(|| queue.pop()).count(), total);
        assert_eq!(queue.len(), 0);
    }
}

#[test]
fn len_never_underflows_and_never_misses_what_is_there() {
    let _watchdog = Watchdog::new("len_never_underflows_and_never_misses_what_is_there");
    const SENDERS: usize = 2;
    const EACH: usize = 6_000;
    const RESTING: usize = 300;
    let queue = BandQueue::new(2);
    for _ in 0..RESTING {
        queue.push(b(1), 0).unwrap();
    }
    let sent = AtomicUsize::new(0);
    let ended = AtomicBool::new(false);
    thread::scope(|s| {
        let (queue, sent, ended) = (&queue, &sent, &ended);
        for _ in 0..SENDERS {
            s.spawn(move || {
                for n in 0..EACH {
                    queue.push(b(0), n).unwrap();
                    sent.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        s.spawn(move || {
            // One pop at a time, and only when an urgent item is there: band 1 rests.
            let mut got = 0;
            while got < SENDERS * EACH {
                if got < sent.load(Ordering::SeqCst) {
                    assert_eq!(queue.pop().map(|(band, _)| band), Some(b(0)));
                    got += 1;
                } else {
                    thread::yield_now();
                }
            }
            ended.store(true, Ordering::SeqCst);
        });
        let mut looks = 0u64;
        while !ended.load(Ordering::SeqCst) || looks < 100 {
            let (len, urgent, resting) = (queue.len(), queue.band_len(b(0)), queue.band_len(b(1)));
            assert_eq!(resting, RESTING);
            assert!(len >= RESTING, "{len}");
            // Running pushes and pops may count; an underflow would be astronomical.
            assert!(len <= RESTING + SENDERS * EACH, "{len}");
            assert!(urgent <= SENDERS * EACH, "{urgent}");
            assert!(!queue.is_empty());
            looks += 1;
        }
        println!("{looks} looks");
    });
    assert_eq!(queue.len(), RESTING);
}

#[test]
fn len_of_an_almost_empty_queue_never_underflows() {
    let _watchdog = Watchdog::new("len_of_an_almost_empty_queue_never_underflows");
    let (tx, rx) = bounded(2, 2);
    let stop = AtomicBool::new(false);
    thread::scope(|s| {
        for thread in 0..2 {
            let (tx, rx, stop) = (&tx, &rx, &stop);
            s.spawn(move || {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    let _ = tx.try_send(b(thread), n);
                    let _ = rx.try_recv();
                    n += 1;
                }
            });
        }
        for _ in 0..20_000 {
            assert!(rx.len() < 1_000_000, "{}", rx.len());
            assert!(rx.band_len(b(0)) < 1_000_000);
            assert!(tx.band_len(b(1)) < 1_000_000);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_pop_finds_something_as_long_as_something_is_there() {
    let _watchdog = Watchdog::new("a_pop_finds_something_as_long_as_something_is_there");
    for bands in [1, 2, 64] {
        let queue = BandQueue::new(bands);
        thread::scope(|s| {
            for seed in 0..3 {
                let queue = &queue;
                s.spawn(move || {
                    let mut rng = XorShift::new(seed + 1);
                    for n in 0..3_000 {
                        // Always to the same band: no other pop can leave it empty for us, since
                        // each thread takes out one item for one it has put in.
                        let _ = rng.next();
                        queue.push(b((bands - 1) as u8), n).unwrap();
                        assert!(queue.pop().is_some(), "None, but an item is there");
                    }
                });
            }
        });
        assert!(queue.is_empty());
    }
}

#[test]
fn full_is_said_only_when_there_is_no_room() {
    let _watchdog = Watchdog::new("full_is_said_only_when_there_is_no_room");
    const THREADS: usize = 3;
    let (tx, rx) = bounded(1, THREADS);
    thread::scope(|s| {
        for thread in 0..THREADS {
            let (tx, rx) = (tx.clone(), rx.clone());
            s.spawn(move || {
                for n in 0..5_000 {
                    // Each thread holds at most one place, so there is room for all.
                    if (n + thread) % 3 == 0 {
                        drop(tx.try_reserve(b(0)).expect("room is there"));
                    } else {
                        tx.try_send(b(0), n).expect("room is there");
                        rx.try_recv().expect("an item is there");
                    }
                }
            });
        }
    });
    assert_eq!(tx.len(), 0);
    assert!(!tx.is_full());
}

#[test]
fn the_capacity_is_never_exceeded() {
    let _watchdog = Watchdog::new("the_capacity_is_never_exceeded");
    for capacity in [1, 2, 5] {
        let (tx, rx) = bounded(3, capacity);
        let sent = AtomicU64::new(0);
        let begun = AtomicU64::new(0);
        thread::scope(|s| {
            for sender in 0..3 {
                let (tx, sent, begun) = (tx.clone(), &sent, &begun);
                s.spawn(move || {
                    for n in 0..1_000 {
                        match n % 3 {
                            0 => tx.send_blocking(b(sender), ()).unwrap(),
                            1 => {
                                let sent = Task::new(tx.send(b(sender), ())).poll().is_ready();
                                if !sent {
                                    tx.send_blocking(b(sender), ()).unwrap();
                                }
                            }
                            _ => loop {
                                if let Ok(permit) = tx.try_reserve(b(sender)) {
                                    permit.send(()).unwrap();
                                    break;
                                }
                                thread::yield_now();
                            },
                        }
                        // Receives begun by now took at most that many out.
                        let sent = sent.fetch_add(1, Ordering::SeqCst) + 1;
                        let begun = begun.load(Ordering::SeqCst);
                        assert!(sent <= begun + capacity as u64, "{sent} {begun}");
                    }
                });
            }
            drop(tx);
            for _ in 0..2 {
                let (rx, begun) = (rx.clone(), &begun);
                s.spawn(move || {
                    loop {
                        begun.fetch_add(1, Ordering::SeqCst);
                        if rx.recv_blocking().is_err() {
                            break;
                        }
                    }
                });
            }
        });
    }
}

#[test]
fn permits_take_room_but_are_not_in_len() {
    let (tx, rx) = bounded(2, 3);
    assert!(!tx.is_full() && !rx.is_full());
    let first = tx.try_reserve(b(0)).unwrap();
    let second = tx.try_reserve(b(1)).unwrap();
    assert_eq!((tx.len(), rx.len(), tx.band_len(b(0))), (0, 0, 0));
    assert!(tx.is_empty() && !tx.is_full());
    tx.try_send(b(1), 1).unwrap();
    assert_eq!(tx.len(), 1);
    assert!(tx.is_full() && rx.is_full());
    assert_eq!(tx.try_send(b(0), 2), Err(TrySendError::Full(2)));
    first.send(3).unwrap();
    assert_eq!((tx.len(), tx.band_len(b(0))), (2, 1));
    assert!(tx.is_full());
    drop(second);
    assert_eq!(tx.len(), 2);
    assert!(!tx.is_full());
    assert_eq!(rx.try_recv(), Ok((b(0), 3)));
    assert_eq!(rx.try_recv(), Ok((b(1), 1)));
    assert!(rx.is_empty());
    assert_eq!(tx.capacity(), Some(3));
}

#[test]
fn a_forgotten_permit_costs_one_place_and_nothing_else() {
    let (tx, rx) = bounded(1, 3);
    support::hand::keep(tx.try_reserve(b(0)).unwrap());
    for n in 0..100 {
        tx.try_send(b(0), n).unwrap();
        tx.try_send(b(0), n).unwrap();
        assert!(tx.is_full());
        assert_eq!(tx.len(), 2);
        assert_eq!(tx.try_send(b(0), n), Err(TrySendError::Full(n)));
        assert_eq!(rx.drain().count(), 2);
    }
}

#[test]
fn an_unbounded_channel_is_never_full() {
    let (tx, rx) = unbounded(1);
    for n in 0..2_000 {
        tx.try_send(b(0), n).unwrap();
        assert!(!tx.is_full() && !rx.is_full());
    }
    drop(tx.try_reserve(b(0)).unwrap());
    assert_eq!((tx.capacity(), rx.capacity()), (None, None));
}

#[test]
fn a_full_channel_has_room_again_after_each_way_to_receive() {
    let (tx, rx) = bounded(2, 4);
    let fill = || {
        while tx.try_send(b(1), 0).is_ok() {}
        assert!(tx.is_full());
        assert_eq!(tx.len(), 4);
    };
    let mut buffer = Vec::new();
    for way in 0..8 {
        fill();
        match way {
            0 => drop(rx.try_recv()),
            1 => drop(rx.recv_blocking()),
            2 => drop(Task::new(rx.recv()).ready()),
            3 => drop(rx.recv_timeout(std::time::Duration::ZERO)),
            4 => drop(rx.try_iter().next()),
            5 => assert_eq!(rx.drain().count(), 4),
            6 => assert_eq!(Task::new(rx.recv_many(&mut buffer, 2)).ready(), 2),
            _ => {
                let _ = rx.try_recv_many(&mut buffer, 3);
            }
        }
        assert!(!tx.is_full(), "way {way}");
        tx.try_send(b(0), 1).unwrap();
        while rx.try_recv().is_ok() {}
    }
}

#[test]
fn a_waiting_sender_is_not_in_len() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let waiting = Task::waiting(tx.send(b(0), 1));
    assert_eq!(tx.len(), 1);
    rx.try_recv().unwrap();
    assert_eq!(tx.len(), 0);
    assert!(!tx.is_full(), "a sender that waits holds no room");
    drop(waiting);
}

#[test]
fn handles_are_counted() {
    let (tx, rx) = unbounded::<u8>(1);
    assert_eq!((tx.sender_count(), tx.receiver_count()), (1, 1));
    let (tx2, rx2, rx3) = (tx.clone(), rx.clone(), rx.clone());
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    assert_eq!((tx.sender_count(), tx.receiver_count()), (2, 3));
    assert_eq!((rx.sender_count(), rx.receiver_count()), (2, 3));
    let up = (weak_tx.upgrade().unwrap(), weak_rx.upgrade().unwrap());
    assert_eq!((rx.sender_count(), tx.receiver_count()), (3, 4));
    drop((up, tx2, rx2));
    assert_eq!((rx.sender_count(), tx.receiver_count()), (1, 2));
    assert!(rx.same_channel(&rx3));
    assert!(!rx.same_channel(&unbounded(1).1));
    assert!(!tx.same_channel(&unbounded(1).0));
    drop((rx, rx3));
    assert_eq!(tx.receiver_count(), 0);
}

#[test]
fn weak_count_counts_weak_handles_of_both_kinds_and_no_others() {
    let (tx, rx) = unbounded::<u8>(3);
    let counts = |weak| assert_eq!((tx.weak_count(), rx.weak_count()), (weak, weak));
    counts(0);
    let sender = tx.downgrade();
    let receiver = rx.downgrade();
    counts(2);
    let clones = (sender.clone(), receiver.clone());
    counts(4);
    let strong = (sender.upgrade().unwrap(), receiver.upgrade().unwrap());
    let bound = tx.to(b(0)).unwrap();
    let permit = tx.try_reserve_owned(b(0)).unwrap();
    counts(4);
    assert_eq!((tx.sender_count(), tx.receiver_count()), (3, 2));
    drop((clones, sender, receiver));
    counts(0);
    drop((strong, bound, permit));
    assert_eq!((tx.sender_count(), tx.receiver_count()), (1, 1));
}

#[test]
fn bands_is_the_number_it_was_made_with() {
    for bands in [1, 2, 63, 64] {
        let (tx, rx) = unbounded::<u8>(bands);
        let last = tx.to(b(bands as u8 - 1)).unwrap();
        assert_eq!(
            (tx.bands(), rx.bands(), last.bands()),
            (bands, bands, bands)
        );
    }
}
