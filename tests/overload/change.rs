//! A plain channel gets entries while things wait in it, by `with_ttl` or by ageing: nothing is
//! lost, each band stays a FIFO, closed stays final, and nobody sleeps on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bandq::{Band, Policy, Receiver, RecvError, Sender, TryRecvError, TrySendError};
use bandq::{bounded, unbounded};

use crate::support::hand::poll_stream;
use crate::support::{Case, Ledger, Task, Token, Watchdog, XorShift, all_end, b, counting_waker};
use crate::support::{ends, env_number};

/// What makes a channel keep entries.
type Change<T> = fn(&Sender<T>, &Receiver<T>);

fn changes<T>() -> [(&'static str, Change<T>); 2] {
    [
        ("with_ttl", |tx, _| drop(tx.with_ttl(Duration::MAX))),
        ("ageing", |_, rx| {
            rx.set_policy(Policy::ageing(Duration::MAX)).unwrap();
        }),
    ]
}

#[test]
fn the_backlog_keeps_its_order_its_room_and_its_place() {
    for (name, change) in changes() {
        let (tx, rx) = bounded(3, 30);
        for item in 0..12 {
            tx.try_send(b(item % 3), item).unwrap();
        }
        let permit = tx.try_reserve(b(0)).unwrap();
        let many = tx.try_reserve_many(b(1), 2).unwrap();
        change(&tx, &rx);
        assert_eq!((rx.len(), rx.band_len(b(1))), (12, 4), "{name}");
        assert_eq!((rx.available(), rx.is_empty()), (Some(15), false));
        permit.send(12).unwrap();
        for (permit, item) in many.zip([13, 16]) {
            permit.send(item).unwrap();
        }
        tx.try_send(b(2), 14).unwrap();
        assert_eq!((rx.len(), rx.band_len(b(1))), (16, 6), "{name}");
        let mut out = Vec::new();
        rx.try_recv_many(&mut out, 3).unwrap();
        out.extend(rx.try_iter());
        let expected = [0, 3, 6, 9, 12, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14];
        let expected: Vec<_> = (0..16)
            .map(|i| {
                (
                    b([0; 5]
                        .into_iter()
                        .chain([1; 6])
                        .chain([2; 5])
                        .nth(i)
                        .unwrap()),
                    expected[i],
                )
            })
            .collect();
        assert_eq!(out, expected, "{name}");
        assert_eq!((rx.len(), rx.available()), (0, Some(30)));
    }
}

#[test]
fn what_comes_after_it_counts_in_every_question() {
    for (name, change) in changes() {
        let (tx, rx) = unbounded(2);
        change(&tx, &rx);
        assert!(rx.is_empty() && tx.is_empty(), "{name}");
        tx.try_send(b(1), 1).unwrap();
        assert!(!rx.is_empty() && !tx.is_empty(), "{name}");
        assert_eq!((rx.len(), tx.band_len(b(0)), tx.band_len(b(1))), (1, 0, 1));
        assert!(rx.urgent_waiting(b(2)) && !rx.urgent_waiting(b(1)));
    }
}

#[test]
fn a_receiver_of_some_bands_takes_nothing_else_of_what_was_there() {
    for (name, change) in changes() {
        let (tx, rx) = unbounded(3);
        for band in [0, 1, 2] {
            tx.try_send(b(band), band).unwrap();
        }
        let middle = rx.within(b(1)..=b(1));
        change(&tx, &rx);
        tx.try_send(b(1), 3).unwrap();
        let got: Vec<_> = middle.try_iter().map(|(_, item)| item).collect();
        assert_eq!(got, [1, 3], "{name}");
        let got: Vec<_> = rx.try_iter().map(|(_, item)| item).collect();
        assert_eq!(got, [0, 2], "{name}");
    }
}

#[test]
fn what_was_there_does_not_expire_and_what_comes_behind_it_waits() {
    let (tx, rx) = unbounded(2);
    tx.try_send(b(0), 1).unwrap();
    let fleeting = tx.with_ttl(Duration::ZERO);
    fleeting.try_send(b(0), 2).unwrap();
    tx.try_send(b(0), 3).unwrap();
    fleeting.try_send(b(1), 4).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    assert_eq!(rx.try_recv(), Ok((b(0), 3)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn an_eviction_takes_what_was_there_before_what_came_later() {
    for (_, change) in changes() {
        let (tx, rx) = bounded(2, 3);
        tx.try_send(b(1), 'a').unwrap();
        tx.try_send(b(1), 'b').unwrap();
        change(&tx, &rx);
        tx.try_send(b(1), 'c').unwrap();
        for gone in ['a', 'b', 'c'] {
            assert_eq!(tx.force_send(b(0), 'x'), Ok(vec![(b(1), gone)]));
        }
        assert!(tx.force_send(b(0), 'x').is_err());
        assert_eq!(rx.try_iter().count(), 3);
    }
}

#[test]
fn closed_is_final_before_and_after() {
    for (_, change) in changes() {
        for closes_first in [true, false] {
            let (tx, rx) = bounded(2, 5);
            tx.try_send(b(1), 1).unwrap();
            let permit = tx.try_reserve(b(0)).unwrap();
            if closes_first {
                tx.close();
                change(&tx, &rx);
            } else {
                change(&tx, &rx);
                tx.try_send(b(1), 2).unwrap();
                tx.close();
            }
            let fleeting = tx.with_ttl(Duration::MAX);
            assert_eq!(tx.try_send(b(0), 3), Err(TrySendError::Closed(3)));
            assert_eq!(fleeting.try_send(b(0), 4), Err(TrySendError::Closed(4)));
            assert!(permit.send(5).is_err());
            let there = if closes_first { 1..=1 } else { 1..=2 };
            let got: Vec<_> = rx.iter().map(|(_, item)| item).collect();
            assert_eq!(got, there.collect::<Vec<_>>());
            assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
            assert_eq!(rx.recv_blocking(), Err(RecvError));
            assert_eq!(rx.available(), Some(5));
        }
    }
}

#[test]
fn the_last_sender_of_any_kind_closes_it() {
    let (tx, rx) = unbounded::<u8>(1);
    let fleeting = tx.with_ttl(Duration::MAX);
    assert_eq!(rx.sender_count(), 2);
    drop(tx);
    assert!(!rx.is_closed());
    drop(fleeting);
    assert!(rx.is_closed());
}

#[test]
fn with_the_last_receiver_goes_what_was_there_and_what_came_later() {
    for (_, change) in changes() {
        let ledger = Ledger::new(6);
        let (tx, rx) = unbounded(2);
        for item in ledger.tokens() {
            if item.id() == 3 {
                change(&tx, &rx);
            }
            tx.try_send(b(item.id() as u8 % 2), item).unwrap();
        }
        drop(rx);
        ledger.assert_each_dropped_once(); // while a sender is there
    }
}

#[test]
fn if_the_drop_of_one_panics_then_the_rest_of_both_kinds_is_dropped_all_the_same() {
    for (name, change) in changes() {
        for bad in [1, 5] {
            let ledger = Ledger::new(6);
            struct Item(#[expect(dead_code)] Token, bool);
            impl Drop for Item {
                fn drop(&mut self) {
                    assert!(!self.1, "the drop was told to panic");
                }
            }
            let (tx, rx) = unbounded(1);
            for token in ledger.tokens() {
                if token.id() == 3 {
                    change(&tx, &rx);
                }
                let is_bad = token.id() == bad;
                assert!(tx.try_send(b(0), Item(token, is_bad)).is_ok());
            }
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(rx)));
            assert!(dropped.is_err(), "{name}: the panic goes on");
            ledger.assert_each_dropped_once();
            assert!(tx.is_closed());
        }
    }
}

#[test]
fn tasks_that_waited_before_are_woken_after() {
    for (name, change) in changes() {
        let (tx, mut stream) = bounded(2, 1);
        let rx = stream.clone();
        let within = rx.within(b(1)..=b(1));
        let (waker, wakes) = counting_waker();
        assert!(poll_stream(&mut stream, &waker).is_pending());
        let mut narrow = Task::waiting(within.recv());
        let mut wide = Task::waiting(rx.recv());
        change(&tx, &rx);
        tx.try_send(b(1), 'a').unwrap();
        assert!(narrow.woken() && wakes.get() == 1, "{name}");
        assert_eq!(narrow.ready(), Ok((b(1), 'a')));
        tx.try_send(b(0), 'b').unwrap();
        assert!(wide.woken(), "{name}");
        // And the other way round: a sender that waits for room.
        let mut sending = Task::waiting(tx.send(b(1), 'c'));
        let mut reserving = Task::waiting(tx.reserve(b(1)));
        assert_eq!(wide.ready(), Ok((b(0), 'b')));
        assert!(sending.woken() && sending.ready().is_ok(), "{name}");
        assert_eq!(rx.try_recv(), Ok((b(1), 'c')));
        assert!(reserving.woken() && reserving.ready().is_ok(), "{name}");
    }
}

#[test]
fn a_sender_that_waited_before_sends_after() {
    for (name, change) in changes() {
        let (tx, rx) = bounded(2, 1);
        tx.try_send(b(1), 'a').unwrap();
        let mut sending = Task::waiting(tx.send(b(1), 'b'));
        change(&tx, &rx);
        assert_eq!(rx.try_recv(), Ok((b(1), 'a')), "{name}");
        assert!(sending.woken() && sending.ready().is_ok(), "{name}");
        assert_eq!(rx.try_recv(), Ok((b(1), 'b')), "{name}");
    }
}

#[test]
fn threads_that_blocked_before_get_items_of_the_new_kind_or_the_close() {
    let cases = changes().map(|(name, change)| -> Case {
        let body = move || {
            for items in 0..3 {
                let (tx, rx) = unbounded::<usize>(2);
                let blocked: Vec<_> = (0..3)
                    .map(|_| {
                        let rx = rx.clone();
                        thread::spawn(move || rx.recv_blocking().ok())
                    })
                    .collect();
                thread::sleep(Duration::from_millis(20)); // most of them are asleep by then
                change(&tx, &rx);
                for item in 0..items {
                    tx.try_send(b(item as u8 % 2), item).unwrap();
                }
                drop(tx);
                let got = blocked.into_iter().filter_map(|t| t.join().unwrap());
                let mut got: Vec<_> = got.map(|(_, item)| item).collect();
                got.sort_unstable();
                assert_eq!(got, (0..items).collect::<Vec<_>>());
            }
        };
        (name.to_owned(), Box::new(body))
    });
    all_end(cases.into());
}

const PRODUCERS: usize = 3;
const EACH: usize = 200;

#[test]
fn under_load_nothing_is_lost_and_what_each_producer_sends_to_a_band_stays_in_order() {
    let _watchdog = Watchdog::new("a change under load");
    for round in 0..env_number("BANDQ_RACE_ROUNDS", 150) as usize {
        let (_, change) = changes::<Token>()[round % 2];
        let ledger = Ledger::new(PRODUCERS * EACH);
        // Bounded every other time; then the items have to be received meanwhile.
        let (tx, rx) = if round % 4 < 2 {
            unbounded(3)
        } else {
            bounded(3, 16)
        };
        let received = AtomicUsize::new(0);
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let (tx, ledger) = (tx.clone(), &ledger);
                scope.spawn(move || {
                    let mut rng = XorShift::new((round * PRODUCERS + producer) as u64);
                    for n in 0..EACH {
                        let item = ledger.token(producer * EACH + n);
                        tx.send_blocking(b(rng.below(3) as u8), item).unwrap();
                    }
                });
            }
            for _ in 0..2 {
                let (rx, received) = (rx.clone(), &received);
                scope.spawn(move || {
                    let mut last = [[None; 3]; PRODUCERS];
                    for (band, item) in rx.iter() {
                        let last: &mut Option<usize> = &mut last[item.id() / EACH][band.index()];
                        assert!(*last < Some(item.id()), "{item:?} out of order");
                        *last = Some(item.id());
                        received.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let (changer, received, rx) = (tx.clone(), &received, &rx);
            drop(tx);
            scope.spawn(move || {
                // In the middle of it.
                while received.load(Ordering::SeqCst) < round % 50 {
                    thread::yield_now();
                }
                change(&changer, rx);
                change(&changer, rx); // which changes nothing more
            });
        });
        assert_eq!(received.load(Ordering::SeqCst), PRODUCERS * EACH);
        assert_eq!(rx.try_recv().unwrap_err(), TryRecvError::Closed);
        ledger.assert_each_dropped_once();
    }
}

#[test]
fn a_close_during_the_change_is_final_and_loses_nothing() {
    let _watchdog = Watchdog::new("a close during a change");
    for round in 0..env_number("BANDQ_RACE_ROUNDS", 150) as usize {
        let (_, change) = changes::<(Band, usize)>()[round % 2];
        let (tx, rx) = unbounded(2);
        let accepted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let (tx, accepted) = (&tx, &accepted);
                scope.spawn(move || {
                    let band = b(producer as u8 % 2);
                    for n in 0..EACH {
                        match tx.try_send(band, (band, n)) {
                            Ok(()) => accepted.fetch_add(1, Ordering::SeqCst),
                            Err(error) => {
                                assert!(error.is_closed());
                                break;
                            }
                        };
                    }
                    assert!(!tx.is_closed() || tx.try_send(band, (band, 0)).is_err());
                });
            }
            scope.spawn(|| {
                thread::yield_now();
                change(&tx, &rx);
            });
            scope.spawn(|| {
                thread::yield_now();
                tx.close();
                // From here on nothing more goes in: what is there is all.
                assert!(tx.try_send(b(0), (b(0), 0)).is_err());
            });
        });
        let got = rx.iter().inspect(|(band, (of, _))| assert_eq!(band, of));
        assert_eq!(
            got.count(),
            accepted.load(Ordering::SeqCst),
            "round {round}"
        );
    }
}

#[test]
fn the_last_receiver_goes_during_the_change_and_everything_with_it() {
    ends("the last receiver goes during a change", || {
        for round in 0..env_number("BANDQ_RACE_ROUNDS", 150) as usize {
            let ledger = Ledger::new(PRODUCERS * EACH);
            let (tx, rx) = unbounded(2);
            thread::scope(|scope| {
                for producer in 0..PRODUCERS {
                    let (tx, ledger) = (&tx, &ledger);
                    scope.spawn(move || {
                        for n in 0..EACH {
                            let item = ledger.token(producer * EACH + n);
                            drop(tx.try_send(b(n as u8 % 2), item));
                        }
                    });
                }
                scope.spawn(|| drop(tx.with_ttl(Duration::MAX)));
                scope.spawn(move || {
                    for _ in 0..round % 30 {
                        drop(rx.try_recv());
                    }
                    drop(rx);
                });
            });
            assert!(tx.is_closed() && tx.is_empty());
            ledger.assert_each_dropped_once(); // while a sender is there
        }
    });
}
