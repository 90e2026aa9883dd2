//! What starts, what counts, and what comes back.

use crate::support::{LONG, Runtime, check_all, on_each_runtime, reaches, spawn};
use bandq::Band;
use bandq_workers::{Job, Outcome, Retry, Workers};
use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};
use tokio::sync::Semaphore;

on_each_runtime! {
    r01_one_deadline_over_all_bands_and_no_handler_starts_after_a_stop
    r02_interrupted_is_not_failed
    r05_a_result_during_a_stop_counts
    r05_a_result_during_a_drain_counts_and_is_retried
    r06_what_is_cut_is_listed
    a_stop_waits_for_what_is_on_its_way_to_a_worker
}

async fn r01_one_deadline_over_all_bands_and_no_handler_starts_after_a_stop(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(4);
    for n in 0_u16..400 {
        sender.try_send(Band::new((n / 100) as u8), n).unwrap();
    }
    let (started, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let workers = Workers::new(receiver).concurrency(4);
    let control = workers.control();
    let (count, gate) = (Arc::clone(&started), Arc::clone(&open));
    let pool = spawn(
        rt,
        workers.run_on(
            move |task| rt.go(task),
            move |_job: Job<u16>| {
                count.fetch_add(1, Ordering::SeqCst);
                let gate = Arc::clone(&gate);
                async move { gate.acquire().await.unwrap().forget() }
            },
        ),
    );
    // All four are in their handlers, so nobody is on the way into one.
    reaches(&started, 4).await;
    let ending = control.stop(LONG);
    open.add_permits(1000);
    let report = ending.await;
    pool.await;
    assert_eq!(started.load(Ordering::SeqCst), 4);
    check_all(&report, 400);
    assert_eq!((report.started, report.done), (4, 4));
    assert_eq!(report.returned.len(), 396);
    // In the order in which they would have been worked on.
    let items: Vec<u16> = report.returned.iter().map(|r| r.item).collect();
    assert_eq!(items[..96], Vec::from_iter(4..100));
    let mut by_band = items.clone();
    by_band.sort_by_key(|n| n / 100); // stable
    assert_eq!(items, by_band);
    assert!(sender.is_closed());
}

async fn r02_interrupted_is_not_failed(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, "an item").unwrap();
    let second = Arc::new(AtomicUsize::new(0));
    let workers = Workers::new(receiver).retry(Retry::exponential(Duration::ZERO).attempts(2));
    let control = workers.control();
    let seen = Arc::clone(&second);
    let pool = spawn(
        rt,
        workers.run(move |job: Job<&str>| {
            let seen = Arc::clone(&seen);
            async move {
                if job.attempt() == 1 {
                    return Err("once");
                }
                seen.store(1, Ordering::SeqCst);
                pending().await
            }
        }),
    );
    reaches(&second, 1).await;
    let report = control.stop(Duration::ZERO).await;
    pool.await;
    check_all(&report, 1);
    assert_eq!((report.failed, report.interrupted, report.dead), (1, 1, 0));
    let item = &report.returned[0];
    assert_eq!(
        (item.item, item.attempts, item.interrupted),
        ("an item", 1, true)
    );
}

async fn r05_a_result_during_a_stop_counts(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    let (started, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let workers = Workers::new(receiver).concurrency(3);
    let control = workers.control();
    let (count, gate) = (Arc::clone(&started), Arc::clone(&open));
    let pool = spawn(
        rt,
        workers.run(move |job: Job<u32>| {
            let (count, gate) = (Arc::clone(&count), Arc::clone(&gate));
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                match *job {
                    0 => Outcome::Done,
                    1 => Outcome::Retry("again"),
                    _ => Outcome::Dead("never"),
                }
            }
        }),
    );
    sender.try_send_many(Band::URGENT, vec![0, 1, 2]).unwrap();
    reaches(&started, 3).await;
    let ending = control.stop(LONG);
    open.add_permits(3);
    let report = ending.await;
    pool.await;
    check_all(&report, 3);
    assert_eq!((report.done, report.dead, report.failed), (1, 1, 2));
    assert_eq!(report.interrupted, 0);
    let item = &report.returned[0];
    assert_eq!((item.item, item.attempts, item.interrupted), (1, 1, false));
}

async fn r05_a_result_during_a_drain_counts_and_is_retried(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![(); 50]).unwrap();
    let retry = Retry::exponential(Duration::from_millis(1)).attempts(3);
    let workers = Workers::new(receiver).concurrency(4).retry(retry);
    let control = workers.control();
    let ending = control.drain(LONG);
    assert!(sender.try_send(Band::URGENT, ()).unwrap_err().is_closed());
    let pool = spawn(
        rt,
        workers.run(|job: Job<()>| async move {
            match job.attempt() {
                3 => Ok(()),
                _ => Err("again"),
            }
        }),
    );
    let report = ending.await;
    pool.await;
    check_all(&report, 50);
    assert_eq!((report.done, report.failed, report.retried), (50, 100, 100));
}

async fn r06_what_is_cut_is_listed(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(2);
    let started = Arc::new(AtomicUsize::new(0));
    let workers = Workers::new(receiver)
        .concurrency(2)
        .retry(Retry::exponential(LONG));
    let control = workers.control();
    let count = Arc::clone(&started);
    let pool = spawn(
        rt,
        workers.run(move |job: Job<u32>| {
            let count = Arc::clone(&count);
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                match *job {
                    0 => Outcome::Snooze(LONG),
                    1 => Outcome::RetryAfter(LONG, "later"),
                    _ => pending().await,
                }
            }
        }),
    );
    sender.try_send_many(Band::URGENT, vec![0, 1]).unwrap();
    reaches(&started, 2).await;
    sender.try_send_many(Band::new(1), vec![2, 3, 4]).unwrap();
    reaches(&started, 4).await;
    // Two wait for a time after the deadline, two hang, one waits for a worker.
    let report = control.drain(Duration::from_millis(5)).await;
    pool.await;
    check_all(&report, 5);
    let mut all: Vec<_> = report.returned;
    all.sort_by_key(|returned| returned.item);
    let band: Vec<_> = all.iter().map(|returned| returned.band.index()).collect();
    assert_eq!(band, [0, 0, 1, 1, 1]);
    let attempts: Vec<_> = all.iter().map(|returned| returned.attempts).collect();
    assert_eq!(attempts, [0, 1, 0, 0, 0]);
    let interrupted: Vec<_> = all.iter().map(|returned| returned.interrupted).collect();
    assert_eq!(interrupted, [false, false, true, true, false]);
}

/// What is due was taken from where it waits, and has not begun: that is when it is asked its name.
async fn a_stop_waits_for_what_is_on_its_way_to_a_worker(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, "an item").unwrap();
    let workers = Workers::new(receiver);
    let control = workers.control();
    let (turns, ended) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let too_early = Arc::clone(&ended);
    let workers = workers.named(move |_| {
        if turns.fetch_add(1, Ordering::SeqCst) == 1 {
            let mut stop = control.stop(LONG);
            let mut context = Context::from_waker(Waker::noop());
            let is_over = Pin::new(&mut stop).poll(&mut context).is_ready();
            too_early.fetch_add(usize::from(is_over), Ordering::SeqCst);
        }
        String::new()
    });
    let pool = workers.run(|job: Job<&str>| async move {
        assert_eq!(job.id(), 1);
        Outcome::<&str>::Snooze(Duration::ZERO)
    });
    let report = spawn(rt, pool).await;
    check_all(&report, 1);
    assert_eq!((report.started, report.returned.len()), (1, 1));
    assert_eq!(ended.load(Ordering::SeqCst), 0);
}
