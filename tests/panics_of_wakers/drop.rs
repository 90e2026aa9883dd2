//! Wakers whose drop panics.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bandq::{Receiver, Sender, bounded};
use futures_core::Stream;

use crate::sleeper::calm;
use crate::support::waker::waker;
use crate::support::{Case, Task, all_end, b, counting_waker};

/// A waker that counts its wakes, and panics when it is dropped while it is armed.
struct Bomb {
    waker: Waker,
    armed: Arc<AtomicBool>,
    wakes: Arc<AtomicUsize>,
    bangs: Arc<AtomicUsize>,
}

impl Bomb {
    fn new() -> Self {
        let armed = Arc::new(AtomicBool::new(false));
        let wakes = Arc::new(AtomicUsize::new(0));
        let bangs = Arc::new(AtomicUsize::new(0));
        let waker = waker(|hooks| {
            let (armed, wakes, bangs) = (armed.clone(), wakes.clone(), bangs.clone());
            hooks.wake = Box::new(move || {
                wakes.fetch_add(1, Ordering::SeqCst);
            });
            hooks.drop = Box::new(move || {
                if armed.load(Ordering::SeqCst) {
                    bangs.fetch_add(1, Ordering::SeqCst);
                    panic!("a waker's drop that panics");
                }
            });
        });
        Bomb {
            waker,
            armed,
            wakes,
            bangs,
        }
    }

    /// Runs a call that may drop the waker, from which no panic may come.
    #[track_caller]
    fn calm<R>(&self, call: impl FnOnce() -> R) -> R {
        self.armed.store(true, Ordering::SeqCst);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
        self.armed.store(false, Ordering::SeqCst);
        calm(|| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    fn bangs(&self) -> usize {
        self.bangs.load(Ordering::SeqCst)
    }
}

/// Ways to wait, each polled by hand: `poll`, and then dropped.
type Poller<'a> = Box<dyn FnMut(&Waker) -> Poll<()> + 'a>;
type Make = for<'a> fn(&'a Sender<u32>, &'a Receiver<u32>) -> Poller<'a>;

fn polled<'a, F: Future + 'a>(future: F) -> Poller<'a> {
    let mut future = Box::pin(future);
    Box::new(move |waker| {
        let mut context = Context::from_waker(waker);
        future.as_mut().poll(&mut context).map(drop)
    })
}

fn stream<'a>(_: &'a Sender<u32>, rx: &'a Receiver<u32>) -> Poller<'a> {
    let mut stream = rx.clone();
    Box::new(move |waker| {
        let mut context = Context::from_waker(waker);
        Pin::new(&mut stream).poll_next(&mut context).map(drop)
    })
}

/// Name, how to wait, and whether it waits for room.
const WAITS: [(&str, Make, bool); 7] = [
    ("recv", |_, rx| polled(rx.recv()), false),
    (
        "recv_many",
        |_, rx| {
            polled(async {
                rx.recv_many(&mut Vec::new(), 1).await;
            })
        },
        false,
    ),
    ("stream", stream, false),
    ("send", |tx, _| polled(tx.send(b(0), 5)), true),
    ("send_many", |tx, _| polled(tx.send_many(b(0), [5])), true),
    ("reserve", |tx, _| polled(tx.reserve(b(0))), true),
    ("closed", |tx, _| polled(tx.closed()), false),
];

type Body = fn(Poller<'_>, &Bomb, &Sender<u32>, &Receiver<u32>);

fn for_each(body: Body) {
    let mut cases: Vec<Case> = Vec::new();
    for (name, make, room) in WAITS {
        cases.push((
            name.to_owned(),
            Box::new(move || {
                let (tx, rx) = bounded(1, 1);
                if room {
                    tx.try_send(b(0), 0).unwrap();
                }
                let bomb = Bomb::new();
                let mut poll = make(&tx, &rx);
                assert!(poll(&bomb.waker).is_pending());
                body(poll, &bomb, &tx, &rx);
            }),
        ));
    }
    all_end(cases);
}

#[test]
fn a_future_may_be_dropped_when_the_drop_of_its_waker_panics() {
    for_each(|poll, bomb, tx, rx| {
        let behind = Task::waiting(rx.closed());
        bomb.calm(|| drop(poll));
        assert!(bomb.bangs() > 0);
        tx.close();
        assert!(behind.woken());
    });
}

#[test]
fn a_future_may_be_polled_with_another_waker_when_the_drop_of_the_first_panics() {
    for_each(|mut poll, bomb, tx, _| {
        let (next, count) = counting_waker();
        assert!(bomb.calm(|| poll(&next)).is_pending());
        tx.close();
        assert_eq!((count.get(), bomb.wakes.load(Ordering::SeqCst)), (1, 0));
        assert!(bomb.calm(|| poll(&next)).is_ready());
        bomb.calm(|| drop(poll));
        assert!(bomb.bangs() > 0);
    });
}

#[test]
fn a_waker_whose_drop_panics_costs_those_behind_it_nothing() {
    let body = || {
        let (tx, rx) = bounded(1, 2);
        let bomb = Bomb::new();
        let mut first = rx.recv();
        let mut context = Context::from_waker(&bomb.waker);
        assert!(Pin::new(&mut first).poll(&mut context).is_pending());
        let mut second = Task::waiting(rx.recv());
        let mut third = Task::waiting(rx.recv());
        bomb.calm(|| drop(first));
        assert!(bomb.bangs() > 0);
        tx.try_send(b(0), 1).unwrap();
        tx.try_send(b(0), 2).unwrap();
        assert!(second.woken() && third.woken());
        assert_eq!(second.ready(), Ok((b(0), 1)));
        assert_eq!(third.ready(), Ok((b(0), 2)));
    };
    all_end(vec![("recv".to_owned(), Box::new(body))]);
}

/// It finds an item on its own while it still waits: its waker goes with the wait.
#[test]
fn a_receive_that_ends_by_itself_returns_its_item_past_a_drop_that_panics() {
    let body = || {
        let (tx, rx) = bounded(1, 1);
        let first = Task::waiting(rx.recv());
        let bomb = Bomb::new();
        let mut second = rx.recv();
        let mut context = Context::from_waker(&bomb.waker);
        assert!(Pin::new(&mut second).poll(&mut context).is_pending());
        tx.try_send(b(0), 1).unwrap(); // wakes the first
        let got = bomb.calm(|| Pin::new(&mut second).poll(&mut context));
        assert_eq!(got, Poll::Ready(Ok((b(0), 1))));
        bomb.calm(|| drop(second));
        assert!(bomb.bangs() > 0);
        assert!(first.woken());
        tx.try_send(b(0), 2).unwrap();
        assert!(tx.is_full());
        assert_eq!(rx.try_recv(), Ok((b(0), 2)));
    };
    all_end(vec![("recv".to_owned(), Box::new(body))]);
}
