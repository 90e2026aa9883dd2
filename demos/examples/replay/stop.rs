//! Ctrl-C: closes the channel of the run, so that everything comes to its end by itself.

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bandq::{Sender, WeakSender};

use crate::discipline::Ticket;

/// Signals closer together than this count as one: `timeout` sends each to the program and again to
/// its process group.
const ONE_PRESS: Duration = Duration::from_millis(500);

/// Whether somebody wants the replay to end, and which channel to close then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// When the end was asked for.
    requested: OnceLock<Instant>,
    /// Weak, so that the channel still closes by itself when its producer is done.
    channel: Mutex<Option<WeakSender<Ticket>>>,
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
            handle.close();
        })?;
        Ok(stop)
    }

    /// Whether the replay shall end.
    pub(crate) fn requested(&self) -> bool {
        self.0.requested.get().is_some()
    }

    /// Makes this the channel that a request closes. A request made before closes it at once.
    pub(crate) fn watch(&self, channel: &Sender<Ticket>) {
        *self.channel() = Some(channel.downgrade());
        if self.requested() {
            self.close();
        }
    }

    fn close(&self) {
        if let Some(channel) = self.channel().as_ref().and_then(WeakSender::upgrade) {
            channel.close();
        }
    }

    fn channel(&self) -> MutexGuard<'_, Option<WeakSender<Ticket>>> {
        let channel = &self.0.channel;
        channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
