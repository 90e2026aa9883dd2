//! What a peer has to be: a [`Queue`] that never waits, an [`AsyncQueue`] that does, or a
//! [`JobPool`] that works.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What a peer offers, so that tables and plots can tell like from unlike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// bandq.
    Ours,
    /// Takes the most urgent item first.
    Priority,
    /// First in, first out, whatever the band.
    Plain,
    /// Stores no items: no queue can be faster than this.
    Bound,
}

/// A peer's name and kind.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The name in tables.
    pub name: &'static str,
    /// What it offers.
    pub kind: Kind,
}

impl Peer {
    /// A name and a kind.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Peer { name, kind }
    }
}

/// A queue whose operations never wait. Band 0 is the most urgent.
pub trait Queue: Send + Sync + 'static {
    /// Who it is.
    const PEER: Peer;

    /// What `pop_many` keeps between calls, for peers that fill a `Vec` of their own type.
    type Scratch: Default;

    /// An empty queue of that many bands, without a bound.
    fn new(bands: usize) -> Self;

    /// Puts one item into a band.
    fn push(&self, band: u8, item: u64);

    /// Takes one item, the most urgent where the peer knows urgency.
    fn pop(&self) -> Option<u64>;

    /// Puts a batch into one band. One by one, unless the peer has something better.
    #[inline]
    fn push_many(&self, band: u8, items: Range<u64>) {
        for item in items {
            self.push(band, item);
        }
    }

    /// Takes up to `limit` items and says how many. One by one, unless the peer has something
    /// better.
    #[inline]
    fn pop_many(
        &self,
        scratch: &mut Self::Scratch,
        limit: usize,
        mut take: impl FnMut(u64),
    ) -> usize {
        let _ = scratch;
        for taken in 0..limit {
            match self.pop() {
                Some(item) => take(item),
                None => return taken,
            }
        }
        limit
    }
}

/// A channel whose ends wait as futures. It ends when every sender is dropped and it is empty.
pub trait AsyncQueue: 'static {
    /// Who it is.
    const PEER: Peer;

    /// The sending end.
    type Sender: Clone + Send + Sync + 'static;

    /// The receiving end.
    type Receiver: Clone + Send + Sync + 'static;

    /// A channel of that many bands; `capacity` is for all bands together.
    fn channel(bands: usize, capacity: Option<usize>) -> (Self::Sender, Self::Receiver);

    /// Sends one item, waiting for room.
    fn send(sender: &Self::Sender, band: u8, item: u64) -> impl Future<Output = ()> + Send;

    /// Receives one item, or `None` at the end.
    fn recv(receiver: &Self::Receiver) -> impl Future<Output = Option<u64>> + Send;
}

/// A pool of workers on tokio, which calls a handler for each job. The handler only counts.
pub trait JobPool: 'static {
    /// Who it is.
    const PEER: Peer;

    /// A pool with the jobs `0..jobs` in its queue. It runs when its future is polled, has so many
    /// in hand at a time at the most, and ends when all are handled.
    fn queued(
        workers: usize,
        jobs: u64,
        handled: Arc<Handled>,
    ) -> impl Future<Output = RunningPool> + Send;
}

/// What runs a pool to its end.
pub type RunningPool = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What handlers count: how many jobs there were, and their sum. One word for both, so that it is
/// as little work as can be checked.
#[derive(Debug, Default)]
pub struct Handled(AtomicU64);

impl Handled {
    /// The sum has the lower bits, which do for a million jobs.
    const ONE: u64 = 1 << 40;

    /// Counts a job, and says how many there were with it.
    #[inline]
    pub fn add(&self, job: u64) -> u64 {
        let before = self.0.fetch_add(Self::ONE + job, Ordering::Relaxed);
        before / Self::ONE + 1
    }

    /// Panics unless it was exactly the jobs `0..jobs`, as far as count and sum tell.
    pub fn expect(&self, jobs: u64) {
        let handled = self.0.load(Ordering::Relaxed);
        let expected = (jobs, (0..jobs).sum());
        let found = (handled / Self::ONE, handled % Self::ONE);
        assert_eq!(found, expected, "jobs were lost or doubled");
    }
}
