//! Ageing: what waits becomes more urgent.

use crate::support::Watchdog;
use bandq::{Band, Builder, Policy};
use std::{
    sync::{
        Barrier, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

#[test]
fn order_is_that_of_a_heap_by_due_time() {
    // Stamps are read by the channel, so the model's are read on both sides of each send; steps are
    // so much longer than a send that the order of what is due is not in doubt.
    let step = Duration::from_millis(3);
    let (sender, receiver) = Builder::new(4)
        .policy(Policy::ageing(step))
        .build()
        .unwrap();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut sent = Vec::new();
    let mut received = 0;
    let began = Instant::now();
    for n in 0..2_000_usize {
        let band = (random() % 4) as u8;
        let before = began.elapsed();
        sender.try_send(Band::new(band), n).unwrap();
        let after = began.elapsed();
        sent.push((band, before, after));
        if random() % 4 == 0 {
            std::thread::sleep(Duration::from_micros(random() % 400));
        }
        if random() % 3 == 0 || n == 1_999 {
            let all = n == 1_999;
            while let Ok((band, item)) = receiver.try_recv() {
                received += 1;
                let due = |(band, _, after): (u8, Duration, Duration)| after + step * band.into();
                let earliest =
                    |(band, before, _): (u8, Duration, Duration)| before + step * u32::from(band);
                let (its_band, _, _) = sent[item];
                assert_eq!(band.index(), usize::from(its_band));
                let its_due = earliest(sent[item]);
                sent[item].0 = u8::MAX; // gone
                // Nothing that is still there was due for certain before it.
                let overdue = sent
                    .iter()
                    .filter(|s| s.0 != u8::MAX)
                    .find(|s| due(**s) < its_due);
                assert_eq!(
                    overdue, None,
                    "item {item} of band {band:?}, due {its_due:?}"
                );
                if !all && random() % 2 == 0 {
                    break;
                }
            }
        }
    }
    assert_eq!(received, 2_000);
}

/// An item as it was received, and the clock beside its send and its receive.
struct Taken {
    band: Band,
    /// Before its send.
    sent: Instant,
    begun: Instant,
    ended: Instant,
}

/// One item of a low band in a flood of urgent ones, which ends with the low one's receive, or a
/// hundred steps after it was due. Returns when it was due at the latest, and what was received.
fn flood(receivers: usize, low: Band, step: Duration) -> (Instant, Vec<Taken>) {
    let (sender, receiver) = Builder::new(4)
        .policy(Policy::ageing(step))
        .build()
        .unwrap();
    let send = |band| sender.try_send(band, Instant::now()).unwrap();
    for _ in 0..100 {
        send(Band::URGENT);
    }
    let due = OnceLock::new();
    let is_over = AtomicBool::new(false);
    let all_receive = Barrier::new(receivers + 1);
    let receive = || {
        all_receive.wait();
        let mut all = Vec::new();
        loop {
            let begun = Instant::now();
            let Ok((band, sent)) = receiver.try_recv() else {
                return all;
            };
            let ended = Instant::now();
            all.push(Taken {
                band,
                sent,
                begun,
                ended,
            });
            let in_vain = || due.get().is_some_and(|due| sent > *due + 100 * step);
            if band == low || in_vain() {
                is_over.store(true, Relaxed);
            }
            // Each makes the next one: the flood does not end by itself.
            if !is_over.load(Relaxed) {
                send(Band::URGENT);
            }
        }
    };
    let taken = thread::scope(|scope| {
        let receivers: Vec<_> = (0..receivers).map(|_| scope.spawn(receive)).collect();
        all_receive.wait();
        send(low);
        due.set(Instant::now() + step * low.index() as u32).unwrap();
        let all = receivers.into_iter().flat_map(|r| r.join().unwrap());
        all.collect()
    });
    (due.into_inner().unwrap(), taken)
}

#[test]
fn a_low_item_comes_in_time_in_a_flood_of_urgent_ones() {
    const ROUNDS: u8 = 30;
    let _watchdog = Watchdog::new("a low item in a flood");
    for receivers in 1..=4 {
        let mut greatest = f64::NEG_INFINITY;
        for round in 0..ROUNDS {
            let low = Band::new(1 + round % 3);
            let (due, taken) = flood(receivers, low, Duration::from_millis(1));
            let its = taken.iter().find(|taken| taken.band == low).unwrap();
            // One that was received beside it may have begun when it was already on its way.
            let before = taken.iter().filter(|taken| taken.ended < its.begun);
            let lateness = before.map(|taken| micros_after(due, taken.sent));
            let late = lateness.inspect(|n| greatest = greatest.max(*n));
            let late = late.filter(|n| *n > 0.0).count();
            // Each receive beside the one that took the last in time may have chosen as it did.
            assert!(
                late < receivers,
                "receivers: {receivers}, {low:?}: {late} urgent items that were sent after it was \
                 due, up to {greatest:.1} µs, went first"
            );
        }
        println!("receivers: {receivers}, rounds: {ROUNDS}, greatest lateness: {greatest:.1} µs");
    }
}

/// How much later than `due` that was; below zero if it was earlier.
fn micros_after(due: Instant, time: Instant) -> f64 {
    let after = time.saturating_duration_since(due).as_secs_f64();
    let before = due.saturating_duration_since(time).as_secs_f64();
    (after - before) * 1e6
}

#[test]
fn items_of_equal_age_come_by_urgency() {
    let step = Duration::from_secs(1_000);
    let (sender, receiver) = Builder::new(64)
        .policy(Policy::ageing(step))
        .build()
        .unwrap();
    for band in (0..64).rev() {
        sender.try_send(Band::new(band), ()).unwrap();
    }
    let bands: Vec<_> = receiver.try_iter().map(|(band, ())| band.index()).collect();
    assert_eq!(bands, (0..64).collect::<Vec<_>>());
}

#[test]
fn a_step_as_long_as_time_is_strict() {
    let (sender, receiver) = Builder::new(3)
        .policy(Policy::ageing(Duration::MAX))
        .build()
        .unwrap();
    for band in [2, 1, 0, 2, 1, 0] {
        sender.try_send(Band::new(band), ()).unwrap();
    }
    let bands: Vec<_> = receiver.try_iter().map(|(band, ())| band.index()).collect();
    assert_eq!(bands, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn the_shortest_step_is_first_come_first_served() {
    let policy = Policy::ageing(Duration::from_nanos(1));
    let (sender, receiver) = Builder::new(3).policy(policy).build().unwrap();
    let mut sent = Vec::new();
    for n in 0..300_u64 {
        let band = (n * 7 % 3) as u8;
        sender.try_send(Band::new(band), n).unwrap();
        sent.push(n);
        // Longer than two steps, and than the clock's resolution.
        let began = Instant::now();
        while began.elapsed() < Duration::from_nanos(50) {}
    }
    let received: Vec<_> = receiver.try_iter().map(|(_, n)| n).collect();
    assert_eq!(received, sent);
}

#[test]
fn what_was_there_before_ages_from_the_change_on() {
    let (sender, receiver) = bandq::unbounded(2);
    sender.try_send(Band::new(1), "old").unwrap();
    receiver
        .set_policy(Policy::ageing(Duration::from_millis(1)))
        .unwrap();
    std::thread::sleep(Duration::from_millis(3));
    sender.try_send(Band::URGENT, "new").unwrap();
    assert_eq!(receiver.try_recv(), Ok((Band::new(1), "old")));
    assert_eq!(receiver.try_recv(), Ok((Band::URGENT, "new")));
}
