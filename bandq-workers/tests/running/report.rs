//! What a pool says of itself while it runs.

use crate::support::{Watchdog, check_all, until};
use bandq::Band;
use bandq_workers::{Job, Outcome, Retry, Workers};
use futures_lite::future::{block_on, or};
use std::{future::pending, pin::pin, time::Duration};

fn retry() -> Retry<&'static str> {
    Retry::exponential(Duration::ZERO).attempts(2)
}

#[test]
fn a_report_says_of_each_band_what_has_become_of_its_attempts() {
    let _watchdog = Watchdog::new("report");
    let (sender, receiver) = bandq::unbounded(3);
    sender.try_send_many(Band::new(0), vec![0; 5]).unwrap();
    sender.try_send_many(Band::new(1), vec![1; 2]).unwrap();
    drop(sender);
    let pool = Workers::new(receiver).retry(retry());
    let report = block_on(pool.run(|job: Job<u32>| async move {
        match *job {
            0 => Ok(()),
            _ => Err("again"),
        }
    }));
    check_all(&report, 7);
    let of = |band: usize| {
        let band = &report.bands[band];
        (band.started, band.done, band.retried, band.dead)
    };
    assert_eq!((of(0), of(1)), ((5, 5, 0, 0), (4, 0, 2, 2)));
    let times = |band: usize| report.bands[band].times.count();
    assert_eq!(
        [times(0), times(1), times(2)],
        [5, 4, 0],
        "a time an attempt"
    );
    let p50 = report.bands[1].times.quantile(0.5);
    assert!(p50.is_some() && p50 <= report.bands[1].times.max());
    assert_eq!(report.bands[2].times.quantile(0.5), None);
    assert_eq!(report.bands[2].band, Band::new(2));
}

#[test]
fn a_report_can_be_had_while_handlers_run_and_items_wait() {
    let _watchdog = Watchdog::new("live");
    let (sender, receiver) = bandq::unbounded(2);
    for item in [0, 1, 1, 0] {
        sender.try_send(Band::new(item), item).unwrap();
    }
    let workers = Workers::new(receiver).concurrency(3);
    let control = workers.control();
    let mut pool = pin!(workers.run(|job: Job<u8>| async move {
        match *job {
            0 => pending().await,
            _ => Outcome::Snooze::<()>(Duration::from_secs(1000)),
        }
    }));
    block_on(or(
        async {
            pool.as_mut().await; // two of its handlers never end
        },
        until(|| control.report().waiting == 2),
    ));
    let report = control.report();
    let of = |band: usize| {
        let band = &report.bands[band];
        (band.running, band.waiting, band.times.count())
    };
    assert_eq!((of(0), of(1)), ((2, 0, 0), (0, 2, 2)));
    assert!(report.adds_up());
}

#[cfg(feature = "prometheus")]
#[test]
fn a_collector_has_pools_beside_channels_and_forgets_those_that_are_gone() {
    use bandq_workers::prometheus::Collector;
    use prometheus_client::{encoding::prometheus_text::encode, registry::Registry};

    let _watchdog = Watchdog::new("prometheus");
    let mut registry = Registry::default();
    let collector = Collector::default();
    registry.register_collector(Box::new(collector.clone()));
    let scrape = || {
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    };
    assert!(!scrape().contains("bandq"), "no name without numbers");

    let (sender, receiver) = bandq::unbounded(2);
    sender.try_send_many(Band::new(1), [0, 1, 2]).unwrap();
    drop(sender);
    let workers = Workers::new(receiver).retry(retry());
    let control = workers.control();
    collector.add("jobs", &control);
    block_on(workers.run(|job: Job<u32>| async move {
        match *job {
            0 => Outcome::Done,
            1 => Outcome::Dead("never"),
            _ => Outcome::Retry("again"),
        }
    }));
    let text = scrape();
    for line in [
        r#"bandq_concurrency{pool="jobs"} 1"#,
        r#"bandq_started_total{pool="jobs",band="1"} 4"#,
        r#"bandq_done_total{pool="jobs",band="1"} 1"#,
        r#"bandq_failures_total{pool="jobs",band="1"} 3"#,
        r#"bandq_retries_total{pool="jobs",band="1"} 1"#,
        r#"bandq_dead_total{pool="jobs",band="1"} 2"#,
        r#"bandq_panics_total{pool="jobs",band="1"} 0"#,
        r#"bandq_jobs_running{pool="jobs",band="1"} 0"#,
        r#"bandq_run_seconds_count{pool="jobs",band="1"} 4"#,
        r#"bandq_run_seconds_bucket{pool="jobs",band="1",le="+Inf"} 4"#,
        r#"bandq_run_seconds_count{pool="jobs",band="0"} 0"#,
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    drop(control);
    assert!(!scrape().contains("bandq"));
}

#[cfg(feature = "prometheus")]
#[test]
fn no_counter_goes_down_by_what_never_comes_to_run() {
    use bandq_workers::{Task, prometheus::Collector};
    use prometheus_client::{encoding::prometheus_text::encode, registry::Registry};
    use std::{
        future::Future,
        sync::{Arc, Mutex},
        task::{Context, Waker},
    };

    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, [0, 1, 2]).unwrap();
    let workers: Workers<u32> = Workers::new(receiver).concurrency(2);
    let control = workers.control();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collector::new("jobs", &control)));
    let has_started = |attempts: u64| {
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let line = format!(r#"bandq_started_total{{pool="jobs",band="0"}} {attempts}"#);
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    };
    let tasks = Arc::new(Mutex::new(Vec::<Task>::new()));
    let queue = Arc::clone(&tasks);
    let mut pool = Box::pin(workers.run_on(
        move |task| queue.lock().unwrap().push(task),
        |_job: Job<u32>| async {},
    ));
    let mut context = Context::from_waker(Waker::noop());
    assert!(pool.as_mut().poll(&mut context).is_pending());
    has_started(2);
    drop(control.stop(crate::support::LONG));
    std::mem::take(&mut *tasks.lock().unwrap())
        .into_iter()
        .for_each(block_on);
    assert_eq!(block_on(pool).started, 0);
    has_started(2);
}
