//! Calls that wake senders that wait for room.

use std::time::{Duration, Instant};

use bandq::{Receiver, Sender, bounded};
use futures_lite::StreamExt;
use futures_lite::future::block_on;

use crate::sleeper::{CAPACITY, Panics, Sleeper, assert_all_room_is_there, calm, for_each};
use crate::support::{Ledger, Token, b};

/// Takes one item.
type Receive = fn(&Receiver<Token>) -> Token;

const RECEIVES: [(&str, Receive); 10] = [
    ("try_recv", |rx| rx.try_recv().unwrap().1),
    ("recv", |rx| block_on(rx.recv()).unwrap().1),
    ("recv_blocking", |rx| rx.recv_blocking().unwrap().1),
    ("recv_timeout", |rx| {
        rx.recv_timeout(Duration::from_secs(5)).unwrap().1
    }),
    ("recv_deadline", |rx| {
        rx.recv_deadline(Instant::now() + Duration::from_secs(5))
            .unwrap()
            .1
    }),
    ("recv_many", |rx| {
        let mut out = Vec::new();
        assert_eq!(block_on(rx.recv_many(&mut out, 1)), 1);
        out.pop().unwrap().1
    }),
    ("try_recv_many", |rx| {
        let mut out = Vec::new();
        assert_eq!(rx.try_recv_many(&mut out, 1), Ok(1));
        out.pop().unwrap().1
    }),
    ("stream", |rx| block_on(rx.clone().next()).unwrap().1),
    ("try_iter", |rx| rx.try_iter().next().unwrap().1),
    ("drain", |rx| rx.drain().next().unwrap().1),
];

/// A full channel, and a ledger with as many tokens again.
fn full() -> (Sender<Token>, Receiver<Token>, Ledger) {
    let (tx, rx) = bounded(1, CAPACITY);
    let ledger = Ledger::new(2 * CAPACITY);
    for id in 0..CAPACITY {
        tx.try_send(b(0), ledger.token(id)).unwrap();
    }
    (tx, rx, ledger)
}

/// A send that waits, for each of the other tokens.
macro_rules! sends {
    ($tx:ident, $ledger:ident, $panics:ident) => {
        [0, 1, 2].map(|i| {
            let token = $ledger.token(CAPACITY + i);
            Sleeper::new($tx.send(b(0), token), $panics[i])
        })
    };
}

#[test]
fn a_receive_whose_wake_panics_has_received_and_the_next_ones_wake_the_others() {
    for_each(&RECEIVES, |receive: Receive, panics: Panics| {
        let (tx, rx, ledger) = full();
        let waiting = sends!(tx, ledger, panics);
        for id in 0..CAPACITY {
            assert_eq!(calm(|| receive(&rx)).id(), id);
        }
        for send in waiting {
            assert!(send.ready().is_ok());
        }
        let sent: Vec<usize> = rx.drain().map(|(_, token)| token.id()).collect();
        assert_eq!(sent, [3, 4, 5]);
        ledger.assert_each_dropped_once();
        assert_all_room_is_there(&tx, &rx);
    });
}

#[test]
fn a_sender_whose_wake_panicked_passes_it_on_when_it_is_dropped() {
    for_each(&RECEIVES, |receive: Receive, panics: Panics| {
        let (tx, rx, ledger) = full();
        let [first, second, third] = sends!(tx, ledger, panics);
        assert_eq!(calm(|| receive(&rx)).id(), 0);
        assert_eq!(first.wakes(), 1);
        first.cancel();
        assert_eq!(second.wakes(), 1);
        second.cancel();
        assert!(third.ready().is_ok());
        assert!(tx.is_full());
        let left: Vec<usize> = rx.drain().map(|(_, token)| token.id()).collect();
        assert_eq!(left, [1, 2, 5]);
        ledger.assert_each_dropped_once();
        assert_all_room_is_there(&tx, &rx);
    });
}

/// Takes all items.
type ReceiveAll = fn(&Receiver<Token>) -> Vec<usize>;

fn ids(items: impl IntoIterator<Item = (bandq::Band, Token)>) -> Vec<usize> {
    items.into_iter().map(|(_, token)| token.id()).collect()
}

#[test]
fn a_batch_receive_that_meets_wakes_that_panic_takes_all_and_wakes_everybody() {
    let calls: [(&str, ReceiveAll); 4] = [
        ("recv_many", |rx| {
            let mut out = Vec::new();
            assert_eq!(block_on(rx.recv_many(&mut out, CAPACITY)), CAPACITY);
            ids(out)
        }),
        ("try_recv_many", |rx| {
            let mut out = Vec::new();
            assert_eq!(rx.try_recv_many(&mut out, CAPACITY), Ok(CAPACITY));
            ids(out)
        }),
        ("try_iter", |rx| ids(rx.try_iter())),
        ("drain", |rx| ids(rx.drain())),
    ];
    for_each(&calls, |receive: ReceiveAll, panics: Panics| {
        let (tx, rx, ledger) = full();
        let waiting = panics.map(|panics| Sleeper::new(tx.reserve(b(0)), panics));
        assert_eq!(calm(|| receive(&rx)), [0, 1, 2]);
        let permits = waiting.map(|reserve| reserve.ready().unwrap());
        assert!(tx.is_full() && rx.is_empty());
        drop(permits);
        assert_eq!(ledger.total(), CAPACITY);
        assert_all_room_is_there(&tx, &rx);
    });
}

#[test]
fn a_permit_whose_drop_meets_a_wake_that_panics_gives_its_unit_back_once() {
    let once: [(&str, ()); 1] = [("drop of a permit", ())];
    for_each(&once, |(), panics: Panics| {
        let (tx, rx) = bounded::<Token>(1, CAPACITY);
        let permits = [0, 1, 2].map(|_| tx.try_reserve(b(0)).unwrap());
        let waiting = panics.map(|panics| Sleeper::new(tx.reserve(b(0)), panics));
        for permit in permits {
            calm(|| drop(permit));
        }
        let permits = waiting.map(|reserve| reserve.ready().unwrap());
        assert!(tx.is_full());
        drop(permits);
        assert_all_room_is_there(&tx, &rx);
    });
}

/// The unit of a permit that sent belongs to the item, whatever the receiver's waker did.
#[test]
fn a_permit_that_sent_past_a_wake_that_panics_gives_its_unit_back_once() {
    let once: [(&str, ()); 1] = [("Permit::send", ())];
    for_each(&once, |(), [recv_panics, room_panics, _]: Panics| {
        let (tx, rx) = bounded(1, CAPACITY);
        let ledger = Ledger::new(1);
        let recv = Sleeper::new(rx.recv(), recv_panics);
        let [permit, second, third] = [0, 1, 2].map(|_| tx.try_reserve(b(0)).unwrap());
        let reserve = Sleeper::new(tx.reserve(b(0)), room_panics);
        calm(|| permit.send(ledger.token(0))).unwrap();
        // The channel is full as before, so nobody who waits for room was woken.
        assert_eq!((reserve.wakes(), rx.len(), tx.is_full()), (0, 1, true));
        let (_, token) = recv.ready().unwrap();
        drop(token);
        ledger.assert_each_dropped_once();
        let permit = reserve.ready().unwrap();
        assert!(tx.is_full());
        drop((permit, second, third));
        assert_all_room_is_there(&tx, &rx);
    });
}
