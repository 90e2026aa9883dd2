//! Waiting times.

use crate::support::watchdog::Watchdog;
use bandq::{Band, Builder, suggest_capacity};
use futures_lite::future;
use std::{
    thread::{self, sleep},
    time::{Duration, Instant},
};

const MS: Duration = Duration::from_millis(1);

/// What it measures lies between what a clock before and one behind measures.
#[test]
fn get_is_the_time_from_send_to_receive() {
    let (sender, receiver) = Builder::new(2).observe().build().unwrap();
    let before_send = Instant::now();
    sender.try_send(Band::new(1), ()).unwrap();
    let sent = Instant::now();
    sleep(20 * MS);
    let least = sent.elapsed();
    receiver.try_recv().unwrap();
    let most = before_send.elapsed();
    let get = &receiver.snapshot().bands[1].get;
    let max = get.max().unwrap();
    assert!(least <= max && max <= most, "{least:?} {max:?} {most:?}");
    let p50 = get.quantile(0.5).unwrap();
    assert!(p50 <= max && p50.as_secs_f64() >= least.as_secs_f64() * 0.984);
}

/// Each way to wait for room.
type Way = fn(&bandq::Sender<u32>);
const WAYS: [Way; 5] = [
    |sender| sender.send_blocking(Band::URGENT, 1).unwrap(),
    |sender| {
        let forever = Duration::from_secs(100);
        sender.send_timeout(Band::URGENT, 1, forever).unwrap();
    },
    |sender| future::block_on(sender.send(Band::URGENT, 1)).unwrap(),
    |sender| {
        assert_eq!(future::block_on(sender.send_many(Band::URGENT, [1])), Ok(1));
    },
    |sender| {
        let permit = future::block_on(sender.reserve(Band::URGENT)).unwrap();
        permit.send(1).unwrap();
    },
];

#[test]
fn put_is_the_time_that_a_sender_waited_for_room() {
    let _watchdog = Watchdog::new("put_is_the_time_that_a_sender_waited_for_room");
    let (sender, receiver) = Builder::new(1).capacity(1).observe().build().unwrap();
    let band = Band::URGENT;
    sender.try_send(band, 0).unwrap();
    // One after the other; each waits for 10 ms at the least.
    for (n, way) in WAYS.into_iter().enumerate() {
        thread::scope(|scope| {
            let waits = scope.spawn(|| way(&sender));
            while sender.snapshot().senders_waiting == 0 {
                sleep(MS);
            }
            sleep(10 * MS);
            receiver.recv_blocking().unwrap();
            waits.join().unwrap();
        });
        let put = &sender.snapshot().bands[0].put;
        assert_eq!(put.count(), 2 + n as u64, "way {n}");
        // All but the first send have waited.
        let of_first = 1.0 / (2.0 + n as f64);
        assert_eq!(put.quantile(of_first), Some(Duration::ZERO));
        assert!(
            put.quantile(of_first + 0.01) >= Some(10 * MS),
            "way {n}: {put:?}"
        );
    }
}

#[test]
fn who_finds_room_at_once_has_waited_for_nothing() {
    let (sender, receiver) = Builder::new(1).capacity(1).observe().build().unwrap();
    for (n, way) in WAYS.into_iter().enumerate() {
        way(&sender);
        receiver.try_recv().unwrap();
        let put = &sender.snapshot().bands[0].put;
        let expected = (1 + n as u64, Some(Duration::ZERO));
        assert_eq!((put.count(), put.max()), expected, "way {n}");
    }
}

#[test]
fn what_was_evicted_or_expired_has_a_waiting_time_too() {
    let (sender, receiver) = Builder::new(2)
        .capacity(1)
        .ttl(Band::URGENT, 5 * MS)
        .observe()
        .build()
        .unwrap();
    sender.try_send(Band::new(1), "victim").unwrap();
    sleep(10 * MS);
    sender.force_send(Band::URGENT, "late").unwrap();
    sleep(10 * MS);
    assert!(receiver.try_recv().is_err());
    let snapshot = receiver.snapshot();
    for band in &snapshot.bands {
        assert_eq!(band.gone.count(), 1);
        assert!(band.gone.max() >= Some(10 * MS));
        assert_eq!(band.get.count(), 0);
    }
}

#[test]
fn oldest_is_the_age_of_the_head_under_every_policy() {
    use bandq::Policy;
    for policy in [
        Policy::strict(),
        Policy::weighted([1, 1]),
        Policy::ageing(MS),
    ] {
        let (sender, receiver) = Builder::new(2).policy(policy).observe().build().unwrap();
        assert_eq!(receiver.snapshot().bands[1].oldest, None);
        let before = Instant::now();
        sender.try_send(Band::new(1), 1).unwrap();
        let sent = Instant::now();
        sleep(10 * MS);
        sender.try_send(Band::new(1), 2).unwrap();
        let least = sent.elapsed();
        let oldest = receiver.snapshot().bands[1].oldest.unwrap();
        assert!(least <= oldest && oldest <= before.elapsed());
        receiver.try_recv().unwrap();
        assert!(receiver.snapshot().bands[1].oldest.unwrap() < before.elapsed() - 10 * MS);
        receiver.try_recv().unwrap();
        assert_eq!(receiver.snapshot().bands[1].oldest, None);
    }
}

/// Little's law: so many a second, for so many seconds.
#[test]
fn the_suggested_capacity_is_the_rate_times_the_time() {
    let (sender, receiver) = Builder::new(2).observe().build().unwrap();
    let began = Instant::now();
    for n in 0..200 {
        sender.try_send(Band::new(n % 2), n).unwrap();
        receiver.try_recv().unwrap();
    }
    sleep(50 * MS);
    let least = 200.0 / (began.elapsed().as_secs_f64() + 0.01);
    let snapshot = receiver.snapshot();
    let suggested = suggest_capacity(&snapshot, Duration::from_secs(10)) as f64;
    // The channel is a little older than our clock.
    let most = 200.0 / snapshot.observed_for.unwrap().as_secs_f64();
    assert!(suggested <= most * 10.0 + 1.0, "{suggested} {most}");
    assert!(suggested >= least * 10.0 * 0.5, "{suggested} {least}");
    assert_eq!(suggest_capacity(&snapshot, Duration::ZERO), 1);
    let (_, receiver) = bandq::unbounded::<u8>(1);
    assert_eq!(
        suggest_capacity(&receiver.snapshot(), Duration::from_secs(9)),
        1
    );
}
