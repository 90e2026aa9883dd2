//! Every accepted item is received once, or drained once.

use std::thread;

use bandq::{BandQueue, RecvError, TryRecvError, bounded, unbounded};

use crate::id;
use crate::support::{Ledger, Watchdog, b};

#[test]
fn every_pushed_item_is_popped_once() {
    let ledger = Ledger::new(3_000);
    let queue = BandQueue::new(5);
    for token in ledger.tokens() {
        let band = b((token.id() % 5) as u8);
        queue.push(band, token).unwrap();
    }
    let mut got: Vec<usize> = std::iter::from_fn(|| queue.pop()).map(id).collect();
    got.sort_unstable();
    assert_eq!(got, (0..3_000).collect::<Vec<_>>());
    ledger.assert_each_dropped_once();
}

#[test]
fn threads_receive_every_accepted_item_once() {
    let _watchdog = Watchdog::new("threads_receive_every_accepted_item_once");
    const EACH: usize = 2_000;
    const SENDERS: usize = 4;
    for capacity in [None, Some(1), Some(7)] {
        let (tx, rx) = match capacity {
            None => unbounded(4),
            Some(n) => bounded(4, n),
        };
        let each = if capacity == Some(1) { EACH / 10 } else { EACH };
        let ledger = Ledger::new(SENDERS * each);
        let got = thread::scope(|s| {
            for sender in 0..SENDERS {
                let (tx, ledger) = (tx.clone(), ledger.clone());
                s.spawn(move || {
                    for i in 0..each {
                        let token = ledger.token(sender * each + i);
                        tx.send_blocking(b((i % 4) as u8), token).unwrap();
                    }
                });
            }
            drop(tx);
            let receivers: Vec<_> = (0..3)
                .map(|_| {
                    let rx = rx.clone();
                    s.spawn(move || {
                        let mut got = Vec::new();
                        while let Ok(item) = rx.recv_blocking() {
                            got.push(id(item));
                        }
                        got
                    })
                })
                .collect();
            let mut all = Vec::new();
            for receiver in receivers {
                all.extend(receiver.join().unwrap());
            }
            all
        });
        let mut got = got;
        got.sort_unstable();
        assert_eq!(got, (0..SENDERS * each).collect::<Vec<_>>());
        ledger.assert_each_dropped_once();
    }
}

#[test]
fn the_last_senders_drop_leaves_the_items_to_the_receivers() {
    let ledger = Ledger::new(300);
    let (tx, rx) = bounded(2, 300);
    for token in ledger.tokens() {
        tx.try_send(b(1), token).unwrap();
    }
    drop(tx);
    ledger.assert_none_dropped();
    for expected in 0..300 {
        assert_eq!(rx.try_recv().map(id), Ok(expected));
    }
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Closed));
    ledger.assert_each_dropped_once();
}

#[test]
fn an_item_sent_just_before_the_last_sender_goes_is_received() {
    let _watchdog = Watchdog::new("an_item_sent_just_before_the_last_sender_goes_is_received");
    for round in 0..500 {
        let (tx, rx) = unbounded(2);
        let receiver = thread::spawn(move || (rx.recv_blocking(), rx.recv_blocking()));
        tx.try_send(b(1), round).unwrap();
        drop(tx);
        let (first, second) = receiver.join().unwrap();
        assert_eq!(first, Ok((b(1), round)));
        assert_eq!(second, Err(RecvError));
    }
}

#[test]
fn drain_returns_what_is_there_once_and_in_order() {
    let ledger = Ledger::new(400);
    let (tx, rx) = unbounded(2);
    for token in ledger.tokens() {
        let band = b(1 - (token.id() % 2) as u8);
        tx.try_send(band, token).unwrap();
    }
    let got: Vec<usize> = rx.drain().map(id).collect();
    let odd_then_even: Vec<usize> = (0..400)
        .filter(|i| i % 2 == 1)
        .chain((0..400).filter(|i| i % 2 == 0))
        .collect();
    assert_eq!(got, odd_then_even);
    ledger.assert_each_dropped_once();
    assert_eq!(rx.len(), 0);
}

#[test]
fn drain_ends_at_the_items_that_were_there_at_the_call() {
    let (tx, rx) = unbounded(2);
    for i in 0..10 {
        tx.try_send(b(0), i).unwrap();
    }
    let mut seen = 0;
    for _ in rx.drain() {
        seen += 1;
        tx.try_send(b(0), 100).unwrap();
        assert!(seen <= 10, "drain does not end while senders run");
    }
    assert_eq!(seen, 10);
    assert_eq!(rx.len(), 10);
}

#[test]
fn a_drain_says_how_many_items_may_come_and_promises_none() {
    let (tx, rx) = unbounded(1);
    tx.try_send_many(b(0), 0..3).unwrap();
    let mut drain = rx.drain();
    assert_eq!(drain.size_hint(), (0, Some(3)));
    assert_eq!(drain.next(), Some((b(0), 0)));
    assert_eq!(drain.size_hint(), (0, Some(2)));
    assert_eq!(rx.try_iter().count(), 2, "somebody else takes them");
    assert_eq!(drain.next(), None);
    assert_eq!(drain.size_hint(), (0, Some(0)));
}

#[test]
fn a_drain_or_iterator_left_half_way_loses_nothing() {
    let ledger = Ledger::new(100);
    let (tx, rx) = unbounded(1);
    for token in ledger.tokens() {
        tx.try_send(b(0), token).unwrap();
    }
    let first: Vec<usize> = rx.try_iter().take(10).map(id).collect();
    assert_eq!(first, (0..10).collect::<Vec<_>>());
    assert_eq!(rx.len(), 90);
    let second: Vec<usize> = rx.drain().take(10).map(id).collect();
    assert_eq!(second, (10..20).collect::<Vec<_>>());
    // What the drain did not return is still there, or was dropped once.
    let rest = rx.try_iter().map(id).count();
    assert!(rest == 0 || rest == 80, "{rest}");
    ledger.assert_each_dropped_once();
}
