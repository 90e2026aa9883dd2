//! Ageing: what waits becomes more urgent.

use bandq::{Band, Builder, Policy};
use std::time::{Duration, Instant};

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

#[test]
fn a_low_item_comes_in_time_in_a_flood_of_urgent_ones() {
    let step = Duration::from_millis(5);
    for receivers in 1..=4 {
        let (sender, receiver) = Builder::new(4)
            .policy(Policy::ageing(step))
            .build()
            .unwrap();
        for _ in 0..100 {
            sender.try_send(Band::URGENT, None).unwrap();
        }
        let low = Band::new(3);
        let sent_at = Instant::now();
        sender.try_send(low, Some(sent_at)).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..receivers {
                scope.spawn(|| {
                    // Each urgent item makes the next one: the flood does not end by itself.
                    loop {
                        let (band, item) = receiver.recv_blocking().unwrap();
                        if item.is_some() || sender.is_closed() {
                            if band == low {
                                sender.close();
                            }
                            break;
                        }
                        _ = sender.try_send(Band::URGENT, None);
                    }
                });
            }
        });
        // What was sent more than three steps later is still there: it was not taken before.
        assert!(sender.is_closed());
        assert!(sent_at.elapsed() >= 3 * step, "before it was due");
    }
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
