//! The same test bodies on tokio, smol and async-std; and the blocking calls on plain threads.

#[path = "support/rt.rs"]
mod rt;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bandq::{
    Band, RecvTimeoutError, SendError, SendTimeoutError, TrySendError, bounded, unbounded,
};
use futures_core::FusedStream;
use futures_lite::future::{or, yield_now};
use futures_lite::{FutureExt, StreamExt};
use rt::{AsyncStd, Runtime, Smol, Tokio, timeout};
use support::{Ledger, Watchdog, XorShift, b};

/// One test for each runtime from one async body.
macro_rules! on_each_runtime {
    ($($body:ident),* $(,)?) => {$(
        mod $body {
            use super::*;

            #[test]
            fn on_tokio() {
                run(Tokio);
            }

            #[test]
            fn on_smol() {
                run(Smol);
            }

            #[test]
            fn on_async_std() {
                run(AsyncStd);
            }

            fn run(runtime: impl Runtime) {
                let _watchdog = Watchdog::new(stringify!($body));
                runtime.block_on(super::$body(runtime));
            }
        }
    )*};
}

on_each_runtime! {
    many_to_many,
    backpressure,
    batches,
    permits,
    close_ends_every_task,
    streams,
    losers_of_a_select_take_nothing,
    timeouts_lose_nothing,
    urgent_first,
    tasks_that_are_cancelled_lose_nothing,
    blocking_and_async_sides_meet,
    ping_pong,
}

const SHORT: Duration = Duration::from_micros(200);

/// Several senders and receivers: every item once, and in order per sender, band and receiver.
async fn many_to_many(runtime: impl Runtime) {
    const SENDERS: usize = 4;
    const EACH: usize = 1_500;
    let ledger = Ledger::new(SENDERS * EACH);
    let (tx, rx) = unbounded(4);
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let (tx, ledger) = (tx.clone(), ledger.clone());
        senders.push(runtime.spawn(async move {
            let mut rng = XorShift::new(sender as u64);
            for i in 0..EACH {
                let band = b(rng.below(4) as u8);
                tx.send(band, ledger.token(sender * EACH + i))
                    .await
                    .unwrap();
                if i % 64 == 0 {
                    yield_now().await;
                }
            }
        }));
    }
    drop(tx);
    let mut receivers = Vec::new();
    for _ in 0..3 {
        let rx = rx.clone();
        receivers.push(runtime.spawn(async move {
            let mut last = [[None; 4]; SENDERS];
            let mut got = Vec::new();
            while let Ok((band, token)) = rx.recv().await {
                let last = &mut last[token.id() / EACH][band.index()];
                assert!(*last < Some(token.id()), "out of order");
                *last = Some(token.id());
                got.push(token.id());
                if got.len() % 64 == 63 {
                    yield_now().await;
                }
            }
            got
        }));
    }
    let mut got = Vec::new();
    for sender in senders {
        sender.await;
    }
    for receiver in receivers {
        got.extend(receiver.await);
    }
    got.sort_unstable();
    assert_eq!(got, (0..SENDERS * EACH).collect::<Vec<_>>());
    ledger.assert_each_dropped_once();
}

/// Senders run ahead of a slow receiver by no more than the capacity.
async fn backpressure(runtime: impl Runtime) {
    const SENDERS: usize = 3;
    const EACH: usize = 300;
    const CAPACITY: usize = 5;
    let (tx, rx) = bounded(2, CAPACITY);
    let sent = Arc::new(AtomicUsize::new(0));
    let mut senders = Vec::new();
    for _ in 0..SENDERS {
        let (tx, sent) = (tx.clone(), sent.clone());
        senders.push(runtime.spawn(async move {
            for i in 0..EACH {
                tx.send(b((i % 2) as u8), i).await.unwrap();
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    drop(tx);
    for got in 0..SENDERS * EACH {
        // An item may be received before its sender has counted it.
        let ahead = sent.load(Ordering::SeqCst).saturating_sub(got);
        assert!(ahead <= CAPACITY, "{ahead} items ahead");
        assert!(rx.len() <= CAPACITY);
        rx.recv().await.unwrap();
        if got % 10 == 0 {
            yield_now().await;
        }
    }
    for sender in senders {
        sender.await;
    }
    assert!(rx.recv().await.is_err());
}

async fn batches(runtime: impl Runtime) {
    let (tx, rx) = bounded(2, 16);
    let sender = runtime.spawn(async move {
        let mut items = 0..2_000u32;
        for size in [0, 1, 3, 50, 500, 2_000] {
            let batch = (&mut items).take(size);
            tx.send_many(b(1), batch).await.unwrap();
        }
        assert_eq!(items.next(), None);
    });
    let mut got = Vec::new();
    let mut buffer = Vec::new();
    for limit in (1..40).cycle() {
        let n = rx.recv_many(&mut buffer, limit).await;
        assert!(n <= limit);
        assert_eq!(n, buffer.len());
        if n == 0 {
            break;
        }
        got.extend(buffer.drain(..).map(|(_, item)| item));
    }
    sender.await;
    assert_eq!(got, (0..2_000).collect::<Vec<_>>());
}

async fn permits(runtime: impl Runtime) {
    let (tx, rx) = bounded(2, 2);
    let mut tasks = Vec::new();
    for i in 0..4u32 {
        let tx = tx.clone();
        tasks.push(runtime.spawn(async move {
            for n in 0..100 {
                let permit = tx.reserve(b((i % 2) as u8)).await.unwrap();
                yield_now().await;
                if n % 3 == 0 {
                    drop(permit);
                } else {
                    permit.send((i, n)).unwrap();
                }
            }
        }));
    }
    drop(tx);
    let mut last = [0; 4];
    let mut got = 0;
    while let Ok((_, (i, n))) = rx.recv().await {
        assert!(last[i as usize] < n);
        last[i as usize] = n;
        got += 1;
    }
    assert_eq!(got, 4 * 66);
    for task in tasks {
        task.await;
    }
}

async fn close_ends_every_task(runtime: impl Runtime) {
    for by_receiver in [true, false] {
        let (tx, rx) = bounded::<u8>(1, 1);
        let (full, _rest) = bounded(1, 1);
        full.send(b(0), 0).await.unwrap();
        let mut ended = Vec::new();
        for i in 0..8 {
            let (rx, full) = (rx.clone(), full.clone());
            let mut stream = rx.clone();
            let mut buffer = Vec::new();
            ended.push(runtime.spawn(async move {
                match i {
                    0 | 1 => assert!(rx.recv().await.is_err()),
                    2 => assert_eq!(rx.recv_many(&mut buffer, 3).await, 0),
                    3 => assert_eq!(stream.next().await, None),
                    4 => assert_eq!(full.send(b(0), 7).await, Err(SendError::Closed(7))),
                    5 => assert!(full.reserve(b(0)).await.is_err()),
                    6 => assert_eq!(full.send_many(b(0), [1, 2]).await.unwrap_err().sent, 0),
                    _ => (rx.closed().await, full.closed().await).1,
                }
            }));
        }
        yield_now().await;
        if by_receiver {
            assert!(rx.close());
        } else {
            drop(tx);
        }
        assert!(full.close());
        for ended in ended {
            ended.await;
        }
    }
}

async fn streams(runtime: impl Runtime) {
    let (tx, rx) = unbounded(3);
    let mut receivers = Vec::new();
    for _ in 0..2 {
        let mut rx = rx.clone();
        receivers.push(runtime.spawn(async move {
            let mut sum = 0;
            while let Some((_, n)) = rx.next().await {
                sum += n;
            }
            assert!(rx.is_terminated());
            sum
        }));
    }
    drop(rx);
    for n in 0..1_000u32 {
        tx.send(b((n % 3) as u8), n).await.unwrap();
        if n % 10 == 0 {
            yield_now().await;
        }
    }
    drop(tx);
    let mut sum = 0;
    for receiver in receivers {
        sum += receiver.await;
    }
    assert_eq!(sum, 999 * 1_000 / 2);
}

/// Two channels in a select, the loser's future dropped each time.
async fn losers_of_a_select_take_nothing(runtime: impl Runtime) {
    let (tx1, rx1) = bounded(2, 3);
    let (tx2, rx2) = bounded(2, 3);
    let mut senders = Vec::new();
    for tx in [tx1, tx2] {
        senders.push(runtime.spawn(async move {
            for n in 0..400u32 {
                tx.send(b((n % 2) as u8), n).await.unwrap();
                if n % 7 == 0 {
                    yield_now().await;
                }
            }
        }));
    }
    let mut got = [[0u32; 2]; 2];
    let (mut open1, mut open2) = (true, true);
    while open1 || open2 {
        let first = async { (0, rx1.recv().await) };
        let second = async { (1, rx2.recv().await) };
        let (which, item) = if !open1 {
            second.await
        } else if !open2 {
            first.await
        } else {
            or(first, second).await
        };
        match item {
            Ok((band, n)) => {
                // In order, so none was taken by a loser.
                let count = &mut got[which][band.index()];
                assert_eq!(n, *count * 2 + band.index() as u32);
                *count += 1;
            }
            Err(_) if which == 0 => open1 = false,
            Err(_) => open2 = false,
        }
    }
    assert_eq!(got, [[200; 2]; 2]);
    for sender in senders {
        sender.await;
    }
}

/// Sends and receives cut off by the runtime's own timer.
async fn timeouts_lose_nothing(runtime: impl Runtime) {
    let ledger = Ledger::new(300);
    let (tx, rx) = bounded(2, 2);
    let sender = {
        let ledger = ledger.clone();
        runtime.spawn(async move {
            let mut accepted = Vec::new();
            for token in ledger.tokens() {
                let id = token.id();
                let send = tx.send(b((id % 2) as u8), token);
                if let Some(sent) = timeout(runtime, SHORT, send).await {
                    sent.unwrap();
                    accepted.push(id);
                }
            }
            accepted
        })
    };
    let mut got = Vec::new();
    let mut cut = 0;
    loop {
        match timeout(runtime, SHORT, rx.recv()).await {
            None => cut += 1,
            Some(Err(_)) => break,
            Some(Ok((_, token))) => {
                got.push(token.id());
                if token.id() % 5 == 0 {
                    runtime.sleep(2 * SHORT).await;
                }
            }
        }
    }
    let accepted = sender.await;
    println!(
        "{}: {} accepted, {cut} receives cut off",
        name(runtime),
        accepted.len()
    );
    got.sort_unstable();
    assert_eq!(got, accepted);
    ledger.assert_each_dropped_once();
}

fn name<R: Runtime>(_: R) -> &'static str {
    R::NAME
}

/// With one receiver, whatever is there goes by urgency.
async fn urgent_first(runtime: impl Runtime) {
    let (tx, rx) = unbounded(64);
    let mut senders = Vec::new();
    for i in 0..8u8 {
        let tx = tx.clone();
        senders.push(runtime.spawn(async move {
            for n in 0..64u8 {
                tx.send(b((n.wrapping_mul(37) + i) % 64), ()).await.unwrap();
            }
        }));
    }
    for sender in senders {
        sender.await;
    }
    drop(tx);
    let mut last = Band::URGENT;
    let mut got = 0;
    while let Ok((band, ())) = rx.recv().await {
        assert!(band >= last);
        last = band;
        got += 1;
    }
    assert_eq!(got, 8 * 64);
}

/// Tasks dropped by a race at random points while others take their place.
async fn tasks_that_are_cancelled_lose_nothing(runtime: impl Runtime) {
    let ledger = Ledger::new(1_000);
    let (tx, rx) = bounded(2, 4);
    let got = Arc::new(AtomicUsize::new(0));
    let mut receivers = Vec::new();
    for seed in 0..3 {
        let (rx, got) = (rx.clone(), got.clone());
        receivers.push(runtime.spawn(async move {
            let mut rng = XorShift::new(seed);
            loop {
                let turns = rng.below(4);
                let give_up = async {
                    for _ in 0..turns {
                        yield_now().await;
                    }
                    None
                };
                match or(async { Some(rx.recv().await) }, give_up).await {
                    Some(Ok(_)) => {
                        got.fetch_add(1, Ordering::SeqCst);
                    }
                    Some(Err(_)) => break,
                    None => yield_now().await,
                }
            }
        }));
    }
    let sender = {
        let ledger = ledger.clone();
        runtime.spawn(async move {
            let mut accepted = 0;
            for token in ledger.tokens() {
                let send = tx.send(b((token.id() % 2) as u8), token);
                let give_up = async {
                    yield_now().await;
                    yield_now().await;
                    None
                };
                if async { Some(send.await) }.or(give_up).await.is_some() {
                    accepted += 1;
                }
            }
            accepted
        })
    };
    let accepted: usize = sender.await;
    for receiver in receivers {
        receiver.await;
    }
    assert_eq!(got.load(Ordering::SeqCst), accepted);
    ledger.assert_each_dropped_once();
}

/// One side in tasks, the other on threads with no runtime at all.
async fn blocking_and_async_sides_meet(runtime: impl Runtime) {
    let (tx, rx) = bounded(2, 3);
    let (back_tx, back_rx) = bounded(2, 3);
    let echo = thread::spawn(move || {
        while let Ok((band, n)) = rx.recv_blocking() {
            back_tx.send_blocking(band, n).unwrap();
        }
    });
    let sender = runtime.spawn(async move {
        for n in 0..500u32 {
            tx.send(b((n % 2) as u8), n).await.unwrap();
        }
    });
    let mut sum = 0;
    while let Ok((band, n)) = back_rx.recv().await {
        assert_eq!(band.index() as u32, n % 2);
        sum += n;
    }
    assert_eq!(sum, 499 * 500 / 2);
    sender.await;
    echo.join().unwrap();
}

async fn ping_pong(runtime: impl Runtime) {
    let (ping, pinged) = bounded(1, 1);
    let (pong, mut ponged) = bounded(1, 1);
    let echo = runtime.spawn(async move {
        while let Ok((band, n)) = pinged.recv().await {
            pong.send(band, n).await.unwrap();
        }
    });
    for n in 0..1_000u32 {
        ping.send(b(0), n).await.unwrap();
        assert_eq!(ponged.next().await, Some((b(0), n)));
    }
    drop(ping);
    echo.await;
    assert_eq!(ponged.next().await, None);
}

// Threads.

#[test]
fn threads_many_to_many() {
    let _watchdog = Watchdog::new("threads_many_to_many");
    let (tx, rx) = bounded(4, 8);
    let sum = AtomicUsize::new(0);
    thread::scope(|s| {
        for sender in 0..4 {
            let tx = tx.clone();
            s.spawn(move || {
                for n in 0..1_000usize {
                    match n % 4 {
                        0 => tx.send_blocking(b(sender), n).unwrap(),
                        1 => tx
                            .send_timeout(b(sender), n, Duration::from_secs(600))
                            .unwrap(),
                        2 => {
                            let late = Instant::now() + Duration::from_secs(600);
                            tx.send_deadline(b(sender), n, late).unwrap();
                        }
                        _ => {
                            let mut item = n;
                            while let Err(error) = tx.try_send(b(sender), item) {
                                assert!(error.is_full());
                                item = error.into_inner();
                                thread::yield_now();
                            }
                        }
                    }
                }
            });
        }
        drop(tx);
        for i in 0..3 {
            let (rx, sum) = (rx.clone(), &sum);
            s.spawn(move || {
                loop {
                    let got = match i {
                        0 => rx.recv_blocking().ok(),
                        1 => rx.recv_timeout(Duration::from_secs(600)).ok(),
                        _ => rx
                            .recv_deadline(Instant::now() + Duration::from_secs(600))
                            .ok(),
                    };
                    let Some((_, n)) = got else { break };
                    sum.fetch_add(n, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), 4 * 999 * 1_000 / 2);
}

/// A timeout never ends early; how late it ends is the machine's affair.
#[test]
fn threads_time_out_and_not_before_the_time() {
    let _watchdog = Watchdog::new("threads_time_out_and_not_before_the_time");
    let wait = Duration::from_millis(20);
    let (tx, rx) = bounded::<u8>(1, 1);
    let start = Instant::now();
    assert_eq!(rx.recv_timeout(wait), Err(RecvTimeoutError::Timeout));
    assert!(start.elapsed() >= wait);
    let deadline = Instant::now() + wait;
    assert_eq!(rx.recv_deadline(deadline), Err(RecvTimeoutError::Timeout));
    assert!(Instant::now() >= deadline);
    tx.try_send(b(0), 1).unwrap();
    let start = Instant::now();
    assert_eq!(
        tx.send_timeout(b(0), 2, wait),
        Err(SendTimeoutError::Timeout(2))
    );
    assert!(start.elapsed() >= wait);
    let deadline = Instant::now() + wait;
    let sent = tx.send_deadline(b(0), 3, deadline);
    assert_eq!(sent, Err(SendTimeoutError::Timeout(3)));
    assert!(Instant::now() >= deadline);
    // Nothing of that is left behind.
    assert_eq!(tx.try_send(b(0), 4), Err(TrySendError::Full(4)));
    assert_eq!(rx.try_recv(), Ok((b(0), 1)));
    assert!(rx.is_empty());
}

/// A timed wait ends with the item when one comes, however long the time.
#[test]
fn threads_with_a_long_time_are_woken_by_what_they_wait_for() {
    let _watchdog = Watchdog::new("threads_with_a_long_time_are_woken_by_what_they_wait_for");
    let long = Duration::from_secs(100_000);
    for _ in 0..100 {
        let (tx, rx) = bounded(1, 1);
        thread::scope(|s| {
            s.spawn(|| assert_eq!(rx.recv_timeout(long), Ok((b(0), 1))));
            thread::yield_now();
            tx.send_timeout(b(0), 1, long).unwrap();
        });
        tx.try_send(b(0), 2).unwrap();
        thread::scope(|s| {
            s.spawn(|| tx.send_timeout(b(0), 3, long).unwrap());
            thread::yield_now();
            assert_eq!(rx.recv_deadline(Instant::now() + long), Ok((b(0), 2)));
        });
        assert_eq!(rx.try_recv(), Ok((b(0), 3)));
    }
}
