//! One handler's panic is its own.

use crate::support::{Runtime, check_all, on_each_runtime, reaches, spawn};
use bandq::Band;
use bandq_workers::{DeadLetter, Failure, Job, Retry, Workers};
use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

on_each_runtime! {
    r17_a_panic_is_caught_and_the_others_run_on
    r17_a_panic_before_the_first_await_is_caught_too
    r17_a_joiner_gets_all_results
    r17_a_weigher_that_panics_at_a_retry_costs_no_job
}

/// An item that is weighed once, and then no more.
struct Touchy(AtomicBool);

fn weigh(item: &Touchy) -> usize {
    assert!(!item.0.load(Ordering::SeqCst), "weighed again");
    1
}

async fn r17_a_weigher_that_panics_at_a_retry_costs_no_job(rt: impl Runtime) {
    let weigh: fn(&Touchy) -> usize = weigh;
    let builder = bandq::Builder::new(1).capacity(1).weigher(weigh);
    let (sender, receiver) = builder.build().unwrap();
    sender
        .send(Band::URGENT, Touchy(AtomicBool::new(false)))
        .await
        .unwrap();
    drop(sender);
    let workers = Workers::new(receiver).retry(Retry::exponential(Duration::ZERO).attempts(2));
    let pool = workers.run(|job: Job<Touchy>| async move {
        if job.0.swap(true, Ordering::SeqCst) {
            Ok(())
        } else {
            Err("again")
        }
    });
    let report = spawn(rt, pool).await;
    check_all(&report, 1);
    assert_eq!((report.done, report.retried), (1, 1));
}

async fn r17_a_panic_is_caught_and_the_others_run_on(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender
        .try_send_many(Band::URGENT, (0..4).collect::<Vec<_>>())
        .unwrap();
    drop(sender);
    let (started, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (count, gate) = (Arc::clone(&started), Arc::clone(&open));
    let texts = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&texts);
    let workers = Workers::new(receiver)
        .concurrency(4)
        .retry(Retry::exponential(Duration::ZERO).attempts(1))
        .dead_letter(move |letter: DeadLetter<u32, &str>| {
            list.lock().unwrap().extend(letter.failures);
        });
    let pool = spawn(
        rt,
        workers.run(move |job: Job<u32>| {
            let (count, gate) = (Arc::clone(&count), Arc::clone(&gate));
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                if *job == 1 {
                    panic!("of job {}", *job);
                }
                gate.acquire().await.unwrap().forget();
                Ok(())
            }
        }),
    );
    reaches(&started, 4).await;
    open.add_permits(3);
    let report = pool.await;
    check_all(&report, 4);
    assert_eq!((report.done, report.dead, report.panicked), (3, 1, 1));
    assert_eq!(
        *texts.lock().unwrap(),
        [Failure::Panicked("of job 1".into())]
    );
}

async fn r17_a_panic_before_the_first_await_is_caught_too(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender
        .try_send_many(Band::URGENT, (0..4).collect::<Vec<_>>())
        .unwrap();
    drop(sender);
    let workers = Workers::new(receiver).retry(Retry::exponential(Duration::ZERO).attempts(2));
    let report = spawn(
        rt,
        workers.run_on(
            move |task| rt.go(task),
            |job: Job<u32>| {
                assert_ne!((*job, job.attempt()), (2, 1), "outside of the future");
                async {}
            },
        ),
    )
    .await;
    check_all(&report, 4);
    assert_eq!((report.done, report.panicked, report.retried), (4, 1, 1));
}

async fn r17_a_joiner_gets_all_results(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender
        .try_send_many(Band::URGENT, (0..100).collect::<Vec<_>>())
        .unwrap();
    let workers = Workers::new(receiver)
        .concurrency(3)
        .retry(Retry::exponential(Duration::ZERO).attempts(1));
    let control = workers.control();
    let pool = spawn(
        rt,
        workers.run(|job: Job<u32>| async move {
            if *job % 3 == 0 {
                panic!("one of many");
            }
        }),
    );
    control.join().await;
    let report = control.report();
    assert_eq!((report.done, report.dead, report.panicked), (66, 34, 34));
    drop(sender);
    check_all(&pool.await, 100);
}
