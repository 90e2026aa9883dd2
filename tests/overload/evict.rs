//! Promise 11, case by case: who goes, who does not, and who is woken.

use std::time::Duration;

use bandq::{Builder, ForceSendError, Receiver, Sender, TrySendError, bounded, unbounded};

use crate::support::{Ledger, Task, b};

/// A full channel of 4 bands with an item `10 × band + i` in each place `i` of these bands.
fn full(bands: &[u8]) -> (Sender<u8>, Receiver<u8>) {
    let (tx, rx) = bounded(4, bands.len());
    fill(&tx, bands);
    (tx, rx)
}

fn fill(tx: &Sender<u8>, bands: &[u8]) {
    for &band in bands {
        let item = 10 * band + tx.band_len(b(band)) as u8;
        tx.try_send(b(band), item).unwrap();
    }
    assert!(tx.is_full());
}

fn left(rx: &Receiver<u8>) -> Vec<u8> {
    rx.try_iter().map(|(_, item)| item).collect()
}

#[test]
fn the_oldest_of_the_least_urgent_band_goes_and_the_rest_stays_in_order() {
    let (tx, rx) = full(&[1, 3, 3, 2, 3]);
    assert_eq!(tx.force_send(b(1), 99), Ok(vec![(b(3), 30)]));
    assert_eq!(tx.force_send(b(2), 98), Ok(vec![(b(3), 31)]));
    assert_eq!(left(&rx), [10, 99, 20, 98, 32]);
}

#[test]
fn one_of_the_same_band_or_a_more_urgent_one_never_goes() {
    let (tx, rx) = full(&[0, 1, 2]);
    for band in [2, 3] {
        let ForceSendError { error, evicted, .. } = tx.force_send(b(band), 99).unwrap_err();
        assert_eq!((error, evicted), (TrySendError::Full(99), vec![]));
    }
    assert_eq!(left(&rx), [0, 10, 20]);
}

#[test]
fn where_there_is_room_nothing_goes() {
    let (tx, rx) = bounded(4, 3);
    tx.try_send(b(3), 30).unwrap();
    assert_eq!(tx.force_send(b(0), 0), Ok(vec![]));
    assert_eq!(tx.force_send(b(3), 31), Ok(vec![]));
    assert_eq!(left(&rx), [0, 30, 31]);
    let (tx, _rx) = unbounded(4);
    assert_eq!(tx.force_send(b(3), 30), Ok(vec![]), "there always is");
}

#[test]
fn bands_before_the_first_evictable_one_are_spared() {
    let (tx, rx) = Builder::new(4)
        .capacity(2)
        .evictable_from(b(2))
        .build()
        .unwrap();
    fill(&tx, &[1, 2]);
    assert_eq!(tx.force_send(b(0), 0), Ok(vec![(b(2), 20)]));
    let error = tx.force_send(b(0), 1).unwrap_err();
    assert_eq!(error.into_inner(), 1);
    assert_eq!(left(&rx), [0, 10]);
}

#[test]
fn a_band_at_its_own_capacity_evicts_nobody() {
    let (tx, rx) = Builder::new(4)
        .capacity(3)
        .band_capacity(b(1), 1)
        .build()
        .unwrap();
    fill(&tx, &[1, 3, 3]);
    let error = tx.force_send(b(1), 99).unwrap_err();
    assert_eq!(
        (error.error, error.evicted),
        (TrySendError::Full(99), vec![])
    );
    assert_eq!(rx.try_recv(), Ok((b(1), 10)));
    assert_eq!(
        tx.try_send(b(1), 98),
        Ok(()),
        "the unit of the band is back"
    );
}

#[test]
fn one_victim_has_to_be_enough() {
    // Band 1 enters up to two units in use; with four in use, one that goes does not help it.
    let (tx, rx) = Builder::new(4)
        .capacity(4)
        .high_water(b(1), 2)
        .build()
        .unwrap();
    tx.try_send(b(3), 30).unwrap();
    tx.try_send(b(3), 31).unwrap();
    tx.try_send_many(b(0), [0, 1]).unwrap();
    let error = tx.force_send(b(1), 99).unwrap_err();
    assert_eq!(
        (error.error, error.evicted),
        (TrySendError::Full(99), vec![])
    );
    assert_eq!(left(&rx), [0, 1, 30, 31]);
    fill(&tx, &[0, 0, 0, 0]);
    assert_eq!((rx.try_recv().is_ok(), rx.try_recv().is_ok()), (true, true));
    assert_eq!(rx.try_recv(), Ok((b(0), 2)));
    tx.try_send(b(3), 30).unwrap();
    assert_eq!(tx.force_send(b(1), 99), Ok(vec![(b(3), 30)]), "two in use");
}

#[test]
fn permits_are_no_victims() {
    let (tx, _rx) = bounded::<u8>(2, 1);
    let permit = tx.try_reserve(b(1)).unwrap();
    assert!(tx.force_send(b(0), 1).unwrap_err().error.is_full());
    permit.send(10).unwrap();
    assert_eq!(tx.force_send(b(0), 1), Ok(vec![(b(1), 10)]));
}

#[test]
fn a_closed_channel_and_a_band_that_there_is_not_evict_nothing() {
    let (tx, rx) = full(&[3]);
    let error = tx.force_send(b(4), 99).unwrap_err();
    assert_eq!(
        (error.error, error.evicted),
        (TrySendError::NoSuchBand(99), vec![])
    );
    tx.close();
    let error = tx.force_send(b(0), 99).unwrap_err();
    assert_eq!(
        (error.error, error.evicted),
        (TrySendError::Closed(99), vec![])
    );
    assert_eq!(left(&rx), [30]);
}

#[test]
fn the_victims_room_goes_to_nobody_else() {
    let (tx, rx) = full(&[3]);
    let mut waiting = Task::waiting(tx.send(b(0), 1));
    assert_eq!(tx.force_send(b(2), 20), Ok(vec![(b(3), 30)]));
    assert!(!waiting.woken() && waiting.poll().is_pending());
    assert_eq!(rx.try_recv(), Ok((b(2), 20)));
    assert!(waiting.woken() && waiting.ready().is_ok());
}

#[test]
fn a_victims_unit_of_its_band_is_free_for_a_waiting_sender_once_the_whole_has_room() {
    let (tx, rx) = Builder::new(2)
        .capacity(2)
        .band_capacity(b(1), 1)
        .build()
        .unwrap();
    tx.try_send(b(1), 10).unwrap();
    tx.try_send(b(0), 0).unwrap();
    let mut waiting = Task::waiting(tx.send(b(1), 11));
    assert_eq!(tx.force_send(b(0), 1), Ok(vec![(b(1), 10)]));
    assert_eq!(tx.band_len(b(1)), 0);
    assert_eq!(rx.try_recv(), Ok((b(0), 0)));
    assert!(waiting.woken());
    assert_eq!(waiting.ready(), Ok(()));
    assert_eq!(tx.available(), Some(0));
}

#[test]
fn a_forced_item_wakes_a_receiver() {
    let (tx, rx) = bounded(2, 1);
    let urgent = rx.within(b(0)..=b(0));
    tx.try_send(b(1), 'l').unwrap();
    let mut receiving = Task::waiting(urgent.recv());
    tx.force_send(b(0), 'u').unwrap();
    assert!(receiving.woken());
    assert_eq!(receiving.ready(), Ok((b(0), 'u')));
}

#[test]
fn what_has_expired_goes_before_anybody_is_evicted() {
    let (tx, rx) = bounded(3, 3);
    let fleeting = tx.with_ttl(Duration::ZERO);
    tx.try_send(b(2), 20).unwrap();
    fleeting.try_send(b(1), 10).unwrap();
    fleeting.try_send(b(1), 11).unwrap();
    assert_eq!(tx.force_send(b(0), 0), Ok(vec![]));
    assert_eq!(tx.force_send(b(2), 21), Ok(vec![]), "both have gone");
    assert_eq!(left(&rx), [0, 20, 21]);
}

#[test]
fn a_forced_item_may_expire_like_any_other() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(2, 1);
    tx.try_send(b(1), ledger.token(0)).unwrap();
    let gone = tx
        .with_ttl(Duration::ZERO)
        .force_send(b(0), ledger.token(1));
    assert_eq!(gone.unwrap()[0].1.id(), 0);
    assert!(rx.try_recv().is_err());
    ledger.assert_each_dropped_once();
    assert_eq!(tx.available(), Some(1));
}

#[test]
fn what_has_expired_goes_to_the_hook_and_its_room_to_the_newcomer() {
    let (late, too_late) = std::sync::mpsc::channel();
    let (tx, rx) = Builder::new(2)
        .capacity(3)
        .on_expired(move |band, item| late.send((band, item)).unwrap())
        .build()
        .unwrap();
    let life = Duration::from_millis(20);
    tx.try_send(b(1), 10).unwrap();
    tx.with_ttl(life).try_send(b(1), 11).unwrap();
    tx.try_send(b(0), 0).unwrap();
    std::thread::sleep(2 * life);
    assert_eq!(tx.force_send(b(0), 1), Ok(vec![(b(1), 10)]));
    assert_eq!(tx.force_send(b(0), 2), Ok(vec![]));
    assert_eq!(too_late.try_recv(), Ok((b(1), 11)));
    assert_eq!(left(&rx), [0, 1, 2]);
}

#[test]
fn what_has_expired_behind_a_victim_goes_to_the_hook() {
    let (late, too_late) = std::sync::mpsc::channel();
    let (tx, rx) = Builder::new(2)
        .capacity(3)
        .weigher(|item: &u8| (*item).into())
        .on_expired(move |band, item| late.send((band, item)).unwrap())
        .build()
        .unwrap();
    tx.try_send(b(1), 1).unwrap();
    tx.with_ttl(Duration::ZERO).try_send(b(1), 2).unwrap();
    assert_eq!(tx.force_send(b(0), 3), Ok(vec![(b(1), 1)]));
    assert_eq!(too_late.try_recv(), Ok((b(1), 2)));
    assert_eq!((left(&rx), rx.available()), (vec![3], Some(3)));
}
