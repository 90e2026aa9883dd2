//! What a program holds: futures that were begun, permits, receivers, and what was put aside.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::vec;

use bandq::{
    Band, OwnedPermit, Permit, Permits, Receiver, RecvError, SendError, SendManyError, Sender,
};
use futures_core::future::FusedFuture;

use crate::flag::Flag;
use crate::item::Item;
use crate::loan::{Loan, forget};
use crate::waits::{Class, Ticket};

pub(super) type Batch<const PAD: usize> = Vec<(Band, Item<PAD>)>;
pub(super) type Future_<T> = Pin<Box<dyn FusedFuture<Output = T>>>;

/// A future, whatever it yields.
pub(super) trait Fused {
    /// Whether it was ready.
    fn is_over(&self) -> bool;

    /// Polls it and drops what it yields.
    fn poll_only(&mut self, context: &mut Context<'_>);
}

impl<T> Fused for Future_<T> {
    fn is_over(&self) -> bool {
        self.is_terminated()
    }

    fn poll_only(&mut self, context: &mut Context<'_>) {
        let _ = self.as_mut().poll(context);
    }
}

/// A future that was begun.
pub(super) enum Job<const PAD: usize> {
    Send {
        future: Future_<Result<(), SendError<Item<PAD>>>>,
        band: Band,
        id: u32,
    },
    SendMany {
        future: Future_<Result<usize, SendManyError<Item<PAD>>>>,
        band: Band,
        /// The first item that was not accepted yet, and the end.
        next: u32,
        end: u32,
        sent: usize,
        /// The iterator, where the future only borrows it.
        kept: Option<Loan<vec::IntoIter<Item<PAD>>>>,
    },
    Reserve {
        future: Future_<Result<Permit<'static, Item<PAD>>, SendError<()>>>,
        band: Band,
    },
    ReserveOwned {
        future: Future_<Result<OwnedPermit<Item<PAD>>, SendError<()>>>,
        band: Band,
    },
    ReserveMany {
        future: Future_<Result<Permits<'static, Item<PAD>>, SendError<()>>>,
        band: Band,
        units: usize,
    },
    Recv {
        future: Future_<Result<(Band, Item<PAD>), RecvError>>,
    },
    RecvMany {
        future: Future_<usize>,
        out: Loan<Batch<PAD>>,
        limit: usize,
    },
    Closed {
        future: Future_<()>,
    },
}

impl<const PAD: usize> Job<PAD> {
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Send { .. }
            | Self::SendMany { .. }
            | Self::Reserve { .. }
            | Self::ReserveOwned { .. } => Class::Room,
            Self::ReserveMany { .. } => Class::MuchRoom,
            Self::Recv { .. } | Self::RecvMany { .. } => Class::Recv,
            Self::Closed { .. } => Class::Closed,
        }
    }

    /// In which line of its class it waits: the band, of those who wait for room.
    pub(super) fn line(&self) -> usize {
        match self {
            Self::Send { band, .. }
            | Self::SendMany { band, .. }
            | Self::Reserve { band, .. }
            | Self::ReserveOwned { band, .. }
            | Self::ReserveMany { band, .. } => band.index(),
            Self::Recv { .. } | Self::RecvMany { .. } | Self::Closed { .. } => 0,
        }
    }

    /// The future alone.
    pub(super) fn future(&mut self) -> &mut dyn Fused {
        match self {
            Self::Send { future, .. } => future,
            Self::SendMany { future, .. } => future,
            Self::Reserve { future, .. } => future,
            Self::ReserveOwned { future, .. } => future,
            Self::ReserveMany { future, .. } => future,
            Self::Recv { future } => future,
            Self::RecvMany { future, .. } => future,
            Self::Closed { future } => future,
        }
    }

    /// Items that go when it is dropped.
    pub(super) fn items(&self) -> usize {
        match self {
            Self::Send { .. } => 1,
            Self::SendMany { next, end, .. } => (end - next) as usize,
            _ => 0,
        }
    }

    /// Forgets the future, keeps what it borrowed, and says how many items went with it.
    pub(super) fn forget(self) -> usize {
        let items = self.items();
        match self {
            Self::Send { future, .. } => forget(future),
            Self::SendMany { future, kept, .. } => {
                forget(future);
                if let Some(mut kept) = kept {
                    // SAFETY: the future that borrowed it is forgotten.
                    return in_hand(items, unsafe { kept.seen() });
                }
            }
            Self::Reserve { future, .. } => forget(future),
            Self::ReserveOwned { future, .. } => forget(future),
            Self::ReserveMany { future, .. } => forget(future),
            Self::Recv { future } => forget(future),
            Self::RecvMany {
                future, mut out, ..
            } => {
                forget(future);
                // SAFETY: the future that borrowed it is forgotten.
                let out = unsafe { out.seen() };
                assert!(out.is_empty(), "a pending batch took items");
            }
            Self::Closed { future } => forget(future),
        }
        items
    }

    /// Drops the future and looks at what it borrowed.
    pub(super) fn cancel(self) {
        let items = self.items();
        match self {
            Self::SendMany { future, kept, .. } => {
                drop(future);
                if let Some(mut kept) = kept {
                    // SAFETY: the future that borrowed it is gone.
                    in_hand(items, unsafe { kept.seen() });
                }
            }
            Self::RecvMany {
                future, mut out, ..
            } => {
                drop(future);
                // SAFETY: the future that borrowed it is gone.
                let out = unsafe { out.seen() };
                assert!(out.is_empty(), "a pending batch took items");
            }
            job => drop(job),
        }
    }
}

/// How many of a batch's items its future took from the iterator and did not send: at most one.
fn in_hand<T>(items: usize, rest: &vec::IntoIter<T>) -> usize {
    let taken = items - rest.len();
    assert!(
        taken <= 1,
        "a batch took {taken} items that it had no room for"
    );
    taken
}

/// The handle that a future or permit borrows.
pub(super) enum Lent<const PAD: usize> {
    Sender { _loan: Loan<Sender<Item<PAD>>> },
    Receiver { _loan: Loan<Receiver<Item<PAD>>> },
}

pub(super) struct Task<const PAD: usize> {
    // Before what it borrows.
    pub(super) job: Job<PAD>,
    pub(super) lent: Lent<PAD>,
    pub(super) ticket: Ticket,
    pub(super) flag: Arc<Flag>,
}

/// Room that was reserved.
pub(super) enum Reserved<const PAD: usize> {
    One(Permit<'static, Item<PAD>>),
    Owned(OwnedPermit<Item<PAD>>),
    Many(Permits<'static, Item<PAD>>),
}

pub(super) struct Held<const PAD: usize> {
    // Before what it borrows.
    pub(super) reserved: Reserved<PAD>,
    /// What it borrows, if anything.
    pub(super) lent: Option<Lent<PAD>>,
    pub(super) band: Band,
    pub(super) units: usize,
}

/// A receiver, which may also be polled as a stream.
pub(super) struct Tap<const PAD: usize> {
    pub(super) receiver: Receiver<Item<PAD>>,
    pub(super) ticket: Ticket,
    pub(super) flag: Arc<Flag>,
    /// Whether it has yielded `None`.
    pub(super) is_ended: bool,
}

/// Things that are not touched again until the end of the run. To the channel that is the same as
/// if they were forgotten.
pub(super) struct Aside<const PAD: usize> {
    pub(super) tasks: Vec<Task<PAD>>,
    pub(super) senders: Vec<Sender<Item<PAD>>>,
    pub(super) taps: Vec<Tap<PAD>>,
}

impl<const PAD: usize> Default for Aside<PAD> {
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            senders: Vec::new(),
            taps: Vec::new(),
        }
    }
}
