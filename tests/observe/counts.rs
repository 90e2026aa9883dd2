//! What is counted adds up.

use crate::support::watchdog::Watchdog;
use bandq::{Band, Builder, Policy, Receiver, Sender, Snapshot, TrySendError};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

fn adds_up(snapshot: &Snapshot) {
    for band in &snapshot.bands {
        assert_eq!(
            band.sent,
            band.received + band.evicted + band.expired + band.dropped + band.len as u64,
            "{snapshot}"
        );
        assert_eq!(band.get.count(), band.received);
        assert_eq!(band.put.count(), band.sent, "each send waited, or did not");
        assert_eq!(band.gone.count(), band.evicted + band.expired);
    }
}

/// Sends in every way, or in those that do not wait for long, and returns how many were accepted of
/// each band, and what was evicted.
fn producer(sender: &Sender<u64>, seed: u64, may_block: bool) -> ([u64; 4], u64) {
    let mut accepted = [0; 4];
    let mut evicted = 0;
    for n in 0..3_000 {
        let band = ((n * 7 + seed) % 4) as usize;
        let to = Band::new(band as u8);
        let sent = match n % 5 {
            0 => sender.try_send(to, n).is_ok(),
            1 => match sender.force_send(to, n) {
                Ok(gone) => {
                    evicted += gone.len() as u64;
                    true
                }
                Err(error) => {
                    evicted += error.evicted.len() as u64;
                    false
                }
            },
            2 => sender
                .send_timeout(to, n, Duration::from_micros(200))
                .is_ok(),
            3 => sender
                .try_reserve(to)
                .is_ok_and(|permit| permit.send(n).is_ok()),
            _ if may_block => sender.send_blocking(to, n).is_ok(),
            _ => sender.try_send_many(to, [n]).is_ok(),
        };
        accepted[band] += u64::from(sent);
    }
    (accepted, evicted)
}

/// Sent is received, evicted, expired, or there, for every band, once eight threads are at rest.
#[test]
fn sent_is_received_evicted_expired_or_there() {
    let _watchdog = Watchdog::new("sent_is_received_evicted_expired_or_there");
    // Until all is received; or each receiver leaves after so many, and some is left.
    check_sums(u64::MAX);
    check_sums(10); // fewer in all than there is room for
}

/// With receivers that leave when they have had so many.
fn check_sums(most: u64) {
    let leaves_some = most < u64::MAX;
    for policy in [
        Policy::strict(),
        Policy::weighted([4, 3, 2, 1]),
        Policy::ageing(Duration::from_micros(50)),
    ] {
        let expired = std::sync::Arc::new(AtomicU64::new(0));
        let hook = std::sync::Arc::clone(&expired);
        let (sender, receiver) = Builder::new(4)
            .capacity(64)
            .policy(policy)
            .ttl(Band::new(3), Duration::from_micros(300))
            .on_expired(move |_, _| _ = hook.fetch_add(1, Ordering::Relaxed))
            .observe()
            .build()
            .unwrap();
        let (sent, evicted, received) = thread::scope(|scope| {
            let producers: Vec<_> = (0..4)
                .map(|seed| {
                    let sender = sender.clone();
                    scope.spawn(move || producer(&sender, seed, !leaves_some))
                })
                .collect();
            let _open = leaves_some.then_some(sender); // else it closes with the last producer
            let consumers: Vec<_> = (0..4)
                .map(|_| {
                    let receiver = receiver.clone();
                    scope.spawn(move || {
                        let mut received = [0_u64; 4];
                        for _ in 0..most {
                            let Ok((band, _)) = receiver.recv_blocking() else {
                                break;
                            };
                            received[band.index()] += 1;
                        }
                        received
                    })
                })
                .collect();
            let mut sent = [0; 4];
            let mut evicted = 0;
            for producer in producers {
                let (of_each, gone) = producer.join().unwrap();
                (0..4).for_each(|band| sent[band] += of_each[band]);
                evicted += gone;
            }
            let mut received = [0; 4];
            for consumer in consumers {
                let of_each = consumer.join().unwrap();
                (0..4).for_each(|band| received[band] += of_each[band]);
            }
            (sent, evicted, received)
        });
        let snapshot = receiver.snapshot();
        adds_up(&snapshot);
        assert_eq!(!receiver.is_empty(), leaves_some);
        for (band, (sent, received)) in snapshot.bands.iter().zip(sent.iter().zip(received)) {
            assert_eq!((band.sent, band.received), (*sent, received));
        }
        assert_eq!(
            snapshot.bands.iter().map(|b| b.evicted).sum::<u64>(),
            evicted
        );
        assert_eq!(snapshot.bands[3].expired, expired.load(Ordering::Relaxed));
    }
}

#[test]
fn what_is_there_when_the_last_receiver_goes_is_dropped_and_counted() {
    let (sender, receiver) = Builder::new(2).observe().build().unwrap();
    sender.try_send_many(Band::new(1), 0..5).unwrap();
    receiver.try_recv().unwrap();
    drop(receiver);
    let snapshot = sender.snapshot();
    adds_up(&snapshot);
    assert_eq!(snapshot.bands[1].dropped, 4);
}

#[test]
fn each_refusal_counts_once_and_by_its_reason() {
    let life = Duration::from_secs(2);
    let (sender, receiver) = Builder::new(2).capacity(2).observe().build().unwrap();
    let low = Band::new(1);
    sender.try_send_many(low, 0..2).unwrap();
    assert_eq!(sender.try_send(low, 2), Err(TrySendError::Full(2)));
    assert!(sender.try_reserve(low).is_err());
    assert!(sender.try_reserve_many(low, 2).is_err());
    assert!(sender.force_send(low, 3).is_err());
    assert!(
        sender
            .send_timeout(low, 3, Duration::from_millis(1))
            .is_err()
    );
    let full = sender.snapshot().bands[1].clone();
    assert_eq!(
        (full.refused, full.refused_full, full.refused_late),
        (5, 5, 0)
    );
    // Too heavy, and closed.
    assert!(sender.try_reserve_many(low, 3).is_err());
    assert_eq!(receiver.snapshot().bands[1].refused, 6);
    sender.close();
    assert!(sender.try_send(low, 4).is_err());
    assert!(sender.send_blocking(low, 4).is_err());
    let closed = sender.snapshot().bands[1].clone();
    assert_eq!((closed.refused, closed.refused_full), (8, 5));
    assert_eq!(sender.snapshot().bands[0].refused, 0);
    // No such band: there is nowhere to count it.
    assert!(sender.try_send(Band::new(9), 4).is_err());

    let (sender, receiver) = Builder::new(1)
        .ttl(Band::URGENT, life)
        .refuse_late()
        .observe()
        .build()
        .unwrap();
    sender.try_send_many(Band::URGENT, 0..30).unwrap();
    for _ in 0..18 {
        thread::sleep(Duration::from_millis(1));
        receiver.try_recv().unwrap();
    }
    let sent = sender
        .try_send_many(Band::URGENT, 0..100_000)
        .unwrap_err()
        .sent;
    let late = sender.snapshot().bands[0].clone();
    assert_eq!((late.refused, late.refused_late), (1, 1));
    assert_eq!(late.sent, 30 + sent as u64);
}

#[test]
fn what_a_permit_cannot_send_is_refused() {
    let (sender, receiver) = Builder::new(1).capacity(9).observe().build().unwrap();
    let permit = sender.try_reserve(Band::URGENT).unwrap();
    let owned = sender.try_reserve_owned(Band::URGENT).unwrap();
    receiver.close();
    assert!(permit.send(1).is_err());
    assert!(owned.send(2).is_err());
    assert_eq!(sender.snapshot().bands[0].refused, 2);
}

/// Each way to send and to receive counts each item once.
#[test]
fn every_way_in_and_out_is_counted() {
    let (sender, receiver) = Builder::new(2).capacity(64).observe().build().unwrap();
    let low = Band::new(1);
    sender.try_send_many(low, 0..3).unwrap();
    for (permit, n) in sender.try_reserve_many(low, 3).unwrap().zip(3..) {
        permit.send(n).unwrap();
    }
    sender.to(low).unwrap().try_send(6).unwrap();
    sender
        .with_ttl(Duration::from_secs(9_999))
        .try_send(low, 7)
        .unwrap();
    sender.try_reserve_owned(low).unwrap().send(8).unwrap();
    futures_lite::future::block_on(async {
        sender.send_many(low, 9..12).await.unwrap();
        assert_eq!(receiver.recv_many(&mut Vec::new(), 2).await, 2);
        receiver.recv().await.unwrap();
        let mut stream = receiver.clone();
        assert!(futures_lite::StreamExt::next(&mut stream).await.is_some());
    });
    receiver
        .set_policy(Policy::ageing(Duration::from_millis(1)))
        .unwrap();
    receiver.within(low..=low).try_recv().unwrap();
    receiver.set_policy(Policy::weighted([1, 2])).unwrap();
    assert_eq!(receiver.try_iter().take(2).count(), 2);
    assert_eq!(receiver.drain().count(), 12 - 7);
    let snapshot = receiver.snapshot();
    adds_up(&snapshot);
    assert_eq!(
        (snapshot.bands[1].sent, snapshot.bands[1].received),
        (12, 12)
    );
}

#[test]
fn who_is_there_and_who_waits() {
    let _watchdog = Watchdog::new("who_is_there_and_who_waits");
    let (sender, receiver): (Sender<u32>, Receiver<u32>) =
        Builder::new(1).capacity(1).observe().build().unwrap();
    let other = sender.clone();
    let until = |wanted: &dyn Fn(&Snapshot) -> bool| {
        while !wanted(&other.snapshot()) {
            thread::sleep(Duration::from_millis(1));
        }
    };
    thread::scope(|scope| {
        let waits = scope.spawn(|| receiver.recv_blocking());
        until(&|snapshot| snapshot.receivers_waiting == 1);
        sender.send_blocking(Band::URGENT, 1).unwrap();
        waits.join().unwrap().unwrap();
        until(&|snapshot| snapshot.receivers_waiting == 0);
        sender.try_send(Band::URGENT, 2).unwrap();
        let waits = scope.spawn(|| sender.send_blocking(Band::URGENT, 3));
        until(&|snapshot| snapshot.senders_waiting == 1);
        receiver.recv_blocking().unwrap();
        waits.join().unwrap().unwrap();
    });
    let snapshot = receiver.snapshot();
    assert_eq!((snapshot.senders, snapshot.receivers), (2, 1));
    assert_eq!((snapshot.used, snapshot.capacity), (1, Some(1)));
    assert_eq!(
        (snapshot.senders_waiting, snapshot.receivers_waiting),
        (0, 0)
    );
}

/// Permits are used room, but no items.
#[test]
fn used_counts_permits_and_of_an_unbounded_channel_items() {
    let (sender, _receiver) = Builder::<u32>::new(1)
        .capacity(3)
        .observe()
        .build()
        .unwrap();
    let permit = sender.try_reserve(Band::URGENT).unwrap();
    let snapshot = sender.snapshot();
    assert_eq!((snapshot.used, snapshot.bands[0].len), (1, 0));
    drop(permit);
    let (sender, _receiver) = Builder::new(1).observe().build().unwrap();
    sender.try_send_many(Band::URGENT, 0..7).unwrap();
    assert_eq!(
        (sender.snapshot().used, sender.snapshot().capacity),
        (7, None)
    );
}

#[test]
fn a_channel_that_is_not_observed_shows_lengths_and_handles_only() {
    let (sender, receiver) = bandq::bounded(2, 10);
    sender.try_send(Band::new(1), 'x').unwrap();
    assert!(sender.try_send(Band::new(7), 'y').is_err());
    let snapshot = receiver.snapshot();
    assert_eq!(snapshot.observed_for, None);
    assert_eq!((snapshot.used, snapshot.capacity), (1, Some(10)));
    assert_eq!(snapshot.bands[1].len, 1);
    assert_eq!(
        (snapshot.bands[1].sent, snapshot.bands[1].get.count()),
        (0, 0)
    );
    assert_eq!(
        (snapshot.bands[1].oldest, snapshot.bands[1].running),
        (None, 0)
    );
    drop(receiver.working(Band::new(1)));
    assert!(snapshot.to_string().contains("1 of 10 used"));
}

/// A band at its worst: every number at its widest.
#[test]
fn the_table_fits_80_columns() {
    let (sender, receiver) = Builder::new(64)
        .capacity(9_999_999)
        .observe()
        .build()
        .unwrap();
    for band in 0..64 {
        let items = if band % 63 == 0 { 12_000_u32 } else { 1 };
        sender.try_send_many(Band::new(band), 0..items).unwrap();
    }
    for _ in 0..11_111 {
        receiver.try_recv().unwrap();
    }
    let table = receiver.snapshot().to_string();
    assert_eq!(table.lines().count(), 2 + 64);
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let columns: Vec<_> = table.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(columns.len(), 12, "{columns:?}");
    assert_eq!(
        (columns[0], columns[1], columns[3], columns[4]),
        ("0", "889", "12k", "11k")
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_snapshot_is_json_with_times_in_seconds() {
    let (sender, receiver) = Builder::new(2).observe().build().unwrap();
    sender.try_send(Band::new(1), ()).unwrap();
    thread::sleep(Duration::from_millis(3));
    receiver.try_recv().unwrap();
    let json = serde_json::to_value(receiver.snapshot()).unwrap();
    let band = &json["bands"][1];
    assert_eq!((&band["band"], &band["sent"]), (&1.into(), &1.into()));
    let p99 = band["get"]["p99"].as_f64().unwrap();
    assert!((0.003..60.0).contains(&p99), "{p99}");
}
