//! The groups: one for each question of the table of goals. A group says which peers do which work,
//! how much of it, and what is claimed of the outcome.

use crate::runner::Group;

/// One contender a peer: `queue` stands for the peer's type in the body. `every Trait` means all
/// peers that have the trait.
macro_rules! contenders {
    (every Queue as $queue:ident => $body:expr) => {
        contenders!(
            Queue [
                Bandq, MutexHeap, MutexDeques, SegQueues, AsyncPriorityChannel, AsyncChannels,
                SkipMapQueue, PlainSegQueue, CrossbeamChannel, AsyncChannel, Flume, Kanal,
                TwoCounters
            ] as $queue => $body
        )
    };
    (every AsyncQueue as $queue:ident => $body:expr) => {
        contenders!(
            AsyncQueue [
                Bandq, AsyncPriorityChannel, AsyncChannels, WithEvent<MutexHeap>,
                WithEvent<MutexDeques>, WithEvent<SegQueues>, AsyncChannel, Flume, Kanal
            ] as $queue => $body
        )
    };
    ($kind:ident [$($peer:ty),+ $(,)?] as $queue:ident => $body:expr) => {
        vec![$({
            type $queue = $peer;
            $crate::runner::Contender::new(
                <$queue as $crate::queue::$kind>::PEER,
                move || $body,
            )
        }),+]
    };
}

mod bands;
mod latency;
mod line;
pub mod memory;
mod policies;
mod room;
mod sight;
mod single;
mod tasks;
mod threads;
mod urgent;
mod workers;

/// The bands, wherever their number is not the question.
const BANDS: usize = 8;

/// What a peer is called in claims.
mod name {
    use crate::peers::{
        AsyncChannel, AsyncPriorityChannel, Kanal, MutexDeques, MutexHeap, PlainSegQueue,
        SegQueues, Waitable,
    };
    use crate::queue::Queue;

    pub(super) const SEG_QUEUE: &str = PlainSegQueue::PEER.name;
    pub(super) const SEG_QUEUES: &str = SegQueues::PEER.name;
    pub(super) const DEQUES: &str = MutexDeques::PEER.name;
    pub(super) const HEAP: &str = MutexHeap::PEER.name;
    pub(super) const HEAP_EVENT: &str = <MutexHeap as Waitable>::WAITING.name;
    pub(super) const ASYNC_PRIORITY_CHANNEL: &str = <AsyncPriorityChannel as Queue>::PEER.name;
    pub(super) const ASYNC_CHANNEL: &str = <AsyncChannel as Queue>::PEER.name;
    pub(super) const KANAL: &str = <Kanal as Queue>::PEER.name;
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// A twentieth of the work: to see that everything runs, not to learn how fast.
    pub quick: bool,
    /// Where the binary `memory` is.
    pub memory: &'static str,
}

impl Effort {
    /// That many items, or a twentieth.
    fn items(&self, items: u64) -> u64 {
        if self.quick { items / 20 } else { items }
    }
}

/// All groups, in the order of the table.
pub fn all(effort: &Effort) -> Vec<Group> {
    vec![
        single::empty(effort),
        single::depth(effort),
        threads::handover(effort),
        threads::backlog(effort),
        single::batches(effort),
        single::nothing(effort),
        single::short_lived(effort),
        tasks::throughput(effort),
        room::group(effort),
        policies::group(effort),
        sight::group(effort),
        tasks::ping_pong(effort),
        memory::group(effort),
        bands::one_thread(effort),
        bands::threads(effort),
        urgent::group(effort),
        latency::group(effort),
        threads::oversubscription(effort),
        workers::group(effort),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Kind;
    use crate::results::Against;

    #[test]
    fn every_claim_compares_bandq_with_somebody_else_who_is_there() {
        let effort = Effort {
            quick: true,
            memory: "",
        };
        for group in all(&effort) {
            for (work, contenders) in &group.works {
                let peers = || contenders.iter().map(|contender| contender.peer());
                let ours = peers().find(|peer| peer.kind == Kind::Ours);
                for claim in &work.claims {
                    let context = format!("{}, {}: {:?}", group.name, work.name, claim.against);
                    let ours = ours.expect("who claims something takes part").name;
                    assert!(
                        match &claim.against {
                            Against::Peer(name) => {
                                name != ours && peers().any(|peer| peer.name == name)
                            }
                            Against::Work(name) => {
                                *name != work.name
                                    && group.works.iter().any(|(other, _)| other.name == *name)
                            }
                            Against::BestPeer | Against::Nothing => true,
                        },
                        "{context}"
                    );
                }
            }
        }
    }
}
