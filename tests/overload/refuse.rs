//! What would be too late is refused, where the builder says so, and nothing else is.

use std::time::Duration;

use bandq::{Builder, Receiver, Sender, TrySendError};

use crate::support::b;

/// A channel that has seen how fast it goes, with 50 items of band 0. Those of band 1 live for a
/// nanosecond, those of band 2 for an hour, and those of band 0 for good.
fn channel(refuses: bool) -> (Sender<u8>, Receiver<u8>) {
    let builder = Builder::new(3).ttl(b(1), Duration::from_nanos(1));
    let builder = builder.ttl(b(2), Duration::from_secs(3_600));
    let builder = if refuses {
        builder.refuse_late()
    } else {
        builder
    };
    let (tx, rx) = builder.build().unwrap();
    tx.try_send_many(b(0), [0; 100]).unwrap();
    assert_eq!(rx.try_iter().take(50).count(), 50);
    (tx, rx)
}

#[test]
fn an_item_whose_life_is_shorter_than_its_wait_is_refused_and_no_other() {
    let (tx, rx) = channel(true);
    assert!(tx.estimate(b(1)).wait.unwrap() > Duration::from_nanos(1));
    assert_eq!(tx.try_send(b(1), 1), Err(TrySendError::Late(1)));
    assert_eq!(tx.try_send(b(2), 2), Ok(()));
    assert_eq!(tx.try_send(b(0), 0), Ok(()));
    assert_eq!(rx.try_iter().count(), 52);
    assert_eq!(tx.try_send(b(1), 1), Ok(()), "nothing is ahead");
}

#[test]
fn it_is_not_refused_where_the_builder_does_not_say_so() {
    let (tx, _rx) = channel(false);
    assert!(tx.estimate(b(1)).wait.is_some());
    assert_eq!(tx.try_send(b(1), 1), Ok(()));
}

#[test]
fn a_closed_channel_is_closed_for_what_would_be_late_too() {
    let (tx, _rx) = channel(true);
    tx.close();
    assert_eq!(tx.try_send(b(1), 1), Err(TrySendError::Closed(1)));
}

#[test]
fn a_wait_is_not_known_where_nothing_has_a_life() {
    let builder = Builder::new(1).weigher(|_: &u8| 1);
    let (tx, rx) = builder.build().unwrap();
    tx.try_send_many(b(0), [0; 100]).unwrap();
    assert_eq!(rx.try_iter().take(50).count(), 50);
    let estimate = tx.estimate(b(0));
    assert_eq!((estimate.ahead, estimate.wait), (50, None));
    assert_eq!(tx.estimate(b(1)).ahead, 0, "no such band");
}
