//! The cell in which a waiter keeps its task's waker: the waker is woken or dropped, once, outside
//! of `event-listener`'s mutex, and it is the one of the last poll.
//!
//! A lost wake shows as a deadlock, and so does foreign code under a lock. The wakers keep books in
//! plain atomics, which are no part of a model.

use bandq::{Band, Receiver, unbounded};
use loom_tests::{
    Bound, Seen, block_on, model,
    shelf::{Place, Shelf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, atomic},
    task::{Context, Wake, Waker},
};

/// A waker that counts its wakes, and notes where they ran.
#[derive(Default)]
struct Count {
    wakes: atomic::AtomicUsize,
    threads: Mutex<Vec<thread::ThreadId>>,
}

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::<Self>::default();
        let waker = Waker::from(Arc::clone(&count));
        (count, waker)
    }

    fn get(&self) -> usize {
        self.wakes.load(atomic::Ordering::Relaxed)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, atomic::Ordering::Relaxed);
        self.threads.lock().unwrap().push(thread::current().id());
    }
}

/// A task that waits with one waker is polled with another one beside the wake: whatever waker was
/// in the cell, it does not sleep on. The first waker is dropped, or woken once and dropped.
#[test]
fn wake_and_poll_with_another_waker() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("wakes/wake_and_poll_with_another_waker", 2, bound, |cast| {
        let shelf = Shelf::new();
        let (count, waker) = Count::new();
        let mut place = shelf.begin_to_wait_with(&waker);
        drop(waker);
        let (producer, task) = (Arc::clone(&shelf), Arc::clone(&shelf));
        let ((), place) = cast.two(
            move || producer.put(1),
            move || {
                task.go_on_in(&mut place);
                place
            },
        );
        SEEN.mark(match count.get() {
            0 => "the second",
            1 => "the first",
            wakes => panic!("woken {wakes} times"),
        });
        assert_eq!(
            Arc::strong_count(&count),
            1,
            "a waker that is still somewhere"
        );
        assert_eq!(shelf.left(), 0);
        drop(place);
    });
    SEEN.expect(["the first", "the second"]);
}

/// The same with a close, which wakes everybody, and a thread that waits as well.
#[test]
fn close_and_poll_with_another_waker() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model(
        "wakes/close_and_poll_with_another_waker",
        3,
        bound,
        |cast| {
            let shelf = Shelf::new();
            let closed = Arc::new(AtomicBool::new(false));
            let (count, waker) = Count::new();
            let mut place = shelf.begin_to_wait_with(&waker);
            drop(waker);
            let look = |closed: &Arc<AtomicBool>| {
                let closed = Arc::clone(closed);
                move || closed.load(Ordering::Acquire).then_some(())
            };
            let (in_task, in_thread) = (look(&closed), look(&closed));
            let (closing, waiting) = (Arc::clone(&shelf), Arc::clone(&shelf));
            let (place, (), ()) = cast.three(
                move || {
                    block_on(std::future::poll_fn(|context| {
                        place.poll(context, &in_task)
                    }));
                    place
                },
                move || waiting.event.block(in_thread),
                move || {
                    closed.swap(true, Ordering::SeqCst);
                    closing.event.notify_all();
                },
            );
            assert!(count.get() <= 1);
            assert_eq!(Arc::strong_count(&count), 1);
            drop(place);
        },
    );
}

/// A wait ends beside the wake: its waker is dropped, or woken once and dropped, and never both; it
/// is nowhere afterwards.
#[test]
fn wake_and_drop() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("wakes/wake_and_drop", 2, bound, |cast| {
        let shelf = Shelf::new();
        let (count, waker) = Count::new();
        let place = shelf.begin_to_wait_with(&waker);
        drop(waker);
        let producer = Arc::clone(&shelf);
        cast.two(move || producer.put(1), move || drop(place));
        SEEN.mark(match count.get() {
            0 => "dropped",
            1 => "woken",
            wakes => panic!("woken {wakes} times"),
        });
        assert_eq!(
            Arc::strong_count(&count),
            1,
            "a waker that is still somewhere"
        );
    });
    SEEN.expect(["dropped", "woken"]);
}

/// Two notifiers and two waiters: each is woken once, and each notifier wakes the one that it has
/// marked, so that a notifier that is stopped holds back its own wakes only.
#[test]
fn two_notifiers_wake_one_each() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(5));
    model("wakes/two_notifiers_wake_one_each", 2, bound, |cast| {
        let shelf = Shelf::new();
        let counts = [Count::new(), Count::new()];
        let places = [0, 1].map(|n| shelf.begin_to_wait_with(&counts[n].1));
        let (one, other) = (Arc::clone(&shelf), Arc::clone(&shelf));
        let (a, b) = cast.two(
            move || {
                one.put(1);
                thread::current().id()
            },
            move || {
                other.put(1);
                thread::current().id()
            },
        );
        let mut woken_on = Vec::new();
        for (count, _) in &counts {
            assert_eq!(count.get(), 1);
            woken_on.extend(count.threads.lock().unwrap().iter().copied());
        }
        assert!(woken_on.contains(&a) && woken_on.contains(&b));
        drop(places);
    });
}

/// The last waker owns the place that waits (its executor is gone): the notifier that drops the
/// waker drops the place, which passes its wake on, all of it outside of the mutex.
#[test]
fn the_waker_owns_the_place() {
    struct Owner(Mutex<Option<Place>>);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(4));
    model("wakes/the_waker_owns_the_place", 2, bound, |cast| {
        let shelf = Shelf::new();
        let owner = Arc::new(Owner(Mutex::new(None)));
        let waker = Waker::from(Arc::clone(&owner));
        let place = shelf.begin_to_wait_with(&waker);
        *owner.0.lock().unwrap() = Some(place);
        drop((owner, waker));
        let (producer, thread) = (Arc::clone(&shelf), Arc::clone(&shelf));
        cast.two(move || producer.put(1), move || thread.take_blocking());
        assert_eq!(shelf.left(), 0);
    });
}

/// The same with a channel: the waker owns its receiver, too. A close by the last sender ends it.
#[test]
fn the_waker_owns_a_receiver() {
    struct Owner(Mutex<Option<Receiver<i32>>>);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("wakes/the_waker_owns_a_receiver", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let owner = Arc::new(Owner(Mutex::new(None)));
        let waker = Waker::from(Arc::clone(&owner));
        let mut stream = receiver.clone();
        let mut context = Context::from_waker(&waker);
        assert!(
            futures_core::Stream::poll_next(std::pin::Pin::new(&mut stream), &mut context)
                .is_pending()
        );
        *owner.0.lock().unwrap() = Some(stream);
        drop((owner, waker));
        let other = sender.clone();
        cast.two(
            move || drop(sender),
            move || {
                let _ = other.try_send(Band::URGENT, 1);
                drop(other);
            },
        );
        assert_eq!(
            receiver.receiver_count(),
            1,
            "the stream went with its waker"
        );
    });
}

/// A receive that is woken inside of another receive's poll: it passes on its wake where it has
/// found an item by itself, and nobody is left asleep.
#[test]
fn passed_on_in_a_poll() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("wakes/passed_on_in_a_poll", 2, bound, |cast| {
        let (sender, receiver) = unbounded(1);
        let other = receiver.clone();
        cast.two(
            move || {
                let mut first = pin!(other.recv());
                let mut context = Context::from_waker(Waker::noop());
                let early = first.as_mut().poll(&mut context).is_ready();
                sender.try_send(Band::URGENT, 1).unwrap();
                if !early {
                    let _ = first.as_mut().poll(&mut context);
                }
                sender.try_send(Band::URGENT, 2).unwrap();
                sender // outlives the receives, so that no close wakes them
            },
            move || assert!(block_on(receiver.recv()).is_ok()),
        );
    });
}
