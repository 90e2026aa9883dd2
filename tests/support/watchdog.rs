//! Ends the process, loudly, when a test hangs. It never decides whether a test passes.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Aborts the process unless it is dropped in time.
pub(crate) struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    /// Two minutes: far beyond what any test takes on any machine.
    pub(crate) fn new(name: &'static str) -> Self {
        Self::with_limit(name, Duration::from_secs(120))
    }

    pub(crate) fn with_limit(name: &'static str, limit: Duration) -> Self {
        let (alive, ended) = channel::<()>();
        std::thread::spawn(move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("watchdog: `{name}` hangs");
                std::process::abort();
            }
        });
        Watchdog { _alive: alive }
    }
}

/// Longer than any body that ends takes, and short enough to try many that hang. Ten seconds,
/// unless `BANDQ_HANG_SECONDS` says otherwise, as under a tool that makes everything slow.
fn limit() -> Duration {
    Duration::from_secs(super::env_number("BANDQ_HANG_SECONDS", 10))
}

/// A body for [`all_end`], and what it tries.
pub(crate) type Case = (String, Box<dyn FnOnce() + Send>);

/// Runs each body on a thread of its own, all at once. Fails with the names of those that hang or
/// panic; a thread that hangs stays, and the other tests go on.
#[track_caller]
pub(crate) fn all_end(cases: Vec<Case>) {
    assert!(!cases.is_empty());
    let begun: Vec<_> = cases
        .into_iter()
        .map(|(name, body)| {
            let (ended, end) = channel();
            std::thread::spawn(move || {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
                let _ = ended.send(result.is_ok());
            });
            (name, end)
        })
        .collect();
    let deadline = std::time::Instant::now() + limit();
    let mut failed = Vec::new();
    for (name, end) in begun {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        match end.recv_timeout(left) {
            Ok(true) => {}
            Ok(false) => failed.push(format!("{name}: panics")),
            Err(_) => failed.push(format!("{name}: hangs")),
        }
    }
    assert!(failed.is_empty(), "{} fail: {failed:#?}", failed.len());
}

/// As [`all_end`], for one body.
#[track_caller]
pub(crate) fn ends(name: &str, body: impl FnOnce() + Send + 'static) {
    all_end(vec![(name.to_owned(), Box::new(body))]);
}
