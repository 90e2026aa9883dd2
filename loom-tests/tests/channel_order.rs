//! Order between the two sides: what one did before is seen by the other after.

use bandq::{Band, TryRecvError, TrySendError, bounded, unbounded};
use loom_tests::{
    Bound, Seen, model,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// What happened before a receive has happened for whoever then takes its room.
#[test]
fn recv_before_its_room_is_taken() {
    static SEEN: Seen = Seen::new();
    model(
        "order/recv_before_its_room_is_taken",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (sender, receiver) = bounded(1, 1);
            sender.try_send(Band::URGENT, 1).unwrap();
            let noted = Arc::new(AtomicBool::new(false));
            let note = Arc::clone(&noted);
            cast.two(
                move || {
                    note.store(true, Relaxed);
                    assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 1)));
                    receiver
                },
                // Not a send: in the model there is a fence in it.
                move || match sender.try_reserve(Band::URGENT) {
                    Ok(_) => {
                        SEEN.mark("room");
                        assert!(noted.load(Relaxed));
                    }
                    Err(error) => {
                        SEEN.mark("full");
                        assert_eq!(error, TrySendError::Full(()));
                    }
                },
            );
        },
    );
    SEEN.expect(["room", "full"]);
}

/// What happened before a receive has happened also for whoever takes its room because another
/// sender saw it and left word.
#[test]
fn recv_before_room_that_another_saw() {
    static SEEN: Seen = Seen::new();
    model(
        "order/recv_before_room_that_another_saw",
        3,
        Bound::Preemptions(2).or_in_full(Bound::Preemptions(3)),
        |cast| {
            let (sender, receiver) = bounded::<()>(1, 2);
            let (one, other) = (sender.clone(), sender.clone());
            sender.try_send(Band::URGENT, ()).unwrap();
            sender.try_send(Band::URGENT, ()).unwrap();
            let noted = Arc::new(AtomicBool::new(false));
            let note = Arc::clone(&noted);
            // Each sender keeps its permit, so that the other one does not get its room.
            let (_, first, second) = cast.three(
                move || {
                    note.store(true, Relaxed);
                    assert_eq!(receiver.try_recv_many(&mut Vec::new(), 2), Ok(2));
                    receiver
                },
                move || one.try_reserve(Band::URGENT).map(std::mem::forget).is_ok(),
                move || {
                    let permit = other.try_reserve(Band::URGENT);
                    let is_there = permit.map(std::mem::forget).is_ok();
                    assert!(noted.load(Relaxed) || !is_there);
                    is_there
                },
            );
            SEEN.mark(match (first, second) {
                (true, true) => "both",
                (false, false) => "full",
                _ => "one",
            });
        },
    );
    SEEN.expect(["both", "one", "full"]);
}

/// What happened before a permit was dropped has happened for whoever then takes its room.
#[test]
fn permit_drop_before_its_room_is_taken() {
    static SEEN: Seen = Seen::new();
    model(
        "order/permit_drop_before_its_room_is_taken",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (sender, _receiver) = bounded::<()>(1, 1);
            let other = sender.clone();
            let notes = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
            let noted = Arc::clone(&notes);
            cast.two(
                move || {
                    if let Ok(permit) = sender.try_reserve(Band::URGENT) {
                        notes[0].store(true, Relaxed);
                        notes[1].store(true, Relaxed);
                        drop(permit);
                    }
                },
                // Keeps its permit, so that the other one cannot get its own after this.
                move || match other.try_reserve(Band::URGENT) {
                    Ok(_permit) if noted[0].load(Relaxed) => {
                        SEEN.mark("after");
                        assert!(noted[1].load(Relaxed));
                    }
                    Ok(_permit) => SEEN.mark("before"),
                    Err(error) => {
                        SEEN.mark("full");
                        assert_eq!(error, TrySendError::Full(()));
                    }
                },
            );
        },
    );
    SEEN.expect(["before", "after", "full"]);
}

/// What happened before any sender was dropped has happened for a receive that says `Closed`.
#[test]
fn senders_drop_before_closed() {
    static SEEN: Seen = Seen::new();
    model(
        "order/senders_drop_before_closed",
        3,
        Bound::Preemptions(2).or_in_full(Bound::Preemptions(3)),
        |cast| {
            let (sender, receiver) = unbounded::<()>(1);
            let other = sender.clone();
            let noted = Arc::new(AtomicBool::new(false));
            let note = Arc::clone(&noted);
            cast.three(
                move || {
                    note.store(true, Relaxed);
                    drop(sender);
                },
                move || drop(other),
                move || match receiver.try_recv() {
                    Err(TryRecvError::Closed) => {
                        SEEN.mark("closed");
                        assert!(noted.load(Relaxed));
                    }
                    other => {
                        SEEN.mark("open");
                        assert_eq!(other, Err(TryRecvError::Empty));
                    }
                },
            );
        },
    );
    SEEN.expect(["closed", "open"]);
}

/// What happened before any receiver was dropped has happened for whoever sees it closed.
#[test]
fn receivers_drop_before_closed() {
    static SEEN: Seen = Seen::new();
    model(
        "order/receivers_drop_before_closed",
        3,
        Bound::Preemptions(2).or_in_full(Bound::Preemptions(3)),
        |cast| {
            let (sender, receiver) = unbounded::<()>(1);
            let other = receiver.clone();
            let noted = Arc::new(AtomicBool::new(false));
            let note = Arc::clone(&noted);
            cast.three(
                move || {
                    note.store(true, Relaxed);
                    drop(receiver);
                },
                move || drop(other),
                // Not by a send: in the model there is a fence in it.
                move || {
                    if sender.is_closed() {
                        SEEN.mark("closed");
                        assert!(noted.load(Relaxed));
                    } else {
                        SEEN.mark("open");
                    }
                    sender
                },
            );
        },
    );
    SEEN.expect(["closed", "open"]);
}

/// What happened before a close has happened for whoever then sees the channel closed.
#[test]
fn close_before_is_closed() {
    static SEEN: Seen = Seen::new();
    model(
        "order/close_before_is_closed",
        2,
        Bound::Preemptions(4),
        |cast| {
            let (sender, receiver) = unbounded::<()>(1);
            let noted = Arc::new(AtomicBool::new(false));
            let note = Arc::clone(&noted);
            cast.two(
                move || {
                    note.store(true, Relaxed);
                    assert!(receiver.close());
                    receiver
                },
                move || {
                    if sender.is_closed() {
                        SEEN.mark("closed");
                        assert!(noted.load(Relaxed));
                    } else {
                        SEEN.mark("open");
                    }
                    sender
                },
            );
        },
    );
    SEEN.expect(["closed", "open"]);
}
