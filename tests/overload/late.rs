//! Promise 12 in a large run: how often an item was handed out after its life was over.
//!
//! Judged from outside, by a definition that no correct implementation can fail, however its
//! threads are stopped. An item's life begins within its send, and it is taken within its receive:
//!
//! * it is handed out *late* if its life, counted from when the send had returned, was over before
//!   the receive began;
//! * it has expired *early* if the hook had it before its life, counted from when the send began,
//!   was over.
//!
//! `BANDQ_EXPIRES` says how many items: 20,000 without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bandq::Builder;

use crate::support::{Watchdog, XorShift, b, env_number};

/// Items of a round.
const ITEMS: u64 = 20_000;
const BANDS: u8 = 2;
const PRODUCERS: u64 = 2;

/// How long an item lives: around the time that it waits in a channel of this size, from nearly
/// never received to nearly always; a few not at all, and a few for good.
fn life(id: u64) -> Duration {
    match id % 16 {
        0 => Duration::ZERO,
        1 => Duration::MAX,
        n => Duration::from_nanos(500 << (n - 2)),
    }
}

/// When things happened to each item, in nanoseconds of one clock; 0 for never.
struct Times {
    began: Instant,
    before_send: Vec<AtomicU64>,
    after_send: Vec<AtomicU64>,
    before_receive: Vec<AtomicU64>,
    in_hook: Vec<AtomicU64>,
}

impl Times {
    fn new() -> Self {
        let never = || (0..ITEMS).map(|_| AtomicU64::new(0)).collect();
        Self {
            began: Instant::now(),
            before_send: never(),
            after_send: never(),
            before_receive: never(),
            in_hook: never(),
        }
    }

    fn now(&self) -> u64 {
        1 + self.began.elapsed().as_nanos() as u64
    }
}

/// Takes note of a time, which must be the first for this item.
fn note(times: &[AtomicU64], id: u64, time: u64) {
    assert_eq!(
        times[id as usize].swap(time, Ordering::SeqCst),
        0,
        "item {id} twice"
    );
}

fn read(times: &[AtomicU64], id: u64) -> u64 {
    times[id as usize].load(Ordering::SeqCst)
}

/// Sends and receives the items of a round; returns how many were late, early, received, expired.
fn round(seed: u64) -> [u64; 4] {
    let times = Arc::new(Times::new());
    let noted = Arc::clone(&times);
    let (tx, rx) = Builder::new(BANDS.into())
        .capacity(64)
        .on_expired(move |_, id| note(&noted.in_hook, id, noted.now()))
        .build()
        .unwrap();
    thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (tx, times) = (tx.clone(), &times);
            scope.spawn(move || {
                let handles: Vec<_> = (0..16).map(|id| tx.with_ttl(life(id))).collect();
                let mut rng = XorShift::new(2 * seed + producer);
                for id in (producer..ITEMS).step_by(PRODUCERS as usize) {
                    let band = b(rng.below(BANDS.into()) as u8);
                    note(&times.before_send, id, times.now());
                    handles[id as usize % 16].send_blocking(band, id).unwrap();
                    note(&times.after_send, id, times.now());
                }
            });
        }
        drop(tx);
        for seed in 0..2 {
            let (rx, times) = (rx.clone(), &times);
            scope.spawn(move || {
                let mut rng = XorShift::new(seed);
                loop {
                    let before = times.now();
                    match rx.try_recv() {
                        Ok((_, id)) => note(&times.before_receive, id, before),
                        Err(error) if error.is_closed() => break,
                        Err(_) => thread::yield_now(),
                    }
                    if rng.one_in(8) {
                        thread::yield_now(); // others go on, and some lives are over
                    }
                }
            });
        }
    });
    let mut counts = [0; 4];
    for id in 0..ITEMS {
        let end = |times: &[AtomicU64]| {
            let life = life(id).as_nanos().try_into().unwrap_or(u64::MAX);
            read(times, id).saturating_add(life)
        };
        let (received, expired) = (read(&times.before_receive, id), read(&times.in_hook, id));
        assert!(
            (received == 0) != (expired == 0),
            "item {id}: {received}, {expired}"
        );
        counts[0] += u64::from(received != 0 && received >= end(&times.after_send));
        counts[1] += u64::from(expired != 0 && expired < end(&times.before_send));
        counts[2] += u64::from(received != 0);
        counts[3] += u64::from(expired != 0);
    }
    assert_eq!(rx.available(), Some(64));
    counts
}

#[test]
fn nothing_is_handed_out_late_and_nothing_expires_early() {
    let items = env_number("BANDQ_EXPIRES", ITEMS);
    let limit = Duration::from_secs(120 + items / 1_000);
    let _watchdog = Watchdog::with_limit("nothing is handed out late", limit);
    let mut sum = [0; 4];
    for seed in 0..items.div_ceil(ITEMS) {
        sum.iter_mut()
            .zip(round(seed))
            .for_each(|(sum, n)| *sum += n);
    }
    let [late, early, received, expired] = sum;
    println!("{received} received, {late} of them late; {expired} expired, {early} of them early");
    assert_eq!((late, early), (0, 0));
    // Those that live for good, and those that live for no time.
    assert!(received >= items / 16 && expired >= items / 16);
}
