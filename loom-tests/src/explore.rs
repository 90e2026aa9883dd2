//! [`model`]: explores a model to its end and says how far that was.

use crate::Cast;
use std::env;

/// How far a model is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At most this many preemptions.
    Preemptions(usize),
    /// Every schedule.
    None,
}

impl Bound {
    /// This bound, or another one when the long models run too.
    #[must_use]
    pub fn or_in_full(self, full_bound: Self) -> Self {
        if full() { full_bound } else { self }
    }
}

/// Whether the long models run too.
pub fn full() -> bool {
    env::var_os("BANDQ_LOOM_FULL").is_some()
}

/// Explores `body`, which runs on `threads` threads, main included, once for each of its casts, and
/// prints one line: `model NAME: threads N, bound N|none, executions N, complete yes`.
///
/// There is no limit of time or count, so `complete yes` means explored to the end; a model that
/// fails says `complete no`.
#[cfg(loom)]
pub fn model(
    name: &str,
    threads: usize,
    bound: Bound,
    body: impl Fn(Cast) + Sync + Send + 'static,
) {
    use std::sync::{Arc, atomic::Ordering};

    check_build();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match bound {
        Bound::Preemptions(bound) => Some(bound),
        Bound::None => None,
    };
    builder.max_permutations = None;
    builder.max_duration = None;
    let mut outcome = Outcome {
        name,
        threads,
        bound,
        executions: Arc::default(),
        complete: false,
    };
    let body = Arc::new(body);
    for cast in Cast::all(threads) {
        let (count, body) = (Arc::clone(&outcome.executions), Arc::clone(&body));
        builder.check(move || {
            count.fetch_add(1, Ordering::Relaxed);
            body(cast);
        });
    }
    outcome.complete = true;
    assert!(
        outcome.executions.load(Ordering::Relaxed) > threads || threads == 1,
        "nothing was explored: is a cfg missing?"
    );
}

/// Prints its line when it is dropped, so also when a model fails.
#[cfg(loom)]
struct Outcome<'a> {
    name: &'a str,
    threads: usize,
    bound: Bound,
    executions: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    complete: bool,
}

#[cfg(loom)]
impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        let bound = match self.bound {
            Bound::Preemptions(bound) => bound.to_string(),
            Bound::None => "none".into(),
        };
        report(&format!(
            "model {}: threads {}, bound {bound}, executions {}, complete {}",
            self.name,
            self.threads,
            self.executions.load(std::sync::atomic::Ordering::Relaxed),
            if self.complete { "yes" } else { "no" },
        ));
    }
}

/// Runs `body` a number of times on real threads, with its casts in turn.
#[cfg(not(loom))]
pub fn model(
    name: &str,
    threads: usize,
    _bound: Bound,
    body: impl Fn(Cast) + Sync + Send + 'static,
) {
    const RUNS: usize = 200;
    check_build();
    for cast in Cast::all(threads).cycle().take(RUNS) {
        body(cast);
    }
    report(&format!(
        "model {name}: threads {threads}, outside loom, runs {RUNS}"
    ));
}

/// Fails when the build is not the one that was asked for. The aliases in `.cargo/config.toml` set
/// cfgs and, beside them, variables that say so. A RUSTFLAGS in the environment takes the place of
/// the cfgs and leaves the variables, and the models would then run without modelling anything.
pub(crate) fn check_build() {
    let asked = |variable| env::var_os(variable).is_some();
    let loom = asked("BANDQ_LOOM");
    let epoch = asked("BANDQ_LOOM_EPOCH");
    assert!(
        cfg!(loom) == cfg!(crossbeam_loom),
        "of the cfgs `loom` and `crossbeam_loom` only one is set"
    );
    assert!(
        (!loom && !epoch) || cfg!(loom),
        "loom was asked for, but the cfg is missing: unset RUSTFLAGS"
    );
    assert!(
        !epoch || cfg!(bandq_loom_epoch),
        "the real epoch was asked for, but the cfg is missing: unset RUSTFLAGS"
    );
}

/// Past the test harness's capture, so that the counts are seen without `--nocapture`.
fn report(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}
