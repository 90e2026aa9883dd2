//! A cancelled call has sent nothing and taken nothing.

use bandq::{TryRecvError, bounded, unbounded};

use crate::id;
use crate::support::{Ledger, Task, XorShift, b};

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
