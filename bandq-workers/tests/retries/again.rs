//! Outcomes, and what goes on.

use crate::support::{LONG, Runtime, check_all, on_each_runtime, reaches, spawn, until};
use bandq::Band;
use bandq_workers::{Job, Outcome, Retry, Workers};
use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

on_each_runtime! {
    r08_waiting_for_a_retry_holds_no_worker
    r08_waiting_for_a_retry_keeps_the_room
    r09_a_delay_that_the_error_asks_for_is_a_minimum
    r11_what_failed_goes_on_in_another_band
    r13_each_outcome_does_what_it_says
    r13_an_error_that_is_no_failure_is_not_counted_as_one
    r14_a_snooze_of_zero_is_immediate
    r20_what_is_requeued_keeps_its_age_and_goes_to_the_end_of_its_band
    a_retry_goes_by_its_band
}

async fn r08_waiting_for_a_retry_holds_no_worker(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender
        .try_send_many(Band::URGENT, (0..100).collect::<Vec<_>>())
        .unwrap();
    let (failed, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let workers = Workers::new(receiver); // one
    let control = workers.control();
    let (fail, count) = (Arc::clone(&failed), Arc::clone(&done));
    let pool = spawn(
        rt,
        workers.run(move |job: Job<u32>| {
            let outcome = if *job < 50 {
                fail.fetch_add(1, Ordering::SeqCst);
                Outcome::RetryAfter(LONG, "later")
            } else {
                count.fetch_add(1, Ordering::SeqCst);
                Outcome::Done
            };
            async { outcome }
        }),
    );
    // Fifty wait for a long time; the one worker does the others meanwhile.
    reaches(&done, 50).await;
    assert_eq!(failed.load(Ordering::SeqCst), 50);
    assert_eq!(
        (control.report().waiting, control.report().adds_up()),
        (50, true)
    );
    let report = control.stop(LONG).await;
    pool.await;
    check_all(&report, 100);
    assert!(report.returned.iter().all(|item| item.attempts == 1));
}

async fn r08_waiting_for_a_retry_keeps_the_room(rt: impl Runtime) {
    let (sender, receiver) = bandq::bounded(2, 3);
    // A band beyond the last one is the last one.
    let retry = Retry::exponential(Duration::from_secs(1)).band(Band::new(60));
    let workers = Workers::new(receiver).retry(retry);
    let control = workers.control();
    let (failed, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (fail, count) = (Arc::clone(&failed), Arc::clone(&done));
    let pool = spawn(
        rt,
        workers.run(move |job: Job<u32>| {
            let outcome = if *job < 2 {
                fail.fetch_add(1, Ordering::SeqCst);
                Outcome::RetryAfter(LONG, "later")
            } else {
                count.fetch_add(1, Ordering::SeqCst);
                Outcome::Done
            };
            async { outcome }
        }),
    );
    sender.try_send_many(Band::new(1), [0, 1]).unwrap();
    reaches(&failed, 2).await;
    until(|| control.report().waiting == 2).await;
    assert_eq!((sender.len(), sender.available()), (0, Some(1)));
    for n in 2..10 {
        sender.send(Band::URGENT, n).await.unwrap(); // through the room that is left
    }
    reaches(&done, 8).await;
    let report = control.stop(LONG).await;
    pool.await;
    check_all(&report, 10);
    assert_eq!((report.returned.len(), sender.available()), (2, Some(3)));
}

async fn r09_a_delay_that_the_error_asks_for_is_a_minimum(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![(); 20]).unwrap();
    drop(sender);
    let retry = Retry::exponential(Duration::from_millis(2)).attempts(2);
    let workers = Workers::new(receiver).concurrency(4).retry(retry);
    let report = spawn(
        rt,
        workers.run(move |job: Job<()>| {
            let outcome = if job.attempt() == 1 {
                Outcome::RetryAfter(Duration::from_millis(20), "busy")
            } else {
                assert!(job.age() >= Duration::from_millis(20));
                Outcome::Done
            };
            async { outcome }
        }),
    )
    .await;
    check_all(&report, 20);
    assert_eq!((report.done, report.panicked), (20, 0));
}

async fn r11_what_failed_goes_on_in_another_band(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(4);
    let workers =
        Workers::new(receiver).retry(Retry::exponential(Duration::ZERO).band(Band::new(3)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&seen);
    sender.try_send(Band::URGENT, 'u').unwrap();
    sender.try_send_many(Band::new(2), ['a', 'b']).unwrap();
    drop(sender);
    let pool = spawn(
        rt,
        workers.run(move |job: Job<char>| {
            list.lock()
                .unwrap()
                .push((*job, job.band().index(), job.attempt()));
            let result = match (*job, job.attempt()) {
                ('u', 1) => Err("fails"),
                _ => Ok(()),
            };
            async move { result }
        }),
    );
    let report = pool.await;
    check_all(&report, 3);
    let seen = seen.lock().unwrap();
    assert_eq!(*seen, [('u', 0, 1), ('a', 2, 1), ('b', 2, 1), ('u', 3, 2)]);
    assert_eq!(report.bands[0].done, 1); // where it was sent
}

async fn r13_each_outcome_does_what_it_says(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender
        .try_send_many(Band::URGENT, (0..7).collect::<Vec<u32>>())
        .unwrap();
    drop(sender);
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&attempts);
    let turns = Arc::new(AtomicUsize::new(0));
    let retry = Retry::exponential(Duration::from_micros(1)).attempts(3);
    let report = spawn(
        rt,
        Workers::new(receiver)
            .retry(retry)
            .run(move |job: Job<u32>| {
                let turn = turns.fetch_add(1, Ordering::SeqCst);
                list.lock().unwrap().push((*job, job.attempt()));
                let first = turn < 7;
                async move {
                    match *job {
                        0 => Outcome::Done,
                        1 => Outcome::Retry("error"), // until its attempts are used up
                        2 if first => Outcome::RetryAfter(Duration::from_micros(1), "error"),
                        3 if first => Outcome::Snooze(Duration::from_micros(1)),
                        4 => Outcome::Dead("error"),
                        5 if first => Outcome::Requeue,
                        6 => {
                            assert_eq!(job.take(), Some(6));
                            Outcome::Retry("whatever it says")
                        }
                        _ => Outcome::Done,
                    }
                }
            }),
    )
    .await;
    check_all(&report, 7);
    assert_eq!((report.done, report.dead, report.taken), (4, 2, 1));
    assert_eq!((report.snoozed, report.requeued, report.retried), (1, 1, 3));
    let mut attempts = attempts.lock().unwrap().clone();
    attempts.sort_unstable();
    let expected = [
        (0, 1),
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 2),
        (3, 1),
        (3, 1),
        (4, 1),
        (5, 1),
        (5, 1),
        (6, 1),
    ];
    assert_eq!(*attempts, expected);
}

async fn r13_an_error_that_is_no_failure_is_not_counted_as_one(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, ()).unwrap();
    drop(sender);
    let turns = Arc::new(AtomicUsize::new(0));
    let retry = Retry::exponential(Duration::from_micros(1))
        .attempts(2)
        .failure(|error: &&str| *error != "busy");
    let report = spawn(
        rt,
        Workers::new(receiver)
            .retry(retry)
            .run(move |job: Job<()>| {
                let turn = turns.fetch_add(1, Ordering::SeqCst);
                assert_eq!(job.attempt(), 1);
                async move { if turn < 10 { Err("busy") } else { Ok(()) } }
            }),
    )
    .await;
    check_all(&report, 1);
    assert_eq!((report.done, report.failed, report.snoozed), (1, 0, 10));
}

async fn r14_a_snooze_of_zero_is_immediate(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, ()).unwrap();
    drop(sender);
    let turns = Arc::new(AtomicUsize::new(0));
    // With a tick of a millisecond between two of them, the watchdog would end it.
    let report = spawn(
        rt,
        Workers::new(receiver).run(move |_job: Job<()>| {
            let turn = turns.fetch_add(1, Ordering::SeqCst);
            async move {
                match turn {
                    ..100_000 => Outcome::<&str>::Snooze(Duration::ZERO),
                    100_000..200_000 => Outcome::Requeue,
                    _ => Outcome::Done,
                }
            }
        }),
    )
    .await;
    check_all(&report, 1);
    assert_eq!((report.snoozed, report.requeued), (100_000, 100_000));
}

async fn r20_what_is_requeued_keeps_its_age_and_goes_to_the_end_of_its_band(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2]).unwrap();
    drop(sender);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&seen);
    let report = spawn(
        rt,
        Workers::new(receiver).run(move |job: Job<u32>| {
            let (item, id, age) = (*job, job.id(), job.age());
            let again = list.lock().unwrap().len() < 2;
            list.lock().unwrap().push((item, id, age));
            async move {
                crate::support::sleep(Duration::from_millis(2)).await;
                if again {
                    Outcome::<&str>::Requeue
                } else {
                    Outcome::Done
                }
            }
        }),
    )
    .await;
    check_all(&report, 2);
    let seen = seen.lock().unwrap();
    let order: Vec<_> = seen.iter().map(|(item, id, _)| (*item, *id)).collect();
    assert_eq!(order, [(1, 1), (2, 2), (1, 1), (2, 2)]);
    for item in [1, 2] {
        let turns: Vec<_> = seen.iter().filter(|turn| turn.0 == item).collect();
        assert_eq!(turns.len(), 2);
        assert_eq!(turns[0].1, turns[1].1);
        // Its own first turn took as long, and then the other one's.
        assert!(turns[1].2 >= turns[0].2 + Duration::from_millis(4));
    }
}

async fn a_retry_goes_by_its_band(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(3);
    let workers = Workers::new(receiver);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&seen);
    let again = sender.clone();
    sender.try_send(Band::new(1), 'm').unwrap();
    drop(sender);
    let mut again = Some(again);
    let again = Arc::new(Mutex::new(again.take()));
    let pool = spawn(
        rt,
        workers.run(move |job: Job<char>| {
            list.lock().unwrap().push(*job);
            let outcome = match again.lock().unwrap().take() {
                Some(sender) => {
                    sender.try_send(Band::URGENT, 'u').unwrap();
                    sender.try_send(Band::new(1), 'n').unwrap();
                    sender.try_send(Band::new(2), 'l').unwrap();
                    Outcome::<&str>::Requeue
                }
                None => Outcome::Done,
            };
            async { outcome }
        }),
    );
    check_all(&pool.await, 4);
    assert_eq!(*seen.lock().unwrap(), ['m', 'u', 'n', 'm', 'l']);
}
