//! A number of workers that adapts. How well it does is in `src/adapt.rs`, in simulated time.

use crate::support::{Watchdog, check_all};
use bandq::Band;
use bandq_workers::{Job, Workers};
use std::{
    cell::Cell,
    future::{Future, pending},
    pin::pin,
    task::{Context, Waker},
};

#[test]
fn it_begins_with_the_least_number() {
    let _watchdog = Watchdog::new("least");
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, 0..100).unwrap();
    let workers = Workers::new(receiver).adaptive(3..=50);
    let control = workers.control();
    let mut pool = pin!(workers.run(|_job: Job<u32>| pending::<()>()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pool.as_mut().poll(&mut context).is_pending());
    let report = control.report();
    assert_eq!((report.running, report.concurrency), (3, Some(3)));
}

#[test]
fn it_grows_with_a_backlog_never_above_the_most_nor_below_the_least_and_loses_nothing() {
    let _watchdog = Watchdog::new("most");
    for most in [1, 2, 7, 40] {
        let (sender, receiver) = bandq::unbounded(4);
        for band in 0..4 {
            sender.try_send_many(Band::new(band), 0..5000).unwrap();
        }
        drop(sender);
        let workers = Workers::new(receiver).adaptive(1..=most);
        let control = workers.control();
        let (running, peak) = (Cell::new(0), Cell::new(0));
        let pool = workers.run(|_job: Job<u32>| async {
            running.set(running.get() + 1);
            peak.set(peak.get().max(running.get()));
            futures_lite::future::yield_now().await;
            running.set(running.get() - 1);
            let concurrency = control.report().concurrency.unwrap();
            assert!((1..=most).contains(&concurrency), "{concurrency}");
        });
        let report = futures_lite::future::block_on(pool);
        check_all(&report, 20_000);
        assert_eq!(report.done, 20_000);
        assert!((1..=most).contains(&peak.get()), "{} of {most}", peak.get());
        // The first time that many wait there is nothing to compare with: one more is tried.
        assert!(peak.get() >= most.min(2), "{} of {most}", peak.get());
    }
}

#[test]
fn reserved_workers_come_on_top() {
    let _watchdog = Watchdog::new("on top");
    let (sender, receiver) = bandq::unbounded(2);
    sender.try_send_many(Band::new(1), 0..10).unwrap();
    let workers = Workers::new(receiver)
        .adaptive(2..=8)
        .reserved(Band::URGENT..=Band::URGENT, 1);
    let control = workers.control();
    let mut pool = pin!(workers.run(|_job: Job<u32>| pending::<()>()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pool.as_mut().poll(&mut context).is_pending());
    assert_eq!(control.report().running, 2);
    sender.try_send(Band::URGENT, 0).unwrap();
    assert!(pool.as_mut().poll(&mut context).is_pending());
    assert_eq!(
        (control.report().running, control.report().concurrency),
        (3, Some(2))
    );
}
