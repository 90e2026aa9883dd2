//! Who may enter under limits by band, and how the questions read.

use bandq::{Builder, SendError, TrySendError, bounded, unbounded};

use crate::support::b;

#[test]
fn urgent_work_is_admitted_while_low_work_fills_the_rest() {
    let builder = Builder::new(3).capacity(10);
    let (tx, rx) = builder
        .high_water(b(1), 8)
        .high_water(b(2), 5)
        .build()
        .unwrap();
    assert_eq!(tx.try_send_many(b(2), 0..99).unwrap_err().sent, 5);
    assert_eq!(tx.try_send_many(b(1), 0..99).unwrap_err().sent, 3);
    assert_eq!(tx.try_send_many(b(0), 0..99).unwrap_err().sent, 2);
    assert_eq!(
        (tx.len(), tx.is_full(), tx.available()),
        (10, true, Some(0))
    );
    for received in 1..=10 {
        rx.try_recv().unwrap();
        let used = 10 - received;
        assert_eq!(tx.try_reserve(b(0)).is_ok(), used < 10);
        assert_eq!(tx.try_reserve(b(1)).is_ok(), used < 8);
        assert_eq!(tx.try_reserve(b(2)).is_ok(), used < 5);
    }
}

#[test]
fn a_high_water_counts_for_all_less_urgent_bands() {
    let (tx, _rx) = Builder::new(4)
        .capacity(9)
        .high_water(b(1), 2)
        .high_water(b(3), 7)
        .build()
        .unwrap();
    for band in [1, 2, 3] {
        let permits: Vec<_> = (0..9).map_while(|_| tx.try_reserve(b(band)).ok()).collect();
        assert_eq!(permits.len(), 2, "band {band}");
    }
    tx.try_send_many(b(0), [0; 9]).unwrap();
}

#[test]
fn a_band_uses_at_most_its_capacity_and_others_the_rest() {
    let (tx, rx) = Builder::new(3)
        .capacity(6)
        .band_capacity(b(1), 2)
        .build()
        .unwrap();
    assert_eq!(tx.try_send_many(b(1), 0..9).unwrap_err().sent, 2);
    assert_eq!(tx.band_len(b(1)), 2);
    assert!(!tx.is_full());
    assert_eq!(tx.try_send_many(b(2), 0..9).unwrap_err().sent, 4);
    assert!(tx.is_full());
    // A permit counts for its band, and a unit comes back to it by every way.
    assert!(rx.try_recv().is_ok());
    let permit = tx.try_reserve(b(1)).unwrap();
    assert!(rx.try_recv().is_ok());
    permit.send(7).unwrap();
    drop(tx.try_reserve(b(1)).unwrap());
    let permits = tx.try_reserve_many(b(1), 1).unwrap();
    assert_eq!(tx.try_send(b(1), 8), Err(TrySendError::Full(8)));
    drop(permits);
    let mut out = Vec::new();
    assert_eq!(rx.try_recv_many(&mut out, 99), Ok(5)); // of both bands
    assert_eq!(tx.try_send_many(b(1), 0..9).unwrap_err().sent, 2);
    tx.close();
    assert_eq!(rx.try_iter().count(), 2);
    assert_eq!((tx.available(), tx.len()), (Some(6), 0));
}

/// The try that found the whole full has given the band's unit back.
#[test]
fn a_send_that_fails_takes_nothing_of_its_band() {
    let (tx, rx) = Builder::new(2)
        .capacity(2)
        .band_capacity(b(1), 1)
        .build()
        .unwrap();
    tx.try_send_many(b(0), 0..2).unwrap();
    for _ in 0..3 {
        assert_eq!(tx.try_send(b(1), 9), Err(TrySendError::Full(9)));
    }
    rx.try_recv().unwrap();
    assert_eq!(tx.try_send(b(1), 9), Ok(()));
}

#[test]
fn limits_by_band_work_without_a_capacity() {
    let builder = Builder::new(3).high_water(b(2), 2).band_capacity(b(1), 1);
    let (tx, rx) = builder.build().unwrap();
    assert_eq!(
        (tx.capacity(), tx.available(), tx.is_full()),
        (None, None, false)
    );
    tx.try_send_many(b(0), 0..1000).unwrap();
    assert_eq!(tx.try_send(b(2), 0), Err(TrySendError::Full(0)));
    assert_eq!(tx.try_send_many(b(1), 0..2).unwrap_err().sent, 1);
    while rx.try_recv().is_ok() {}
    assert_eq!(tx.try_send_many(b(2), 0..9).unwrap_err().sent, 2);
}

#[test]
fn what_could_never_enter_is_too_heavy() {
    let builder = Builder::<u32>::new(4).capacity(10).band_capacity(b(1), 3);
    let (tx, _rx) = builder
        .high_water(b(2), 5)
        .band_capacity(b(3), 7)
        .build()
        .unwrap();
    for (band, most) in [(0, 10), (1, 3), (2, 5), (3, 5)] {
        let fits = tx
            .try_reserve_many(b(band), most)
            .map(|permits| permits.len());
        assert_eq!(fits, Ok(most), "band {band}");
        for units in [most + 1, 11, usize::MAX] {
            let error = tx.try_reserve_many(b(band), units).unwrap_err();
            assert_eq!(error, TrySendError::TooHeavy(()), "band {band}");
        }
    }
    // Also where it is full: it is for ever that it cannot enter.
    let _all = tx.try_reserve_many(b(0), 10).unwrap();
    assert_eq!(
        tx.try_reserve_many(b(1), 4).unwrap_err(),
        TrySendError::TooHeavy(())
    );
    let waiting = futures_lite::future::block_on(tx.reserve_many(b(2), 6));
    assert_eq!(waiting.unwrap_err(), SendError::TooHeavy(()));
    let fits_later = tx.try_reserve_many(b(1), 3).unwrap_err();
    assert_eq!(fits_later, TrySendError::Full(()));
}

#[test]
fn a_reservation_of_nothing_is_ready_at_once_even_where_it_is_full() {
    let (tx, _rx) = bounded(2, 2);
    tx.try_send_many(b(1), 0..2).unwrap();
    tx.set_capacity(1).unwrap();
    assert_eq!(tx.try_reserve_many(b(0), 0).unwrap().len(), 0);
}

#[test]
fn the_later_limit_of_a_band_counts() {
    let builder = Builder::new(1)
        .band_capacity(b(0), 1)
        .band_capacity(b(0), 2);
    let (tx, _rx) = builder.build().unwrap();
    assert_eq!(tx.try_send_many(b(0), 0..9).unwrap_err().sent, 2);
}

#[test]
fn a_limit_of_all_there_is_overflows_nothing() {
    let builder = Builder::<u8>::new(2)
        .capacity(usize::MAX)
        .band_capacity(b(1), usize::MAX);
    let (tx, _rx) = builder.high_water(b(1), usize::MAX).build().unwrap();
    assert_eq!(
        (tx.capacity(), tx.available()),
        (Some(usize::MAX), Some(usize::MAX))
    );
    for _ in 0..9 {
        let most = 1 << (usize::BITS - 2);
        let permits = tx.try_reserve_many(b(1), most).unwrap();
        assert_eq!(permits.len(), most);
    }
    assert_eq!(tx.available(), Some(usize::MAX));
    assert!(tx.try_send(b(1), 1).is_ok());
    let (tx, _rx) = unbounded::<u8>(1);
    assert_eq!(
        tx.try_reserve_many(b(0), usize::MAX).unwrap().len(),
        usize::MAX
    );
}

#[test]
fn a_limit_reads_as_it_was_given_up_to_the_largest() {
    let largest = 1_u64 << 62;
    for units in [1, 1_000, largest - 1] {
        let Ok(units) = usize::try_from(units) else {
            continue; // a smaller machine
        };
        let (tx, _rx) = bounded::<u8>(1, units);
        assert_eq!(tx.capacity(), Some(units));
    }
    let (tx, _rx) = Builder::<u8>::new(1)
        .band_capacity(b(0), 5)
        .build()
        .unwrap();
    assert_eq!(tx.capacity(), None);
}
