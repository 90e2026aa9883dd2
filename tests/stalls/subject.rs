//! What is under test: the operations of the queue and of the channel, by one interface.

use bandq::{Band, BandQueue, Receiver, Sender, bounded};

use crate::item::Item;

/// An operation in which a thread is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Push,
    PushMany,
    Pop,
    PopMany,
    TrySend,
    Permit,
    TryRecv,
    TryRecvMany,
}

use Operation::{Permit, Pop, PopMany, Push, PushMany, TryRecv, TryRecvMany, TrySend};

pub(crate) const OPERATIONS: &[Operation] = &[
    Push,
    PushMany,
    Pop,
    PopMany,
    TrySend,
    Permit,
    TryRecv,
    TryRecvMany,
];

/// Which of the two an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Queue,
    Channel,
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Push => "push",
            PushMany => "push_many",
            Pop => "pop",
            PopMany => "pop_many",
            TrySend => "try_send",
            Permit => "Permit::send",
            TryRecv => "try_recv",
            TryRecvMany => "try_recv_many",
        }
    }

    pub(crate) fn is_push(self) -> bool {
        matches!(self, Push | PushMany | TrySend | Permit)
    }

    pub(crate) fn subject(self) -> Kind {
        match self {
            Push | PushMany | Pop | PopMany => Kind::Queue,
            TrySend | Permit | TryRecv | TryRecvMany => Kind::Channel,
        }
    }

    /// How many items the operation may hold while it is stopped.
    pub(crate) fn may_hold(self) -> usize {
        match self {
            Pop | TryRecv => 1,
            PopMany | TryRecvMany => BATCH,
            Push | PushMany | TrySend | Permit => 0,
        }
    }
}

/// The most items that a batch takes.
pub(crate) const BATCH: usize = 32;

/// Room in the channel: more than the backlog that a world lets grow.
const CAPACITY: usize = 4096;

/// Queue or channel. The first of two operations is the plain one.
pub(crate) trait Subject<const PAD: usize>: Send + Sync + 'static {
    fn push(&self, band: Band, item: Item<PAD>) -> bool;
    /// Another way in: returns how many of the items went in.
    fn push_other(&self, band: Band, items: &mut dyn Iterator<Item = Item<PAD>>) -> usize;
    fn pop(&self) -> Option<(Band, Item<PAD>)>;
    fn pop_many(&self, out: &mut Vec<(Band, Item<PAD>)>, limit: usize) -> usize;
}

impl<const PAD: usize> Subject<PAD> for BandQueue<Item<PAD>> {
    fn push(&self, band: Band, item: Item<PAD>) -> bool {
        self.push(band, item).is_ok()
    }

    fn push_other(&self, band: Band, items: &mut dyn Iterator<Item = Item<PAD>>) -> usize {
        self.push_many(band, items).unwrap()
    }

    fn pop(&self) -> Option<(Band, Item<PAD>)> {
        self.pop()
    }

    fn pop_many(&self, out: &mut Vec<(Band, Item<PAD>)>, limit: usize) -> usize {
        self.pop_many(out, limit)
    }
}

/// A bounded channel: what an unbounded one does is a part of what this one does.
pub(crate) struct Channel<const PAD: usize> {
    sender: Sender<Item<PAD>>,
    receiver: Receiver<Item<PAD>>,
}

impl<const PAD: usize> Channel<PAD> {
    pub(crate) fn new(bands: usize) -> Self {
        let (sender, receiver) = bounded(bands, CAPACITY);
        Self { sender, receiver }
    }
}

impl<const PAD: usize> Subject<PAD> for Channel<PAD> {
    fn push(&self, band: Band, item: Item<PAD>) -> bool {
        self.sender.try_send(band, item).is_ok()
    }

    fn push_other(&self, band: Band, items: &mut dyn Iterator<Item = Item<PAD>>) -> usize {
        let mut sent = 0;
        while let Ok(permit) = self.sender.try_reserve(band) {
            let Some(item) = items.next() else { break };
            permit.send(item).unwrap();
            sent += 1;
        }
        sent
    }

    fn pop(&self) -> Option<(Band, Item<PAD>)> {
        self.receiver.try_recv().ok()
    }

    fn pop_many(&self, out: &mut Vec<(Band, Item<PAD>)>, limit: usize) -> usize {
        self.receiver.try_recv_many(out, limit).unwrap_or(0)
    }
}
