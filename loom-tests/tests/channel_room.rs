//! Limits: never exceeded, changed while somebody waits, and who is woken under them.

use bandq::{Band, Builder, Receiver, bounded};
use loom_tests::{Bound, Seen, block_on, model};
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicIsize, AtomicUsize, Ordering},
    },
    task::{Context, Wake, Waker},
};

const LOW: Band = Band::new(1);

/// A waker that counts; keeping the books is no part of a model.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn is_woken(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// Polls a future that waits then, with that waker.
fn begin_to_wait<F: Future>(future: Pin<&mut F>, count: &Arc<Count>) {
    let waker = Waker::from(Arc::clone(count));
    let mut context = Context::from_waker(&waker);
    assert!(future.poll(&mut context).is_pending());
}

/// Two senders beside a receive: never are more units in use than the limit, and the unit that was
/// freed is taken once.
#[test]
fn limit_is_never_exceeded() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("room/limit_is_never_exceeded", 3, bound, |cast| {
        let (sender, receiver) = bounded(2, 1);
        sender.try_send(LOW, 0).unwrap();
        // Surely in use: up after a take, down before a giving back.
        let used = Arc::new(AtomicIsize::new(1));
        let send = |band: Band| {
            let (sender, used) = (sender.clone(), Arc::clone(&used));
            move || {
                let sent = sender.try_send(band, 1).is_ok();
                if sent {
                    let now = used.fetch_add(1, Ordering::SeqCst) + 1;
                    assert!(now <= 1, "{now} units of one");
                }
                sent
            }
        };
        let (a, b) = (send(Band::URGENT), send(LOW));
        let (a, b, receiver) = cast.three(a, b, move || {
            used.fetch_sub(1, Ordering::SeqCst);
            receiver.try_recv().unwrap();
            assert!(receiver.len() <= 1);
            receiver
        });
        assert!(!(a && b), "one unit, taken twice");
        assert_eq!(receiver.len(), usize::from(a || b));
        SEEN.mark(if a || b { "entered" } else { "too early" });
    });
    SEEN.expect(["entered", "too early"]);
}

/// The same of a band's capacity, while the whole has room: what the senders last saw of the other
/// side may be too old, and hides no room for ever.
#[test]
fn band_limit_is_never_exceeded() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("room/band_limit_is_never_exceeded", 3, bound, |cast| {
        let builder = Builder::new(2).capacity(2).band_capacity(LOW, 1);
        let (sender, receiver) = builder.build().unwrap();
        sender.try_send(LOW, 0).unwrap();
        let other = sender.clone();
        let used = Arc::new(AtomicIsize::new(1));
        let took = |used: &AtomicIsize| {
            let now = used.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(now <= 1, "{now} units of one");
        };
        let (used_by_a, used_by_b) = (Arc::clone(&used), Arc::clone(&used));
        let (sender, other, receiver) = cast.three(
            move || {
                if sender.try_send(LOW, 1).is_ok() {
                    took(&used_by_a);
                }
                sender
            },
            move || {
                if other.try_send(LOW, 2).is_ok() {
                    took(&used_by_b);
                }
                other
            },
            move || {
                used.fetch_sub(1, Ordering::SeqCst);
                receiver.try_recv().unwrap();
                receiver
            },
        );
        while receiver.try_recv().is_ok() {}
        assert_eq!(sender.available(), Some(2));
        assert!(other.try_send(LOW, 3).is_ok());
    });
}

/// Room that is held and given back, and a send, beside a look at the length: what is held is no
/// item.
#[test]
fn held_room_is_no_item() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("room/held_room_is_no_item", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 1);
        sender.try_send(Band::URGENT, 1).unwrap();
        let observer = sender.clone();
        let (receiver, ()) = cast.two(
            move || {
                let (band, item) = receiver.try_recv().unwrap();
                let room = receiver.hold_room(band, &item);
                assert!(sender.try_send(Band::URGENT, 2).is_err());
                drop(room);
                sender.try_send(Band::URGENT, 2).unwrap();
                receiver
            },
            move || {
                let len = observer.len();
                assert!(len <= 1, "{len} items, and there is room for one");
            },
        );
        assert_eq!(receiver.len(), 1);
    });
}

/// Room that was held for an item comes back to a sender that is about to sleep.
#[test]
fn held_room_comes_back() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("room/held_room_comes_back", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 1);
        let room = receiver.hold_room(Band::URGENT, &0);
        assert!(sender.is_full() && sender.is_empty());
        cast.two(
            move || drop(room),
            move || block_on(sender.send(Band::URGENT, 1)).unwrap(),
        );
        assert_eq!(receiver.len(), 1);
    });
}

/// Waiting senders of two bands beside freed room: both enter, and where both waited before the
/// room came, the urgent one is who is woken.
#[test]
fn urgent_one_enters() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("room/urgent_one_enters", 2, bound, |cast| {
        let (sender, receiver) = bounded(2, 1);
        sender.try_send(LOW, 0).unwrap();
        let low_sender = sender.clone();
        let count = Arc::new(Count::default());
        let mut low = pin!(low_sender.send(LOW, 1));
        begin_to_wait(low.as_mut(), &count);
        let (receiver, sender) = cast.two(
            move || {
                assert_eq!(receiver.try_recv(), Ok((LOW, 0)));
                receiver
            },
            move || {
                block_on(sender.send(Band::URGENT, 2)).unwrap();
                sender
            },
        );
        // Woken before the urgent one had announced itself, which then found the room first.
        SEEN.mark(if count.is_woken() {
            "low woken"
        } else {
            "urgent woken"
        });
        assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 2)));
        assert!(count.is_woken(), "there is room, and it sleeps");
        let mut context = Context::from_waker(Waker::noop());
        assert!(low.as_mut().poll(&mut context).is_ready());
        assert_eq!(receiver.try_recv(), Ok((LOW, 1)));
        drop(sender);
    });
    SEEN.expect(["low woken", "urgent woken"]);
}

/// A limit that is raised beside a sender that is about to sleep.
#[test]
fn limit_raised_waiting_sender() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("room/limit_raised_waiting_sender", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 1);
        sender.try_send(Band::URGENT, 1).unwrap();
        let (receiver, sender): (Receiver<_>, _) = cast.two(
            move || {
                receiver.set_capacity(2).unwrap();
                receiver
            },
            move || {
                block_on(sender.send(Band::URGENT, 2)).unwrap();
                sender
            },
        );
        assert_eq!((sender.len(), receiver.is_full()), (2, true));
    });
}

/// A limit that is lowered beside a reservation that is about to sleep, and has become too heavy.
#[test]
fn limit_lowered_waiting_reservation() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("room/limit_lowered_waiting_reservation", 2, bound, |cast| {
        let (sender, receiver) = bounded(1, 2);
        sender.try_send(Band::URGENT, 1).unwrap();
        cast.two(
            move || {
                receiver.set_capacity(1).unwrap();
                receiver
            },
            move || assert!(block_on(sender.reserve_many(Band::URGENT, 2)).is_err()),
        );
    });
}

/// The woken urgent sender is dropped while a low one waits, or begins to: that one enters.
#[test]
fn woken_urgent_sender_is_dropped() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("room/woken_urgent_sender_is_dropped", 2, bound, |cast| {
        let (sender, receiver) = bounded(2, 1);
        sender.try_send(LOW, 0).unwrap();
        let other = sender.clone();
        cast.two(
            move || {
                let mut urgent = pin!(other.reserve(Band::URGENT));
                begin_to_wait(urgent.as_mut(), &Arc::default());
                assert_eq!(receiver.try_recv(), Ok((LOW, 0)));
                receiver // outlives the future, so that no close wakes the low one
            },
            move || block_on(sender.send(LOW, 1)).unwrap(),
        );
    });
}

/// Two senders of a band were woken, one unit of its capacity is left: the second one's wake goes
/// to the low sender, who may use the room.
#[test]
fn woken_in_vain() {
    let bound = Bound::Preemptions(1).or_in_full(Bound::Preemptions(2));
    model("room/woken_in_vain", 2, bound, |cast| {
        let builder = Builder::new(2).capacity(2).band_capacity(Band::URGENT, 1);
        let (sender, receiver) = builder.build().unwrap();
        sender.try_send(LOW, 0).unwrap();
        sender.try_send(LOW, 0).unwrap();
        let other = sender.clone();
        cast.two(
            move || {
                let count = Arc::new(Count::default());
                let mut first = pin!(other.reserve(Band::URGENT));
                let mut second = pin!(other.reserve(Band::URGENT));
                begin_to_wait(first.as_mut(), &count);
                begin_to_wait(second.as_mut(), &count);
                assert!(receiver.try_recv().is_ok());
                assert!(receiver.try_recv().is_ok());
                let mut context = Context::from_waker(Waker::noop());
                // The low one may have taken one unit, and not both.
                let permit = first.as_mut().poll(&mut context);
                assert!(permit.is_ready());
                assert!(second.as_mut().poll(&mut context).is_pending());
                // Nothing is given back; the second one sleeps, and its drop wakes nobody.
                std::mem::forget(permit);
                receiver
            },
            move || {
                block_on(sender.send(LOW, 1)).unwrap();
                sender
            },
        );
    });
}

/// A sender that held a unit of its band for a moment, and gives it back because another one was
/// faster at the whole, wakes the one that saw the band at its capacity.
#[test]
fn undone_unit_wakes() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("room/undone_unit_wakes", 3, bound, |cast| {
        let builder = Builder::<u8>::new(2)
            .capacity(1)
            .band_capacity(Band::URGENT, 1);
        let (sender, receiver) = builder.build().unwrap();
        let (tries, waits) = (sender.clone(), sender.clone());
        let (sent, _, (sender, receiver)) = cast.three(
            move || tries.try_reserve(Band::URGENT).is_ok(),
            move || drop(block_on(waits.reserve(Band::URGENT)).unwrap()),
            move || {
                drop(sender.try_reserve(LOW));
                (sender, receiver)
            },
        );
        let _ = sent;
        assert_eq!(receiver.available(), Some(1));
        drop(sender);
    });
}
