//! Whose time is whose: that of handlers, of hooks, of the task that hands out jobs.

use crate::support::{LONG, Watchdog, check_all};
use bandq::Band;
use bandq_workers::{Job, Outcome, Task, Workers};
use futures_lite::future::{block_on, yield_now};
use std::{
    future::Future,
    task::{Context, Waker},
    thread,
    time::Duration,
};

#[test]
fn the_time_of_a_hook_is_not_the_next_jobs() {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, 0..4).unwrap();
    drop(sender);
    let limit = Duration::from_millis(500);
    let workers = Workers::new(receiver)
        .time_limit(limit)
        .dead_letter(move |_letter| thread::sleep(limit + limit / 5));
    let report = block_on(workers.run(|job: Job<u32>| async move {
        yield_now().await;
        match *job {
            0 | 2 => Outcome::Dead("at once"),
            _ => Outcome::Done,
        }
    }));
    check_all(&report, 4);
    assert_eq!((report.timed_out, report.dead, report.done), (0, 2, 2));
    assert!(report.bands[0].times.max().unwrap() < limit);
}

#[test]
fn the_time_of_a_handler_is_not_that_of_its_siblings() {
    let (sender, receiver) = bandq::unbounded(2);
    sender.try_send(Band::new(0), 0).unwrap();
    sender.try_send(Band::new(1), 1).unwrap();
    drop(sender);
    let long = Duration::from_millis(500);
    let workers = Workers::new(receiver).concurrency(2);
    let report = block_on(workers.run(|job: Job<u32>| async move {
        if job.band() == Band::URGENT {
            thread::sleep(long);
        }
    }));
    check_all(&report, 2);
    let [urgent, less] = [0, 1].map(|band: usize| report.bands[band].times.max().unwrap());
    assert!(urgent >= long && less < long, "{urgent:?}, {less:?}");
}

/// Each task has ended before the next one starts, so there is always a worker.
#[test]
fn the_pool_lets_others_have_their_turn_however_fast_its_tasks_end() {
    let _watchdog = Watchdog::new("turns");
    let (sender, receiver) = bandq::unbounded(1);
    let jobs = 200_000;
    sender.try_send_many(Band::URGENT, 0..jobs).unwrap();
    let workers: Workers<u64> = Workers::new(receiver).named(|_| String::new());
    let control = workers.control();
    let spawn = |task: Task| block_on(task);
    let mut pool = Box::pin(workers.run_on(spawn, |_job: Job<u64>| async {}));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pool.as_mut().poll(&mut context).is_pending());
    let done = control.report().done;
    assert!(done > 0 && done < jobs, "{done} in one turn");
    drop(control.drain(LONG));
    check_all(&block_on(pool), jobs);
}
