//! Whatever is forgotten costs at most what it held.

use bandq::{Receiver, Sender, TryRecvError, bounded};

use crate::support::hand::{keep, poll_stream};
use crate::support::{Ledger, Task, Watchdog, b, counting_waker};

/// Uses a channel of capacity 4 in every way, `lost` of its room being gone.
fn works(tx: &Sender<u32>, rx: &Receiver<u32>, lost: usize) {
    while rx.try_recv().is_ok() {}
    let room = 4 - lost;
    // Those that were forgotten may hold one wake each, and there are at most eight: let them.
    for _ in 0..3 {
        for n in 0..room as u32 {
            tx.try_send(b(1), n).unwrap();
        }
        assert!(tx.is_full());
        assert_eq!(tx.len(), room);
        assert_eq!(rx.drain().count(), room);
    }
    for n in 0..20 {
        let mut recv = Task::waiting(rx.recv());
        tx.try_send(b((n % 2) as u8), n).unwrap();
        assert!(recv.woken());
        assert_eq!(recv.ready(), Ok((b((n % 2) as u8), n)));
        for n in 0..room as u32 {
            tx.try_send(b(1), n).unwrap();
        }
        let mut send = Task::waiting(tx.send(b(1), 100));
        rx.try_recv().unwrap();
        assert!(send.woken());
        assert!(send.ready().is_ok());
        assert_eq!(rx.drain().last(), Some((b(1), 100)));
    }
    let mut closed = Task::waiting(tx.closed());
    let mut recv = Task::waiting(rx.recv());
    tx.close();
    assert!(closed.woken() && recv.woken());
    assert!(recv.ready().is_err());
    closed.ready();
}

/// Makes a channel, fills it if `full`, lets `forget` leave something behind, and uses it.
fn after_forgetting(full: bool, lost: usize, forget: impl FnOnce(&Sender<u32>, &Receiver<u32>)) {
    let (tx, rx) = bounded(2, 4);
    if full {
        while tx.try_send(b(1), 0).is_ok() {}
    }
    forget(&tx, &rx);
    works(&tx, &rx, lost);
}

#[test]
fn forgotten_receiving_futures_do_no_harm() {
    let _watchdog = Watchdog::new("forgotten_receiving_futures_do_no_harm");
    after_forgetting(false, 0, |_, rx| Task::new(rx.recv()).forget());
    after_forgetting(false, 0, |_, rx| Task::waiting(rx.recv()).forget());
    after_forgetting(false, 0, |tx, rx| {
        let woken = Task::waiting(rx.recv());
        tx.try_send(b(0), 1).unwrap();
        assert!(woken.woken());
        woken.forget();
    });
    after_forgetting(true, 0, |_, rx| {
        let mut done = Task::new(rx.recv());
        done.ready().unwrap();
        done.forget();
    });
    after_forgetting(false, 0, |tx, rx| {
        let mut buffer = Vec::new();
        let woken = Task::waiting(rx.recv_many(&mut buffer, 3));
        tx.try_send(b(0), 1).unwrap();
        woken.forget();
    });
    after_forgetting(false, 0, |_, rx| {
        for _ in 0..8 {
            Task::waiting(rx.recv()).forget();
        }
    });
}

#[test]
fn forgotten_sending_futures_do_no_harm() {
    let _watchdog = Watchdog::new("forgotten_sending_futures_do_no_harm");
    after_forgetting(true, 0, |tx, _| Task::new(tx.send(b(0), 1)).forget());
    after_forgetting(true, 0, |tx, _| Task::waiting(tx.send(b(0), 1)).forget());
    after_forgetting(true, 0, |tx, rx| {
        let woken = Task::waiting(tx.send(b(0), 1));
        rx.try_recv().unwrap();
        assert!(woken.woken());
        woken.forget();
    });
    after_forgetting(true, 0, |tx, _| {
        Task::waiting(tx.send_many(b(0), 0..9)).forget()
    });
    after_forgetting(true, 0, |tx, rx| {
        let mut woken = Task::waiting(tx.send_many(b(0), 0..9));
        rx.try_recv().unwrap();
        assert!(woken.poll().is_pending());
        rx.try_recv().unwrap();
        woken.forget();
    });
    after_forgetting(true, 0, |tx, _| Task::waiting(tx.reserve(b(0))).forget());
    after_forgetting(true, 0, |tx, rx| {
        let woken = Task::waiting(tx.reserve(b(0)));
        rx.try_recv().unwrap();
        woken.forget();
    });
}

#[test]
fn a_forgotten_permit_costs_its_room_and_nothing_else() {
    after_forgetting(false, 1, |tx, _| keep(tx.try_reserve(b(0)).unwrap()));
    after_forgetting(false, 2, |tx, _| {
        keep(tx.try_reserve(b(0)).unwrap());
        keep(Task::new(tx.reserve(b(1))).ready().unwrap());
    });
}

#[test]
fn forgotten_streams_and_closed_futures_do_no_harm() {
    after_forgetting(false, 0, |_, rx| keep(rx.clone()));
    after_forgetting(false, 0, |_, rx| {
        let mut stream = rx.clone();
        assert!(poll_stream(&mut stream, &counting_waker().0).is_pending());
        keep(stream);
    });
    after_forgetting(false, 0, |tx, rx| {
        let (waker, count) = counting_waker();
        let mut stream = rx.clone();
        assert!(poll_stream(&mut stream, &waker).is_pending());
        tx.try_send(b(0), 1).unwrap();
        assert_eq!(count.get(), 1);
        keep(stream);
        let mut other = rx.clone();
        rx.try_recv().unwrap();
        let (waker, count) = counting_waker();
        assert!(poll_stream(&mut other, &waker).is_pending());
        tx.try_send(b(0), 1).unwrap();
        assert_eq!(count.get(), 1);
    });
    after_forgetting(false, 0, |tx, rx| {
        Task::waiting(tx.closed()).forget();
        Task::waiting(rx.closed()).forget();
    });
    after_forgetting(true, 0, |_, rx| {
        keep(rx.try_iter());
        let mut drain = rx.drain();
        drain.next().unwrap();
        keep(drain);
    });
    after_forgetting(false, 0, |tx, rx| keep((tx.clone(), rx.downgrade())));
}

#[test]
fn a_forgotten_send_sends_nothing_and_its_item_is_not_dropped() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), ledger.token(0)).unwrap();
    Task::waiting(tx.send(b(0), ledger.token(1))).forget();
    drop(rx.try_recv().unwrap());
    assert_eq!(rx.try_recv().map(|_| ()), Err(TryRecvError::Empty));
    drop((tx, rx));
    assert_eq!((ledger.drops(0), ledger.drops(1)), (1, 0));
}
