//! Iterators of a batch that panic, or use the channel.

use std::cell::Cell;

use bandq::{BandQueue, SendError, bounded, unbounded};

use crate::support::hand::settle;
use crate::support::{Ledger, Task, Watchdog, b};
use crate::{ids, must_panic};

#[test]
fn an_iterator_that_panics_in_a_batch_push_loses_and_doubles_nothing() {
    for at in [0, 1, 31, 32, 33, 256, 257, 300] {
        let ledger = Ledger::new(400);
        let queue = BandQueue::new(1);
        must_panic(|| {
            let tokens = ledger.tokens();
            queue.push_many(
                b(0),
                tokens.inspect(|token| assert!(token.id() < at, "an iterator that panics")),
            )
        });
        assert_eq!(queue.push_many(b(0), [ledger.token(399)]), Ok(1));
        let mut got = ids(std::iter::from_fn(|| queue.pop()));
        assert_eq!(got.pop(), Some(399));
        // What was pushed is a prefix; each of the others that were made was dropped.
        assert_eq!(got, (0..got.len()).collect::<Vec<_>>());
        for id in 0..at {
            assert_eq!(ledger.drops(id), 1, "panic at {at}, item {id}");
        }
    }
}

#[test]
fn an_iterator_that_panics_in_a_batch_send_loses_and_doubles_nothing() {
    for at in [0, 1, 5, 6, 31, 32, 300] {
        for capacity in [5, 1_000] {
            let ledger = Ledger::new(400);
            let (tx, rx) = bounded(1, capacity);
            let mut got = Vec::new();
            must_panic(|| {
                let tokens = ledger.tokens();
                let tokens = tokens.inspect(|token| assert!(token.id() < at, "it panics"));
                let mut send = Task::new(tx.send_many(b(0), tokens));
                while send.poll().is_pending() {
                    got.extend(ids(rx.try_iter()));
                }
            });
            got.extend(ids(rx.try_iter()));
            assert_eq!(got, (0..got.len()).collect::<Vec<_>>());
            for id in 0..at {
                assert_eq!(ledger.drops(id), 1, "panic at {at}, item {id}");
            }
            // The channel works as before, with all its room.
            for _ in 0..capacity {
                tx.try_send(b(0), Ledger::new(1).token(0)).unwrap();
            }
            assert!(tx.is_full());
        }
    }
}

#[test]
fn a_batch_send_whose_iterator_panicked_while_others_wait_strands_nobody() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut batch = Task::waiting(tx.send_many(b(0), (1..5).inspect(|&n| assert!(n < 2))));
    let mut waiting = vec![Task::waiting(tx.send(b(0), 9))];
    assert_eq!(rx.try_recv(), Ok((b(0), 0)));
    assert!(batch.woken());
    must_panic(|| batch.poll()); // item 1 goes, item 2 panics
    drop(batch);
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    assert_eq!(settle(&mut waiting).len(), 1);
    assert_eq!(rx.try_recv(), Ok((b(0), 9)));
}

#[test]
fn an_iterator_may_use_the_channel_it_is_sent_to() {
    let _watchdog = Watchdog::new("an_iterator_may_use_the_channel_it_is_sent_to");
    let (tx, rx) = unbounded(2);
    let mut waiting = vec![Task::waiting(rx.recv()), Task::waiting(rx.recv())];
    let items = (0..400).inspect(|&n| {
        tx.try_send(b(1), 1_000 + n).unwrap();
        let _ = (tx.len(), rx.is_empty());
        if n % 3 == 0 {
            rx.try_recv().unwrap();
            let mut inner = Task::new(tx.send_many(b(1), [2_000 + n, 3_000 + n]));
            assert_eq!(inner.ready(), Ok(2));
        }
        drop(Task::new(rx.recv()));
    });
    assert_eq!(Task::new(tx.send_many(b(0), items)).ready(), Ok(400));
    // 400 in the batch, 400 beside it, 134 times two more and one less.
    let got = settle(&mut waiting).len();
    assert_eq!((got, rx.len()), (2, 400 + 400 + 134 - 2));
    // The batch is in order.
    let urgent = rx.try_iter().filter(|(band, _)| *band == b(0));
    let urgent: Vec<i32> = urgent.map(|(_, n)| n).collect();
    assert!(urgent.is_sorted());

    let queue = BandQueue::new(2);
    let items = (0..100).inspect(|&n| {
        queue.push(b(1), 1_000 + n).unwrap();
        let _ = (queue.pop(), queue.len());
        assert_eq!(queue.push_many(b(1), [5, 6]), Ok(2));
    });
    assert_eq!(queue.push_many(b(0), items), Ok(100));
    assert_eq!(queue.len(), 300);
}

#[test]
fn an_iterator_that_closes_its_channel_ends_the_batch() {
    for by_drop in [false, true] {
        let ledger = Ledger::new(100);
        let (tx, rx) = unbounded(1);
        let rx = Cell::new(Some(rx));
        let mut kept = None;
        let mut tokens = ledger.tokens().inspect(|token| {
            if token.id() == 50 {
                let rx = rx.take().unwrap();
                if by_drop {
                    drop(rx);
                } else {
                    rx.close();
                    kept = Some(rx);
                }
            }
        });
        let error = Task::new(tx.send_many(b(0), &mut tokens))
            .ready()
            .unwrap_err();
        let rest: Vec<usize> = tokens.map(|token| token.id()).collect();
        assert!(error.sent <= 50);
        let SendError::Closed(token) = error.error else {
            panic!()
        };
        assert_eq!(token.id(), error.sent);
        let after: Vec<usize> = (error.sent + 1..100).collect();
        assert_eq!(rest, after);
        if let Some(rx) = kept {
            assert_eq!(ids(rx.try_iter()), (0..error.sent).collect::<Vec<_>>());
        }
        drop(token);
        ledger.assert_each_dropped_once();
    }
}
