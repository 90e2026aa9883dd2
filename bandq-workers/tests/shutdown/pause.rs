//! What a pause, a stop and the pool's end do to handlers that have not begun yet, and to those who
//! wait for them. Polled by hand, so that it is known what has happened.

use crate::support::{LONG, Watchdog, check, check_all};
use bandq::Band;
use bandq_workers::{Cancelled, Job, Task, Workers};
use futures_lite::future::block_on;
use std::{
    future::{Future, pending},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn poll(future: &mut (impl Future + Unpin)) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    std::pin::Pin::new(future).poll(&mut context).is_ready()
}

#[test]
fn no_handler_of_the_pools_own_task_begins_when_a_pause_has_returned() {
    let _watchdog = Watchdog::new("pause, inside");
    let (sender, receiver) = bandq::bounded(1, 5);
    sender.try_send_many(Band::URGENT, 1..=5).unwrap();
    drop(sender);
    let workers = Workers::new(receiver).concurrency(3);
    let control = workers.control();
    let begun = Mutex::new(Vec::new());
    let mut pool = Box::pin(workers.run(|job: Job<u32>| {
        begun.lock().unwrap().push(*job);
        if *job == 1 {
            drop(control.pause());
        }
        async {}
    }));
    for _ in 0..10 {
        assert!(!poll(&mut pool));
    }
    assert_eq!(*begun.lock().unwrap(), [1]);
    let report = control.report();
    assert!(report.adds_up());
    assert_eq!((report.started, report.running, report.done), (1, 0, 1));
    assert_eq!(report.waiting, 2, "they were put back");
    drop(control.resume());
    check_all(&block_on(&mut pool), 5);
    drop(pool);
    let mut begun = begun.into_inner().unwrap();
    begun.sort_unstable(); // each worker had its own in order
    assert_eq!(begun, [1, 2, 3, 4, 5]);
}

/// Tasks whose runtime does not come to them before the end of the pause.
#[test]
fn no_handler_that_is_a_task_begins_when_a_pause_has_returned() {
    let _watchdog = Watchdog::new("pause, tasks");
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, 1..=5).unwrap();
    drop(sender);
    let workers = Workers::new(receiver).concurrency(3);
    let control = workers.control();
    let begun = Arc::new(Mutex::new(Vec::new()));
    let tasks = Arc::new(Mutex::new(Vec::<Task>::new()));
    let (list, queue) = (Arc::clone(&begun), Arc::clone(&tasks));
    let mut pool = Box::pin(workers.run_on(
        move |task| queue.lock().unwrap().push(task),
        move |job: Job<u32>| {
            list.lock().unwrap().push(*job);
            async {}
        },
    ));
    let run = || {
        let tasks = std::mem::take(&mut *tasks.lock().unwrap());
        tasks.into_iter().for_each(block_on);
    };
    assert!(!poll(&mut pool));
    let mut quiet = control.pause();
    assert!(!poll(&mut quiet), "three have their jobs");
    run();
    assert_eq!(*begun.lock().unwrap(), []);
    assert!(poll(&mut quiet));
    drop(control.resume());
    while !poll(&mut pool) {
        run();
    }
    check(&control.report(), 5);
    let mut begun = begun.lock().unwrap();
    begun.sort_unstable();
    assert_eq!(*begun, [1, 2, 3, 4, 5]);
}

#[test]
fn a_job_that_is_paused_at_its_second_attempt_keeps_its_attempts() {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, ()).unwrap();
    drop(sender);
    let retry = bandq_workers::Retry::exponential(Duration::ZERO);
    let workers: Workers<(), &str> = Workers::new(receiver).retry(retry);
    let control = workers.control();
    let tasks = Arc::new(Mutex::new(Vec::<Task>::new()));
    let queue = Arc::clone(&tasks);
    let mut pool = Box::pin(workers.run_on(
        move |task| queue.lock().unwrap().push(task),
        |job: Job<()>| async move {
            match job.attempt() {
                1 => Err("not yet"),
                2 => Ok(()),
                more => panic!("{more} attempts"),
            }
        },
    ));
    let run = || {
        let tasks = std::mem::take(&mut *tasks.lock().unwrap());
        tasks.into_iter().for_each(block_on);
    };
    assert!(!poll(&mut pool));
    run(); // fails
    assert!(!poll(&mut pool));
    drop(control.pause());
    run(); // does not begin
    drop(control.resume());
    while !poll(&mut pool) {
        run();
    }
    let report = control.report();
    check(&report, 1);
    assert_eq!((report.started, report.retried, report.done), (2, 1, 1));
}

/// It may be waited for by something that goes on when the handler has ended.
#[test]
fn who_waits_for_the_stop_longer_than_the_job_lasts_hears_of_it() {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, 7).unwrap();
    let workers = Workers::new(receiver);
    let control = workers.control();
    let kept = Mutex::new(None::<Cancelled<u32>>);
    let mut pool = Box::pin(workers.run(|job: Job<u32>| {
        *kept.lock().unwrap() = Some(job.cancelled());
        async {}
    }));
    assert!(!poll(&mut pool));
    assert_eq!(control.report().done, 1);
    let mut cancelled = kept.lock().unwrap().take().unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    assert!(pin!(&mut cancelled).poll(&mut context).is_pending());
    drop(control.stop(LONG));
    assert!(woken.0.load(Ordering::SeqCst));
    assert!(poll(&mut cancelled));
}

#[test]
fn a_join_hears_of_what_a_stop_gives_back() {
    let (sender, receiver) = bandq::unbounded(2);
    let workers = Workers::new(receiver);
    let control = workers.control();
    let mut pool = Box::pin(workers.run(|_job: Job<u32>| pending::<()>()));
    drop(control.pause());
    sender.try_send(Band::new(1), 1).unwrap();
    let mut join = pin!(control.join());
    sender.try_send(Band::new(0), 0).unwrap();
    drop(control.resume());
    assert!(!poll(&mut pool)); // the urgent one runs, and goes on
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    assert_eq!(join.as_mut().poll(&mut context), Poll::Pending);
    drop(control.stop(LONG));
    assert!(!poll(&mut pool));
    assert_eq!(control.report().total.returned, 1);
    assert!(woken.0.load(Ordering::SeqCst));
    assert!(join.as_mut().poll(&mut context).is_ready());
}

/// Nobody but who waits is left to see that the time is over.
#[test]
fn a_join_ends_though_the_pool_was_dropped_and_a_handler_blocks() {
    let _watchdog = Watchdog::new("a dropped pool, and a handler that blocks");
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, 1).unwrap();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    let workers = Workers::new(receiver);
    let control = workers.control();
    let mut pool = Box::pin(workers.run_on(
        |task| thread::spawn(move || block_on(task)),
        move |_job: Job<u32>| {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = held.lock().unwrap().recv();
            async {}
        },
    ));
    assert!(!poll(&mut pool));
    while started.load(Ordering::SeqCst) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    let (join, quiet) = (control.join(), control.pause());
    drop(pool);
    block_on(join);
    block_on(quiet);
    let report = control.report();
    assert_eq!((report.total.stuck, report.running), (1, 0));
    release.send(()).unwrap();
}
