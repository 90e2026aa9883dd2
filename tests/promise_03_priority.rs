//! Promise 3: a receive takes the most urgent item that is there. With one receive at a time
//! there is no exception, however many senders run. A batch looks afresh in each of its runs, and
//! nothing is prefetched from one receive to the next.

mod support;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bandq::{Band, BandQueue, Receiver, bounded, unbounded};
use support::hand::poll_stream;
use support::{Task, Watchdog, XorShift, b, counting_waker};

#[test]
fn every_band_goes_before_the_next() {
    let queue = BandQueue::new(64);
    for i in (0..64).rev() {
        queue.push(b(i), i).unwrap();
        queue.push(b(i), i + 100).unwrap();
    }
    for i in 0..64 {
        assert_eq!(queue.pop(), Some((b(i), i)));
        assert_eq!(queue.pop(), Some((b(i), i + 100)));
    }
    assert_eq!(queue.pop(), None);
}

#[test]
fn the_queue_agrees_with_a_model_at_every_step() {
    for bands in [1, 2, 3, 8, 64] {
        let queue = BandQueue::new(bands);
        let mut model: Vec<VecDeque<u32>> = vec![VecDeque::new(); bands];
        let mut rng = XorShift::new(bands as u64);
        for n in 0..20_000u32 {
            // Long phases of mostly filling and mostly emptying: bands go empty and come back.
            let filling = (n / 700) % 2 == 0;
            if rng.below(10) < if filling { 6 } else { 4 } {
                let band = rng.below(bands as u64) as usize;
                queue.push(b(band as u8), n).unwrap();
                model[band].push_back(n);
            } else {
                let expected = model
                    .iter_mut()
                    .enumerate()
                    .find_map(|(i, band)| band.pop_front().map(|n| (b(i as u8), n)));
                assert_eq!(queue.pop(), expected);
            }
        }
    }
}

/// One way to receive one item.
type Receive = fn(&mut Receiver<u32>) -> (Band, u32);

const RECEIVES: [(&str, Receive); 10] = [
    ("try_recv", |rx| rx.try_recv().unwrap()),
    ("recv", |rx| Task::new(rx.recv()).ready().unwrap()),
    ("recv_blocking", |rx| rx.recv_blocking().unwrap()),
    ("recv_timeout", |rx| {
        rx.recv_timeout(Duration::from_secs(60)).unwrap()
    }),
    ("recv_deadline", |rx| {
        rx.recv_deadline(Instant::now() + Duration::from_secs(60))
            .unwrap()
    }),
    ("recv_many", |rx| {
        let mut buffer = Vec::new();
        assert_eq!(Task::new(rx.recv_many(&mut buffer, 1)).ready(), 1);
        buffer[0]
    }),
    ("try_recv_many", |rx| {
        let mut buffer = Vec::new();
        let _ = rx.try_recv_many(&mut buffer, 1);
        buffer[0]
    }),
    ("try_iter", |rx| rx.try_iter().next().unwrap()),
    ("drain", |rx| rx.drain().next().unwrap()),
    ("stream", |rx| {
        let (waker, _) = counting_waker();
        match poll_stream(rx, &waker) {
            std::task::Poll::Ready(Some(item)) => item,
            other => panic!("{other:?}"),
        }
    }),
];

#[test]
fn every_way_to_receive_takes_the_most_urgent_item() {
    for (name, receive) in RECEIVES {
        if name == "drain" {
            continue; // what a drain does with the rest is its own; see below
        }
        let (tx, mut rx) = unbounded(8);
        for i in [5, 3, 7, 0, 3] {
            tx.try_send(b(i), u32::from(i)).unwrap();
        }
        for expected in [0, 3, 3, 5, 7] {
            let (band, n) = receive(&mut rx);
            assert_eq!((band.index(), n), (expected as usize, expected), "{name}");
        }
    }
    let (tx, rx) = unbounded(8);
    for i in [5, 3, 7, 0, 3] {
        tx.try_send(b(i), u32::from(i)).unwrap();
    }
    let got: Vec<u32> = rx.drain().map(|(_, n)| n).collect();
    assert_eq!(got, [0, 3, 3, 5, 7]);
}

#[test]
fn nothing_is_prefetched_from_one_receive_to_the_next() {
    for (name, receive) in RECEIVES {
        let (tx, mut rx) = unbounded(4);
        for n in 0..300 {
            tx.try_send(b(3), n).unwrap();
        }
        assert_eq!(receive(&mut rx), (b(3), 0), "{name}");
        if name == "drain" {
            continue;
        }
        tx.try_send(b(1), 1_000).unwrap();
        assert_eq!(receive(&mut rx), (b(1), 1_000), "{name}");
        tx.try_send(b(2), 2_000).unwrap();
        tx.try_send(b(0), 0).unwrap();
        assert_eq!(receive(&mut rx), (b(0), 0), "{name}");
        assert_eq!(receive(&mut rx), (b(2), 2_000), "{name}");
        assert_eq!(receive(&mut rx), (b(3), 1), "{name}");
    }
}

#[test]
fn an_iterator_looks_afresh_at_each_step() {
    let (tx, rx) = unbounded(4);
    for n in 0..10 {
        tx.try_send(b(3), n).unwrap();
    }
    let mut items = rx.try_iter();
    assert_eq!(items.next(), Some((b(3), 0)));
    tx.try_send(b(0), 100).unwrap();
    assert_eq!(items.next(), Some((b(0), 100)));
    assert_eq!(items.next(), Some((b(3), 1)));
}

#[test]
fn a_batch_takes_in_order_of_urgency() {
    let (tx, rx) = unbounded(64);
    let mut rng = XorShift::new(5);
    let mut sent: Vec<(Band, u32)> = Vec::new();
    for n in 0..2_000 {
        let band = b(rng.below(64) as u8);
        tx.try_send(band, n).unwrap();
        sent.push((band, n));
    }
    let mut got = Vec::new();
    for limit in [1, 2, 700, 33, 5_000] {
        assert!(Task::new(rx.recv_many(&mut got, limit)).ready() <= limit);
    }
    sent.sort_by_key(|&(band, n)| (band, n));
    assert_eq!(got, sent);
}

#[test]
fn two_batches_look_afresh() {
    let queue = BandQueue::new(3);
    queue.push_many(b(2), 0..600).unwrap();
    let mut got = Vec::new();
    assert_eq!(queue.pop_many(&mut got, 100), 100);
    queue.push_many(b(1), 1_000..1_010).unwrap();
    queue.push(b(0), 5_000).unwrap();
    got.clear();
    assert_eq!(queue.pop_many(&mut got, 12), 12);
    assert_eq!(got[0], (b(0), 5_000));
    assert_eq!(got[1], (b(1), 1_000));
    assert_eq!(got[10], (b(1), 1_009));
    assert_eq!(got[11], (b(2), 100));
}

#[test]
fn a_waiting_sender_of_an_urgent_item_does_not_reorder_what_is_there() {
    let (tx, rx) = bounded(2, 1);
    tx.try_send(b(1), 1).unwrap();
    let mut urgent = Task::waiting(tx.send(b(0), 0));
    assert_eq!(rx.try_recv(), Ok((b(1), 1)));
    urgent.ready().unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 0)));
}

const BANDS: usize = 8;

/// For each band, how many sends have returned; and what was received.
struct Counts {
    sent: [AtomicU64; BANDS],
    got: [u64; BANDS],
}

/// Senders run freely; `receive` is one receive at a time. Before each receive we read how many
/// sends into each band have returned: those items must go before any of a less urgent band.
fn one_receiver_against(
    senders: usize,
    mut receive: impl FnMut(&BandQueue<u64>, &mut Vec<(Band, u64)>),
) {
    const EACH: usize = 4_000;
    let queue = BandQueue::new(BANDS);
    let mut counts = Counts {
        sent: Default::default(),
        got: [0; BANDS],
    };
    let running = AtomicUsize::new(senders);
    let mut inversions = 0;
    thread::scope(|s| {
        for sender in 0..senders {
            let (queue, sent, running) = (&queue, &counts.sent, &running);
            s.spawn(move || {
                let mut rng = XorShift::new(sender as u64 + 1);
                for _ in 0..EACH {
                    let band = rng.below(BANDS as u64) as usize;
                    queue.push(b(band as u8), 0).unwrap();
                    sent[band].fetch_add(1, Ordering::SeqCst);
                    if rng.one_in(64) {
                        thread::yield_now();
                    }
                }
                running.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let mut total = 0;
        let mut buffer = Vec::new();
        while total < senders * EACH {
            let ended = running.load(Ordering::SeqCst) == 0;
            let sent: Vec<u64> = counts
                .sent
                .iter()
                .map(|n| n.load(Ordering::SeqCst))
                .collect();
            buffer.clear();
            receive(&queue, &mut buffer);
            assert!(!(ended && buffer.is_empty()), "an item is lost");
            if buffer.is_empty() {
                let missing = counts.got.iter().zip(&sent).any(|(got, sent)| got < sent);
                assert!(!missing, "None, but an item is there");
                thread::yield_now();
            }
            for &(band, _) in &buffer {
                let better = 0..band.index();
                inversions += better.filter(|&i| counts.got[i] < sent[i]).count();
                counts.got[band.index()] += 1;
                total += 1;
            }
        }
    });
    assert_eq!(inversions, 0, "less urgent items went first");
}

#[test]
fn one_receiver_never_takes_a_less_urgent_item_first() {
    let _watchdog = Watchdog::new("one_receiver_never_takes_a_less_urgent_item_first");
    for senders in [1, 2, 4] {
        one_receiver_against(senders, |queue, buffer| buffer.extend(queue.pop()));
    }
}

#[test]
fn one_batch_at_a_time_never_takes_a_less_urgent_item_first() {
    let _watchdog = Watchdog::new("one_batch_at_a_time_never_takes_a_less_urgent_item_first");
    for senders in [1, 3] {
        let mut rng = XorShift::new(9);
        one_receiver_against(senders, |queue, buffer| {
            let limit = rng.below(40) as usize + 1;
            let n = queue.pop_many(buffer, limit);
            assert_eq!(n, buffer.len());
        });
    }
}

/// The receives move from thread to thread but never overlap.
#[test]
fn receivers_in_turns_never_take_a_less_urgent_item_first() {
    let _watchdog = Watchdog::new("receivers_in_turns_never_take_a_less_urgent_item_first");
    const N: u64 = 6_000;
    let (tx, rx) = unbounded(BANDS);
    let sent: [AtomicU64; BANDS] = Default::default();
    let got = std::sync::Mutex::new([0u64; BANDS]);
    thread::scope(|s| {
        let sent = &sent;
        for sender in 0..2 {
            let tx = tx.clone();
            s.spawn(move || {
                let mut rng = XorShift::new(sender + 20);
                for _ in 0..N / 2 {
                    let band = rng.below(BANDS as u64) as usize;
                    tx.try_send(b(band as u8), ()).unwrap();
                    sent[band].fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        drop(tx);
        for _ in 0..3 {
            let (rx, got) = (rx.clone(), &got);
            s.spawn(move || {
                loop {
                    let mut got = got.lock().unwrap();
                    let there: Vec<u64> = sent.iter().map(|n| n.load(Ordering::SeqCst)).collect();
                    match rx.try_recv() {
                        Ok((band, ())) => {
                            for i in 0..band.index() {
                                assert!(got[i] >= there[i], "band {band:?} before band {i}");
                            }
                            got[band.index()] += 1;
                        }
                        Err(error) if error.is_closed() => break,
                        Err(_) => {
                            for i in 0..BANDS {
                                assert!(got[i] >= there[i], "Empty, but band {i} is not");
                            }
                            drop(got);
                            thread::yield_now();
                        }
                    }
                }
            });
        }
    });
    assert_eq!(got.into_inner().unwrap().iter().sum::<u64>(), N);
}

/// A band that goes empty and comes back at once, again and again, while the receiver looks: the
/// race in which a band's bit is cleared over a new item.
#[test]
fn an_item_put_into_a_band_that_just_went_empty_is_found() {
    let _watchdog = Watchdog::new("an_item_put_into_a_band_that_just_went_empty_is_found");
    const N: u64 = 30_000;
    let queue = BandQueue::new(2);
    let turn = AtomicU64::new(0);
    thread::scope(|s| {
        let (queue, turn) = (&queue, &turn);
        s.spawn(move || {
            for n in 0..N {
                queue.push(b(1), n).unwrap();
                turn.store(n + 1, Ordering::SeqCst);
            }
        });
        let mut expected = 0;
        while expected < N {
            let there = turn.load(Ordering::SeqCst);
            match queue.pop() {
                Some((_, n)) => {
                    assert_eq!(n, expected);
                    expected += 1;
                }
                None => {
                    assert!(expected >= there, "None, but item {expected} is there");
                    std::hint::spin_loop();
                }
            }
        }
    });
}
