//! Promise 1: an accepted item is received once, or drained once, or dropped once. Never lost,
//! never doubled: not by a cancel, a close, a panic or a drop.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use bandq::{
    BandQueue, RecvError, SendError, SendTimeoutError, TryRecvError, TrySendError, bounded,
    unbounded,
};
use support::{Ledger, Task, Token, Watchdog, XorShift, b};

/// Long enough never to end in a test.
const LONG: Duration = Duration::from_secs(600);

fn id<B>((_, token): (B, Token)) -> usize {
    token.id()
}

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
fn a_dropped_queue_drops_each_item_left_once() {
    // Around the ends of segments, with some popped first.
    for pushed in [0, 1, 2, 100, 255, 256, 257, 512, 513, 700] {
        for popped in [0, 1, 100, 255, 256, 257, 699] {
            if popped > pushed {
                continue;
            }
            let ledger = Ledger::new(pushed);
            let queue = BandQueue::new(3);
            for token in ledger.tokens() {
                queue.push(b(1), token).unwrap();
            }
            for expected in 0..popped {
                assert_eq!(queue.pop().map(id), Some(expected));
            }
            assert_eq!(ledger.total(), popped);
            drop(queue);
            ledger.assert_each_dropped_once();
        }
    }
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
fn the_last_receivers_drop_drops_the_rest_then_and_there() {
    let ledger = Ledger::new(600);
    let (tx, rx) = unbounded(3);
    let other = rx.clone();
    for token in ledger.tokens() {
        let band = b((token.id() % 3) as u8);
        tx.try_send(band, token).unwrap();
    }
    drop(rx);
    ledger.assert_none_dropped();
    assert!(!tx.is_closed());
    drop(other);
    // A sender is still there.
    ledger.assert_each_dropped_once();
    assert!(tx.is_closed());
    assert_eq!(tx.len(), 0);
}

#[test]
fn a_weak_receiver_keeps_no_item() {
    let ledger = Ledger::new(1);
    let (tx, rx) = unbounded(1);
    let weak = rx.downgrade();
    tx.try_send(b(0), ledger.token(0)).unwrap();
    drop(rx);
    ledger.assert_each_dropped_once();
    assert!(weak.upgrade().is_none());
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

/// Notes its drop, then panics if told to.
struct Bomb {
    token: Option<Token>,
    armed: bool,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.token.take();
        if self.armed {
            panic!("a drop that panics");
        }
    }
}

fn bombs(ledger: &Ledger, armed: usize) -> impl Iterator<Item = Bomb> {
    ledger.tokens().map(move |token| Bomb {
        armed: token.id() == armed,
        token: Some(token),
    })
}

#[test]
fn when_one_drop_panics_a_dropped_channel_still_drops_the_rest() {
    for armed in [0, 1, 255, 256, 299, 599] {
        let ledger = Ledger::new(600);
        let (tx, rx) = unbounded(2);
        for (i, bomb) in bombs(&ledger, armed).enumerate() {
            assert!(tx.try_send(b((i / 300) as u8), bomb).is_ok());
        }
        let _ = catch_unwind(AssertUnwindSafe(|| drop(rx)));
        // The sender is still there: the rest went then and there.
        ledger.assert_each_dropped_once();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(tx)));
        ledger.assert_each_dropped_once();
    }
}

#[test]
fn when_one_drop_panics_a_dropped_queue_still_drops_the_rest() {
    for armed in [0, 1, 255, 256, 299, 599] {
        let ledger = Ledger::new(600);
        let queue = BandQueue::new(2);
        for (i, bomb) in bombs(&ledger, armed).enumerate() {
            assert!(queue.push(b((i / 300) as u8), bomb).is_ok());
        }
        let _ = catch_unwind(AssertUnwindSafe(|| drop(queue)));
        ledger.assert_each_dropped_once();
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

#[test]
fn a_send_that_was_never_polled_has_not_sent() {
    let ledger = Ledger::new(1);
    let (tx, rx) = unbounded(1);
    drop(tx.send(b(0), ledger.token(0)));
    assert_eq!(rx.len(), 0);
    ledger.assert_each_dropped_once();
}

#[test]
fn a_cancelled_send_has_not_sent() {
    let ledger = Ledger::new(3);
    let (tx, rx) = bounded(2, 1);
    tx.try_send(b(1), ledger.token(0)).unwrap();
    // Cancelled while it waits.
    let waiting = Task::waiting(tx.send(b(0), ledger.token(1)));
    drop(waiting);
    assert_eq!(ledger.drops(1), 1);
    // Cancelled after it was woken.
    let waiting = Task::waiting(tx.send(b(0), ledger.token(2)));
    assert_eq!(rx.try_recv().map(id), Ok(0));
    assert!(waiting.woken());
    assert_eq!(ledger.drops(2), 0);
    drop(waiting);
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Empty));
    ledger.assert_each_dropped_once();
    // The room is not lost with it.
    let ledger = Ledger::new(1);
    tx.try_send(b(1), ledger.token(0)).unwrap();
}

#[test]
fn a_finished_send_future_that_is_dropped_does_not_drop_its_item() {
    let ledger = Ledger::new(1);
    let (tx, rx) = unbounded(1);
    let mut send = Task::new(tx.send(b(0), ledger.token(0)));
    assert!(send.ready().is_ok());
    drop(send);
    ledger.assert_none_dropped();
    assert_eq!(rx.try_recv().map(id), Ok(0));
}

#[test]
fn a_cancelled_reserve_keeps_nothing() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 1).unwrap();
    let waiting = Task::waiting(tx.reserve(b(0)));
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    assert!(waiting.woken());
    drop(waiting);
    assert_eq!(tx.try_send(b(0), 2), Ok(()));
    assert_eq!(rx.try_recv(), Ok((b(0), 2)));
}

#[test]
fn a_cancelled_recv_has_taken_nothing() {
    let ledger = Ledger::new(2);
    let (tx, rx) = unbounded(2);
    let waiting = Task::waiting(rx.recv());
    drop(waiting);
    let waiting = Task::waiting(rx.recv());
    for token in ledger.tokens() {
        tx.try_send(b(1), token).unwrap();
    }
    assert!(waiting.woken());
    drop(waiting);
    assert_eq!(rx.len(), 2);
    drop(rx.recv()); // never polled
    assert_eq!(rx.try_recv().map(id), Ok(0));
    assert_eq!(rx.try_recv().map(id), Ok(1));
    ledger.assert_each_dropped_once();
}

#[test]
fn a_cancelled_recv_many_has_taken_nothing() {
    let (tx, rx) = unbounded(2);
    let mut buffer = vec![(b(0), 77)];
    let waiting = Task::waiting(rx.recv_many(&mut buffer, 10));
    for i in 0..5 {
        tx.try_send(b(1), i).unwrap();
    }
    assert!(waiting.woken());
    drop(waiting);
    assert_eq!(buffer, [(b(0), 77)]);
    assert_eq!(rx.len(), 5);
    let n = Task::new(rx.recv_many(&mut buffer, 3)).ready();
    assert_eq!(n, 3);
    assert_eq!(buffer, [(b(0), 77), (b(1), 0), (b(1), 1), (b(1), 2)]);
    assert_eq!(rx.len(), 2);
}

#[test]
fn every_failed_send_gives_its_item_back() {
    let ledger = Ledger::new(12);
    let mut ids = 0..12;
    let mut next = || ledger.token(ids.next().unwrap());
    let (tx, rx) = bounded(2, 1);
    let soon = Duration::from_millis(1);

    // No such band.
    assert!(matches!(tx.try_send(b(2), next()), Err(TrySendError::NoSuchBand(t)) if t.id() == 0));
    assert!(matches!(tx.send_blocking(b(2), next()), Err(SendError::NoSuchBand(t)) if t.id() == 1));
    let sent = Task::new(tx.send(b(63), next())).ready();
    assert!(matches!(sent, Err(SendError::NoSuchBand(t)) if t.id() == 2));
    let queue = BandQueue::new(2);
    assert_eq!(queue.push(b(2), next()).unwrap_err().into_inner().id(), 3);

    // Full.
    tx.try_send(b(0), next()).unwrap();
    assert!(matches!(tx.try_send(b(0), next()), Err(TrySendError::Full(t)) if t.id() == 5));
    let sent = tx.send_timeout(b(0), next(), soon);
    assert!(matches!(sent, Err(SendTimeoutError::Timeout(t)) if t.id() == 6));
    let sent = tx.send_deadline(b(0), next(), Instant::now());
    assert!(matches!(sent, Err(SendTimeoutError::Timeout(t)) if t.id() == 7));

    // Closed.
    rx.close();
    assert!(matches!(tx.try_send(b(0), next()), Err(TrySendError::Closed(t)) if t.id() == 8));
    assert!(matches!(tx.send_blocking(b(0), next()), Err(SendError::Closed(t)) if t.id() == 9));
    let sent = Task::new(tx.send(b(0), next())).ready();
    assert!(matches!(sent, Err(SendError::Closed(t)) if t.id() == 10));
    let sent = tx.send_timeout(b(0), next(), LONG);
    assert!(matches!(sent, Err(SendTimeoutError::Closed(t)) if t.id() == 11));

    assert_eq!(rx.try_recv().map(id), Ok(4));
    ledger.assert_each_dropped_once();
}

#[test]
fn a_waiting_send_gets_its_item_back_when_the_channel_closes() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), ledger.token(0)).unwrap();
    let mut waiting = Task::waiting(tx.send(b(0), ledger.token(1)));
    assert!(tx.close());
    assert!(waiting.woken());
    match waiting.ready() {
        Err(SendError::Closed(token)) => assert_eq!(token.id(), 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(rx.try_recv().map(id), Ok(0));
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Closed));
    ledger.assert_each_dropped_once();
}

#[test]
fn a_permit_sends_its_item_once() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(2, 2);
    let first = tx.try_reserve(b(1)).unwrap();
    let second = Task::new(tx.reserve(b(0))).ready().unwrap();
    assert!(matches!(tx.try_reserve(b(0)), Err(TrySendError::Full(()))));
    first.send(ledger.token(0)).unwrap();
    second.send(ledger.token(1)).unwrap();
    assert_eq!(rx.try_recv().map(id), Ok(1));
    assert_eq!(rx.try_recv().map(id), Ok(0));
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Empty));
    ledger.assert_each_dropped_once();
}

#[test]
fn a_dropped_permit_gives_its_room_back() {
    let (tx, rx) = bounded(1, 1);
    for i in 0..1_000 {
        drop(tx.try_reserve(b(0)).unwrap());
        tx.try_send(b(0), i).unwrap();
        assert!(matches!(tx.try_reserve(b(0)), Err(TrySendError::Full(()))));
        assert_eq!(rx.try_recv(), Ok((b(0), i)));
    }
}

#[test]
fn a_permit_on_a_closed_channel_gives_the_item_back() {
    let ledger = Ledger::new(1);
    let (tx, rx) = bounded(1, 1);
    let permit = tx.try_reserve(b(0)).unwrap();
    rx.close();
    match permit.send(ledger.token(0)) {
        Err(SendError::Closed(token)) => assert_eq!(token.id(), 0),
        other => panic!("{other:?}"),
    }
    assert_eq!(rx.try_recv().map(id), Err(TryRecvError::Closed));
    ledger.assert_each_dropped_once();
}

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

/// `recv` and `send` futures dropped at random, before and after their wake.
#[test]
fn futures_cancelled_at_random_lose_and_double_nothing() {
    let ledger = Ledger::new(4_000);
    let (tx, rx) = bounded(3, 4);
    let mut rng = XorShift::new(7);
    let mut sends: Vec<(usize, Task<_>)> = Vec::new();
    let mut recvs: Vec<Task<_>> = Vec::new();
    let mut accepted = vec![false; ledger.len()];
    let mut received = vec![false; ledger.len()];
    let mut next = 0;
    let mut cancelled = 0;
    while next < ledger.len() || !sends.is_empty() {
        match rng.below(6) {
            0 | 1 if next < ledger.len() => {
                let band = b(rng.below(3) as u8);
                sends.push((next, Task::new(tx.send(band, ledger.token(next)))));
                next += 1;
            }
            2 => recvs.push(Task::new(rx.recv())),
            3 if !sends.is_empty() => {
                let i = rng.below(sends.len() as u64) as usize;
                if rng.one_in(4) {
                    cancelled += 1;
                    sends.swap_remove(i);
                } else if let std::task::Poll::Ready(sent) = sends[i].1.poll() {
                    sent.unwrap();
                    let (id, _) = sends.swap_remove(i);
                    accepted[id] = true;
                }
            }
            _ if !recvs.is_empty() => {
                let i = rng.below(recvs.len() as u64) as usize;
                if rng.one_in(4) {
                    cancelled += 1;
                    recvs.swap_remove(i);
                } else if let std::task::Poll::Ready(item) = recvs[i].poll() {
                    let id = id(item.unwrap());
                    assert!(!received[id], "{id} received twice");
                    received[id] = true;
                    recvs.swap_remove(i);
                }
            }
            _ => {}
        }
    }
    drop(recvs);
    for item in rx.try_iter() {
        let id = id(item);
        assert!(!received[id], "{id} received twice");
        received[id] = true;
    }
    assert_eq!(received, accepted);
    assert!(cancelled > 500);
    drop(sends);
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
