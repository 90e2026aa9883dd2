//! Handlers that block their thread.

use crate::support::{LONG, Runtime, check, on_each_runtime, reaches, spawn, until};
use bandq::Band;
use bandq_workers::{Job, Workers};
use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

on_each_runtime! {
    blocking:
    r03_a_handler_that_ignores_cancellation_is_named_stuck
    r03_one_that_blocks_the_pool_itself_does_not_hold_a_stop
    r04_a_stuck_handler_gets_a_replacement
    r04_a_replacement_is_for_as_long_as_the_handler_hangs
    r04_no_replacement_if_the_hook_says_no
    r04_no_replacement_if_the_hook_panics
}

async fn r03_a_handler_that_ignores_cancellation_is_named_stuck(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(3);
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    sender.try_send(Band::new(2), "a report").unwrap();
    let workers = Workers::new(receiver).named(|item| (*item).to_owned());
    let control = workers.control();
    let pool = spawn(
        rt,
        workers.run_on(
            move |task| rt.go(task),
            move |_job: Job<&str>| {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = held.lock().unwrap().recv();
                async {}
            },
        ),
    );
    reaches(&started, 1).await;
    sender.try_send(Band::new(1), "never started").unwrap();
    let report = control.stop(Duration::from_millis(10)).await;
    check(&report, 2);
    assert_eq!(report.returned[0].item, "never started");
    let stuck = &report.stuck[0];
    assert_eq!((stuck.band, stuck.attempt), (Band::new(2), 1));
    assert_eq!(stuck.name.as_deref(), Some("a report"));
    assert!(stuck.age >= stuck.running && stuck.running >= Duration::from_millis(10));
    assert!(stuck.location.file().ends_with("blocked.rs"));
    check(&pool.await, 2);
    // When it ends after all, it counts as what it came to.
    release.send(()).unwrap();
    until(|| control.report().done == 1).await;
    check(&control.report(), 2);
}

async fn r03_one_that_blocks_the_pool_itself_does_not_hold_a_stop(_rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    let (release, held) = mpsc::channel::<()>();
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
    let workers = Workers::new(receiver);
    let control = workers.control();
    // A thread of its own, whatever else the runtime has to do.
    let pool = std::thread::spawn(move || {
        futures_lite::future::block_on(workers.run(|_job: Job<u32>| {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = held.recv();
            async {}
        }))
    });
    reaches(&started, 1).await;
    let report = control.drain(Duration::from_millis(10)).await;
    check(&report, 3);
    assert_eq!((report.stuck.len(), report.returned.len()), (1, 2));
    release.send(()).unwrap();
    let last = pool.join().unwrap();
    check(&last, 3);
    assert_eq!((last.done, last.started), (1, 1));
}

async fn r04_a_stuck_handler_gets_a_replacement(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let (asked, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (ask, count) = (Arc::clone(&asked), Arc::clone(&done));
    sender
        .try_send_many(Band::URGENT, vec![0, 0, 1, 2])
        .unwrap();
    let workers = Workers::new(receiver).replace_stuck(Duration::from_millis(10), move |stuck| {
        assert!(stuck.running >= Duration::from_millis(10));
        ask.fetch_add(1, Ordering::SeqCst);
        true
    });
    let control = workers.control();
    let pool = spawn(
        rt,
        workers.run_on(
            move |task| rt.go(task),
            move |job: Job<u32>| {
                if *job == 0 {
                    let _ = held.lock().unwrap().recv();
                }
                count.fetch_add(1, Ordering::SeqCst);
                async {}
            },
        ),
    );
    // One worker, two items that block: two replacements, so the others are done.
    reaches(&done, 2).await;
    assert!(asked.load(Ordering::SeqCst) >= 2);
    release.send(()).unwrap();
    release.send(()).unwrap();
    drop(sender);
    let report = pool.await;
    check(&report, 4);
    assert_eq!(report.done, 4);
    check(&control.stop(LONG).await, 4);
}

async fn r04_a_replacement_is_for_as_long_as_the_handler_hangs(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let (began, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, ask) = (Arc::clone(&began), Arc::clone(&asked));
    let workers = Workers::new(receiver).replace_stuck(Duration::from_millis(10), move |_| {
        // For the first one only.
        ask.fetch_add(1, Ordering::SeqCst) == 0
    });
    let control = workers.control();
    let pool = spawn(
        rt,
        workers.run_on(
            move |task| rt.go(task),
            move |_job: Job<u32>| {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = held.lock().unwrap().recv();
                async {}
            },
        ),
    );
    sender.try_send_many(Band::URGENT, vec![1, 2]).unwrap();
    reaches(&asked, 2).await;
    assert_eq!(control.report().running, 2);
    release.send(()).unwrap();
    release.send(()).unwrap();
    until(|| control.report().done == 2).await;
    // There is one worker again.
    sender.try_send_many(Band::URGENT, vec![3, 4]).unwrap();
    reaches(&asked, 3).await;
    assert_eq!(control.report().running, 1);
    release.send(()).unwrap();
    release.send(()).unwrap();
    drop(sender);
    let report = pool.await;
    check(&report, 4);
    assert_eq!((report.done, began.load(Ordering::SeqCst)), (4, 4));
}

async fn r04_no_replacement_if_the_hook_says_no(rt: impl Runtime) {
    no_replacement(rt, || false).await;
}

async fn r04_no_replacement_if_the_hook_panics(rt: impl Runtime) {
    no_replacement(rt, || std::panic::resume_unwind(Box::new("a hook's"))).await;
}

async fn no_replacement(rt: impl Runtime, says: fn() -> bool) {
    let (sender, receiver) = bandq::unbounded(1);
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let (asked, began) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (ask, count) = (Arc::clone(&asked), Arc::clone(&began));
    sender.try_send_many(Band::URGENT, vec![1, 2]).unwrap();
    drop(sender);
    let workers = Workers::new(receiver).replace_stuck(Duration::from_millis(5), move |_| {
        ask.fetch_add(1, Ordering::SeqCst);
        says()
    });
    let control = workers.control();
    let pool = spawn(
        rt,
        workers.run_on(
            move |task| rt.go(task),
            move |job: Job<u32>| {
                count.fetch_add(1, Ordering::SeqCst);
                if *job == 1 {
                    let _ = held.lock().unwrap().recv();
                }
                async {}
            },
        ),
    );
    reaches(&asked, 1).await;
    crate::support::sleep(Duration::from_millis(30)).await;
    let report = control.report();
    assert_eq!((report.running, report.started), (1, 1));
    assert_eq!(asked.load(Ordering::SeqCst), 1); // once for each job
    release.send(()).unwrap();
    check(&pool.await, 2);
    assert_eq!(began.load(Ordering::SeqCst), 2);
}
