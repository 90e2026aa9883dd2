//! Stress: unique items through channels of every shape, on threads, tokio, smol and async-std,
//! with futures cancelled at random and channels closed at random. Each item is accounted for, and
//! each receiver sees each sender's items of a band in order.
//!
//! `BANDQ_STRESS` is the number of items for each of the four; small by default. A failing round
//! prints its seed; `BANDQ_STRESS_SEED` starts there.

#[path = "support/rt.rs"]
mod rt;
mod support;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bandq::{Band, Receiver, SendTimeoutError, Sender, TrySendError, bounded, unbounded};
use futures_lite::StreamExt;
use futures_lite::future::{or, yield_now};
use rt::{AsyncStd, Runtime, Smol, Tokio};
use support::{Watchdog, XorShift, b, env_number};

/// Items of one round at the most.
const ROUND: usize = 1 << 14;
const SENDERS: usize = 8;
const BANDS: usize = 64;

// What is known of an item, in one byte; the low bits count its drops.
const CREATED: u8 = 0x04;
/// Its send returned `Ok`.
const ACCEPTED: u8 = 0x08;
/// It was in a batch that was cancelled: sent or not.
const MAYBE: u8 = 0x10;
const RECEIVED: u8 = 0x20;

/// One table for each of the four tests.
static TABLES: [[AtomicU8; ROUND]; 4] = [const { [const { AtomicU8::new(0) }; ROUND] }; 4];

/// Table in the top two bits, then the sender, then the number in the sender's order.
struct Item(u32);

impl Item {
    fn new(table: usize, sender: usize, n: usize) -> Self {
        let item = Item((table << 30 | sender << 20 | n) as u32);
        let before = item.cell().swap(CREATED, Ordering::Relaxed);
        assert_eq!(before, 0, "made twice");
        item
    }

    fn sender(&self) -> usize {
        (self.0 >> 20 & 0x3FF) as usize
    }

    fn number(&self) -> u32 {
        self.0 & 0xF_FFFF
    }

    fn cell(&self) -> &'static AtomicU8 {
        cell(
            (self.0 >> 30) as usize,
            self.sender(),
            self.number() as usize,
        )
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.cell().fetch_add(1, Ordering::Relaxed);
    }
}

fn cell(table: usize, sender: usize, n: usize) -> &'static AtomicU8 {
    assert!(n < ROUND / SENDERS);
    &TABLES[table][sender * (ROUND / SENDERS) + n]
}

fn mark(table: usize, sender: usize, n: usize, flag: u8) {
    cell(table, sender, n).fetch_or(flag, Ordering::Relaxed);
}

#[derive(Default)]
struct Figures {
    rounds: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    cancelled_sends: AtomicU64,
    cancelled_receives: AtomicU64,
    closes: AtomicU64,
}

impl Figures {
    fn print(&self, name: &str) {
        let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
        println!(
            "{name}: {} rounds, {} items sent, {} received, futures cancelled: {} sends, {} \
             receives; {} channels closed early",
            get(&self.rounds),
            get(&self.sent),
            get(&self.received),
            get(&self.cancelled_sends),
            get(&self.cancelled_receives),
            get(&self.closes),
        );
    }
}

fn count(n: &AtomicU64) {
    n.fetch_add(1, Ordering::Relaxed);
}

/// How a round ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The senders are through.
    Through,
    /// A sender closes.
    SenderCloses,
    /// A receiver closes.
    ReceiverCloses,
    /// The receivers go.
    ReceiversGo,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    table: usize,
    seed: u64,
    senders: usize,
    receivers: usize,
    bands: usize,
    capacity: Option<usize>,
    each: usize,
    /// One operation in this many is cut off.
    cut: u64,
    end: End,
    /// Of the one who ends the round: after how many operations.
    end_after: usize,
}

impl Shape {
    fn new(table: usize, seed: u64) -> Self {
        let mut rng = XorShift::new(seed);
        let senders = rng.below(SENDERS as u64) as usize + 1;
        let each = (ROUND / SENDERS).min(200 + rng.below(2_000) as usize);
        Shape {
            table,
            seed,
            senders,
            receivers: rng.below(8) as usize + 1,
            bands: [1, 2, 3, 8, BANDS][rng.below(5) as usize],
            capacity: [None, Some(1), Some(2), Some(7), Some(64), None][rng.below(6) as usize],
            each,
            cut: [2, 4, 16, 1_000_000][rng.below(4) as usize],
            end: [
                End::Through,
                End::Through,
                End::SenderCloses,
                End::ReceiverCloses,
                End::ReceiversGo,
            ][rng.below(5) as usize],
            end_after: rng.below(each as u64) as usize,
        }
    }

    fn channel(&self) -> (Sender<Item>, Receiver<Item>) {
        for cell in &TABLES[self.table] {
            cell.store(0, Ordering::Relaxed);
        }
        match self.capacity {
            None => unbounded(self.bands),
            Some(capacity) => bounded(self.bands, capacity),
        }
    }

    fn rng(&self, role: u64, i: usize) -> XorShift {
        XorShift::new(self.seed * 64 + role * 16 + i as u64)
    }

    fn band(&self, rng: &mut XorShift) -> Band {
        b(rng.below(self.bands as u64) as u8)
    }

    /// After the round: every item is accounted for.
    fn check(&self, figures: &Figures) {
        let (mut sent, mut received) = (0, 0);
        for sender in 0..self.senders {
            for n in 0..self.each {
                let state = cell(self.table, sender, n).load(Ordering::SeqCst);
                if state == 0 {
                    continue; // never made
                }
                let flag = |flag| state & flag != 0;
                let at = (self, sender, n, format!("{state:#x}"));
                assert!(flag(CREATED), "{at:?}");
                assert_eq!(state & 3, 1, "dropped once: {at:?}");
                if flag(ACCEPTED) && self.end != End::ReceiversGo {
                    assert!(flag(RECEIVED), "lost: {at:?}");
                }
                if flag(RECEIVED) {
                    assert!(flag(ACCEPTED) || flag(MAYBE), "never sent: {at:?}");
                }
                sent += u64::from(flag(ACCEPTED));
                received += u64::from(flag(RECEIVED));
            }
        }
        count(&figures.rounds);
        figures.sent.fetch_add(sent, Ordering::Relaxed);
        figures.received.fetch_add(received, Ordering::Relaxed);
        if self.end != End::Through {
            count(&figures.closes);
        }
    }
}

/// What one receiver has seen.
struct Seen {
    last: Vec<u32>,
    bands: usize,
    taken: usize,
}

impl Seen {
    fn new(shape: &Shape) -> Self {
        Seen {
            last: vec![0; shape.senders * shape.bands],
            bands: shape.bands,
            taken: 0,
        }
    }

    fn take(&mut self, (band, item): (Band, Item)) {
        let before = item.cell().fetch_or(RECEIVED, Ordering::Relaxed);
        assert_eq!(before & RECEIVED, 0, "received twice");
        let last = &mut self.last[item.sender() * self.bands + band.index()];
        assert!(*last < item.number() + 1, "out of order");
        *last = item.number() + 1;
        self.taken += 1;
    }
}

/// Polls a future a few times, with time for others in between, and drops it.
fn poll_a_little<F: Future>(times: u64, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => thread::yield_now(),
        }
    }
    None
}

/// Rounds until the items are through. `round` runs one.
fn rounds(table: usize, name: &'static str, round: impl Fn(Shape, Arc<Figures>)) {
    let items = env_number("BANDQ_STRESS", 60_000);
    let mut seed = env_number("BANDQ_STRESS_SEED", 1);
    let figures = Arc::new(Figures::default());
    while figures.sent.load(Ordering::Relaxed) < items {
        let _watchdog = Watchdog::new(name);
        let shape = Shape::new(table, seed);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            round(shape, figures.clone());
            shape.check(&figures);
        }));
        if let Err(panic) = ended {
            eprintln!("{name}: failed in {shape:?}");
            std::panic::resume_unwind(panic);
        }
        seed += 1;
    }
    figures.print(name);
}

// Threads.

fn thread_sender(shape: Shape, i: usize, tx: Sender<Item>, figures: &Figures) {
    let mut rng = shape.rng(0, i);
    let mut n = 0;
    let mut tx = tx;
    while n < shape.each {
        if shape.end == End::SenderCloses && i == 0 && n >= shape.end_after {
            tx.close();
        }
        let item = || Item::new(shape.table, i, n);
        let accepted = |n| mark(shape.table, i, n, ACCEPTED);
        let band = shape.band(&mut rng);
        if rng.one_in(shape.cut) {
            if rng.one_in(8) {
                let wait = Duration::from_micros(rng.below(30));
                match tx.send_timeout(band, item(), wait) {
                    Ok(()) => accepted(n),
                    Err(SendTimeoutError::Timeout(_)) => count(&figures.cancelled_sends),
                    Err(_) => return,
                }
            } else {
                match poll_a_little(rng.below(3), tx.send(band, item())) {
                    Some(Ok(())) => accepted(n),
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_sends),
                }
            }
        } else {
            match rng.below(6) {
                0 | 1 => match tx.send_blocking(band, item()) {
                    Ok(()) => accepted(n),
                    Err(_) => return,
                },
                2 => match tx.send_timeout(band, item(), Duration::from_secs(600)) {
                    Ok(()) => accepted(n),
                    Err(_) => return,
                },
                3 => match tx.try_reserve(band) {
                    Ok(permit) => match permit.send(item()) {
                        Ok(()) => accepted(n),
                        Err(_) => return,
                    },
                    Err(TrySendError::Full(())) => thread::yield_now(),
                    Err(_) => return,
                },
                4 if rng.one_in(16) => tx = tx.clone(),
                _ => match tx.try_send(band, item()) {
                    Ok(()) => accepted(n),
                    Err(TrySendError::Full(_)) => thread::yield_now(),
                    Err(_) => return,
                },
            }
        }
        n += 1;
    }
}

fn thread_receiver(shape: Shape, i: usize, rx: Receiver<Item>, figures: &Figures) {
    let mut rng = shape.rng(1, i);
    let mut seen = Seen::new(&shape);
    let mut rx = rx;
    let mut buffer = Vec::new();
    loop {
        if shape.end == End::ReceiverCloses && i == 0 && seen.taken >= shape.end_after {
            rx.close();
        }
        if shape.end == End::ReceiversGo && seen.taken >= shape.end_after {
            return;
        }
        if rng.one_in(shape.cut) {
            if rng.one_in(8) {
                match rx.recv_timeout(Duration::from_micros(rng.below(30))) {
                    Ok(item) => seen.take(item),
                    Err(error) if error.is_closed() => return,
                    Err(_) => count(&figures.cancelled_receives),
                }
            } else {
                match poll_a_little(rng.below(3), rx.recv()) {
                    Some(Ok(item)) => seen.take(item),
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_receives),
                }
            }
            continue;
        }
        match rng.below(6) {
            0 | 1 => match rx.recv_blocking() {
                Ok(item) => seen.take(item),
                Err(_) => return,
            },
            2 => match rx.recv_timeout(Duration::from_secs(600)) {
                Ok(item) => seen.take(item),
                Err(_) => return,
            },
            3 => {
                let _ = rx.try_recv_many(&mut buffer, rng.below(20) as usize);
                buffer.drain(..).for_each(|item| seen.take(item));
            }
            4 if rng.one_in(16) => rx = rx.clone(),
            _ => match rx.try_recv() {
                Ok(item) => seen.take(item),
                Err(error) if error.is_closed() => return,
                Err(_) => thread::yield_now(),
            },
        }
    }
}

#[test]
fn threads() {
    rounds(0, "threads", |shape, figures| {
        let (tx, rx) = shape.channel();
        thread::scope(|s| {
            let figures = &figures;
            for i in 0..shape.senders {
                let tx = tx.clone();
                s.spawn(move || thread_sender(shape, i, tx, figures));
            }
            for i in 0..shape.receivers {
                let rx = rx.clone();
                s.spawn(move || thread_receiver(shape, i, rx, figures));
            }
            drop((tx, rx));
        });
    });
}

// Tasks.

/// The loser of a select is dropped: a future against a few turns, or against the timer.
async fn cut_off<F: Future>(
    runtime: impl Runtime,
    rng: &mut XorShift,
    future: F,
) -> Option<F::Output> {
    let turns = rng.below(3);
    let timer = rng
        .one_in(32)
        .then(|| Duration::from_micros(rng.below(100)));
    let give_up = async {
        match timer {
            Some(time) => runtime.sleep(time).await,
            None => {
                for _ in 0..turns {
                    yield_now().await;
                }
            }
        }
        None
    };
    // As often the one first as the other.
    if rng.one_in(2) {
        or(async { Some(future.await) }, give_up).await
    } else {
        or(give_up, async { Some(future.await) }).await
    }
}

async fn task_sender(
    runtime: impl Runtime,
    shape: Shape,
    i: usize,
    tx: Sender<Item>,
    figures: Arc<Figures>,
) {
    let mut rng = shape.rng(0, i);
    let mut n = 0;
    let mut tx = tx;
    while n < shape.each {
        if shape.end == End::SenderCloses && i == 0 && n >= shape.end_after {
            tx.close();
        }
        if rng.one_in(16) {
            yield_now().await;
        }
        let item = || Item::new(shape.table, i, n);
        let accepted = |n| mark(shape.table, i, n, ACCEPTED);
        let band = shape.band(&mut rng);
        let cut = rng.one_in(shape.cut);
        match rng.below(8) {
            0..4 => {
                let send = tx.send(band, item());
                let sent = if cut {
                    cut_off(runtime, &mut rng, send).await
                } else {
                    Some(send.await)
                };
                match sent {
                    Some(Ok(())) => accepted(n),
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_sends),
                }
                n += 1;
            }
            4 => {
                let reserve = tx.reserve(band);
                let reserved = if cut {
                    cut_off(runtime, &mut rng, reserve).await
                } else {
                    Some(reserve.await)
                };
                match reserved {
                    Some(Ok(permit)) if rng.one_in(4) => drop(permit),
                    Some(Ok(permit)) => {
                        match permit.send(item()) {
                            Ok(()) => accepted(n),
                            Err(_) => return,
                        }
                        n += 1;
                    }
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_sends),
                }
            }
            5 => {
                let end = shape.each.min(n + rng.below(40) as usize);
                let mut items = (n..end).map(|n| (n, Item::new(shape.table, i, n)));
                let mut made = n;
                let batch = (&mut items).map(|(n, item)| {
                    made = n + 1;
                    item
                });
                let send = tx.send_many(band, batch);
                let sent = if cut {
                    cut_off(runtime, &mut rng, send).await
                } else {
                    Some(send.await)
                };
                match sent {
                    Some(Ok(sent)) => {
                        assert_eq!(sent, end - n);
                        (n..end).for_each(accepted);
                        n = end;
                    }
                    Some(Err(error)) => {
                        (n..n + error.sent).for_each(accepted);
                        return;
                    }
                    None => {
                        count(&figures.cancelled_sends);
                        for n in n..made {
                            mark(shape.table, i, n, MAYBE);
                        }
                        n = made;
                    }
                }
            }
            6 if rng.one_in(16) => tx = tx.clone(),
            _ => {
                match tx.try_send(band, item()) {
                    Ok(()) => accepted(n),
                    Err(TrySendError::Full(_)) => yield_now().await,
                    Err(_) => return,
                }
                n += 1;
            }
        }
    }
}

async fn task_receiver(
    runtime: impl Runtime,
    shape: Shape,
    i: usize,
    rx: Receiver<Item>,
    figures: Arc<Figures>,
) {
    let mut rng = shape.rng(1, i);
    let mut seen = Seen::new(&shape);
    let mut rx = rx;
    let mut buffer = Vec::new();
    loop {
        if shape.end == End::ReceiverCloses && i == 0 && seen.taken >= shape.end_after {
            rx.close();
        }
        if shape.end == End::ReceiversGo && seen.taken >= shape.end_after {
            return;
        }
        if rng.one_in(16) {
            yield_now().await;
        }
        let cut = rng.one_in(shape.cut);
        match rng.below(8) {
            0..3 => {
                let recv = rx.recv();
                let got = if cut {
                    cut_off(runtime, &mut rng, recv).await
                } else {
                    Some(recv.await)
                };
                match got {
                    Some(Ok(item)) => seen.take(item),
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_receives),
                }
            }
            3 => {
                let next = rx.next();
                let got = if cut {
                    cut_off(runtime, &mut rng, next).await
                } else {
                    Some(next.await)
                };
                match got {
                    Some(Some(item)) => seen.take(item),
                    Some(None) => return,
                    None => {
                        count(&figures.cancelled_receives);
                        // It waits as a stream until it is polled again: give the place up, or
                        // keep it, which must not take a wake from a `recv`.
                        if rng.one_in(2) {
                            rx = rx.clone();
                        }
                    }
                }
            }
            4 => {
                let limit = rng.below(20) as usize + 1;
                let recv = rx.recv_many(&mut buffer, limit);
                let got = if cut {
                    cut_off(runtime, &mut rng, recv).await
                } else {
                    Some(recv.await)
                };
                match got {
                    Some(0) => return,
                    Some(got) => assert!(got == buffer.len() && got <= limit),
                    None => {
                        assert!(buffer.is_empty());
                        count(&figures.cancelled_receives);
                    }
                }
                buffer.drain(..).for_each(|item| seen.take(item));
            }
            5 => rx.drain().for_each(|item| seen.take(item)),
            6 if rng.one_in(16) => rx = rx.clone(),
            _ => match rx.try_recv() {
                Ok(item) => seen.take(item),
                Err(error) if error.is_closed() => return,
                Err(_) => yield_now().await,
            },
        }
    }
}

fn tasks<R: Runtime>(table: usize, runtime: R) {
    rounds(table, R::NAME, |shape, figures| {
        let (tx, rx) = shape.channel();
        runtime.block_on(async {
            let mut senders = Vec::new();
            for i in 0..shape.senders {
                let task = task_sender(runtime, shape, i, tx.clone(), figures.clone());
                senders.push(runtime.spawn(task));
            }
            let mut receivers = Vec::new();
            for i in 0..shape.receivers {
                let task = task_receiver(runtime, shape, i, rx.clone(), figures.clone());
                receivers.push(runtime.spawn(task));
            }
            drop((tx, rx));
            for sender in senders {
                sender.await;
            }
            for receiver in receivers {
                receiver.await;
            }
        });
    });
}

#[test]
fn tokio() {
    tasks(1, Tokio);
}

#[test]
fn smol() {
    tasks(2, Smol);
}

#[test]
fn async_std() {
    tasks(3, AsyncStd);
}
