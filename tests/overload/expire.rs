//! Promise 12: an expired item is never handed out, goes to the hook once, and gives its room back.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bandq::{Band, Builder, Policy, Receiver, SendError, Sender, TryRecvError, TrySendError};
use futures_lite::StreamExt;
use futures_lite::future::block_on;

use crate::support::{Ledger, Task, Token, b, ends};

const LONG: Duration = Duration::from_secs(3_600);

/// What the hook got.
type Late<T> = Arc<Mutex<Vec<(Band, T)>>>;

/// A builder whose hook takes note.
fn noting<T: Send + 'static>(bands: usize) -> (Builder<T>, Late<T>) {
    let late = Late::default();
    let noted = Arc::clone(&late);
    let hook = move |band, item| noted.lock().unwrap().push((band, item));
    (Builder::new(bands).on_expired(hook), late)
}

/// A channel of 3 bands, a handle whose items expire at once, and what the hook got.
fn channel(capacity: usize) -> (Sender<u8>, Sender<u8>, Receiver<u8>, Late<u8>) {
    let (builder, late) = noting(3);
    let (tx, rx) = builder.capacity(capacity).build().unwrap();
    (tx.clone(), tx.with_ttl(Duration::ZERO), rx, late)
}

fn taken<T>(late: &Late<T>) -> Vec<(Band, T)> {
    std::mem::take(&mut late.lock().unwrap())
}

/// A way to receive all that is in a channel, which was closed.
type Way = fn(Receiver<Token>) -> Vec<Token>;

fn ways() -> Vec<(&'static str, Way)> {
    fn items(got: impl Iterator<Item = (Band, Token)>) -> Vec<Token> {
        got.map(|(_, item)| item).collect()
    }
    /// Batches of two at most, until there is none.
    fn batches(mut one: impl FnMut(&mut Vec<(Band, Token)>) -> usize) -> Vec<Token> {
        let mut out = Vec::new();
        while one(&mut out) > 0 {}
        items(out.into_iter())
    }
    fn each<E>(mut one: impl FnMut() -> Result<(Band, Token), E>) -> Vec<Token> {
        items(std::iter::from_fn(|| one().ok()))
    }
    vec![
        ("try_recv", |rx| each(|| rx.try_recv())),
        ("recv", |rx| each(|| block_on(rx.recv()))),
        ("recv_blocking", |rx| each(|| rx.recv_blocking())),
        ("recv_timeout", |rx| each(|| rx.recv_timeout(LONG))),
        ("recv_deadline", |rx| {
            each(|| rx.recv_deadline(std::time::Instant::now() + LONG))
        }),
        ("try_recv_many", |rx| {
            batches(|out| rx.try_recv_many(out, 2).unwrap_or(0))
        }),
        ("recv_many", |rx| {
            batches(|out| block_on(rx.recv_many(out, 2)))
        }),
        ("recv_many_blocking", |rx| {
            batches(|out| rx.recv_many_blocking(out, 2))
        }),
        ("recv_many_timeout", |rx| {
            batches(|out| rx.recv_many_timeout(out, 2, LONG).unwrap_or(0))
        }),
        ("a stream", |rx| {
            items(block_on(rx.collect::<Vec<_>>()).into_iter())
        }),
        ("try_iter", |rx| items(rx.try_iter())),
        ("drain", |rx| items(rx.drain())),
        ("iter", |rx| items(rx.iter())),
        ("into_iter", |rx| items(rx.into_iter())),
        ("within", |rx| items(rx.within(b(0)..=b(1)).try_iter())),
    ]
}

fn policies() -> [Policy; 4] {
    [
        Policy::strict(),
        Policy::weighted([1, 2]),
        Policy::strict_then_weighted(1, [1]),
        Policy::ageing(Duration::from_nanos(1)),
    ]
}

#[test]
fn no_way_to_receive_hands_an_expired_item_out() {
    for policy in policies() {
        for (way, receive) in ways() {
            let (builder, late) = noting(2);
            let builder = builder.capacity(14).policy(policy.clone());
            let (tx, rx) = builder.build().unwrap();
            let fleeting = tx.with_ttl(Duration::ZERO);
            let ledger = Ledger::new(14);
            // Of each band items 0 to 6; of these 0, 1, 3, 6 expire.
            for item in ledger.tokens() {
                let is_late = [0, 1, 3, 6].contains(&(item.id() % 7));
                let tx = if is_late { &fleeting } else { &tx };
                tx.try_send(b(item.id() as u8 / 7), item).unwrap();
            }
            let left = tx.downgrade();
            let room = tx.clone();
            tx.close();
            let got = receive(rx.clone());
            let mut ids: Vec<_> = got.iter().map(Token::id).collect();
            let of_band = |band: usize| -> Vec<_> {
                let ids = ids.iter().filter(|&id| id / 7 == band);
                ids.copied().collect()
            };
            assert_eq!(of_band(0), [2, 4, 5], "{way}, {policy:?}");
            assert_eq!(of_band(1), [9, 11, 12], "{way}, {policy:?}");
            // By its own count of what was there, it need not have looked at the last ones.
            assert_eq!(rx.try_recv().unwrap_err(), TryRecvError::Closed);
            let late: Vec<_> = taken(&late)
                .into_iter()
                .map(|(band, item)| {
                    assert_eq!(band.index(), item.id() / 7);
                    item.id()
                })
                .collect();
            ids.extend(&late);
            ids.sort_unstable();
            assert_eq!(ids, (0..14).collect::<Vec<_>>(), "{way}, {policy:?}");
            assert_eq!(
                (room.available(), left.upgrade().is_some()),
                (Some(14), true)
            );
            drop(got);
            ledger.assert_each_dropped_once();
        }
    }
}

#[test]
fn without_a_hook_it_is_dropped_once() {
    let ledger = Ledger::new(3);
    let (tx, rx) = bandq::unbounded(1);
    let fleeting = tx.with_ttl(Duration::ZERO);
    for item in ledger.tokens() {
        fleeting.try_send(b(0), item).unwrap();
    }
    ledger.assert_none_dropped();
    assert!(rx.try_recv().is_err());
    ledger.assert_each_dropped_once();
}

#[test]
fn the_least_of_the_lives_counts() {
    let instant = Duration::from_nanos(1);
    // Of the band, of a handle, of a handle that was made from it.
    let cases = [
        (None, None, None, false),
        (Some(LONG), None, None, false),
        (Some(LONG), Some(LONG), Some(Duration::MAX), false),
        (Some(Duration::MAX), Some(Duration::MAX), None, false),
        (None, Some(Duration::MAX), None, false),
        (Some(instant), None, None, true),
        (Some(instant), Some(LONG), None, true),
        (Some(LONG), Some(Duration::ZERO), None, true),
        (None, Some(Duration::ZERO), Some(LONG), true),
        (None, Some(LONG), Some(Duration::ZERO), true),
    ];
    for case @ (of_band, of_handle, of_second, expires) in cases {
        let builder = Builder::new(2);
        let builder = match of_band {
            Some(life) => builder.ttl(b(1), life),
            None => builder,
        };
        let (mut tx, rx) = builder.build().unwrap();
        for life in [of_handle, of_second].into_iter().flatten() {
            tx = tx.with_ttl(life);
        }
        tx.try_send(b(1), 'x').unwrap();
        thread::sleep(Duration::from_millis(1));
        assert_eq!(rx.try_recv().is_err(), expires, "{case:?}");
    }
}

#[test]
fn a_band_without_a_life_is_not_concerned() {
    let builder = Builder::new(2).ttl(b(0), Duration::from_nanos(1));
    let (tx, rx) = builder.build().unwrap();
    tx.try_send(b(0), 'a').unwrap();
    tx.try_send(b(1), 'b').unwrap();
    thread::sleep(Duration::from_millis(1));
    assert_eq!(rx.try_recv(), Ok((b(1), 'b')));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn what_every_handle_and_permit_of_a_sender_sends_expires() {
    let (tx, fleeting, rx, late) = channel(100);
    let to = b(1);
    fleeting.try_send(to, 0).unwrap();
    fleeting.clone().try_send(to, 1).unwrap();
    fleeting
        .downgrade()
        .upgrade()
        .unwrap()
        .try_send(to, 2)
        .unwrap();
    fleeting.to(to).unwrap().clone().try_send(3).unwrap();
    fleeting
        .to(to)
        .unwrap()
        .downgrade()
        .upgrade()
        .unwrap()
        .try_send(to, 4)
        .unwrap();
    fleeting.try_reserve(to).unwrap().send(5).unwrap();
    fleeting.try_reserve_owned(to).unwrap().send(6).unwrap();
    block_on(fleeting.reserve(to)).unwrap().send(7).unwrap();
    block_on(fleeting.reserve_owned(to))
        .unwrap()
        .send(8)
        .unwrap();
    for (permit, item) in fleeting.try_reserve_many(to, 2).unwrap().zip([9, 10]) {
        permit.send(item).unwrap();
    }
    for permit in block_on(fleeting.reserve_many(to, 1)).unwrap() {
        permit.send(11).unwrap();
    }
    fleeting.try_reserve_units(to, 1).unwrap().send(12).unwrap();
    block_on(fleeting.reserve_units(to, 1))
        .unwrap()
        .send(13)
        .unwrap();
    block_on(fleeting.send(to, 14)).unwrap();
    fleeting.send_blocking(to, 15).unwrap();
    fleeting.send_timeout(to, 16, LONG).unwrap();
    assert_eq!(block_on(fleeting.send_many(to, [17, 18])), Ok(2));
    assert_eq!(fleeting.try_send_many(to, [19]), Ok(1));
    assert_eq!(fleeting.send_many_blocking(to, [20]), Ok(1));
    fleeting.force_send(to, 21).unwrap();
    assert_eq!(tx.len(), 22, "counted until somebody looks");
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    let late: Vec<_> = taken(&late).into_iter().map(|(_, item)| item).collect();
    assert_eq!(late, (0..22).collect::<Vec<_>>());
    assert_eq!(tx.available(), Some(100));
}

#[cfg(feature = "sink")]
#[test]
fn what_a_sink_of_such_a_sender_sends_expires() {
    use futures::SinkExt;
    let (_tx, fleeting, rx, late) = channel(1);
    let mut sink = fleeting.to(b(1)).unwrap();
    Task::new(SinkExt::send(&mut sink, 1)).ready().unwrap();
    // It finds no room, and prunes like every other send.
    Task::new(SinkExt::send(&mut sink, 2)).ready().unwrap();
    assert_eq!(taken(&late), [(b(1), 1)]);
    assert!(rx.try_recv().is_err());
    assert_eq!(taken(&late), [(b(1), 2)]);
}

#[test]
fn a_reservation_that_finds_no_room_prunes_as_well() {
    type Reserve = fn(&Sender<u8>) -> bool;
    let reserves: [(&str, Reserve); 6] = [
        ("try_reserve", |tx| tx.try_reserve(b(0)).is_ok()),
        ("try_reserve_owned", |tx| tx.try_reserve_owned(b(0)).is_ok()),
        ("try_reserve_many", |tx| {
            tx.try_reserve_many(b(0), 2).is_ok()
        }),
        ("try_reserve_units", |tx| {
            tx.try_reserve_units(b(0), 2).is_ok()
        }),
        ("reserve", |tx| {
            Task::new(tx.reserve(b(0))).poll().is_ready()
        }),
        ("reserve_many", |tx| {
            Task::new(tx.reserve_many(b(0), 2)).poll().is_ready()
        }),
    ];
    for (name, reserve) in reserves {
        let (tx, fleeting, _rx, late) = channel(2);
        fleeting.try_send(b(1), 10).unwrap();
        fleeting.try_send(b(1), 11).unwrap();
        assert!(reserve(&tx), "{name}");
        assert_eq!(taken(&late), [(b(1), 10), (b(1), 11)], "{name}");
        assert_eq!(tx.available(), Some(2), "{name}");
    }
}

#[test]
fn one_behind_a_longer_lived_item_of_its_band_waits_for_it() {
    let (tx, fleeting, rx, late) = channel(2);
    tx.try_send(b(1), 10).unwrap();
    fleeting.try_send(b(1), 11).unwrap();
    assert_eq!(tx.try_send(b(0), 0), Err(TrySendError::Full(0)));
    assert_eq!((tx.len(), taken(&late)), (2, vec![]));
    assert_eq!(rx.try_recv(), Ok((b(1), 10)));
    tx.try_send(b(0), 0).unwrap();
    tx.try_send(b(0), 1).unwrap();
    assert_eq!(taken(&late), [(b(1), 11)]);
}

#[test]
fn a_send_that_finds_no_room_prunes_the_head_of_every_band_first() {
    type Send = fn(&Sender<u8>) -> bool;
    let sends: [(&str, Send); 9] = [
        ("try_send", |tx| tx.try_send(b(0), 9).is_ok()),
        ("send", |tx| Task::new(tx.send(b(0), 9)).ready().is_ok()),
        ("send_blocking", |tx| tx.send_blocking(b(0), 9).is_ok()),
        ("send_timeout", |tx| {
            tx.send_timeout(b(0), 9, Duration::ZERO).is_ok()
        }),
        ("send_many", |tx| {
            Task::new(tx.send_many(b(0), [9])).ready() == Ok(1)
        }),
        ("try_send_many", |tx| tx.try_send_many(b(0), [9]) == Ok(1)),
        ("send_many_blocking", |tx| {
            tx.send_many_blocking(b(0), [9]) == Ok(1)
        }),
        ("to", |tx| tx.to(b(0)).unwrap().try_send(9).is_ok()),
        ("force_send", |tx| tx.force_send(b(0), 9) == Ok(vec![])),
    ];
    for (name, send) in sends {
        let (tx, fleeting, rx, late) = channel(5);
        for (band, item) in [(2, 20), (2, 21), (0, 0), (1, 10)] {
            fleeting.try_send(b(band), item).unwrap();
        }
        tx.try_send(b(2), 22).unwrap();
        assert_eq!(tx.available(), Some(0));
        assert!(send(&tx), "{name}");
        let mut late: Vec<_> = taken(&late).into_iter().map(|(_, item)| item).collect();
        late.sort_unstable();
        assert_eq!(late, [0, 10, 20, 21], "{name}");
        assert_eq!(tx.available(), Some(3));
        assert_eq!(rx.try_recv(), Ok((b(0), 9)));
        assert_eq!(rx.try_recv(), Ok((b(2), 22)));
    }
}

#[test]
fn a_pruned_item_gives_back_the_unit_of_its_band_and_all_that_it_weighs() {
    let (builder, late) = noting(2);
    let builder = builder.capacity(10).band_capacity(b(1), 5);
    let (tx, rx) = builder.weigher(|&units: &usize| units).build().unwrap();
    let fleeting = tx.with_ttl(Duration::ZERO);
    fleeting.try_send(b(1), 5).unwrap();
    tx.try_send(b(1), 4).unwrap();
    assert_eq!((taken(&late), tx.available()), (vec![(b(1), 5)], Some(6)));
    fleeting.try_send(b(0), 6).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(1), 4)));
    assert_eq!(tx.available(), Some(10));
}

#[test]
fn a_receive_that_finds_an_expired_item_wakes_a_waiting_sender() {
    let (tx, fleeting, rx, _) = channel(2);
    tx.try_send(b(1), 10).unwrap();
    fleeting.try_send(b(1), 11).unwrap();
    let mut first = Task::waiting(tx.send(b(1), 12));
    let mut second = Task::waiting(tx.send(b(1), 13));
    rx.try_recv().unwrap();
    assert_eq!([first.woken(), second.woken()], [true, false]);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!([first.woken(), second.woken()], [true, true]);
    assert!(first.ready().is_ok() && second.ready().is_ok());
}

#[test]
fn a_send_that_prunes_wakes_a_waiting_sender() {
    let (tx, fleeting, rx, _) = channel(3);
    tx.try_send(b(1), 10).unwrap();
    fleeting.try_send(b(1), 11).unwrap();
    fleeting.try_send(b(1), 12).unwrap();
    let mut first = Task::waiting(tx.send(b(1), 13));
    let mut second = Task::waiting(tx.send(b(1), 14));
    rx.try_recv().unwrap();
    assert_eq!([first.woken(), second.woken()], [true, false]);
    tx.try_send(b(1), 15).unwrap(); // it was faster
    tx.try_send(b(0), 0).unwrap(); // this one prunes two, and takes the room of one
    assert!(second.woken());
    assert!(first.ready().is_ok());
    assert!(second.poll().is_pending());
}

#[test]
fn a_receiver_that_was_woken_for_what_has_expired_waits_on() {
    let (tx, fleeting, rx, late) = channel(5);
    let mut receiving = Task::waiting(rx.recv());
    fleeting.try_send(b(0), 1).unwrap();
    assert!(receiving.woken() && receiving.poll().is_pending());
    assert_eq!(taken(&late), [(b(0), 1)]);
    tx.try_send(b(1), 2).unwrap();
    assert!(receiving.woken());
    assert_eq!(receiving.ready(), Ok((b(1), 2)));
}

#[test]
fn a_blocked_receiver_sleeps_on_past_an_expired_item_and_gets_the_next() {
    ends("past an expired item", || {
        let (tx, fleeting, rx, late) = channel(5);
        let receiver = thread::spawn(move || rx.recv_blocking());
        fleeting.send_blocking(b(0), 1).unwrap();
        while late.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        tx.send_blocking(b(1), 2).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok((b(1), 2)));
    });
}

#[test]
fn what_is_left_of_a_closed_channel_expires_too() {
    let (tx, fleeting, rx, late) = channel(5);
    fleeting.try_send(b(0), 1).unwrap();
    tx.try_send(b(1), 2).unwrap();
    tx.close();
    assert_eq!(block_on(fleeting.send(b(0), 3)), Err(SendError::Closed(3)));
    assert_eq!(rx.try_recv(), Ok((b(1), 2)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(taken(&late), [(b(0), 1)]);
}

#[test]
fn with_the_last_receiver_everything_goes_and_nothing_twice() {
    let (builder, late) = noting(1);
    let (tx, rx) = builder.build().unwrap();
    let ledger = Ledger::new(4);
    let mut items = ledger.tokens();
    let fleeting = tx.with_ttl(Duration::ZERO);
    for tx in [&fleeting, &tx, &fleeting, &tx] {
        tx.try_send(b(0), items.next().unwrap()).unwrap();
    }
    assert_eq!(rx.try_recv().unwrap().1.id(), 1);
    drop(rx);
    assert!(
        taken(&late).len() <= 2,
        "the hook may get what has expired, or it is dropped"
    );
    ledger.assert_each_dropped_once();
}
