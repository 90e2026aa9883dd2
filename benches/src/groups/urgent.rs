//! What priority is for: the urgent item's wait when much else waits.

use super::{BANDS, Effort, name};
use crate::loads::urgent;
use crate::peers::*;
use crate::results::Bound::AtMost;
use crate::results::{Against, Claim, Drawing, Unit, Work};
use crate::runner::Group;

pub(super) fn group(effort: &Effort) -> Group {
    let items = effort.items(1_000);
    let work = |name, heap| {
        Work::new(name, Unit::Micros)
            .claim(Claim::against(Against::BestPeer).goal(AtMost(1.0)))
            .claim(Claim::peer(heap).least(AtMost(1.0)))
    };
    Group {
        name: "urgent",
        title: "an urgent item's wait behind 20,000 others, 5 µs handlers, 2 workers, p99",
        drawing: Drawing::Bars { log: true },
        works: vec![
            (
                work("urgent, p99, threads", name::HEAP),
                contenders!(
                    Queue [
                        Bandq, MutexHeap, MutexDeques, SegQueues, AsyncPriorityChannel,
                        AsyncChannels, SkipMapQueue, PlainSegQueue
                    ] as Q => urgent::on_threads::<Q>(BANDS, items)
                ),
            ),
            (
                work("urgent, p99, tokio", name::HEAP_EVENT),
                contenders!(
                    AsyncQueue [
                        Bandq, AsyncPriorityChannel, AsyncChannels, WithEvent<MutexHeap>,
                        WithEvent<MutexDeques>, WithEvent<SegQueues>, Kanal
                    ] as Q => urgent::on_tasks::<Q>(BANDS, items)
                ),
            ),
        ],
    }
}
