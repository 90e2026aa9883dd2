//! Ctrl-C: closes the channel of the run, so that everything comes to its end by itself.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bandq::{Sender, WeakSender};

use crate::run::Ticket;

/// Whether somebody wants the replay to end, and which channel to close then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<State>);

#[derive(Debug, Default)]
struct State {
    requested: AtomicBool,
    /// Weak, so that the channel still closes by itself when its producer is done.
    channel: Mutex<Option<WeakSender<Ticket>>>,
}

impl Stop {
    /// Listens for Ctrl-C (and for a polite request to terminate) from now on.
    pub(crate) fn install() -> Result<Stop, ctrlc::Error> {
        let stop = Stop::default();
        let handle = stop.clone();
        ctrlc::set_handler(move || {
            if handle.0.requested.swap(true, Ordering::SeqCst) {
                process::exit(i32::from(crate::INTERRUPTED)); // asked for twice
            }
            handle.close();
        })?;
        Ok(stop)
    }

    /// Whether the replay shall end.
    pub(crate) fn requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// Makes this the channel that a request closes. A request made before closes it at once.
    pub(crate) fn watch(&self, channel: &Sender<Ticket>) {
        *self.lock() = Some(channel.downgrade());
        if self.requested() {
            self.close();
        }
    }

    fn close(&self) {
        if let Some(channel) = self.lock().as_ref().and_then(WeakSender::upgrade) {
            channel.close();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<WeakSender<Ticket>>> {
        self.0
            .channel
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
