//! Promise 8: bad input is an error that gives the item back, never a panic. Only constructors
//! with constant arguments panic.

mod support;

use std::cell::Cell;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use bandq::{
    Band, BandQueue, Builder, NoSuchBand, RecvError, RecvTimeoutError, SendError, SendManyError,
    SendTimeoutError, TryRecvError, TrySendError, TrySendManyError, bounded, unbounded,
};
use support::{Task, Watchdog, b};

const LONG: Duration = Duration::from_secs(600);

/// An item that can do nothing: no `Debug`, no `Clone`, no `PartialEq`.
struct Plain(u32);

#[test]
fn a_band_is_below_64() {
    for i in 0..64 {
        let band = Band::new(i);
        assert_eq!(Band::try_new(i), Some(band));
        assert_eq!(Band::try_from(i), Ok(band));
        assert_eq!(band.index(), usize::from(i));
        assert_eq!(u8::from(band), i);
        assert_eq!(format!("{band} {band:>3}"), format!("{i} {i:>3}"));
    }
    for i in 64..=255 {
        assert_eq!(Band::try_new(i), None);
        let error = Band::try_from(i).unwrap_err();
        assert!(!error.to_string().is_empty());
        assert!(panics(|| Band::new(i)));
    }
    assert_eq!(Band::URGENT, Band::new(0));
    assert!(Band::new(1) < Band::new(2));
    assert_eq!(Band::MAX_BANDS, 64);
}

fn panics<R>(f: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn constructors_panic_at_impossible_numbers_and_only_there() {
    for bands in [0, 65, 100, usize::MAX] {
        assert!(panics(|| BandQueue::<u8>::new(bands)));
        assert!(panics(|| unbounded::<u8>(bands)));
        assert!(panics(|| bounded::<u8>(bands, 1)));
    }
    assert!(panics(|| bounded::<u8>(1, 0)));
    for bands in [1, 2, 63, 64] {
        assert_eq!(BandQueue::<u8>::new(bands).bands(), bands);
        let _ = unbounded::<u8>(bands);
        let (tx, rx) = bounded::<u8>(bands, usize::MAX);
        assert_eq!(
            (tx.capacity(), rx.capacity()),
            (Some(usize::MAX), Some(usize::MAX))
        );
        tx.try_send(b(0), 1).unwrap();
    }
}

#[test]
fn the_builder_returns_errors_where_constructors_panic() {
    for bands in [0, 65, usize::MAX] {
        let error = Builder::<u8>::new(bands).build().unwrap_err();
        assert!(!error.to_string().is_empty());
        assert!(Builder::<u8>::new(bands).capacity(5).build().is_err());
    }
    let error = Builder::<u8>::new(1).capacity(0).build().unwrap_err();
    assert_ne!(error, Builder::<u8>::new(0).build().unwrap_err());
    let (tx, _rx) = Builder::<u8>::new(64).build().unwrap();
    assert_eq!(tx.capacity(), None);
    let (tx, _rx) = Builder::<u8>::new(1).capacity(3).build().unwrap();
    assert_eq!(tx.capacity(), Some(3));
}

/// Every way to send, into a band the channel does not have; each must give item 7 back.
fn send_everywhere_to_no_band(tx: &bandq::Sender<Plain>, band: Band) {
    let item = || Plain(7);
    let late = Instant::now() + LONG;
    let seven = |plain: Plain| assert_eq!(plain.0, 7);
    match tx.try_send(band, item()) {
        Err(TrySendError::NoSuchBand(plain)) => seven(plain),
        other => panic!("{other:?}"),
    }
    match tx.send_blocking(band, item()) {
        Err(SendError::NoSuchBand(plain)) => seven(plain),
        other => panic!("{other:?}"),
    }
    match tx.send_timeout(band, item(), LONG) {
        Err(SendTimeoutError::NoSuchBand(plain)) => seven(plain),
        other => panic!("{other:?}"),
    }
    match tx.send_deadline(band, item(), late) {
        Err(SendTimeoutError::NoSuchBand(plain)) => seven(plain),
        other => panic!("{other:?}"),
    }
    match Task::new(tx.send(band, item())).ready() {
        Err(SendError::NoSuchBand(plain)) => seven(plain),
        other => panic!("{other:?}"),
    }
    match tx.try_reserve(band) {
        Err(TrySendError::NoSuchBand(())) => {}
        other => panic!("{other:?}"),
    }
    match Task::new(tx.reserve(band)).ready() {
        Err(SendError::NoSuchBand(())) => {}
        other => panic!("{other:?}"),
    }
    let mut items = (7..10).map(Plain);
    match Task::new(tx.send_many(band, &mut items)).ready() {
        Err(SendManyError {
            sent: 0,
            error: SendError::NoSuchBand(plain),
        }) => seven(plain),
        other => panic!("{other:?}"),
    }
    assert_eq!(items.map(|plain| plain.0).collect::<Vec<_>>(), [8, 9]);
}

#[test]
fn no_such_band_wins_over_full_and_closed() {
    let (tx, rx) = bounded(3, 1);
    for band in [b(3), b(63)] {
        send_everywhere_to_no_band(&tx, band);
        assert_eq!(tx.band_len(band), 0);
        assert_eq!(rx.band_len(band), 0);
    }
    assert!(tx.try_send(b(2), Plain(1)).is_ok());
    assert!(tx.is_full());
    send_everywhere_to_no_band(&tx, b(3));
    rx.close();
    send_everywhere_to_no_band(&tx, b(3));
    assert_eq!(rx.len(), 1);
    drop(rx);
    send_everywhere_to_no_band(&tx, b(3));
}

#[test]
fn the_queue_gives_back_what_has_no_band() {
    let queue = BandQueue::new(2);
    match queue.push(b(2), Plain(3)) {
        Err(NoSuchBand(plain)) => assert_eq!(plain.0, 3),
        Ok(()) => panic!(),
    }
    let mut items = (0..5).map(Plain);
    assert_eq!(queue.push_many(b(2), &mut items), Err(NoSuchBand(())));
    assert_eq!(items.count(), 5, "items were taken out of the iterator");
    assert_eq!(queue.band_len(b(2)), 0);
    assert!(queue.is_empty());
}

#[test]
fn a_limit_of_0_receives_nothing_and_does_not_wait() {
    let (tx, rx) = unbounded(1);
    let mut buffer = Vec::new();
    assert_eq!(Task::new(rx.recv_many(&mut buffer, 0)).ready(), 0);
    tx.try_send(b(0), 1).unwrap();
    assert_eq!(Task::new(rx.recv_many(&mut buffer, 0)).ready(), 0);
    let _ = rx.try_recv_many(&mut buffer, 0);
    let queue = BandQueue::new(1);
    queue.push(b(0), 1).unwrap();
    assert_eq!(queue.pop_many(&mut buffer, 0), 0);
    assert!(buffer.is_empty());
    assert_eq!((rx.len(), queue.len()), (1, 1));
}

#[test]
fn empty_batches_are_fine() {
    let (tx, rx) = bounded::<u8>(1, 1);
    assert_eq!(Task::new(tx.send_many(b(0), [])).ready(), Ok(0));
    tx.try_send(b(0), 1).unwrap();
    assert_eq!(Task::new(tx.send_many(b(0), [])).ready(), Ok(0));
    assert_eq!(rx.len(), 1);
    assert_eq!(BandQueue::<u8>::new(1).push_many(b(0), []), Ok(0));
}

/// An iterator whose `size_hint` lies.
struct Liar(u32, (usize, Option<usize>));

impl Iterator for Liar {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0 = self.0.checked_sub(1)?;
        Some(self.0)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.1
    }
}

#[test]
fn a_size_hint_that_lies_does_no_harm() {
    for hint in [
        (0, Some(0)),
        (usize::MAX, None),
        (5, Some(5)),
        (1_000, Some(2_000)),
    ] {
        let queue = BandQueue::new(1);
        assert_eq!(queue.push_many(b(0), Liar(300, hint)), Ok(300));
        assert_eq!(queue.len(), 300);
        let (tx, rx) = unbounded(1);
        assert_eq!(
            Task::new(tx.send_many(b(0), Liar(300, hint))).ready(),
            Ok(300)
        );
        assert_eq!(rx.len(), 300);
        let (tx, rx) = bounded(1, 7);
        drop(Task::waiting(tx.send_many(b(0), Liar(300, hint))));
        assert_eq!(rx.len(), 7);
        let got: Vec<_> = rx.try_iter().map(|(_, n)| n).collect();
        assert_eq!(got, (293..300).rev().collect::<Vec<_>>());
    }
}

#[test]
fn an_iterator_is_not_asked_again_after_its_end() {
    struct Once(Cell<bool>);
    impl Iterator for Once {
        type Item = u32;
        fn next(&mut self) -> Option<u32> {
            assert!(!self.0.replace(true), "asked again after the end");
            None
        }
    }
    let (tx, rx) = unbounded(1);
    assert_eq!(
        Task::new(tx.send_many(b(0), Once(Cell::new(false)))).ready(),
        Ok(0)
    );
    assert!(rx.is_empty());
    assert_eq!(
        BandQueue::new(1).push_many(b(0), Once(Cell::new(false))),
        Ok(0)
    );
}

#[test]
fn extreme_times_are_no_trouble() {
    let _watchdog = Watchdog::new("extreme_times_are_no_trouble");
    let (tx, rx) = bounded(1, 1);
    let now = Instant::now();
    let past = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
    assert_eq!(
        rx.recv_timeout(Duration::ZERO),
        Err(RecvTimeoutError::Timeout)
    );
    assert_eq!(rx.recv_deadline(past), Err(RecvTimeoutError::Timeout));
    assert_eq!(tx.send_timeout(b(0), 1, Duration::ZERO), Ok(()));
    let full = tx.send_timeout(b(0), 2, Duration::ZERO);
    assert_eq!(full, Err(SendTimeoutError::Timeout(2)));
    let full = tx.send_deadline(b(0), 2, past);
    assert_eq!(full, Err(SendTimeoutError::Timeout(2)));
    // What is there is taken even if the time is over.
    assert_eq!(rx.recv_deadline(past), Ok((b(0), 1)));
    assert_eq!(tx.send_deadline(b(0), 3, past), Ok(()));
    assert_eq!(rx.recv_timeout(Duration::ZERO), Ok((b(0), 3)));
    // For ever.
    assert_eq!(tx.send_timeout(b(0), 4, Duration::MAX), Ok(()));
    assert_eq!(rx.recv_timeout(Duration::MAX), Ok((b(0), 4)));
    std::thread::scope(|s| {
        let receiver = s.spawn(|| {
            let first = rx.recv_timeout(Duration::MAX);
            (first, rx.recv_timeout(Duration::MAX))
        });
        tx.send_timeout(b(0), 5, Duration::MAX).unwrap();
        tx.send_timeout(b(0), 6, Duration::MAX).unwrap();
        assert_eq!(receiver.join().unwrap(), (Ok((b(0), 5)), Ok((b(0), 6))));
    });
    rx.close();
    assert_eq!(
        rx.recv_timeout(Duration::ZERO),
        Err(RecvTimeoutError::Closed)
    );
    assert_eq!(
        rx.recv_timeout(Duration::MAX),
        Err(RecvTimeoutError::Closed)
    );
    assert_eq!(rx.recv_deadline(past), Err(RecvTimeoutError::Closed));
    let closed = tx.send_timeout(b(0), 7, Duration::ZERO);
    assert_eq!(closed, Err(SendTimeoutError::Closed(7)));
}

/// A band of the user's own.
#[derive(Clone, Copy)]
enum Class {
    Live,
    Batch,
}

impl From<Class> for Band {
    fn from(class: Class) -> Band {
        match class {
            Class::Live => Band::URGENT,
            Class::Batch => Band::new(5),
        }
    }
}

#[test]
fn a_users_own_class_is_a_band_too() {
    let (tx, rx) = unbounded(6);
    tx.try_send(Class::Batch, 1).unwrap();
    tx.send_blocking(Class::Live, 2).unwrap();
    assert_eq!(tx.band_len(Class::Batch), 1);
    assert_eq!(rx.try_recv(), Ok((Class::Live.into(), 2)));
    let (tx, _rx) = unbounded(5);
    let error = tx.try_send(Class::Batch, 3).unwrap_err();
    assert!(matches!(error, TrySendError::NoSuchBand(3)));
}

fn check_error<E: Error>(error: &E) -> String {
    let display = error.to_string();
    assert!(!display.is_empty());
    assert!(!display.contains("secret"));
    assert!(!format!("{error:?}").is_empty());
    assert!(!format!("{error:?}").contains("secret"));
    assert!(error.source().is_none());
    display
}

#[test]
fn errors_print_without_debug_of_the_item() {
    let mut texts = vec![
        check_error(&SendError::Closed(Plain(0))),
        check_error(&SendError::NoSuchBand(Plain(0))),
        check_error(&TrySendError::Full(Plain(0))),
        check_error(&SendTimeoutError::Timeout(Plain(0))),
    ];
    assert_eq!(check_error(&TrySendError::Closed(Plain(0))), texts[0]);
    assert_eq!(check_error(&TrySendError::NoSuchBand(Plain(0))), texts[1]);
    assert_eq!(check_error(&SendTimeoutError::Closed(Plain(0))), texts[0]);
    assert_eq!(
        check_error(&SendTimeoutError::NoSuchBand(Plain(0))),
        texts[1]
    );
    check_error(&NoSuchBand(Plain(0)));
    check_error(&SendManyError {
        sent: 3,
        error: SendError::Closed(Plain(0)),
    });
    check_error(&RecvError);
    check_error(&TryRecvError::Empty);
    check_error(&TryRecvError::Closed);
    check_error(&RecvTimeoutError::Timeout);
    check_error(&RecvTimeoutError::Closed);
    check_error(&Builder::<u8>::new(0).build().unwrap_err());
    check_error(&Builder::<u8>::new(1).capacity(0).build().unwrap_err());
    check_error(&Band::try_from(64).unwrap_err());
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 4, "different errors read differently");
    // The item may be secret.
    check_error(&SendError::Closed("secret"));
    check_error(&TrySendError::Full("secret"));
    check_error(&SendTimeoutError::Timeout("secret"));
    check_error(&NoSuchBand("secret"));
}

#[test]
fn errors_say_what_they_are_and_give_the_item_back() {
    assert_eq!(SendError::Closed(1).into_inner(), 1);
    assert_eq!(SendError::NoSuchBand(2).into_inner(), 2);
    assert!(SendError::Closed(1).is_closed());
    assert!(!SendError::NoSuchBand(1).is_closed());

    assert_eq!(TrySendError::Full(1).into_inner(), 1);
    assert_eq!(TrySendError::Closed(2).into_inner(), 2);
    assert_eq!(TrySendError::NoSuchBand(3).into_inner(), 3);
    assert!(TrySendError::Full(1).is_full() && !TrySendError::Full(1).is_closed());
    assert!(TrySendError::Closed(1).is_closed() && !TrySendError::Closed(1).is_full());
    assert!(!TrySendError::NoSuchBand(1).is_full() && !TrySendError::NoSuchBand(1).is_closed());

    assert_eq!(SendTimeoutError::Timeout(1).into_inner(), 1);
    assert_eq!(SendTimeoutError::Closed(2).into_inner(), 2);
    assert_eq!(SendTimeoutError::NoSuchBand(3).into_inner(), 3);
    assert!(SendTimeoutError::Timeout(1).is_timeout());
    assert!(!SendTimeoutError::Closed(1).is_timeout());
    assert!(SendTimeoutError::Closed(1).is_closed());
    assert!(!SendTimeoutError::NoSuchBand(1).is_closed());
    assert!(!SendTimeoutError::NoSuchBand(1).is_timeout());

    assert_eq!(NoSuchBand(4).into_inner(), 4);

    for error in [
        TrySendError::Full(1),
        TrySendError::Closed(1),
        TrySendError::NoSuchBand(1),
    ] {
        let (full, closed) = (error.is_full(), error.is_closed());
        let many = TrySendManyError { sent: 7, error };
        assert_eq!((many.is_full(), many.is_closed()), (full, closed));
        assert_eq!(many.into_inner(), 1);
    }

    assert!(TryRecvError::Empty.is_empty() && !TryRecvError::Empty.is_closed());
    assert!(TryRecvError::Closed.is_closed() && !TryRecvError::Closed.is_empty());
    assert!(RecvTimeoutError::Timeout.is_timeout() && !RecvTimeoutError::Timeout.is_closed());
    assert!(RecvTimeoutError::Closed.is_closed() && !RecvTimeoutError::Closed.is_timeout());
}

#[test]
fn errors_compare_and_clone_where_the_item_does() {
    let error = TrySendError::Full(String::from("a"));
    assert_eq!(error.clone(), error);
    assert_ne!(error, TrySendError::Closed(String::from("a")));
    assert_ne!(error, TrySendError::Full(String::from("b")));
    let error = SendManyError {
        sent: 2,
        error: SendError::Closed(String::from("a")),
    };
    assert_eq!(error.clone(), error);
    let (a, b) = (TryRecvError::Empty, TryRecvError::Empty);
    assert_eq!(a, b);
    assert_ne!(a, TryRecvError::Closed);
    assert_ne!(RecvTimeoutError::Timeout, RecvTimeoutError::Closed);
    assert_eq!(RecvError, RecvError);
}

#[test]
fn everything_prints_with_debug_and_never_shows_an_item() {
    let (tx, mut rx) = bounded::<&str>(2, 3);
    tx.try_send(b(0), "secret").unwrap();
    let permit = tx.try_reserve(b(1)).unwrap();
    let mut buffer = Vec::new();
    let queue = BandQueue::new(1);
    queue.push(b(0), "secret").unwrap();
    let mut texts = vec![
        format!("{tx:?}"),
        format!("{rx:?}"),
        format!("{:?}", tx.downgrade()),
        format!("{:?}", rx.downgrade()),
        format!("{permit:?}"),
        format!("{queue:?}"),
        format!("{:?}", Builder::<&str>::new(3).capacity(3)),
        format!("{:?}", tx.send(b(0), "secret")),
        format!("{:?}", tx.send_many(b(0), [])),
        format!("{:?}", tx.reserve(b(0))),
        format!("{:?}", tx.closed()),
        format!("{:?}", rx.recv()),
        format!("{:?}", rx.recv_many(&mut buffer, 3)),
        format!("{:?}", rx.closed()),
        format!("{:?}", rx.try_iter()),
        format!("{:?}", rx.drain()),
        format!("{:?}", b(7)),
    ];
    let (waker, _) = support::counting_waker();
    let _ = support::hand::poll_stream(&mut rx, &waker);
    let _ = support::hand::poll_stream(&mut rx, &waker);
    texts.push(format!("{rx:?}"));
    rx.close();
    texts.push(format!("{rx:?} {tx:?}"));
    for text in texts {
        assert!(!text.is_empty());
        assert!(!text.contains("secret"), "{text}");
    }
}
