//! What the tests share: runtimes, a watchdog, and the account that has to add up.
#![allow(dead_code)]

mod rt;
mod watchdog;

pub(crate) use rt::{AsyncStd, Runtime, Smol, Threads, Tokio, sleep, spawn};
pub(crate) use watchdog::Watchdog;

use bandq_workers::Report;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// So long that no test reaches it.
pub(crate) const LONG: Duration = Duration::from_secs(1000);

/// At the end each accepted item is in one place.
#[track_caller]
pub(crate) fn check<T>(report: &Report<T>, accepted: u64) {
    assert_eq!(report.accepted, accepted, "{report:?}");
    assert!(report.adds_up(), "{report:?}");
    assert!(
        report.bands.iter().all(|band| band.adds_up()),
        "{:?}",
        report.bands
    );
    assert_eq!((report.running, report.waiting), (0, 0), "{report:?}");
    assert_eq!(report.stuck.len() as u64, report.total.stuck, "{report:?}");
}

/// As [`check`], with the items that were given back.
#[track_caller]
pub(crate) fn check_all<T>(report: &Report<T>, accepted: u64) {
    check(report, accepted);
    assert_eq!(report.returned.len() as u64, report.total.returned);
}

/// Waits until it has become so many.
pub(crate) async fn reaches(count: &AtomicUsize, value: usize) {
    while count.load(Ordering::SeqCst) < value {
        sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until it is true.
pub(crate) async fn until(mut is: impl FnMut() -> bool) {
    while !is() {
        sleep(Duration::from_millis(1)).await;
    }
}

/// The same test on each runtime, and on threads.
#[allow(unused_macros)]
macro_rules! on_each_runtime {
    ($($name:ident)*) => {
        on_each_runtime! { @ on_async_std AsyncStd $($name)* }
        on_each_runtime! { blocking: $($name)* }
    };
    // Where tests that block threads leave some for the others.
    (blocking: $($name:ident)*) => {
        on_each_runtime! { @ on_tokio Tokio $($name)* }
        on_each_runtime! { @ on_smol Smol $($name)* }
        on_each_runtime! { @ on_threads Threads $($name)* }

        fn on<R: $crate::support::Runtime, F: Future<Output = ()>>(
            name: &'static str,
            runtime: R,
            body: impl FnOnce(R) -> F,
        ) {
            let _watchdog = $crate::support::Watchdog::new(name);
            runtime.block_on(body(runtime));
        }
    };
    (@ $module:ident $runtime:ident $($name:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    super::on(stringify!($name), $crate::support::$runtime, super::$name);
                }
            )*
        }
    };
}
#[allow(unused_imports)]
pub(crate) use on_each_runtime;
