//! Calls that meet: a stop during a drain, before the start, twice, from inside.

use crate::support::{LONG, Runtime, check, check_all, on_each_runtime, reaches, spawn, until};
use bandq::Band;
use bandq_workers::{Control, Job, Workers};
use std::{
    future::{Future, pending},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

on_each_runtime! {
    r07_a_stop_shortens_a_drain
    r07_a_later_deadline_does_not_lengthen
    r07_stop_before_the_start
    r07_stop_from_inside_a_handler
    a_handler_that_hears_of_the_stop_ends_in_good_order
    a_pool_ends_when_its_channel_does
    a_pause_starts_nothing_and_a_drain_ends_it
    a_pause_while_an_item_is_on_its_way_starts_nothing
    a_resume_is_ready_whatever_comes_after_it
    a_pause_does_not_hold_up_a_drain
    a_spawner_that_panics_holds_up_no_stop
    a_drain_loses_nothing_that_is_sent_meanwhile
}

/// A pool whose handlers never end, and one of them runs.
async fn hanging(
    rt: impl Runtime,
) -> (
    Control<u32>,
    impl Future<Output = bandq_workers::Report<u32>>,
) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
    let started = Arc::new(AtomicUsize::new(0));
    let workers = Workers::new(receiver);
    let control = workers.control();
    let count = Arc::clone(&started);
    let pool = spawn(
        rt,
        workers.run(move |_job: Job<u32>| {
            count.fetch_add(1, Ordering::SeqCst);
            pending::<()>()
        }),
    );
    reaches(&started, 1).await;
    (control, pool)
}

async fn r07_a_stop_shortens_a_drain(rt: impl Runtime) {
    let (control, pool) = hanging(rt).await;
    let drain = control.drain(LONG);
    let stop = control.stop(Duration::ZERO);
    let report = stop.await;
    check_all(&report, 3);
    assert_eq!(report.returned.len(), 3);
    check(&drain.await, 3);
    check(&pool.await, 3);
    check(&control.stop(LONG).await, 3); // and once more, afterwards
    check(&control.drain(LONG).await, 3);
}

async fn r07_a_later_deadline_does_not_lengthen(rt: impl Runtime) {
    let (control, pool) = hanging(rt).await;
    let first = control.stop(Duration::from_millis(1));
    drop(control.stop(LONG));
    drop(control.drain(LONG));
    check_all(&first.await, 3);
    check(&pool.await, 3);
}

async fn r07_stop_before_the_start(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
    let workers = Workers::new(receiver);
    let control = workers.control();
    let report = control.stop(LONG).await;
    check_all(&report, 3);
    assert_eq!(report.returned.len(), 3);
    let never = |_job: Job<u32>| async { panic_now() };
    let report = spawn(rt, workers.run(never)).await;
    check(&report, 3);
    assert_eq!(report.started, 0);
}

async fn r07_stop_from_inside_a_handler(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
    let workers = Workers::new(receiver);
    let control = workers.control();
    let inside = control.clone();
    // It waits for itself, until it is cut.
    let pool = spawn(
        rt,
        workers.run(move |_job: Job<u32>| {
            let control = inside.clone();
            async move {
                control.stop(Duration::from_millis(1)).await;
            }
        }),
    );
    let report = pool.await;
    check_all(&report, 3);
    assert_eq!((report.started, report.interrupted), (1, 1));
}

async fn a_handler_that_hears_of_the_stop_ends_in_good_order(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
    let started = Arc::new(AtomicUsize::new(0));
    let workers = Workers::new(receiver);
    let control = workers.control();
    let count = Arc::clone(&started);
    let pool = spawn(
        rt,
        workers.run(move |job: Job<u32>| {
            count.fetch_add(1, Ordering::SeqCst);
            async move { job.cancelled().await }
        }),
    );
    reaches(&started, 1).await;
    let report = control.stop(LONG).await;
    pool.await;
    check_all(&report, 3);
    assert_eq!((report.done, report.interrupted), (1, 0));
}

async fn a_pool_ends_when_its_channel_does(rt: impl Runtime) {
    let (sender, receiver) = bandq::bounded(3, 8);
    let workers = Workers::new(receiver).concurrency(3);
    let pool = spawn(
        rt,
        workers.run_on(move |task| rt.go(task), |_job: Job<u32>| async {}),
    );
    for n in 0..3000 {
        sender.send(Band::new((n % 3) as u8), n).await.unwrap();
    }
    drop(sender);
    let report = pool.await;
    check_all(&report, 3000);
    assert_eq!(report.done, 3000);
    assert!(report.bands.iter().all(|band| band.done == 1000));
}

async fn a_pause_starts_nothing_and_a_drain_ends_it(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    let started = Arc::new(AtomicUsize::new(0));
    let workers = Workers::new(receiver);
    let control = workers.control();
    control.pause();
    let count = Arc::clone(&started);
    let pool = spawn(
        rt,
        workers.run(move |_job: Job<u32>| {
            count.fetch_add(1, Ordering::SeqCst);
            async {}
        }),
    );
    sender.try_send(Band::URGENT, 1).unwrap();
    crate::support::sleep(Duration::from_millis(20)).await;
    assert_eq!(started.load(Ordering::SeqCst), 0);
    control.resume().await;
    reaches(&started, 1).await;
    control.join().await;
    control.pause();
    sender.try_send(Band::URGENT, 2).unwrap();
    let report = control.drain(LONG).await;
    pool.await;
    check_all(&report, 2);
    assert_eq!(report.done, 2);
}

async fn a_pause_while_an_item_is_on_its_way_starts_nothing(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, 0..10).unwrap();
    drop(sender);
    let workers = Workers::new(receiver).concurrency(10);
    let control = workers.control();
    let started = Arc::new(AtomicUsize::new(0));
    let (count, pauses) = (Arc::clone(&started), control.clone());
    // Whoever hands the first one out pauses the pool, while the next may have been received. The
    // first one is put back when its task has its turn.
    let spawner = move |task| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            drop(pauses.pause());
        }
        rt.go(task);
    };
    let pool = spawn(rt, workers.run_on(spawner, |_job: Job<u32>| async {}));
    reaches(&started, 1).await;
    control.pause().await;
    crate::support::sleep(Duration::from_millis(5)).await;
    let report = control.report();
    assert_eq!((report.started, report.done), (0, 0));
    assert_eq!(started.load(Ordering::SeqCst), 1);
    control.resume().await;
    let report = pool.await;
    check_all(&report, 10);
    assert_eq!(report.done, 10);
}

async fn a_resume_is_ready_whatever_comes_after_it(rt: impl Runtime) {
    let (control, pool) = hanging(rt).await;
    let resumed = control.resume();
    let paused = control.pause();
    resumed.await; // though a handler runs, and nothing is to start
    assert!(futures_lite::future::poll_once(paused).await.is_none());
    let report = control.stop(Duration::ZERO).await;
    pool.await;
    check_all(&report, 3);
}

async fn a_pause_does_not_hold_up_a_drain(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, 0..10).unwrap();
    let workers = Workers::new(receiver);
    let control = workers.control();
    let drained = control.drain(LONG);
    control.pause().await;
    let pool = spawn(rt, workers.run(|_job: Job<u32>| async {}));
    let report = drained.await;
    pool.await;
    check_all(&report, 10);
    assert_eq!(report.done, 10);
}

async fn a_spawner_that_panics_holds_up_no_stop(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, 0..10).unwrap();
    let workers = Workers::new(receiver).concurrency(4);
    let control = workers.control();
    let pool = workers.run_on(|_task| panic_now(), |_job: Job<u32>| async {});
    let pool = std::panic::AssertUnwindSafe(pool);
    let panicked = spawn(rt, futures_lite::FutureExt::catch_unwind(pool)).await;
    assert!(panicked.is_err());
    let report = control.stop(LONG).await;
    check(&report, report.accepted); // what it did not receive went with the channel
    assert_eq!((report.started, report.done), (0, 0));
    control.join().await;
    drop(sender);
}

async fn a_drain_loses_nothing_that_is_sent_meanwhile(rt: impl Runtime) {
    for _ in 0..20 {
        let (sender, receiver) = bandq::bounded(4, 16);
        let done = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&done);
        let workers = Workers::new(receiver).concurrency(2);
        let control = workers.control();
        let pool = spawn(
            rt,
            workers.run_on(
                move |task| rt.go(task),
                move |job: Job<u32>| {
                    list.lock().unwrap().push(*job);
                    async {}
                },
            ),
        );
        let senders: Vec<_> = (0..3)
            .map(|thread| {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    let mut accepted = Vec::new();
                    for n in 0.. {
                        let item = n * 3 + thread;
                        if sender
                            .send_blocking(Band::new((n % 4) as u8), item)
                            .is_err()
                        {
                            return accepted;
                        }
                        accepted.push(item);
                    }
                    accepted
                })
            })
            .collect();
        until(|| control.report().done > 50).await;
        let report = control.drain(LONG).await;
        pool.await;
        let mut accepted: Vec<u32> = senders
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        let mut done = std::mem::take(&mut *done.lock().unwrap());
        accepted.sort_unstable();
        done.sort_unstable();
        assert_eq!(accepted, done);
        check_all(&report, accepted.len() as u64);
    }
}

fn panic_now() {
    panic!("no handler starts");
}
