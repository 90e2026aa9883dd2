//! The handle: what a `Sender` does, in its band.

use std::time::{Duration, Instant};

use bandq::{
    Band, Builder, NoSuchBand, RecvError, SendError, SendManyError, SendTimeoutError, TryRecvError,
    TrySendError, TrySendManyError, bounded, unbounded,
};
use futures_lite::future::block_on;

use crate::support::{Task, b, ends};

#[test]
fn every_way_to_send_leads_to_its_band() {
    let (tx, rx) = bounded(3, 32);
    let bound = tx.to(b(1)).unwrap();
    assert_eq!(bound.band(), b(1));
    bound.try_send(0).unwrap();
    block_on(bound.send(1)).unwrap();
    bound.send_blocking(2).unwrap();
    bound.send_timeout(3, Duration::ZERO).unwrap();
    bound.send_deadline(4, Instant::now()).unwrap();
    assert_eq!(block_on(bound.send_many(5..7)), Ok(2));
    assert_eq!(bound.send_many_blocking(7..9), Ok(2));
    assert_eq!(bound.try_send_many(9..11), Ok(2));
    bound.try_reserve().unwrap().send(11).unwrap();
    block_on(bound.reserve()).unwrap().send(12).unwrap();
    bound.try_reserve_owned().unwrap().send(13).unwrap();
    let owned = block_on(bound.reserve_owned()).unwrap();
    owned.send(14).unwrap();
    for (permit, n) in bound.try_reserve_many(2).unwrap().zip(15..) {
        permit.send(n).unwrap();
    }
    for (permit, n) in block_on(bound.reserve_many(2)).unwrap().zip(17..) {
        permit.send(n).unwrap();
    }
    assert_eq!((bound.len(), bound.band_len(b(1))), (19, 19));
    let items: Vec<_> = rx.try_iter().collect();
    assert_eq!(items, (0..19).map(|n| (b(1), n)).collect::<Vec<_>>());
}

#[test]
fn a_full_channel_is_full_to_it() {
    let (tx, rx) = bounded(2, 1);
    tx.try_send(b(0), 0).unwrap();
    let bound = tx.to(b(1)).unwrap();
    assert!(bound.is_full());
    assert_eq!((bound.capacity(), bound.available()), (Some(1), Some(0)));
    assert_eq!(bound.try_send(1), Err(TrySendError::Full(1)));
    let zero = Duration::ZERO;
    let timeout = Err(SendTimeoutError::Timeout(1));
    assert_eq!(bound.send_timeout(1, zero), timeout);
    assert_eq!(bound.send_deadline(1, Instant::now()), timeout);
    let (sent, error) = (0, TrySendError::Full(1));
    let stopped = bound.try_send_many([1, 2]);
    assert_eq!(stopped, Err(TrySendManyError { sent, error }));
    assert_eq!(bound.try_reserve().unwrap_err(), TrySendError::Full(()));
    let refused = bound.try_reserve_owned().unwrap_err();
    assert_eq!(refused, TrySendError::Full(()));
    let refused = bound.try_reserve_many(1).unwrap_err();
    assert_eq!(refused, TrySendError::Full(()));
    let refused = bound.try_reserve_many(2).unwrap_err();
    assert_eq!(refused, TrySendError::TooHeavy(()));
    let mut send = Task::waiting(bound.send(1));
    let reserve = Task::waiting(bound.reserve());
    rx.try_recv().unwrap();
    assert!(send.woken() && !reserve.woken(), "in the order of arrival");
    send.ready().unwrap();
    assert_eq!(rx.try_recv(), Ok((b(1), 1)));
    assert!(reserve.woken());
}

#[test]
fn a_closed_channel_is_closed_to_it_and_gives_the_item_back() {
    let (tx, rx) = bounded(2, 4);
    let bound = tx.to(b(1)).unwrap();
    let mut closed = Task::waiting(bound.closed());
    assert!(rx.close() && bound.is_closed() && !bound.close());
    assert!(closed.woken());
    closed.ready();
    assert_eq!(bound.try_send(1), Err(TrySendError::Closed(1)));
    assert_eq!(block_on(bound.send(1)), Err(SendError::Closed(1)));
    assert_eq!(bound.send_blocking(1), Err(SendError::Closed(1)));
    let closed = Err(SendTimeoutError::Closed(1));
    assert_eq!(bound.send_timeout(1, Duration::ZERO), closed);
    assert_eq!(bound.send_deadline(1, Instant::now()), closed);
    let (sent, error) = (0, SendError::Closed(1));
    let stopped = Err(SendManyError { sent, error });
    assert_eq!(bound.send_many_blocking([1, 2]), stopped);
    assert_eq!(block_on(bound.send_many([1, 2])), stopped);
    assert!(bound.try_send_many([1]).unwrap_err().is_closed());
    assert!(bound.try_reserve().unwrap_err().is_closed());
    assert!(bound.try_reserve_owned().unwrap_err().is_closed());
    assert!(bound.try_reserve_many(2).unwrap_err().is_closed());
    assert!(block_on(bound.reserve()).unwrap_err().is_closed());
    assert!(block_on(bound.reserve_owned()).unwrap_err().is_closed());
    assert!(block_on(bound.reserve_many(2)).unwrap_err().is_closed());
}

#[test]
fn forced_in_its_item_evicts_less_urgent_ones_only() {
    let (tx, rx) = bounded(3, 2);
    let bound = tx.to(b(1)).unwrap();
    tx.try_send(b(2), 1).unwrap();
    tx.try_send(b(0), 2).unwrap();
    assert_eq!(bound.force_send(3), Ok(vec![(b(2), 1)]));
    let refused = bound.force_send(4).unwrap_err();
    assert_eq!(
        (refused.error, refused.evicted),
        (TrySendError::Full(4), vec![])
    );
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [(b(0), 2), (b(1), 3)]);
    rx.close();
    assert!(bound.force_send(5).unwrap_err().error.is_closed());
}

#[test]
fn with_a_life_it_sends_to_its_band_what_expires_and_counts_as_a_sender() {
    let (tx, rx) = unbounded(2);
    let bound = tx.to(b(1)).unwrap();
    let fleeting = bound.with_ttl(Duration::from_nanos(1));
    assert_eq!((fleeting.band(), rx.sender_count()), (b(1), 3));
    fleeting.try_send(1).unwrap();
    bound.try_send(2).unwrap();
    std::thread::sleep(Duration::from_millis(1));
    assert_eq!(rx.try_recv(), Ok((b(1), 2)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    fleeting.clone().try_send(3).unwrap();
    std::thread::sleep(Duration::from_millis(1));
    assert_eq!(
        rx.try_recv(),
        Err(TryRecvError::Empty),
        "a clone's life is the same"
    );
}

#[test]
fn its_estimate_is_that_of_its_band() {
    let (tx, _rx) = unbounded(3);
    (0..3).for_each(|band| _ = tx.try_send_many(b(band), 0..10));
    let ahead = [0, 1, 2].map(|band| tx.to(b(band)).unwrap().estimate().ahead);
    assert_eq!(ahead, [10, 20, 30]);
}

#[test]
fn units_are_reserved_in_its_band() {
    let builder = Builder::new(2).capacity(10).band_capacity(b(1), 4);
    let (tx, rx) = builder.weigher(|n: &usize| *n).build().unwrap();
    let bound = tx.to(b(1)).unwrap();
    let permit = bound.try_reserve_units(3).unwrap();
    let more = bound.try_reserve_units(2).unwrap_err();
    assert_eq!((bound.available(), more), (Some(7), TrySendError::Full(())));
    let never = bound.try_reserve_units(5).unwrap_err();
    assert_eq!(
        never,
        TrySendError::TooHeavy(()),
        "its band's capacity counts"
    );
    let mut reserving = Task::waiting(bound.reserve_units(4));
    permit.send(3).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(1), 3)));
    assert!(reserving.woken());
    reserving.ready().unwrap().send(4).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(1), 4)));
}

#[test]
fn it_counts_as_a_sender_and_the_last_one_closes() {
    let (tx, rx) = unbounded(2);
    let bound = tx.to(b(0)).unwrap();
    assert_eq!((tx.sender_count(), bound.sender_count()), (2, 2));
    let clone = bound.clone();
    assert_eq!((rx.sender_count(), bound.receiver_count()), (3, 1));
    let weak = tx.downgrade();
    assert_eq!((bound.weak_count(), bound.bands()), (1, 2));
    drop((tx, bound));
    assert!(!rx.is_closed());
    drop(weak.upgrade().expect("a bound sender is one"));
    clone.try_send(5).unwrap();
    let mut recv = Task::new(rx.recv());
    assert_eq!(recv.ready(), Ok((b(0), 5)));
    let mut recv = Task::waiting(rx.recv());
    drop(clone);
    assert!(rx.is_closed() && recv.woken() && weak.upgrade().is_none());
    assert_eq!(recv.ready(), Err(RecvError));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_clone_has_the_band_and_the_channel() {
    let (tx, rx) = unbounded(3);
    let bound = tx.to(b(2)).unwrap();
    let clone = bound.clone();
    assert_eq!(clone.band(), b(2));
    assert!(clone.same_channel(&bound) && clone.same_channel(&tx.to(b(0)).unwrap()));
    assert!(!clone.same_channel(&unbounded(3).0.to(b(2)).unwrap()));
    assert!(clone.sender().same_channel(&tx));
    drop((tx, bound));
    clone.try_send('x').unwrap();
    clone.sender().to(b(0)).unwrap().try_send('y').unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 'y')));
    assert_eq!(rx.try_recv(), Ok((b(2), 'x')));
}

#[test]
fn a_band_that_is_not_there_is_refused_at_once_and_counts_no_sender() {
    let (tx, rx) = unbounded::<u8>(2);
    assert_eq!(tx.to(b(2)).unwrap_err(), NoSuchBand(()));
    assert_eq!(tx.to(b(63)).unwrap_err(), NoSuchBand(()));
    assert_eq!(rx.sender_count(), 1);
    rx.close();
    assert_eq!(tx.to(b(2)).unwrap_err(), NoSuchBand(()), "also when closed");
    assert!(tx.to(b(1)).is_ok(), "closed is said by each send");
}

#[test]
fn a_band_may_be_a_type_of_the_users_own() {
    enum Class {
        Batch,
    }
    impl From<Class> for Band {
        fn from(class: Class) -> Self {
            match class {
                Class::Batch => b(1),
            }
        }
    }
    let (tx, _rx) = unbounded::<u8>(2);
    assert_eq!(tx.to(Class::Batch).unwrap().band(), b(1));
}

#[test]
fn a_blocked_thread_is_woken_by_room() {
    ends("a blocking batch through a bound sender", || {
        let (tx, rx) = bounded(2, 2);
        let bound = tx.to(b(1)).unwrap();
        drop(tx);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                assert_eq!(bound.send_many_blocking(0..500), Ok(500));
                (500..1000).for_each(|n| bound.send_blocking(n).unwrap());
            });
            assert!(rx.iter().eq((0..1000).map(|n| (b(1), n))));
        });
    });
}
