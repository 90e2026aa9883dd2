//! `join`.

use crate::support::{LONG, Runtime, check, check_all, on_each_runtime, reaches, spawn};
use bandq::Band;
use bandq_workers::{Job, Outcome, Retry, Workers};
use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

on_each_runtime! {
    r19_join_waits_for_what_was_accepted_before_and_not_for_what_comes_later
    r19_join_waits_for_retries
    r19_a_close_or_a_stop_releases_joiners
    r19_join_is_not_held_up_by_what_others_take
    r22_a_handler_that_sends_into_its_own_full_channel_does_not_hang_the_pool
}

async fn r19_join_waits_for_what_was_accepted_before_and_not_for_what_comes_later(
    rt: impl Runtime,
) {
    let (sender, receiver) = bandq::unbounded(2);
    let open = Arc::new(Semaphore::new(0));
    let done = Arc::new(AtomicUsize::new(0));
    let (gate, count) = (Arc::clone(&open), Arc::clone(&done));
    let workers = Workers::new(receiver).concurrency(4);
    let control = workers.control();
    sender
        .try_send_many(Band::URGENT, vec!["first"; 10])
        .unwrap();
    let pool = spawn(
        rt,
        workers.run(move |job: Job<&str>| {
            let (gate, count) = (Arc::clone(&gate), Arc::clone(&count));
            async move {
                if *job == "later" {
                    return pending().await;
                }
                gate.acquire().await.unwrap().forget();
                count.fetch_add(1, Ordering::SeqCst);
            }
        }),
    );
    let join = control.join();
    sender.try_send(Band::new(1), "later").unwrap();
    let mut join = Box::pin(join);
    open.add_permits(9);
    reaches(&done, 9).await;
    assert!(futures_lite::future::poll_once(&mut join).await.is_none());
    open.add_permits(1);
    join.await;
    assert_eq!(done.load(Ordering::SeqCst), 10);
    let report = control.stop(Duration::ZERO).await;
    pool.await;
    check_all(&report, 11);
    assert_eq!((report.done, report.returned.len()), (10, 1));
}

async fn r19_join_waits_for_retries(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(2);
    sender.try_send_many(Band::new(1), vec![(); 100]).unwrap();
    let retry = Retry::exponential(Duration::from_millis(1))
        .attempts(3)
        .band(Band::URGENT);
    let workers = Workers::new(receiver).concurrency(2).retry(retry);
    let control = workers.control();
    let pool = spawn(
        rt,
        workers.run(|job: Job<()>| async move {
            if job.attempt() == 3 {
                Ok(())
            } else {
                Err("again")
            }
        }),
    );
    control.join().await;
    assert_eq!(
        (control.report().done, control.report().retried),
        (100, 200)
    );
    control.join().await; // nothing to wait for
    drop(sender);
    check_all(&pool.await, 100);
}

async fn r19_a_close_or_a_stop_releases_joiners(rt: impl Runtime) {
    for how in 0..3 {
        let (sender, receiver) = bandq::unbounded(2);
        sender.try_send_many(Band::new(1), vec![how; 10]).unwrap();
        let workers = Workers::new(receiver);
        let control = workers.control();
        let before = control.join();
        let pool = spawn(
            rt,
            workers.run(|job: Job<usize>| async move {
                if *job == 0 {
                    pending::<()>().await;
                }
                Outcome::<&str>::Done
            }),
        );
        let join = control.join();
        let end = match how {
            0 => Some(control.stop(Duration::from_millis(1))),
            1 => Some(control.drain(LONG)),
            _ => None,
        };
        sender.close();
        before.await;
        join.await;
        if let Some(end) = end {
            check(&end.await, 10);
        }
        check(&pool.await, 10);
        control.join().await; // of a pool that has ended
    }
}

async fn r19_join_is_not_held_up_by_what_others_take(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(2);
    let other = receiver.clone();
    sender.try_send_many(Band::new(1), vec![(); 10]).unwrap();
    let workers = Workers::new(receiver);
    let control = workers.control();
    let join = control.join();
    assert_eq!(other.try_iter().take(7).count(), 7);
    let pool = spawn(rt, workers.run(|_job: Job<()>| async {}));
    join.await;
    assert_eq!(control.report().done, 3);
    drop(sender);
    check_all(&pool.await, 3);
}

async fn r22_a_handler_that_sends_into_its_own_full_channel_does_not_hang_the_pool(
    rt: impl Runtime,
) {
    let (sender, receiver) = bandq::bounded(1, 1);
    let workers = Workers::new(receiver).concurrency(2);
    let control = workers.control();
    let inner = sender.clone();
    let refused = Arc::new(AtomicUsize::new(0));
    let (count, turns) = (Arc::clone(&refused), Arc::new(AtomicUsize::new(0)));
    let pool = spawn(
        rt,
        workers.run(move |job: Job<u32>| {
            let inner = inner.clone();
            let (count, turns) = (Arc::clone(&count), Arc::clone(&turns));
            async move {
                if *job > 0 {
                    // Each item makes two more, until it is small: as many as have room at once.
                    for _ in 0..2 {
                        if inner.try_send(Band::URGENT, *job - 1).is_err() {
                            count.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                    if turns.fetch_add(1, Ordering::SeqCst) < 100 {
                        job.requeue(); // never waits for room
                    }
                }
            }
        }),
    );
    sender.send(Band::URGENT, 3).await.unwrap();
    let report = control.drain(LONG).await;
    pool.await;
    check_all(&report, report.accepted);
    assert!(report.requeued > 0 && refused.load(Ordering::SeqCst) > 0);
    assert_eq!(report.done, report.accepted);
}
