//! Wakers that use their channel in each of their duties: in `wake`, in the `drop` of one that is
//! replaced or left behind, and in `clone`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bandq::{Receiver, Sender, bounded};

use crate::support::hand::poll_stream;
use crate::support::waker::waker;
use crate::support::{Case, Task, all_end, b, counting_waker};
use crate::waits::{FOR_ITEMS, FOR_ROOM, Wait, closed_of_receiver, closed_of_sender};

type Act = fn(&Sender<u32>, &Receiver<u32>);

const ACTS: [(&str, Act); 11] = [
    ("looks", |tx, rx| {
        let _ = (tx.len(), rx.is_empty(), tx.is_full(), rx.is_closed());
        let _ = (tx.sender_count(), rx.capacity(), tx.band_len(b(0)));
    }),
    ("clones handles", |tx, rx| {
        drop((tx.clone(), rx.clone(), tx.downgrade(), rx.downgrade()));
    }),
    ("sends", |tx, _| {
        let _ = tx.try_send(b(1), 7);
    }),
    ("receives", |_, rx| {
        let _ = rx.try_recv();
    }),
    ("drains", |_, rx| {
        let _ = rx.drain().count();
    }),
    ("waits to send", |tx, _| {
        let _ = Task::new(tx.send(b(1), 8)).poll();
    }),
    ("waits to receive", |_, rx| {
        let _ = Task::new(rx.recv()).poll();
    }),
    ("polls a stream", |_, rx| {
        let _ = poll_stream(&mut rx.clone(), Waker::noop());
    }),
    ("waits for the close", |tx, rx| {
        let _ = Task::new(tx.closed()).poll();
        let _ = Task::new(rx.closed()).poll();
    }),
    ("reserves", |tx, _| drop(tx.try_reserve(b(0)))),
    ("closes", |tx, _| {
        tx.close();
    }),
];

/// What a waiter waits for.
#[derive(Clone, Copy, PartialEq)]
enum For {
    Item,
    Room,
    Close,
}

impl For {
    fn is_there(self, tx: &Sender<u32>, rx: &Receiver<u32>) -> bool {
        match self {
            For::Item => !rx.is_empty() || rx.is_closed(),
            For::Room => !tx.is_full() || tx.is_closed(),
            For::Close => tx.is_closed(),
        }
    }

    /// Makes it come.
    fn bring(self, tx: &Sender<u32>, rx: &Receiver<u32>) {
        match self {
            For::Item => tx.try_send(b(0), 1).unwrap(),
            For::Room => drop(rx.try_recv().unwrap()),
            For::Close => assert!(tx.close()),
        }
    }
}

type Make = Arc<dyn Fn(&Sender<u32>, &Receiver<u32>) -> Wait + Send + Sync>;

/// Every way to wait.
fn waiters() -> Vec<(&'static str, For, Make)> {
    let mut all: Vec<(&'static str, For, Make)> = Vec::new();
    for (name, wait) in FOR_ITEMS {
        all.push((name, For::Item, Arc::new(move |_, rx| wait(rx.clone()))));
    }
    for (name, wait) in FOR_ROOM {
        all.push((name, For::Room, Arc::new(move |tx, _| wait(tx.clone()))));
    }
    let of_sender: Make = Arc::new(|tx, _| closed_of_sender(tx.clone()));
    let of_receiver: Make = Arc::new(|_, rx| closed_of_receiver(rx.clone()));
    all.push(("Sender::closed", For::Close, of_sender));
    all.push(("Receiver::closed", For::Close, of_receiver));
    all
}

/// The duty in which a waker acts.
#[derive(Clone, Copy)]
enum Duty {
    Wake,
    Drop,
    Clone,
}

/// A channel, one who waits there, and a waker that acts once, as soon as it is armed.
struct Scene {
    tx: Sender<u32>,
    rx: Receiver<u32>,
    wait: Wait,
    aim: For,
    armed: Arc<AtomicBool>,
    acts: Arc<AtomicUsize>,
    wakes: Arc<AtomicUsize>,
    acting: Waker,
}

impl Scene {
    fn new(aim: For, make: &Make, duty: Duty, act: Act) -> Self {
        let (tx, rx) = bounded(2, 2);
        if aim == For::Room {
            tx.try_send(b(0), 0).unwrap();
            tx.try_send(b(1), 0).unwrap();
        }
        let armed = Arc::new(AtomicBool::new(false));
        let acts = Arc::new(AtomicUsize::new(0));
        let wakes = Arc::new(AtomicUsize::new(0));
        let acting = {
            let (tx, rx, armed) = (tx.clone(), rx.clone(), armed.clone());
            let (acts, wakes) = (acts.clone(), wakes.clone());
            let hook = move || {
                if armed.swap(false, Ordering::SeqCst) {
                    act(&tx, &rx);
                    acts.fetch_add(1, Ordering::SeqCst);
                }
            };
            waker(|hooks| match duty {
                Duty::Wake => {
                    hooks.wake = Box::new(move || {
                        wakes.fetch_add(1, Ordering::SeqCst);
                        hook();
                    });
                }
                Duty::Drop => hooks.drop = Box::new(hook),
                Duty::Clone => {
                    hooks.clone = Box::new(hook);
                    hooks.wake = Box::new(move || {
                        wakes.fetch_add(1, Ordering::SeqCst);
                    });
                }
            })
        };
        Scene {
            wait: make(&tx, &rx),
            tx,
            rx,
            aim,
            armed,
            acts,
            wakes,
            acting,
        }
    }

    fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    fn assert_acted(&self) {
        assert_eq!(self.acts.load(Ordering::SeqCst), 1, "the waker did not act");
    }

    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        self.wait.as_mut().poll(&mut Context::from_waker(waker))
    }

    fn poll_acting(&mut self) -> Poll<()> {
        let waker = self.acting.clone();
        self.poll(&waker)
    }

    /// After a poll: either it was ready, or the waiter is told of what is there, and of the close.
    fn is_told(&mut self, polled: Poll<()>, wakes: impl Fn() -> usize) {
        if polled.is_ready() {
            return;
        }
        if self.aim.is_there(&self.tx, &self.rx) {
            assert!(
                wakes() > 0,
                "what it waits for is there, but it was not woken"
            );
        }
        self.tx.close();
        assert!(wakes() > 0, "not woken by the close");
        // Here another waker once more, which nobody wakes.
        assert!(self.poll(Waker::noop()).is_ready());
    }
}

/// Runs `body` for each way to wait and each act.
fn for_each(duty: Duty, body: fn(Scene)) {
    let mut cases: Vec<Case> = Vec::new();
    for (waiter, aim, make) in waiters() {
        for (name, act) in ACTS {
            let make = make.clone();
            cases.push((
                format!("{waiter}, {name}"),
                Box::new(move || body(Scene::new(aim, &make, duty, act))),
            ));
        }
    }
    all_end(cases);
}

#[test]
fn a_waker_may_use_the_channel_inside_wake() {
    for_each(Duty::Wake, |mut scene| {
        assert!(scene.poll_acting().is_pending());
        scene.arm();
        scene.aim.bring(&scene.tx, &scene.rx);
        scene.assert_acted();
        let (again, count) = counting_waker();
        let polled = scene.poll(&again);
        scene.is_told(polled, || count.get());
    });
}

#[test]
fn a_waker_may_use_the_channel_inside_the_wake_of_a_close() {
    for_each(Duty::Wake, |mut scene| {
        assert!(scene.poll_acting().is_pending());
        let other = (scene.tx.clone(), scene.rx.clone());
        let closed = Task::waiting(other.0.closed());
        scene.arm();
        assert!(scene.rx.close());
        scene.assert_acted();
        assert!(closed.woken());
        assert!(scene.poll(Waker::noop()).is_ready());
    });
}

#[test]
fn a_waker_that_is_replaced_may_use_the_channel_in_its_drop() {
    for_each(Duty::Drop, |mut scene| {
        assert!(scene.poll_acting().is_pending());
        scene.arm();
        let (again, count) = counting_waker();
        let polled = scene.poll(&again);
        scene.is_told(polled, || count.get());
        scene.wait = Box::pin(async {});
        scene.assert_acted();
    });
}

#[test]
fn a_waker_that_is_left_behind_may_use_the_channel_in_its_drop() {
    for_each(Duty::Drop, |mut scene| {
        assert!(scene.poll_acting().is_pending());
        let mut other = Scene {
            wait: match scene.aim {
                For::Item => FOR_ITEMS[0].1(scene.rx.clone()),
                For::Room => FOR_ROOM[0].1(scene.tx.clone()),
                For::Close => closed_of_sender(scene.tx.clone()),
            },
            tx: scene.tx.clone(),
            rx: scene.rx.clone(),
            armed: scene.armed.clone(),
            acts: scene.acts.clone(),
            wakes: scene.wakes.clone(),
            acting: Waker::noop().clone(),
            aim: scene.aim,
        };
        let (waker, count) = counting_waker();
        let polled = other.poll(&waker);
        assert!(polled.is_pending());
        scene.armed.store(true, Ordering::SeqCst);
        scene.wait = Box::pin(async {}); // drops the one that waits
        other.assert_acted();
        other.is_told(polled, || count.get());
    });
}

#[test]
fn a_waker_may_use_the_channel_inside_clone() {
    for_each(Duty::Clone, |mut scene| {
        let waker = scene.acting.clone();
        scene.arm();
        let polled = scene.poll(&waker);
        scene.assert_acted();
        let wakes = scene.wakes.clone();
        scene.is_told(polled, || wakes.load(Ordering::SeqCst));
    });
}

#[test]
fn a_waker_that_replaces_another_may_use_the_channel_inside_clone() {
    for_each(Duty::Clone, |mut scene| {
        let (first, _) = counting_waker();
        assert!(scene.poll(&first).is_pending());
        let waker = scene.acting.clone();
        scene.arm();
        let polled = scene.poll(&waker);
        scene.assert_acted();
        let wakes = scene.wakes.clone();
        scene.is_told(polled, || wakes.load(Ordering::SeqCst));
    });
}
