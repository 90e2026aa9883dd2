//! Wakers that panic, or use the channel.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use bandq::{Receiver, Sender, bounded, unbounded};

use crate::support::hand::{poll_stream, settle};
use crate::support::{Task, Watchdog, b, counting_waker};

/// A waker that does something of the test's in each of its three duties.
struct Odd {
    clone: Box<dyn Fn() + Send + Sync>,
    wake: Box<dyn Fn() + Send + Sync>,
    drop: Box<dyn Fn() + Send + Sync>,
}

impl Odd {
    fn new() -> Self {
        Odd {
            clone: Box::new(|| {}),
            wake: Box::new(|| {}),
            drop: Box::new(|| {}),
        }
    }

    /// The waker does not own `self`: each test keeps it alive.
    fn waker(&'static self) -> Waker {
        fn odd(data: *const ()) -> &'static Odd {
            // SAFETY: the pointer is of a `&'static Odd`, see below.
            unsafe { &*data.cast::<Odd>() }
        }
        static VTABLE: RawWakerVTable = RawWakerVTable::new(
            |data| {
                (odd(data).clone)();
                RawWaker::new(data, &VTABLE)
            },
            |data| (odd(data).wake)(),
            |data| (odd(data).wake)(),
            |data| (odd(data).drop)(),
        );
        // SAFETY: the data lives for ever and is shared safely; the functions only call it.
        unsafe { Waker::new((self as *const Odd).cast(), &VTABLE) }
    }

    /// Lives to the end of the process, where leak checkers can see it.
    fn leak(self) -> &'static Odd {
        static ALL: Mutex<Vec<&'static Odd>> = Mutex::new(Vec::new());
        let odd: &'static Odd = Box::leak(Box::new(self));
        ALL.lock().unwrap().push(odd);
        odd
    }
}

fn odd(set: impl FnOnce(&mut Odd)) -> Waker {
    let mut odd = Odd::new();
    set(&mut odd);
    odd.leak().waker()
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Runs `act` in a waker of each class: of a `recv`, a stream, a send that waits for room, and of
/// `closed`. Each ends, and the waker was called once.
fn in_each_waker(act: fn(&Sender<u8>, &Receiver<u8>)) {
    for class in ["recv", "stream", "room", "closed"] {
        let (tx, rx) = bounded(1, 1);
        let calls = Arc::new(AtomicUsize::new(0));
        let waker = {
            let (tx, rx, calls) = (tx.clone(), rx.clone(), calls.clone());
            odd(move |odd| {
                odd.wake = Box::new(move || {
                    calls.fetch_add(1, Ordering::SeqCst);
                    act(&tx, &rx);
                });
            })
        };
        match class {
            "recv" => {
                let mut recv = rx.recv();
                assert!(poll_with(&mut recv, &waker).is_pending());
                tx.try_send(b(0), 1).unwrap();
            }
            "stream" => {
                let mut stream = rx.clone();
                assert!(poll_stream(&mut stream, &waker).is_pending());
                tx.try_send(b(0), 1).unwrap();
            }
            "room" => {
                tx.try_send(b(0), 1).unwrap();
                let mut send = tx.send(b(0), 2);
                assert!(poll_with(&mut send, &waker).is_pending());
                rx.try_recv().unwrap();
            }
            _ => {
                let mut closed = rx.closed();
                assert!(poll_with(&mut closed, &waker).is_pending());
                tx.close();
            }
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{class}");
    }
}

#[test]
fn a_waker_may_look_at_its_channel_and_use_others() {
    let _watchdog = Watchdog::new("a_waker_may_look_at_its_channel_and_use_others");
    in_each_waker(|tx, rx| {
        let _ = (tx.len(), rx.is_empty(), tx.is_full(), rx.is_closed());
        let _ = (tx.sender_count(), rx.capacity(), tx.band_len(b(0)));
    });
    in_each_waker(|tx, rx| drop((tx.clone(), rx.clone(), tx.downgrade())));
    in_each_waker(|_, rx| {
        let _ = rx.try_recv();
    });
    in_each_waker(|_, _| {
        let (tx, rx) = bounded(1, 1);
        let mut recv = Task::waiting(rx.recv());
        tx.send_blocking(b(0), 5).unwrap();
        assert_eq!(recv.ready(), Ok((b(0), 5)));
        tx.close();
    });
}

#[test]
fn a_waker_whose_drop_panics_costs_nobody_a_wake() {
    let armed = Arc::new(AtomicBool::new(false));
    let waker = {
        let armed = armed.clone();
        odd(move |odd| {
            odd.drop = Box::new(move || {
                assert!(!armed.load(Ordering::SeqCst), "a waker's drop that panics");
            });
        })
    };
    let (tx, rx) = unbounded(1);
    // Dropped with a future that waits.
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &waker).is_pending());
    let mut others: Vec<_> = (0..3).map(|_| Task::waiting(rx.recv())).collect();
    armed.store(true, Ordering::SeqCst);
    drop(recv);
    armed.store(false, Ordering::SeqCst);
    // Replaced by another waker.
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &waker).is_pending());
    let (other, count) = counting_waker();
    armed.store(true, Ordering::SeqCst);
    assert!(poll_with(&mut recv, &other).is_pending());
    armed.store(false, Ordering::SeqCst);
    for n in 0..4 {
        tx.try_send(b(0), n).unwrap();
    }
    assert_eq!(settle(&mut others).len(), 3);
    assert_eq!(count.get(), 1);
    assert_eq!(poll_with(&mut recv, &other), Poll::Ready(Ok((b(0), 3))));
    std::mem::forget(waker);
}
