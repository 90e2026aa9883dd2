//! What is under test: the operations of the queue and of the channel, by one interface.

use std::time::Duration;

use bandq::{Band, BandQueue, Builder, Policy, Receiver, Sender};

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
    WeightedSend,
    WeightedRecv,
    AgeingSend,
    AgeingPermit,
    AgeingRecv,
    AgeingRecvMany,
}

use Operation::{
    AgeingPermit, AgeingRecv, AgeingRecvMany, AgeingSend, Permit, Pop, PopMany, Push, PushMany,
    TryRecv, TryRecvMany, TrySend, WeightedRecv, WeightedSend,
};

pub(crate) const OPERATIONS: &[Operation] = &[
    Push,
    PushMany,
    Pop,
    PopMany,
    TrySend,
    Permit,
    TryRecv,
    TryRecvMany,
    WeightedSend,
    WeightedRecv,
    AgeingSend,
    AgeingPermit,
    AgeingRecv,
    AgeingRecvMany,
];

/// What an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Queue,
    Channel,
    /// A channel under weights, behind a strict band if there are several.
    Weighted,
    /// A channel under ageing, observed, whose items have lives.
    Ageing,
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
            WeightedSend => "try_send (weighted)",
            WeightedRecv => "try_recv (weighted)",
            AgeingSend => "try_send (ageing)",
            AgeingPermit => "Permit::send (ageing)",
            AgeingRecv => "try_recv (ageing)",
            AgeingRecvMany => "try_recv_many (ageing)",
        }
    }

    pub(crate) fn is_push(self) -> bool {
        self.may_hold() == 0
    }

    /// Whether it does so with several items.
    pub(crate) fn is_other(self) -> bool {
        matches!(
            self,
            PushMany | PopMany | Permit | TryRecvMany | AgeingPermit | AgeingRecvMany
        )
    }

    pub(crate) fn subject(self) -> Kind {
        match self {
            Push | PushMany | Pop | PopMany => Kind::Queue,
            TrySend | Permit | TryRecv | TryRecvMany => Kind::Channel,
            WeightedSend | WeightedRecv => Kind::Weighted,
            AgeingSend | AgeingPermit | AgeingRecv | AgeingRecvMany => Kind::Ageing,
        }
    }

    /// How many items the operation may hold while it is stopped.
    pub(crate) fn may_hold(self) -> usize {
        match self {
            Pop | TryRecv | WeightedRecv | AgeingRecv => 1,
            PopMany | TryRecvMany | AgeingRecvMany => BATCH,
            Push | PushMany | TrySend | Permit | WeightedSend | AgeingSend | AgeingPermit => 0,
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
    pub(crate) fn new(bands: usize, kind: Kind) -> Self {
        let builder = Builder::new(bands).capacity(CAPACITY);
        let builder = match kind {
            Kind::Queue | Kind::Channel => builder,
            // Both branches: strictly, and by weight.
            Kind::Weighted if bands > 1 => {
                builder.policy(Policy::strict_then_weighted(1, 1..bands as u32))
            }
            Kind::Weighted => builder.policy(Policy::weighted([1])),
            Kind::Ageing => builder
                .policy(Policy::ageing(Duration::from_micros(10)))
                .ttl(Band::URGENT, Duration::from_secs(3_600))
                .observe(),
        };
        let (sender, receiver) = builder.build().unwrap();
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
