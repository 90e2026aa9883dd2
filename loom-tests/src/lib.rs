//! What the models share: [`model`], and the names that differ between loom and plain threads.
//!
//! Under `cfg(loom)` a model is explored exhaustively within its preemption bound. Otherwise its body
//! runs a number of times on real threads, so that the models stay compiled and true in every build.

#[cfg(loom)]
pub use loom::{future::block_on, sync, thread};
#[cfg(not(loom))]
pub use {futures_lite::future::block_on, std::sync, std::thread};

/// How far a model is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At most this many preemptions.
    Preemptions(usize),
    /// Every schedule.
    None,
}

/// Explores `body`, which runs on `threads` threads, itself included, and prints one line:
/// `model NAME: threads N, bound N|none, executions N, complete yes`.
///
/// There is no limit of time or count, so a model that returns was explored to its end.
#[cfg(loom)]
pub fn model(name: &str, threads: usize, bound: Bound, body: impl Fn() + Sync + Send + 'static) {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match bound {
        Bound::Preemptions(bound) => Some(bound),
        Bound::None => None,
    };
    builder.max_permutations = None;
    builder.max_duration = None;
    let executions = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&executions);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        body();
    });
    let bound = match bound {
        Bound::Preemptions(bound) => bound.to_string(),
        Bound::None => "none".into(),
    };
    let executions = executions.load(Ordering::Relaxed);
    report(&format!(
        "model {name}: threads {threads}, bound {bound}, executions {executions}, complete yes"
    ));
    assert!(
        executions > 1 || threads == 1,
        "nothing was explored: is a cfg missing?"
    );
}

/// Runs `body` a number of times on real threads.
#[cfg(not(loom))]
pub fn model(name: &str, threads: usize, _bound: Bound, body: impl Fn() + Sync + Send + 'static) {
    const RUNS: usize = 200;
    for _ in 0..RUNS {
        body();
    }
    report(&format!(
        "model {name}: threads {threads}, outside loom, runs {RUNS}"
    ));
}

/// Past the test harness's capture, so that the counts are seen without `--nocapture`.
fn report(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether the long models run too.
pub fn full() -> bool {
    std::env::var_os("BANDQ_LOOM_FULL").is_some()
}
