//! A future of a thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bandq::{Band, RecvError, SendError};

use crate::flag::Flag;
use crate::item::Item;

/// What a future yields.
pub(super) enum Outcome<const PAD: usize> {
    Sent(Result<(), SendError<Item<PAD>>>),
    Got(Result<(Band, Item<PAD>), RecvError>),
    /// Room for two was there, and was given back.
    Held(Result<(), SendError<()>>),
}

/// A future that owns its handle, and its waker's flag.
pub(super) struct Task<const PAD: usize> {
    pub(super) future: Pin<Box<dyn Future<Output = Outcome<PAD>> + Send>>,
    pub(super) flag: Arc<Flag>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Recv,
    Stream,
    Send {
        band: usize,
        id: u32,
    },
    /// A reservation of two units.
    ReserveTwo,
}
