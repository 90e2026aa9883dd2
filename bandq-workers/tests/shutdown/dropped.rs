//! Futures that are dropped: the pool's own, a handler's task.

use crate::support::{LONG, check, reaches, sleep};
use bandq::Band;
use bandq_workers::{Job, Report, Workers};
use std::{
    future::{Future, pending},
    panic::resume_unwind,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

#[test]
fn a_pool_that_is_dropped_drops_its_handlers_and_gives_their_items_back() {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
    let workers = Workers::new(receiver).concurrency(2);
    let control = workers.control();
    let mut pool = Box::pin(workers.run(|_job: Job<u32>| pending::<()>()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pool.as_mut().poll(&mut context).is_pending());
    let mut join = pin!(control.join());
    assert!(join.as_mut().poll(&mut context).is_pending());
    drop(pool);
    assert!(join.as_mut().poll(&mut context).is_ready());
    assert!(sender.is_closed()); // the third went with the channel
    let report = futures_lite::future::block_on(control.stop(LONG));
    check(&report, 2);
    let items: Vec<u32> = report.returned.iter().map(|r| r.item).collect();
    assert_eq!((items, report.interrupted), (vec![1, 2], 2));
}

/// Panics where it is dropped.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        resume_unwind(Box::new("a local's drop"));
    }
}

#[test]
fn handlers_whose_locals_panic_when_the_pool_is_dropped_give_their_items_back() {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
    let workers = Workers::new(receiver).concurrency(3);
    let control = workers.control();
    let mut pool = Box::pin(workers.run(|_job: Job<u32>| async {
        let _local = Fragile;
        pending::<()>().await;
    }));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pool.as_mut().poll(&mut context).is_pending());
    drop(pool); // a second panic while the first one unwinds would abort
    let report = futures_lite::future::block_on(control.stop(LONG));
    check(&report, 3);
    assert_eq!((report.returned.len(), report.interrupted), (3, 3));
}

#[test]
fn what_is_in_a_channel_with_another_receiver_stays_there() {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
    let mut pool = Box::pin(Workers::new(receiver.clone()).run(|_job: Job<u32>| pending::<()>()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pool.as_mut().poll(&mut context).is_pending());
    drop(pool);
    assert_eq!((receiver.len(), sender.is_closed()), (2, false));
}

#[test]
fn workers_that_never_run_release_whoever_waits() {
    let (_sender, receiver) = bandq::unbounded::<u32>(1);
    let workers: Workers<u32> = Workers::new(receiver);
    let control = workers.control();
    let join = control.join();
    drop(workers);
    futures_lite::future::block_on(async {
        join.await;
        check(&control.stop(LONG).await, 0);
    });
}

#[tokio::test]
async fn it_lives_in_a_join_set_and_a_handler_that_is_aborted_gives_its_item_back() {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![1, 2]).unwrap();
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    let tasks = Arc::new(std::sync::Mutex::new(Vec::new()));
    let list = Arc::clone(&tasks);
    let workers = Workers::new(receiver).concurrency(2);
    let control = workers.control();
    let mut set = tokio::task::JoinSet::new();
    set.spawn(workers.run_on(
        move |task| list.lock().unwrap().push(tokio::spawn(task)),
        move |_job: Job<u32>| {
            count.fetch_add(1, Ordering::SeqCst);
            pending::<()>()
        },
    ));
    reaches(&started, 2).await;
    tasks.lock().unwrap()[0].abort();
    while control.report().interrupted == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(control.take_returned().len(), 1);
    set.abort_all();
    assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    // The other task outlives the pool, and hears of its end.
    let report: Report<u32> = control.stop(LONG).await;
    check(&report, 2);
    assert_eq!((report.interrupted, report.returned.len()), (2, 1));
}

#[test]
fn it_borrows_in_a_scope() {
    let local = String::from("not static");
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send(Band::URGENT, &*local).unwrap();
    drop(sender);
    let report =
        futures_lite::future::block_on(Workers::new(receiver).run(|job: Job<&str>| async move {
            assert_eq!(job.len(), 10);
        }));
    check(&report, 1);
}
