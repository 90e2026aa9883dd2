//! Ctrl-C: ends the workers of the run, so that everything comes to its end by itself.

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Signals closer together than this count as one: `timeout` sends each to the program and again to
/// its process group.
const ONE_PRESS: Duration = Duration::from_millis(500);

/// Whether somebody wants the replay to end, and what ends it then.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<State>);

#[derive(Default)]
struct State {
    /// When the end was asked for.
    requested: OnceLock<Instant>,
    /// What ends the run.
    end: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Stop {
    /// Listens for Ctrl-C (and for a polite request to terminate) from now on.
    pub(crate) fn install() -> Result<Stop, ctrlc::Error> {
        let stop = Stop::default();
        let handle = stop.clone();
        ctrlc::set_handler(move || {
            let first = handle.0.requested.get_or_init(Instant::now);
            if first.elapsed() > ONE_PRESS {
                process::exit(i32::from(crate::INTERRUPTED)); // asked for again
            }
            handle.call();
        })?;
        Ok(stop)
    }

    /// Whether the replay shall end.
    pub(crate) fn requested(&self) -> bool {
        self.0.requested.get().is_some()
    }

    /// Makes this what a request calls. A request made before calls it at once.
    pub(crate) fn watch(&self, end: impl Fn() + Send + 'static) {
        *self.end() = Some(Box::new(end));
        if self.requested() {
            self.call();
        }
    }

    fn call(&self) {
        if let Some(end) = &*self.end() {
            end();
        }
    }

    fn end(&self) -> MutexGuard<'_, Option<Box<dyn Fn() + Send>>> {
        self.0.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
