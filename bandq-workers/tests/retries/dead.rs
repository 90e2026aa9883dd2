//! What is not tried again.

use crate::support::{Runtime, check_all, on_each_runtime, spawn};
use bandq::Band;
use bandq_workers::{Cause, DeadLetter, Failure, Job, Outcome, Retry, Workers};
use std::{
    future::{Future, pending},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

on_each_runtime! {
    r10_retries_are_within_the_budget
    r12_poison_ends_in_the_dead_letter_hook_with_all_its_errors
    r12_a_panicking_predicate_or_hook_kills_nothing
    r10_a_snooze_is_no_new_item_to_the_budget
    r12_an_item_whose_drop_panics_kills_nothing
    r12_an_error_whose_drop_panics_kills_nothing
    an_error_that_is_not_transient_is_dead_at_once
}

async fn r10_retries_are_within_the_budget(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![(); 1000]).unwrap();
    drop(sender);
    let over = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&over);
    let retry = Retry::exponential(Duration::from_micros(1))
        .attempts(100)
        .budget(0.2, 10);
    let workers = Workers::new(receiver)
        .concurrency(4)
        .retry(retry)
        .dead_letter(move |letter: DeadLetter<(), &str>| {
            assert_eq!(letter.cause, Cause::Budget);
            count.fetch_add(1, Ordering::SeqCst);
        });
    let report = spawn(rt, workers.run(|_job: Job<()>| async { Err("down") })).await;
    check_all(&report, 1000);
    assert_eq!((report.dead, over.load(Ordering::SeqCst)), (1000, 1000));
    assert!(report.retried <= 210, "{}", report.retried);
    assert!(report.retried >= 10); // the reserve
}

async fn r10_a_snooze_is_no_new_item_to_the_budget(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![0; 100]).unwrap();
    drop(sender);
    let retry = Retry::exponential(Duration::ZERO)
        .attempts(100)
        .budget(0.1, 1);
    let turns = Arc::new(AtomicUsize::new(0));
    let workers = Workers::new(receiver).retry(retry);
    let pool = workers.run(move |_job: Job<u32>| {
        // Each ten times before any fails.
        let turn = turns.fetch_add(1, Ordering::SeqCst);
        async move {
            if turn < 1000 {
                Outcome::Snooze(Duration::ZERO)
            } else {
                Outcome::Retry("down")
            }
        }
    });
    let report = spawn(rt, pool).await;
    check_all(&report, 100);
    assert_eq!((report.dead, report.snoozed), (100, 1000));
    // A tenth of the items, and the reserve, which may have come anew meanwhile.
    assert!(report.retried < 50, "{}", report.retried);
}

/// An error that nobody can drop in peace.
#[derive(Debug)]
struct Sour;

impl Drop for Sour {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("sour"));
    }
}

async fn r12_an_error_whose_drop_panics_kills_nothing(rt: impl Runtime) {
    for hook in [false, true] {
        let (sender, receiver) = bandq::unbounded(1);
        sender.try_send_many(Band::URGENT, 0..20).unwrap();
        drop(sender);
        let retry = Retry::exponential(Duration::ZERO)
            .attempts(2)
            .failure(|_: &Sour| fastrand::bool());
        let mut workers = Workers::new(receiver).concurrency(2).retry(retry);
        if hook {
            workers = workers.dead_letter(|letter: DeadLetter<u32, Sour>| {
                letter.failures.into_iter().for_each(std::mem::forget);
            });
        }
        let pool = workers.run_on(
            move |task| rt.go(task),
            |job: Job<u32>| async move {
                match *job % 4 {
                    0 => Outcome::Done,
                    1 => Outcome::Retry(Sour),
                    2 => Outcome::Dead(Sour),
                    _ => {
                        let _ = job.take();
                        Outcome::Retry(Sour)
                    }
                }
            },
        );
        let report = spawn(rt, pool).await;
        check_all(&report, 20);
        assert_eq!((report.done, report.dead, report.taken), (5, 10, 5));
    }
}

async fn r12_poison_ends_in_the_dead_letter_hook_with_all_its_errors(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, "poison").unwrap();
    sender.try_send(Band::URGENT, "good").unwrap();
    drop(sender);
    let letters = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&letters);
    let workers = Workers::new(receiver)
        .time_limit(Duration::from_millis(5))
        .retry(Retry::exponential(Duration::from_micros(1)).attempts(4))
        .dead_letter(move |letter: DeadLetter<&str, &str>| list.lock().unwrap().push(letter));
    let report = spawn(
        rt,
        workers.run(|job: Job<&str>| async move {
            match (*job, job.attempt()) {
                ("poison", 1) => panic!("of text"),
                ("poison", 2) => pending().await,
                ("poison", 3) => panic!("with {}", 1),
                ("poison", _) => Err("last"),
                _ => Ok(()),
            }
        }),
    )
    .await;
    check_all(&report, 2);
    assert_eq!((report.done, report.dead), (1, 1));
    assert_eq!(
        (report.failed, report.panicked, report.timed_out),
        (4, 2, 1)
    );
    let letters = letters.lock().unwrap();
    assert_eq!((letters.len(), letters[0].item), (1, "poison"));
    assert_eq!(letters[0].cause, Cause::Attempts);
    assert_eq!(
        letters[0].failures,
        [
            Failure::Panicked("of text".into()),
            Failure::TimedOut,
            Failure::Panicked("with 1".into()),
            Failure::Error("last"),
        ]
    );
}

async fn r12_a_panicking_predicate_or_hook_kills_nothing(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender
        .try_send_many(Band::URGENT, (0..10).collect::<Vec<_>>())
        .unwrap();
    drop(sender);
    let retry = Retry::exponential(Duration::ZERO)
        .attempts(2)
        .transient(|_: &&str| panic!("of the predicate"))
        .failure(|_: &&str| panic!("of the other predicate"));
    let workers = Workers::new(receiver)
        .concurrency(3)
        .retry(retry)
        .named(|_| panic!("of the name"))
        .dead_letter(|_| panic!("of the hook"));
    let report = spawn(
        rt,
        workers.run_on(
            move |task| rt.go(task),
            |job: Job<u32>| async move { if *job % 2 == 0 { Err("fails") } else { Ok(()) } },
        ),
    )
    .await;
    check_all(&report, 10);
    // A predicate that panics takes the error for transient, and for a failure.
    assert_eq!((report.done, report.dead, report.retried), (5, 5, 5));
    assert_eq!((report.hook_panicked, report.panicked), (5, 0));
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("of a drop");
    }
}

async fn r12_an_item_whose_drop_panics_kills_nothing(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    for _ in 0..4 {
        assert!(sender.try_send(Band::URGENT, Bomb).is_ok());
    }
    drop(sender);
    let turns = Arc::new(AtomicUsize::new(0));
    let workers = Workers::new(receiver)
        .time_limit(Duration::from_millis(5))
        .retry(Retry::exponential(Duration::ZERO).attempts(1));
    let report = spawn(
        rt,
        workers.run(move |job: Job<Bomb>| {
            let turn = turns.fetch_add(1, Ordering::SeqCst);
            async move {
                match turn {
                    0 => Outcome::Done,
                    1 => Outcome::Dead("dead"),
                    2 => {
                        let _ = job.take(); // panics in the handler
                        Outcome::Done
                    }
                    _ => {
                        let _local = Bomb; // panics when the handler is dropped
                        pending().await
                    }
                }
            }
        }),
    )
    .await;
    check_all(&report, 4);
    assert_eq!((report.done, report.dead, report.taken), (1, 2, 1));
    assert_eq!((report.timed_out, report.panicked), (1, 1));
}

async fn an_error_that_is_not_transient_is_dead_at_once(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender
        .try_send_many(Band::URGENT, vec!["bad", "busy"])
        .unwrap();
    drop(sender);
    let retry = Retry::exponential(Duration::ZERO)
        .attempts(3)
        .transient(|error: &&str| *error != "bad");
    let causes = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&causes);
    let workers = Workers::new(receiver)
        .retry(retry)
        .dead_letter(move |letter| list.lock().unwrap().push((letter.item, letter.cause)));
    let report = spawn(
        rt,
        workers.run(|job: Job<&'static str>| {
            let error = *job;
            async move { Err(error) }
        }),
    )
    .await;
    check_all(&report, 2);
    assert_eq!((report.dead, report.retried, report.failed), (2, 2, 4));
    assert_eq!(
        *causes.lock().unwrap(),
        [("bad", Cause::NotTransient), ("busy", Cause::Attempts)]
    );
}
