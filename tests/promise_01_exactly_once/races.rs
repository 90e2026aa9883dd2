//! Beside a close, a drop or a time limit: every accepted item once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use bandq::{SendTimeoutError, TrySendError, bounded, unbounded};

use crate::id;
use crate::support::{Ledger, Watchdog, XorShift, b};

/// Senders against one closer: what was accepted is what arrives.
#[test]
fn a_close_racing_with_sends_loses_and_doubles_nothing() {
    let _watchdog = Watchdog::new("a_close_racing_with_sends_loses_and_doubles_nothing");
    for round in 0..200 {
        const EACH: usize = 100;
        let ledger = Ledger::new(3 * EACH);
        let (tx, rx) = if round % 2 == 0 {
            unbounded(3)
        } else {
            bounded(3, 1_000)
        };
        let start = Barrier::new(4);
        let mut accepted = thread::scope(|s| {
            let (tx, start, ledger) = (&tx, &start, &ledger);
            let senders: Vec<_> = (0..3)
                .map(|sender| {
                    s.spawn(move || {
                        start.wait();
                        let mut accepted = Vec::new();
                        for i in 0..EACH {
                            let id = sender * EACH + i;
                            let band = b((id % 3) as u8);
                            match tx.try_send(band, ledger.token(id)) {
                                Ok(()) => accepted.push(id),
                                Err(TrySendError::Closed(token)) => assert_eq!(token.id(), id),
                                Err(other) => panic!("{other:?}"),
                            }
                        }
                        accepted
                    })
                })
                .collect();
            start.wait();
            for _ in 0..round * 10 {
                std::hint::spin_loop();
            }
            rx.close();
            senders
                .into_iter()
                .flat_map(|sender| sender.join().unwrap())
                .collect::<Vec<usize>>()
        });
        let mut got: Vec<usize> = rx.try_iter().map(id).collect();
        got.sort_unstable();
        accepted.sort_unstable();
        assert_eq!(got, accepted);
        ledger.assert_each_dropped_once();
    }
}

/// The last receiver goes while sends run. Once both are done, no item lives on, although a
/// sender still does.
#[test]
fn the_last_receivers_drop_racing_with_sends_leaves_no_item_behind() {
    let _watchdog =
        Watchdog::new("the_last_receivers_drop_racing_with_sends_leaves_no_item_behind");
    for round in 0..300 {
        const EACH: usize = 60;
        let ledger = Ledger::new(3 * EACH);
        let (tx, rx) = unbounded(2);
        let start = Barrier::new(4);
        thread::scope(|s| {
            let (tx, start, ledger) = (&tx, &start, &ledger);
            for sender in 0..3 {
                s.spawn(move || {
                    start.wait();
                    for i in 0..EACH {
                        let id = sender * EACH + i;
                        // Dropped here if it comes back.
                        let _ = tx.try_send(b((i % 2) as u8), ledger.token(id));
                    }
                });
            }
            start.wait();
            for _ in 0..round * 5 {
                std::hint::spin_loop();
            }
            drop(rx);
        });
        assert!(tx.is_closed());
        ledger.assert_each_dropped_once();
        assert_eq!(tx.len(), 0);
    }
}

/// A receiver that goes while another thread receives and a third sends.
#[test]
fn receivers_that_come_and_go_lose_nothing() {
    let _watchdog = Watchdog::new("receivers_that_come_and_go_lose_nothing");
    const N: usize = 5_000;
    let ledger = Ledger::new(N);
    let (tx, rx) = bounded(4, 16);
    let got = AtomicUsize::new(0);
    thread::scope(|s| {
        let ledger = &ledger;
        s.spawn(move || {
            for token in ledger.tokens() {
                let band = b((token.id() % 4) as u8);
                tx.send_blocking(band, token).unwrap();
            }
        });
        for seed in 0..3 {
            let (rx, got) = (rx.clone(), &got);
            s.spawn(move || {
                let mut rng = XorShift::new(seed);
                let mut rx = rx;
                loop {
                    match rx.recv_timeout(Duration::from_micros(rng.below(200))) {
                        Ok(item) => {
                            drop(item);
                            got.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(error) if error.is_closed() => break,
                        Err(_) => {}
                    }
                    if rng.one_in(4) {
                        rx = rx.clone();
                    }
                }
            });
        }
    });
    assert_eq!(got.load(Ordering::SeqCst), N);
    ledger.assert_each_dropped_once();
}

/// Every `Ok` of a timed send is an item that arrives; every other is one that does not.
#[test]
fn timed_sends_and_receives_agree_on_what_was_sent() {
    let _watchdog = Watchdog::new("timed_sends_and_receives_agree_on_what_was_sent");
    let ledger = Ledger::new(2_000);
    let (tx, rx) = bounded(2, 2);
    let done = Arc::new(AtomicBool::new(false));
    let sender = {
        let (ledger, done) = (ledger.clone(), done.clone());
        thread::spawn(move || {
            let mut rng = XorShift::new(3);
            let mut accepted = Vec::new();
            for token in ledger.tokens() {
                let id = token.id();
                let wait = Duration::from_micros(rng.below(50));
                match tx.send_timeout(b((id % 2) as u8), token, wait) {
                    Ok(()) => accepted.push(id),
                    Err(SendTimeoutError::Timeout(token)) => assert_eq!(token.id(), id),
                    Err(other) => panic!("{other:?}"),
                }
            }
            done.store(true, Ordering::SeqCst);
            accepted
        })
    };
    let mut rng = XorShift::new(4);
    let mut got = Vec::new();
    loop {
        match rx.recv_timeout(Duration::from_micros(rng.below(100))) {
            Ok(item) => got.push(id(item)),
            Err(error) if error.is_closed() => break,
            Err(_) => {}
        }
    }
    got.sort_unstable();
    assert_eq!(got, sender.join().unwrap());
    ledger.assert_each_dropped_once();
}
