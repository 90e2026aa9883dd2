//! Promise 2: within a band items leave in the order in which they came; across producers, in an
//! order that fits real time. A batch is in order, not necessarily in one piece.

mod support;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bandq::{BandQueue, bounded, unbounded};
use futures_lite::StreamExt;
use support::{Task, Watchdog, XorShift, b};

#[test]
fn one_band_keeps_the_order_over_many_segments() {
    let queue = BandQueue::new(1);
    for i in 0..5_000u64 {
        queue.push(b(0), i).unwrap();
    }
    for i in 0..5_000 {
        assert_eq!(queue.pop(), Some((b(0), i)));
    }
    assert_eq!(queue.pop(), None);
}

#[test]
fn one_band_keeps_the_order_at_every_depth() {
    for depth in [1, 2, 3, 31, 32, 127, 255, 256, 257, 258, 511, 512, 513] {
        let queue = BandQueue::new(2);
        for i in 0..depth {
            queue.push(b(1), i).unwrap();
        }
        for i in depth..depth + 1_500 {
            queue.push(b(1), i).unwrap();
            assert_eq!(queue.pop(), Some((b(1), i - depth)));
        }
        for i in 1_500..depth + 1_500 {
            assert_eq!(queue.pop(), Some((b(1), i)));
        }
        assert_eq!(queue.pop(), None);
    }
}

#[test]
fn bands_keep_their_order_however_they_are_mixed() {
    let (tx, rx) = unbounded(8);
    let mut rng = XorShift::new(1);
    let mut sent = [0u32; 8];
    let mut got = [0u32; 8];
    for _ in 0..20_000 {
        if rng.one_in(2) {
            let band = rng.below(8) as u8;
            tx.try_send(b(band), sent[usize::from(band)]).unwrap();
            sent[usize::from(band)] += 1;
        } else if let Ok((band, n)) = rx.try_recv() {
            assert_eq!(n, got[band.index()]);
            got[band.index()] += 1;
        }
    }
    for (band, n) in rx.try_iter() {
        assert_eq!(n, got[band.index()]);
        got[band.index()] += 1;
    }
    assert_eq!(sent, got);
}

#[test]
fn a_batch_keeps_its_order() {
    let queue = BandQueue::new(2);
    queue.push(b(1), 0).unwrap();
    assert_eq!(queue.push_many(b(1), 1..600), Ok(599));
    queue.push(b(1), 600).unwrap();
    let mut got = Vec::new();
    assert_eq!(queue.pop_many(&mut got, 300), 300);
    assert_eq!(queue.pop(), Some((b(1), 300)));
    assert_eq!(queue.pop_many(&mut got, 1_000), 300);
    let expected: Vec<_> = (0..300).chain(301..601).map(|n| (b(1), n)).collect();
    assert_eq!(got, expected);
}

#[test]
fn a_batch_through_a_narrow_channel_keeps_its_order() {
    let (tx, rx) = bounded(1, 3);
    let mut send = Task::new(tx.send_many(b(0), 0..100));
    let mut got = Vec::new();
    while send.poll().is_pending() {
        got.extend(rx.try_iter().map(|(_, n)| n));
    }
    got.extend(rx.try_iter().map(|(_, n)| n));
    assert_eq!(got, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_permit_takes_its_place_when_it_sends_not_when_it_is_reserved() {
    let (tx, rx) = bounded(1, 3);
    let first = tx.try_reserve(b(0)).unwrap();
    let second = tx.try_reserve(b(0)).unwrap();
    tx.try_send(b(0), 1).unwrap();
    second.send(2).unwrap();
    first.send(3).unwrap();
    let got: Vec<_> = rx.try_iter().map(|(_, n)| n).collect();
    assert_eq!(got, [1, 2, 3]);
}

#[test]
fn a_cancelled_send_leaves_the_order_of_the_others_alone() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let first = Task::waiting(tx.send(b(0), 1));
    let mut second = Task::waiting(tx.send(b(0), 2));
    drop(first);
    assert_eq!(rx.try_recv(), Ok((b(0), 0)));
    assert!(second.woken());
    second.ready().unwrap();
    let mut third = Task::waiting(tx.send(b(0), 3));
    assert_eq!(rx.try_recv(), Ok((b(0), 2)));
    third.ready().unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 3)));
}

#[test]
fn the_stream_keeps_the_order() {
    let (tx, rx) = unbounded(1);
    for i in 0..1_000 {
        tx.try_send(b(0), i).unwrap();
    }
    drop(tx);
    let got: Vec<i32> = futures_lite::future::block_on(rx.map(|(_, n)| n).collect());
    assert_eq!(got, (0..1_000).collect::<Vec<_>>());
}

/// Whatever a receiver gets, it gets each producer's items of a band in the order of their sends.
#[test]
fn every_receiver_sees_each_producer_and_band_in_order() {
    let _watchdog = Watchdog::new("every_receiver_sees_each_producer_and_band_in_order");
    for (senders, receivers) in [(1, 1), (4, 1), (1, 4), (3, 3)] {
        let (tx, rx) = unbounded(3);
        thread::scope(|s| {
            for sender in 0..senders {
                let tx = tx.clone();
                s.spawn(move || {
                    let mut rng = XorShift::new(sender);
                    let mut n = [0u64; 3];
                    for _ in 0..3_000 {
                        let band = rng.below(3) as u8;
                        let mut run = 1;
                        if rng.one_in(20) {
                            run = rng.below(300);
                        }
                        let start = n[usize::from(band)];
                        n[usize::from(band)] += run;
                        let mut items = (start..start + run).map(|n| (sender, n));
                        if run == 1 {
                            tx.try_send(b(band), items.next().unwrap()).unwrap();
                        } else {
                            let sent = Task::new(tx.send_many(b(band), items)).ready();
                            assert_eq!(sent.unwrap() as u64, run);
                        }
                    }
                });
            }
            drop(tx);
            for receiver in 0..receivers {
                let rx = rx.clone();
                s.spawn(move || {
                    let mut last: HashMap<(u64, usize), u64> = HashMap::new();
                    let mut check = |band: bandq::Band, (sender, n): (u64, u64)| {
                        let key = (sender, band.index());
                        if let Some(&last) = last.get(&key) {
                            assert!(last < n, "{key:?}: {n} after {last}");
                            if receivers == 1 {
                                assert_eq!(last + 1, n);
                            }
                        }
                        last.insert(key, n);
                    };
                    let mut rng = XorShift::new(receiver);
                    let mut buffer = Vec::new();
                    loop {
                        if rng.one_in(10) {
                            buffer.clear();
                            Task::new(rx.recv_many(&mut buffer, 50)).poll().is_ready();
                            for &(band, item) in &buffer {
                                check(band, item);
                            }
                        } else {
                            match rx.recv_blocking() {
                                Ok((band, item)) => check(band, item),
                                Err(_) => break,
                            }
                        }
                    }
                });
            }
        });
    }
}

/// Producers take turns: each send begins after the one before it has returned. So the items are
/// numbered in real time, and that is the order in which they must leave.
#[test]
fn sends_of_different_producers_leave_in_the_order_of_real_time() {
    let _watchdog = Watchdog::new("sends_of_different_producers_leave_in_the_order_of_real_time");
    const THREADS: usize = 3;
    const N: usize = 3_000;
    let (tx, rx) = unbounded(2);
    let turn = AtomicUsize::new(0);
    thread::scope(|s| {
        for me in 0..THREADS {
            let (tx, turn) = (tx.clone(), &turn);
            s.spawn(move || {
                loop {
                    let now = turn.load(Ordering::SeqCst);
                    if now >= N {
                        break;
                    }
                    if now % THREADS == me {
                        tx.try_send(b(1), now).unwrap();
                        turn.store(now + 1, Ordering::SeqCst);
                    } else {
                        thread::yield_now();
                    }
                }
            });
        }
        drop(tx);
        for expected in 0..N {
            assert_eq!(rx.recv_blocking(), Ok((b(1), expected)));
        }
        assert!(rx.recv_blocking().is_err());
    });
}

/// Receives do not overlap although they run on several threads and producers run all the time:
/// then each producer's items come in order in the whole.
#[test]
fn receives_in_turns_see_one_order() {
    let _watchdog = Watchdog::new("receives_in_turns_see_one_order");
    const SENDERS: usize = 2;
    const EACH: usize = 4_000;
    let (tx, rx) = unbounded(2);
    let seen = Mutex::new([[0usize; 2]; SENDERS]);
    thread::scope(|s| {
        for sender in 0..SENDERS {
            let tx = tx.clone();
            s.spawn(move || {
                let mut n = [0; 2];
                for i in 0..EACH {
                    let band = (i / 3) % 2;
                    tx.try_send(b(band as u8), (sender, n[band])).unwrap();
                    n[band] += 1;
                }
            });
        }
        drop(tx);
        for _ in 0..3 {
            let (rx, seen) = (rx.clone(), &seen);
            s.spawn(move || {
                loop {
                    let mut seen = seen.lock().unwrap();
                    match rx.try_recv() {
                        Ok((band, (sender, n))) => {
                            assert_eq!(n, seen[sender][band.index()]);
                            seen[sender][band.index()] += 1;
                        }
                        Err(error) if error.is_closed() => break,
                        Err(_) => {
                            drop(seen);
                            thread::yield_now();
                        }
                    }
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.iter().flatten().sum::<usize>(), SENDERS * EACH);
}
