//! Panics and re-entrance from the user's code (drops, iterators, band conversions, wakers), and
//! everything that can be forgotten: nothing is lost, doubled or deadlocked. Where
//! `event-listener` sets a limit, a test with `limit` in its name shows it; those are no promises.

mod support;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::Duration;

use bandq::{
    Band, BandQueue, Receiver, SendError, Sender, TryRecvError, TrySendError, bounded, unbounded,
};
use support::hand::{keep, poll_stream, settle};
use support::{Ledger, Task, Token, Watchdog, b, counting_waker};

/// Runs `f`, which must panic.
#[track_caller]
fn must_panic<R>(f: impl FnOnce() -> R) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err(), "should panic");
}

fn ids<B>(items: impl IntoIterator<Item = (B, Token)>) -> Vec<usize> {
    items.into_iter().map(|(_, token)| token.id()).collect()
}

// Drops.

/// Panics when it is dropped, after its token.
struct Bomb(Option<Token>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.take();
        panic!("a drop that panics");
    }
}

#[test]
fn when_every_drop_panics_every_item_is_still_dropped() {
    let ledger = Ledger::new(600);
    let queue = BandQueue::new(2);
    for token in ledger.tokens() {
        let band = b((token.id() % 2) as u8);
        queue.push(band, Bomb(Some(token))).ok().unwrap();
    }
    must_panic(|| drop(queue));
    ledger.assert_each_dropped_once();

    let ledger = Ledger::new(600);
    let (tx, rx) = bounded(2, 600);
    for token in ledger.tokens() {
        let band = b((token.id() % 2) as u8);
        tx.try_send(band, Bomb(Some(token))).ok().unwrap();
    }
    let _ = catch_unwind(AssertUnwindSafe(|| drop(rx)));
    ledger.assert_each_dropped_once();
    assert!(tx.is_closed());
}

#[test]
fn drops_that_panic_while_the_thread_is_panicking_do_not_abort() {
    let ledger = Ledger::new(300);
    let (tx, rx) = unbounded(1);
    for token in ledger.tokens() {
        tx.try_send(b(0), Bomb(Some(token))).ok().unwrap();
    }
    must_panic(move || {
        let _rx = rx;
        panic!("the first panic");
    });
    ledger.assert_each_dropped_once();
    assert!(tx.is_closed());
}

#[test]
fn a_cancelled_send_whose_item_panics_still_passes_its_wake_on() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), Bomb(None)).ok().unwrap();
    let first = Task::waiting(tx.send(b(0), Bomb(Some(ledger.token(0)))));
    let mut second = Task::waiting(tx.send(b(0), Bomb(Some(ledger.token(1)))));
    std::mem::forget(rx.try_recv());
    assert!(first.woken());
    must_panic(|| drop(first));
    assert!(second.woken());
    assert!(second.ready().is_ok());
    let (_, mut bomb) = rx.try_recv().unwrap();
    drop(bomb.0.take());
    std::mem::forget(bomb);
    ledger.assert_each_dropped_once();
}

#[test]
fn a_permit_dropped_by_a_panic_gives_its_room_back() {
    let (tx, rx) = bounded(1, 1);
    must_panic(|| {
        let _permit = tx.try_reserve(b(0)).unwrap();
        panic!("with a permit in hand");
    });
    let mut waiting = Task::new(tx.reserve(b(0)));
    waiting.ready().unwrap().send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
}

/// Both ends of the channel that it is sent through, for the first one that is dropped.
type Handles = Arc<Mutex<Option<(Sender<Caller>, Receiver<Caller>)>>>;

/// Calls back into its channel when it is dropped.
struct Caller(Handles, #[allow(dead_code)] Token);

impl Drop for Caller {
    fn drop(&mut self) {
        let handles = self.0.lock().unwrap().take();
        if let Some((tx, rx)) = handles {
            let _ = (tx.len(), rx.is_empty(), rx.is_closed(), tx.is_full());
            // One each of what is left, so that it ends.
            drop(rx.try_recv());
            tx.close();
            drop(rx);
        }
    }
}

#[test]
fn a_drop_that_calls_back_into_its_channel_does_not_deadlock() {
    let _watchdog = Watchdog::new("a_drop_that_calls_back_into_its_channel_does_not_deadlock");
    let ledger = Ledger::new(50);
    let (tx, rx) = bounded(2, 50);
    let handles = Arc::new(Mutex::new(Some((tx.clone(), rx.clone()))));
    for token in ledger.tokens() {
        let band = b((token.id() % 2) as u8);
        tx.try_send(band, Caller(handles.clone(), token))
            .ok()
            .unwrap();
    }
    drop(rx.try_recv());
    drop(rx);
    ledger.assert_each_dropped_once();
    assert!(tx.is_closed());
}

#[test]
fn an_item_may_hold_the_last_sender_or_receiver_of_its_channel() {
    struct Held(#[allow(dead_code)] Option<Box<dyn std::any::Any>>);
    let (tx, rx) = unbounded(1);
    let inner = tx.clone();
    tx.try_send(b(0), Held(Some(Box::new(inner)))).ok().unwrap();
    drop(tx);
    assert!(!rx.is_closed());
    drop(rx.try_recv().ok().unwrap());
    assert!(rx.is_closed());

    let (tx, rx) = unbounded(1);
    let inner = tx.clone();
    tx.try_send(b(0), Held(Some(Box::new(inner)))).ok().unwrap();
    let weak = tx.downgrade();
    drop(tx);
    drop(rx); // drops the item, and with it the last sender
    assert!(weak.upgrade().is_none());
}

// Iterators.

#[test]
fn an_iterator_that_panics_in_a_batch_push_loses_and_doubles_nothing() {
    for at in [0, 1, 31, 32, 33, 256, 257, 300] {
        let ledger = Ledger::new(400);
        let queue = BandQueue::new(1);
        must_panic(|| {
            let tokens = ledger.tokens();
            queue.push_many(
                b(0),
                tokens.inspect(|token| assert!(token.id() < at, "an iterator that panics")),
            )
        });
        assert_eq!(queue.push_many(b(0), [ledger.token(399)]), Ok(1));
        let mut got = ids(std::iter::from_fn(|| queue.pop()));
        assert_eq!(got.pop(), Some(399));
        // What was pushed is a prefix; each of the others that were made was dropped.
        assert_eq!(got, (0..got.len()).collect::<Vec<_>>());
        for id in 0..at {
            assert_eq!(ledger.drops(id), 1, "panic at {at}, item {id}");
        }
    }
}

#[test]
fn an_iterator_that_panics_in_a_batch_send_loses_and_doubles_nothing() {
    for at in [0, 1, 5, 6, 31, 32, 300] {
        for capacity in [5, 1_000] {
            let ledger = Ledger::new(400);
            let (tx, rx) = bounded(1, capacity);
            let mut got = Vec::new();
            must_panic(|| {
                let tokens = ledger.tokens();
                let tokens = tokens.inspect(|token| assert!(token.id() < at, "it panics"));
                let mut send = Task::new(tx.send_many(b(0), tokens));
                while send.poll().is_pending() {
                    got.extend(ids(rx.try_iter()));
                }
            });
            got.extend(ids(rx.try_iter()));
            assert_eq!(got, (0..got.len()).collect::<Vec<_>>());
            for id in 0..at {
                assert_eq!(ledger.drops(id), 1, "panic at {at}, item {id}");
            }
            // The channel works as before, with all its room.
            for _ in 0..capacity {
                tx.try_send(b(0), Ledger::new(1).token(0)).unwrap();
            }
            assert!(tx.is_full());
        }
    }
}

#[test]
fn a_batch_send_whose_iterator_panicked_while_others_wait_strands_nobody() {
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), 0).unwrap();
    let mut batch = Task::waiting(tx.send_many(b(0), (1..5).inspect(|&n| assert!(n < 2))));
    let mut waiting = vec![Task::waiting(tx.send(b(0), 9))];
    assert_eq!(rx.try_recv(), Ok((b(0), 0)));
    assert!(batch.woken());
    must_panic(|| batch.poll()); // item 1 goes, item 2 panics
    drop(batch);
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    assert_eq!(settle(&mut waiting).len(), 1);
    assert_eq!(rx.try_recv(), Ok((b(0), 9)));
}

#[test]
fn an_iterator_may_use_the_channel_it_is_sent_to() {
    let _watchdog = Watchdog::new("an_iterator_may_use_the_channel_it_is_sent_to");
    let (tx, rx) = unbounded(2);
    let mut waiting = vec![Task::waiting(rx.recv()), Task::waiting(rx.recv())];
    let items = (0..400).inspect(|&n| {
        tx.try_send(b(1), 1_000 + n).unwrap();
        let _ = (tx.len(), rx.is_empty());
        if n % 3 == 0 {
            rx.try_recv().unwrap();
            let mut inner = Task::new(tx.send_many(b(1), [2_000 + n, 3_000 + n]));
            assert_eq!(inner.ready(), Ok(2));
        }
        drop(Task::new(rx.recv()));
    });
    assert_eq!(Task::new(tx.send_many(b(0), items)).ready(), Ok(400));
    // 400 in the batch, 400 beside it, 134 times two more and one less.
    let got = settle(&mut waiting).len();
    assert_eq!((got, rx.len()), (2, 400 + 400 + 134 - 2));
    // The batch is in order.
    let urgent = rx.try_iter().filter(|(band, _)| *band == b(0));
    let urgent: Vec<i32> = urgent.map(|(_, n)| n).collect();
    assert!(urgent.is_sorted());

    let queue = BandQueue::new(2);
    let items = (0..100).inspect(|&n| {
        queue.push(b(1), 1_000 + n).unwrap();
        let _ = (queue.pop(), queue.len());
        assert_eq!(queue.push_many(b(1), [5, 6]), Ok(2));
    });
    assert_eq!(queue.push_many(b(0), items), Ok(100));
    assert_eq!(queue.len(), 300);
}

#[test]
fn an_iterator_that_closes_its_channel_ends_the_batch() {
    for by_drop in [false, true] {
        let ledger = Ledger::new(100);
        let (tx, rx) = unbounded(1);
        let rx = Cell::new(Some(rx));
        let mut kept = None;
        let mut tokens = ledger.tokens().inspect(|token| {
            if token.id() == 50 {
                let rx = rx.take().unwrap();
                if by_drop {
                    drop(rx);
                } else {
                    rx.close();
                    kept = Some(rx);
                }
            }
        });
        let error = Task::new(tx.send_many(b(0), &mut tokens))
            .ready()
            .unwrap_err();
        let rest: Vec<usize> = tokens.map(|token| token.id()).collect();
        assert!(error.sent <= 50);
        let SendError::Closed(token) = error.error else {
            panic!()
        };
        assert_eq!(token.id(), error.sent);
        let after: Vec<usize> = (error.sent + 1..100).collect();
        assert_eq!(rest, after);
        if let Some(rx) = kept {
            assert_eq!(ids(rx.try_iter()), (0..error.sent).collect::<Vec<_>>());
        }
        drop(token);
        ledger.assert_each_dropped_once();
    }
}

// Conversions to a band.

struct BadBand<'a>(&'a dyn Fn());

impl From<BadBand<'_>> for Band {
    fn from(bad: BadBand<'_>) -> Band {
        (bad.0)();
        b(0)
    }
}

#[test]
fn a_band_conversion_may_panic_or_use_the_channel() {
    let ledger = Ledger::new(9);
    let (tx, rx) = bounded(1, 4);
    let queue = BandQueue::new(1);
    let bomb = || panic!("a conversion that panics");
    must_panic(|| tx.try_send(BadBand(&bomb), ledger.token(0)));
    must_panic(|| tx.send_blocking(BadBand(&bomb), ledger.token(1)));
    must_panic(|| {
        Task::new(tx.send(BadBand(&bomb), ledger.token(2)))
            .poll()
            .is_ready()
    });
    must_panic(|| tx.try_reserve(BadBand(&bomb)).is_ok());
    must_panic(|| queue.push(BadBand(&bomb), ledger.token(3)));
    must_panic(|| queue.push_many(BadBand(&bomb), [ledger.token(4)]));
    must_panic(|| tx.band_len(BadBand(&bomb)));
    assert!(queue.is_empty() && rx.is_empty());
    for id in 0..5 {
        assert_eq!(ledger.drops(id), 1);
    }
    let reenter = || {
        let id = 6 + tx.len();
        tx.try_send(b(0), ledger.token(id)).unwrap();
    };
    tx.try_send(BadBand(&reenter), ledger.token(5)).unwrap();
    tx.try_reserve(BadBand(&reenter))
        .unwrap()
        .send(ledger.token(7))
        .unwrap();
    assert_eq!(rx.len(), 4);
    assert_eq!(ids(rx.try_iter()), [6, 5, 8, 7]);
    ledger.assert_each_dropped_once();
}

// Forgetting.

/// Uses a channel of capacity 4 in every way, `lost` of its room being gone.
fn works(tx: &Sender<u32>, rx: &Receiver<u32>, lost: usize) {
    while rx.try_recv().is_ok() {}
    let room = 4 - lost;
    // Those that were forgotten may hold one wake each, and there are at most eight: let them.
    for _ in 0..3 {
        for n in 0..room as u32 {
            tx.try_send(b(1), n).unwrap();
        }
        assert!(tx.is_full());
        assert_eq!(tx.len(), room);
        assert_eq!(rx.drain().count(), room);
    }
    for n in 0..20 {
        let mut recv = Task::waiting(rx.recv());
        tx.try_send(b((n % 2) as u8), n).unwrap();
        assert!(recv.woken());
        assert_eq!(recv.ready(), Ok((b((n % 2) as u8), n)));
        for n in 0..room as u32 {
            tx.try_send(b(1), n).unwrap();
        }
        let mut send = Task::waiting(tx.send(b(1), 100));
        rx.try_recv().unwrap();
        assert!(send.woken());
        assert!(send.ready().is_ok());
        assert_eq!(rx.drain().last(), Some((b(1), 100)));
    }
    let mut closed = Task::waiting(tx.closed());
    let mut recv = Task::waiting(rx.recv());
    tx.close();
    assert!(closed.woken() && recv.woken());
    assert!(recv.ready().is_err());
    closed.ready();
}

/// Makes a channel, fills it if `full`, lets `forget` leave something behind, and uses it.
fn after_forgetting(full: bool, lost: usize, forget: impl FnOnce(&Sender<u32>, &Receiver<u32>)) {
    let (tx, rx) = bounded(2, 4);
    if full {
        while tx.try_send(b(1), 0).is_ok() {}
    }
    forget(&tx, &rx);
    works(&tx, &rx, lost);
}

#[test]
fn forgotten_receiving_futures_do_no_harm() {
    let _watchdog = Watchdog::new("forgotten_receiving_futures_do_no_harm");
    after_forgetting(false, 0, |_, rx| Task::new(rx.recv()).forget());
    after_forgetting(false, 0, |_, rx| Task::waiting(rx.recv()).forget());
    after_forgetting(false, 0, |tx, rx| {
        let woken = Task::waiting(rx.recv());
        tx.try_send(b(0), 1).unwrap();
        assert!(woken.woken());
        woken.forget();
    });
    after_forgetting(true, 0, |_, rx| {
        let mut done = Task::new(rx.recv());
        done.ready().unwrap();
        done.forget();
    });
    after_forgetting(false, 0, |tx, rx| {
        let mut buffer = Vec::new();
        let woken = Task::waiting(rx.recv_many(&mut buffer, 3));
        tx.try_send(b(0), 1).unwrap();
        woken.forget();
    });
    after_forgetting(false, 0, |_, rx| {
        for _ in 0..8 {
            Task::waiting(rx.recv()).forget();
        }
    });
}

#[test]
fn forgotten_sending_futures_do_no_harm() {
    let _watchdog = Watchdog::new("forgotten_sending_futures_do_no_harm");
    after_forgetting(true, 0, |tx, _| Task::new(tx.send(b(0), 1)).forget());
    after_forgetting(true, 0, |tx, _| Task::waiting(tx.send(b(0), 1)).forget());
    after_forgetting(true, 0, |tx, rx| {
        let woken = Task::waiting(tx.send(b(0), 1));
        rx.try_recv().unwrap();
        assert!(woken.woken());
        woken.forget();
    });
    after_forgetting(true, 0, |tx, _| {
        Task::waiting(tx.send_many(b(0), 0..9)).forget()
    });
    after_forgetting(true, 0, |tx, rx| {
        let mut woken = Task::waiting(tx.send_many(b(0), 0..9));
        rx.try_recv().unwrap();
        assert!(woken.poll().is_pending());
        rx.try_recv().unwrap();
        woken.forget();
    });
    after_forgetting(true, 0, |tx, _| Task::waiting(tx.reserve(b(0))).forget());
    after_forgetting(true, 0, |tx, rx| {
        let woken = Task::waiting(tx.reserve(b(0)));
        rx.try_recv().unwrap();
        woken.forget();
    });
}

#[test]
fn a_forgotten_permit_costs_its_room_and_nothing_else() {
    after_forgetting(false, 1, |tx, _| keep(tx.try_reserve(b(0)).unwrap()));
    after_forgetting(false, 2, |tx, _| {
        keep(tx.try_reserve(b(0)).unwrap());
        keep(Task::new(tx.reserve(b(1))).ready().unwrap());
    });
}

#[test]
fn forgotten_streams_and_closed_futures_do_no_harm() {
    after_forgetting(false, 0, |_, rx| keep(rx.clone()));
    after_forgetting(false, 0, |_, rx| {
        let mut stream = rx.clone();
        assert!(poll_stream(&mut stream, &counting_waker().0).is_pending());
        keep(stream);
    });
    after_forgetting(false, 0, |tx, rx| {
        let (waker, count) = counting_waker();
        let mut stream = rx.clone();
        assert!(poll_stream(&mut stream, &waker).is_pending());
        tx.try_send(b(0), 1).unwrap();
        assert_eq!(count.get(), 1);
        keep(stream);
        let mut other = rx.clone();
        rx.try_recv().unwrap();
        let (waker, count) = counting_waker();
        assert!(poll_stream(&mut other, &waker).is_pending());
        tx.try_send(b(0), 1).unwrap();
        assert_eq!(count.get(), 1);
    });
    after_forgetting(false, 0, |tx, rx| {
        Task::waiting(tx.closed()).forget();
        Task::waiting(rx.closed()).forget();
    });
    after_forgetting(true, 0, |_, rx| {
        keep(rx.try_iter());
        let mut drain = rx.drain();
        drain.next().unwrap();
        keep(drain);
    });
    after_forgetting(false, 0, |tx, rx| keep((tx.clone(), rx.downgrade())));
}

#[test]
fn a_forgotten_send_sends_nothing_and_its_item_is_not_dropped() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(1, 1);
    tx.try_send(b(0), ledger.token(0)).unwrap();
    Task::waiting(tx.send(b(0), ledger.token(1))).forget();
    drop(rx.try_recv().unwrap());
    assert_eq!(rx.try_recv().map(|_| ()), Err(TryRecvError::Empty));
    drop((tx, rx));
    assert_eq!((ledger.drops(0), ledger.drops(1)), (1, 0));
}

// Wakers.

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

/// Whether `f` ends. If not, its thread stays for good.
fn ends(f: impl FnOnce() + Send + 'static) -> bool {
    let (ended, end) = channel();
    thread::spawn(move || {
        f();
        let _ = ended.send(());
    });
    end.recv_timeout(Duration::from_secs(2)).is_ok()
}

fn odd(set: impl FnOnce(&mut Odd)) -> Waker {
    let mut odd = Odd::new();
    set(&mut odd);
    odd.leak().waker()
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Runs `act` in a waker at each gate: of a `recv`, a stream, a send that waits for room, and of
/// `closed`. Each ends, and the waker was called once.
fn in_each_waker(act: fn(&Sender<u8>, &Receiver<u8>)) {
    for gate in ["recv", "stream", "room", "closed"] {
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
        match gate {
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
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{gate}");
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

/// `event-listener` calls wakers while it holds its mutex. So a waker that waits, wakes or leaves
/// at the very gate that is calling it waits for that mutex for ever. Wakers of executors put a
/// task into a queue and do nothing of the kind. Should this test fail, the limit is gone: say so
/// in the documentation.
#[test]
fn limit_a_waker_that_comes_back_to_the_gate_that_calls_it_deadlocks() {
    type Act = fn(&Sender<u8>, &Receiver<u8>);
    let acts: [(&str, Act); 3] = [
        ("send", |tx, _| {
            let _ = tx.try_send(b(0), 1);
        }),
        ("close", |tx, _| {
            tx.close();
        }),
        ("wait", |_, rx| {
            while rx.try_recv().is_ok() {}
            let _ = Task::new(rx.recv()).poll();
        }),
    ];
    let tried: Vec<_> = acts
        .into_iter()
        .map(|(name, act)| {
            let tried = thread::spawn(move || {
                ends(move || {
                    let (tx, rx) = unbounded(1);
                    let waker = {
                        let (tx, rx) = (tx.clone(), rx.clone());
                        odd(move |odd| odd.wake = Box::new(move || act(&tx, &rx)))
                    };
                    let mut recv = rx.recv();
                    assert!(poll_with(&mut recv, &waker).is_pending());
                    let _waiting = Task::waiting(rx.recv());
                    tx.try_send(b(0), 1).unwrap();
                })
            });
            (name, tried)
        })
        .collect();
    for (name, tried) in tried {
        assert!(
            !tried.join().unwrap(),
            "`{name}` in a waker no longer deadlocks"
        );
    }
}

/// The panic comes out of the call that wakes, and `event-listener` stops there: who was to be
/// woken after it by the same call is not. The item itself is neither lost nor doubled.
///
/// Beyond what is asserted: where overflow checks are on, polling or dropping a future whose waker
/// panicked in `wake` or `clone` panics once more inside `event-listener`, so such futures are
/// forgotten here.
#[test]
fn limit_a_waker_that_panics_keeps_wakes_from_those_behind_it() {
    let panicking = || odd(|odd| odd.wake = Box::new(|| panic!("a wake that panics")));
    let (tx, rx) = unbounded(1);
    let waker = panicking();
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &waker).is_pending());
    keep(recv);
    let mut behind = vec![Task::waiting(rx.recv())];
    must_panic(|| tx.try_send(b(0), 1));
    assert_eq!(rx.len(), 1);
    // The next send wakes the next waiter.
    tx.try_send(b(0), 2).unwrap();
    assert_eq!(settle(&mut behind), [Ok((b(0), 1))]);
    assert_eq!(rx.try_recv(), Ok((b(0), 2)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));

    let (tx, rx) = unbounded::<u8>(1);
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &waker).is_pending());
    keep(recv);
    let mut behind = Task::waiting(rx.recv());
    must_panic(|| tx.close());
    assert!(tx.is_closed());
    assert_eq!(tx.try_send(b(0), 1), Err(TrySendError::Closed(1)));
    assert!(
        !behind.woken(),
        "the limit is gone: say so in the documentation"
    );
    assert!(behind.ready().is_err());
}

/// As the limit above; the future that failed to wait holds at most one wake.
#[test]
fn limit_a_waker_whose_clone_panics_leaves_a_waiter_that_takes_one_wake() {
    let waker = odd(|odd| odd.clone = Box::new(|| panic!("a clone that panics")));
    let (tx, rx) = unbounded(1);
    let mut recv = rx.recv();
    must_panic(|| poll_with(&mut recv, &waker).is_ready());
    keep(recv);
    let mut others: Vec<_> = (0..3).map(|_| Task::waiting(rx.recv())).collect();
    for n in 0..4 {
        tx.try_send(b(0), n).unwrap();
    }
    let got: Vec<i32> = settle(&mut others)
        .into_iter()
        .map(|got| got.unwrap().1)
        .collect();
    assert_eq!(got, [0, 1, 2]);
    assert_eq!(rx.try_recv(), Ok((b(0), 3)));
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
    must_panic(|| drop(recv));
    armed.store(false, Ordering::SeqCst);
    // Replaced by another waker.
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &waker).is_pending());
    let (other, count) = counting_waker();
    armed.store(true, Ordering::SeqCst);
    must_panic(|| poll_with(&mut recv, &other).is_ready());
    armed.store(false, Ordering::SeqCst);
    for n in 0..4 {
        tx.try_send(b(0), n).unwrap();
    }
    assert_eq!(settle(&mut others).len(), 3);
    assert_eq!(count.get(), 1);
    assert_eq!(poll_with(&mut recv, &other), Poll::Ready(Ok((b(0), 3))));
    std::mem::forget(waker);
}
