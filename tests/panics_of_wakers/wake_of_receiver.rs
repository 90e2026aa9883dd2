//! Calls that wake receivers.

use std::time::{Duration, Instant};

use bandq::{Receiver, Sender, bounded};
use futures_lite::StreamExt;
use futures_lite::future::block_on;

use crate::sleeper::{CAPACITY, Panics, Sleeper, assert_all_room_is_there, calm, for_each};
use crate::support::{Ledger, Token, b};

type Send = fn(&Sender<Token>, Token);

const SENDS: [(&str, Send); 8] = [
    ("try_send", |tx, token| tx.try_send(b(0), token).unwrap()),
    ("send", |tx, token| block_on(tx.send(b(0), token)).unwrap()),
    ("send_blocking", |tx, token| {
        tx.send_blocking(b(0), token).unwrap()
    }),
    ("send_timeout", |tx, token| {
        tx.send_timeout(b(0), token, Duration::from_secs(5))
            .unwrap();
    }),
    ("send_deadline", |tx, token| {
        let deadline = Instant::now() + Duration::from_secs(5);
        tx.send_deadline(b(0), token, deadline).unwrap();
    }),
    ("send_many", |tx, token| {
        assert_eq!(block_on(tx.send_many(b(0), [token])).ok(), Some(1));
    }),
    ("Permit::send", |tx, token| {
        let permit = tx.try_reserve(b(0)).unwrap();
        permit.send(token).unwrap();
    }),
    ("Permit::send after reserve", |tx, token| {
        let permit = block_on(tx.reserve(b(0))).unwrap();
        permit.send(token).unwrap();
    }),
];

fn channel() -> (Sender<Token>, Receiver<Token>, Ledger) {
    let (tx, rx) = bounded(1, CAPACITY);
    (tx, rx, Ledger::new(CAPACITY))
}

#[test]
fn a_send_whose_wake_panics_has_sent_and_the_next_ones_wake_the_others() {
    for_each(&SENDS, |send: Send, panics: Panics| {
        let (tx, rx, ledger) = channel();
        let waiting = panics.map(|panics| Sleeper::new(rx.recv(), panics));
        for token in ledger.tokens() {
            calm(|| send(&tx, token));
        }
        assert_eq!(rx.len(), CAPACITY);
        for (id, recv) in waiting.into_iter().enumerate() {
            assert_eq!(recv.ready().unwrap().1.id(), id);
        }
        ledger.assert_each_dropped_once();
        assert_all_room_is_there(&tx, &rx);
    });
}

#[test]
fn a_receiver_whose_wake_panicked_passes_it_on_when_it_is_dropped() {
    for_each(&SENDS, |send: Send, panics: Panics| {
        let (tx, rx, ledger) = channel();
        let [first, second, third] = panics.map(|panics| Sleeper::new(rx.recv(), panics));
        calm(|| send(&tx, ledger.token(0)));
        assert_eq!(first.wakes(), 1);
        first.cancel();
        assert_eq!(second.wakes(), 1);
        second.cancel();
        assert_eq!(third.ready().unwrap().1.id(), 0);
        assert_eq!(ledger.total(), 1);
        assert_all_room_is_there(&tx, &rx);
    });
}

#[test]
fn a_panic_in_the_wake_of_a_recv_costs_a_stream_no_wake_nor_the_other_way_round() {
    for_each(
        &SENDS,
        |send: Send, [recv_panics, stream_panics, _]: Panics| {
            let (tx, rx, ledger) = channel();
            let mut stream = rx.clone();
            let recv = Sleeper::new(rx.recv(), recv_panics);
            let next = Sleeper::new(async move { stream.next().await }, stream_panics);
            calm(|| send(&tx, ledger.token(0)));
            assert_eq!((recv.wakes(), next.wakes()), (1, 1));
            assert_eq!(next.ready().unwrap().1.id(), 0);
            recv.cancel();
            assert_eq!(ledger.total(), 1);
            assert_all_room_is_there(&tx, &rx);
        },
    );
}

#[test]
fn a_batch_that_meets_wakes_that_panic_is_sent_whole_and_wakes_everybody() {
    type Wakes = fn(&Sender<Token>, &Ledger);
    let batch: [(&str, Wakes); 1] = [("send_many", |tx, ledger| {
        let sent = block_on(tx.send_many(b(0), ledger.tokens()));
        assert_eq!(sent.ok(), Some(CAPACITY));
    })];
    for_each(&batch, |send: Wakes, panics: Panics| {
        let (tx, rx, ledger) = channel();
        let mut outs = [Vec::new(), Vec::new(), Vec::new()];
        let mut panics = panics.into_iter();
        let waiting: Vec<_> = outs
            .iter_mut()
            .map(|out| Sleeper::new(rx.recv_many(out, 1), panics.next().unwrap()))
            .collect();
        calm(|| send(&tx, &ledger));
        for recv in waiting {
            assert_eq!(recv.ready(), 1);
        }
        let got: Vec<usize> = outs.iter().map(|out| out[0].1.id()).collect();
        assert_eq!(got, [0, 1, 2]);
        drop(outs);
        ledger.assert_each_dropped_once();
        assert_all_room_is_there(&tx, &rx);
    });
}
