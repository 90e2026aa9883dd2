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
        let (alive, ended) = channel::<()>();
        std::thread::spawn(move || {
            let limit = Duration::from_secs(120);
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("watchdog: `{name}` hangs");
                std::process::abort();
            }
        });
        Watchdog { _alive: alive }
    }
}
