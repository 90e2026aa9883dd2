//! Batches: each of their items once, and what was not sent is still in the iterator.

use std::sync::Barrier;
use std::thread;

use bandq::{BandQueue, SendError, TryRecvError, bounded, unbounded};

use crate::id;
use crate::support::{Ledger, Task, Watchdog, b};

#[test]
fn batches_carry_every_item_once() {
    for n in [0, 1, 2, 31, 255, 256, 257, 1_000] {
        let ledger = Ledger::new(n);
        let queue = BandQueue::new(2);
        assert_eq!(queue.push_many(b(1), ledger.tokens()), Ok(n));
        assert_eq!(queue.len(), n);
        let mut got = Vec::new();
        while queue.pop_many(&mut got, 100) > 0 {}
        let got: Vec<usize> = got.into_iter().map(id).collect();
        assert_eq!(got, (0..n).collect::<Vec<_>>());
        ledger.assert_each_dropped_once();

        let ledger = Ledger::new(n);
        let (tx, rx) = unbounded(2);
        let sent = Task::new(tx.send_many(b(1), ledger.tokens())).ready();
        assert_eq!(sent.unwrap(), n);
        drop(tx);
        let mut got = Vec::new();
        loop {
            let before = got.len();
            let n = Task::new(rx.recv_many(&mut got, 64)).ready();
            assert_eq!(got.len() - before, n);
            if n == 0 {
                break;
            }
            assert!(n <= 64);
        }
        let got: Vec<usize> = got.into_iter().map(id).collect();
        assert_eq!(got, (0..n).collect::<Vec<_>>());
        ledger.assert_each_dropped_once();
    }
}

#[test]
fn a_batch_goes_through_a_channel_with_less_room_than_items() {
    let ledger = Ledger::new(100);
    let (tx, rx) = bounded(2, 7);
    let mut send = Task::new(tx.send_many(b(1), ledger.tokens()));
    let mut got = Vec::new();
    let sent = loop {
        match send.poll() {
            std::task::Poll::Ready(sent) => break sent,
            std::task::Poll::Pending => {
                assert_eq!(rx.len(), 7, "waits although there is room");
                while let Ok(item) = rx.try_recv() {
                    got.push(id(item));
                }
                assert!(send.woken());
            }
        }
    };
    assert_eq!(sent.unwrap(), 100);
    got.extend(rx.try_iter().map(id));
    assert_eq!(got, (0..100).collect::<Vec<_>>());
    ledger.assert_each_dropped_once();
}

#[test]
fn a_cancelled_batch_has_sent_a_prefix_and_the_iterator_keeps_the_rest() {
    let ledger = Ledger::new(20);
    let (tx, rx) = bounded(1, 5);
    let mut tokens = ledger.tokens();
    let waiting = Task::waiting(tx.send_many(b(0), &mut tokens));
    drop(waiting);
    // What went with the future was dropped once, and is neither sent nor kept.
    let dropped: Vec<usize> = (0..20).filter(|&i| ledger.drops(i) == 1).collect();
    let sent: Vec<usize> = rx.try_iter().map(id).collect();
    assert_eq!(sent, [0, 1, 2, 3, 4]);
    let kept: Vec<usize> = tokens.map(|token| token.id()).collect();
    let all: Vec<usize> = [&sent[..], &dropped, &kept].concat();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
    assert!(dropped.len() <= 1, "went with the future: {dropped:?}");
    ledger.assert_each_dropped_once();
}

#[test]
fn a_batch_that_meets_a_closed_channel_gives_one_item_back_and_keeps_the_rest() {
    let ledger = Ledger::new(20);
    let (tx, rx) = unbounded(1);
    rx.close();
    let mut tokens = ledger.tokens();
    let error = Task::new(tx.send_many(b(0), &mut tokens))
        .ready()
        .unwrap_err();
    assert_eq!(error.sent, 0);
    assert!(matches!(error.error, SendError::Closed(ref token) if token.id() == 0));
    assert_eq!(
        tokens.map(|token| token.id()).collect::<Vec<_>>(),
        (1..20).collect::<Vec<_>>()
    );
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Closed));
    drop(error);
    ledger.assert_each_dropped_once();
}

#[test]
fn a_batch_closed_while_it_waits_accounts_for_every_item() {
    let ledger = Ledger::new(20);
    let (tx, rx) = bounded(1, 5);
    let mut tokens = ledger.tokens();
    let mut waiting = Task::waiting(tx.send_many(b(0), &mut tokens));
    rx.close();
    assert!(waiting.woken());
    let error = waiting.ready().unwrap_err();
    drop(waiting);
    assert_eq!(error.sent, 5);
    let returned = error.error.into_inner();
    assert_eq!(returned.id(), 5);
    drop(returned);
    assert_eq!(rx.try_iter().map(id).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(
        tokens.map(|token| token.id()).collect::<Vec<_>>(),
        (6..20).collect::<Vec<_>>()
    );
    ledger.assert_each_dropped_once();
}

#[test]
fn a_batch_racing_with_close_accounts_for_every_item() {
    let _watchdog = Watchdog::new("a_batch_racing_with_close_accounts_for_every_item");
    let mut cut = 0;
    for round in 0..300 {
        let n = 600;
        let ledger = Ledger::new(n);
        let (tx, rx) = unbounded(1);
        let start = Barrier::new(2);
        let (outcome, kept) = thread::scope(|s| {
            let (tx, start, ledger) = (&tx, &start, &ledger);
            let sender = s.spawn(move || {
                let mut tokens = ledger.tokens();
                start.wait();
                let outcome = Task::new(tx.send_many(b(0), &mut tokens)).ready();
                (
                    outcome,
                    tokens.map(|token| token.id()).collect::<Vec<usize>>(),
                )
            });
            start.wait();
            for _ in 0..round * 20 {
                std::hint::spin_loop();
            }
            rx.close();
            sender.join().unwrap()
        });
        let got: Vec<usize> = rx.try_iter().map(id).collect();
        let mut all = got.clone();
        match outcome {
            Ok(sent) => {
                assert_eq!(sent, n);
                assert_eq!(got.len(), n);
            }
            Err(error) => {
                cut += usize::from(error.sent > 0);
                assert_eq!(got.len(), error.sent);
                all.push(error.error.into_inner().id());
            }
        }
        all.extend(kept);
        assert_eq!(all, (0..n).collect::<Vec<_>>());
        ledger.assert_each_dropped_once();
    }
    println!("{cut} of 300 batches were cut in the middle");
}
