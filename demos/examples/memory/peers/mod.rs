//! The peers, a file for each kind, and a line for each.

mod bandq;
mod channels;
mod locks;
mod seg_queues;

use bandq::{Channel, Queue};
use channels::{AsyncChannel, Flume, Kanal};
use locks::{MutexDeques, MutexHeap};
use seg_queues::SegQueues;

use crate::peer::Peer;
use crate::profile::Load;

/// A name for tables and the command line, what it is, and how an empty one is made.
pub(crate) struct Entry<T> {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) queue: fn(Load) -> Box<dyn Peer<T>>,
}

/// The peers, in the order of the tables.
#[rustfmt::skip] // a line each
pub(crate) fn peers<T: Send + 'static>() -> Vec<Entry<T>> {
    vec![
        entry("bandq-queue", "BandQueue, without waiting", |load| Box::new(Queue::new(load))),
        entry("bandq", "a channel without a bound", |load| Box::new(Channel::unbounded(load))),
        entry("bandq-bounded", "... for that many items", |load| Box::new(Channel::bounded(load))),
        entry("bandq-ageing", "... with Policy::ageing", |load| Box::new(Channel::ageing(load))),
        entry("bandq-observed", "... with observe()", |load| Box::new(Channel::observed(load))),
        entry("mutex-heap", "Mutex<BinaryHeap>", |_| Box::new(MutexHeap::new())),
        entry("mutex-deques", "Mutex<[VecDeque; N]>", |load| Box::new(MutexDeques::new(load))),
        entry("seg-queues", "N of crossbeam's SegQueue", |load| Box::new(SegQueues::new(load))),
        entry("async-channel", "without bands or a bound", |_| Box::new(AsyncChannel::unbounded())),
        entry("async-bounded", "... for that many items", |l| Box::new(AsyncChannel::bounded(l))),
        entry("flume", "without bands or a bound", |_| Box::new(Flume::new())),
        entry("kanal", "without bands or a bound", |_| Box::new(Kanal::new())),
    ]
}

fn entry<T>(
    name: &'static str,
    what: &'static str,
    queue: fn(Load) -> Box<dyn Peer<T>>,
) -> Entry<T> {
    Entry { name, what, queue }
}
