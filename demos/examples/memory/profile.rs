//! One measurement: a queue is filled, works while it is full, is drained, and works a little more.

use serde::{Deserialize, Serialize};

use crate::ledger::{self, PAYLOAD, QUEUE};
use crate::peer::Peer;

/// Items go over this many bands.
pub(crate) const BANDS: usize = 8;
/// The further operations after the drain: so many items, each sent and received at once.
pub(crate) const FURTHER: usize = 4096;

/// How much waits at the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) items: usize,
}

/// What was counted, in bytes of the queue's own unless it says otherwise.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Before the first item.
    pub(crate) empty: isize,
    /// With all items queued.
    pub(crate) queued: isize,
    /// The most at any time until the drain was over.
    pub(crate) peak: isize,
    /// When the last item has been taken.
    pub(crate) left: isize,
    /// After `FURTHER` more.
    pub(crate) later: isize,
    /// Blocks allocated or grown until the drain, for each item that was sent.
    pub(crate) allocations_per_item: f64,
    /// What the items own outside of the queue, with all of them queued.
    pub(crate) payload: isize,
    /// Items sent and not received, or payload not freed: none, or the peer is broken.
    pub(crate) lost: isize,
}

/// Measures an empty queue that `new` makes, with the items that `make` makes.
pub(crate) fn measure<T>(
    new: fn(Load) -> Box<dyn Peer<T>>,
    load: Load,
    make: &dyn Fn(u64) -> T,
) -> Figures {
    let before = (QUEUE.live(), PAYLOAD.live());
    let own = || QUEUE.live() - before.0;
    let make = |n: usize| ledger::payload(|| make(n as u64));
    let take = |queue: &dyn Peer<T>| {
        let item = queue.pop();
        let is_one = item.is_some();
        ledger::payload(|| drop(item));
        usize::from(is_one)
    };
    let band = |n: usize| (n % BANDS) as u8;

    QUEUE.begin();
    let queue = new(load);
    let queue = queue.as_ref();
    let empty = own();
    for n in 0..load.items {
        queue.push(band(n), make(n));
    }
    let queued = own();
    let payload = PAYLOAD.live() - before.1;

    // As many again pass through the full queue, in the most urgent band, so that all bands stay
    // as full as they are.
    let mut received = 0;
    for n in 0..load.items {
        received += take(queue);
        queue.push(0, make(n));
    }
    let allocations = QUEUE.allocations();
    while take(queue) == 1 {
        received += 1;
    }
    let (left, peak) = (own(), QUEUE.peak() - before.0);

    for n in 0..FURTHER {
        queue.push(band(n), make(n));
        received += take(queue);
    }
    let sent = 2 * load.items;
    Figures {
        empty,
        queued,
        peak,
        left,
        later: own(),
        allocations_per_item: allocations as f64 / sent as f64,
        payload,
        lost: (sent + FURTHER) as isize - received as isize + PAYLOAD.live() - before.1,
    }
}
