//! `Jobs`.

use crate::support::{Runtime, on_each_runtime, spawn};
use bandq::{Band, RecvError, TryRecvError};
use bandq_workers::Jobs;
use std::{
    future::Future,
    sync::{Arc, Mutex},
};

on_each_runtime! {
    settled_is_done_or_taken
    a_requeue_wakes_whoever_waits_and_never_waits_for_room
    many_consumers_lose_nothing
    a_join_ends_with_the_last_of_them
}

async fn a_join_ends_with_the_last_of_them(_rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2]).unwrap();
    let jobs = Jobs::new(receiver);
    let job = jobs.recv().await.unwrap();
    let mut join = Box::pin(jobs.join());
    assert!(futures_lite::future::poll_once(&mut join).await.is_none());
    drop(jobs);
    drop(job);
    join.await; // nobody is left to take the other one
}

async fn settled_is_done_or_taken(_rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender
        .try_send_many(Band::URGENT, vec!["done", "taken"])
        .unwrap();
    let jobs = Jobs::new(receiver);
    let mut join = Box::pin(jobs.join());
    let first = jobs.recv().await.unwrap();
    let second = jobs.recv().await.unwrap();
    assert!(futures_lite::future::poll_once(&mut join).await.is_none());
    assert_eq!(second.take(), Some("taken"));
    assert!(futures_lite::future::poll_once(&mut join).await.is_none());
    drop(first);
    join.await;
    assert_eq!((jobs.report().done, jobs.report().taken), (1, 1));
    assert_eq!(jobs.try_recv().unwrap_err(), TryRecvError::Empty);
    drop(sender);
    assert_eq!(jobs.recv().await.unwrap_err(), RecvError);
    assert!(jobs.report().adds_up());
}

async fn a_requeue_wakes_whoever_waits_and_never_waits_for_room(rt: impl Runtime) {
    let (sender, receiver) = bandq::bounded(1, 1);
    let jobs = Jobs::new(receiver);
    sender.try_send(Band::URGENT, 1).unwrap();
    let job = jobs.recv().await.unwrap();
    let (waiting, id) = (jobs.clone(), job.id());
    let other = spawn(rt, async move {
        let job = waiting.recv().await.unwrap();
        (*job, job.id(), job.attempt())
    });
    crate::support::sleep(std::time::Duration::from_millis(5)).await;
    job.requeue();
    assert_eq!(other.await, (1, id, 1));

    sender.try_send(Band::URGENT, 2).unwrap();
    let job = jobs.recv().await.unwrap();
    sender.try_send(Band::URGENT, 3).unwrap(); // full
    job.requeue();
    let panics = jobs.clone();
    let panicked = std::thread::spawn(move || {
        let _job = panics.try_recv().unwrap();
        std::panic::resume_unwind(Box::new("not done"));
    });
    assert!(panicked.join().is_err());
    let rest = [*jobs.recv().await.unwrap(), *jobs.recv().await.unwrap()];
    assert_eq!(rest, [2, 3]); // each at the end of its band
    let report = jobs.report();
    assert_eq!((report.done, report.requeued), (3, 3));
    assert!(report.adds_up());
}

async fn many_consumers_lose_nothing(rt: impl Runtime) {
    let (sender, receiver) = bandq::bounded::<u32>(4, 8);
    let jobs = Jobs::new(receiver);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let consumers: Vec<_> = (0..4)
        .map(|_| {
            let (jobs, seen) = (jobs.clone(), Arc::clone(&seen));
            spawn(rt, async move {
                let mut turns = 0;
                while let Ok(job) = jobs.recv().await {
                    turns += 1;
                    if turns % 3 == 0 {
                        job.requeue();
                    } else {
                        seen.lock().unwrap().push(*job);
                    }
                }
            })
        })
        .collect();
    for n in 0..2000_u32 {
        sender.send(Band::new((n % 4) as u8), n).await.unwrap();
    }
    jobs.join().await;
    drop(sender);
    for consumer in consumers {
        consumer.await;
    }
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.sort_unstable();
    assert_eq!(seen, Vec::from_iter(0..2000));
    assert!(jobs.report().adds_up());
    assert_eq!(jobs.report().done, 2000);
}
