//! One thread: what an operation costs when nothing is in its way.

use super::{BANDS, Effort, name};
use crate::loads::{crew::Shape, single, threads};
use crate::peers::*;
use crate::results::Bound::{AtLeast, AtMost};
use crate::results::{Claim, Drawing, Unit, Work};
use crate::runner::Group;

const EMPTY: &str = "empty";

/// Peers whose pop takes longer the more there is: too slow to be filled with ten million items.
const SLOW_BEYOND: u64 = 1_000_000;

pub(super) fn empty(effort: &Effort) -> Group {
    let pairs = effort.items(4_000_000);
    let work = Work::new("push + pop, empty", Unit::NanosPerPair)
        .claim(Claim::peer(name::SEG_QUEUE).goal(AtMost(1.0)))
        .claim(Claim::peer(name::SEG_QUEUES).least(AtMost(1.0 / 1.5)));
    Group {
        name: "empty",
        title: "push and pop by one thread, the queue empty between",
        drawing: Drawing::Bars { log: false },
        works: vec![(
            work,
            contenders!(every Queue as Q => single::pairs::<Q>(BANDS, 0, pairs)),
        )],
    }
}

pub(super) fn depth(effort: &Effort) -> Group {
    let pairs = effort.items(1_000_000);
    let work = |depth: u64| match depth {
        0 => Work::new(EMPTY, Unit::NanosPerPair).at(1.0),
        _ => Work::new(format!("depth {:e}", depth as f64), Unit::NanosPerPair)
            .at(depth as f64)
            .claim(Claim::work(EMPTY).goal(AtMost(1.15)).least(AtMost(1.5))),
    };
    let contenders = |depth: u64| {
        let mut contenders = contenders!(
            Queue [Bandq, MutexDeques, SegQueues, PlainSegQueue, Kanal] as Q
                => single::pairs::<Q>(BANDS, depth, pairs)
        );
        if depth <= SLOW_BEYOND {
            // These get slower with depth, so less of the work tells as much.
            let pairs = pairs / 4;
            contenders.extend(contenders!(
                Queue [MutexHeap, AsyncPriorityChannel, SkipMapQueue] as Q
                    => single::pairs::<Q>(BANDS, depth, pairs)
            ));
        }
        contenders
    };
    let depths = [0, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    let deepest = if effort.quick { 1_000_000 } else { 10_000_000 };
    Group {
        name: "depth",
        title: "push and pop by one thread, with so many items in the queue",
        drawing: Drawing::Lines {
            axis: "items in the queue (1 stands for none)".into(),
        },
        works: depths
            .into_iter()
            .filter(|&depth| depth <= deepest)
            .map(|depth| (work(depth), contenders(depth)))
            .collect(),
    }
}

pub(super) fn batches(effort: &Effort) -> Group {
    let items = effort.items(8_000_000);
    let shape = Shape {
        producers: 2,
        consumers: 2,
        bands: BANDS,
        items: effort.items(2_000_000),
    };
    Group {
        name: "batches",
        title: "batches of 32, items a second",
        drawing: Drawing::Bars { log: false },
        works: vec![
            (
                Work::new("batches of 32, one thread", Unit::MillionPerSecond)
                    .claim(
                        Claim::peer(name::SEG_QUEUE)
                            .goal(AtLeast(5.0))
                            .least(AtLeast(3.0)),
                    )
                    .claim(Claim::peer(name::DEQUES)),
                contenders!(
                    Queue [
                        Bandq, MutexHeap, MutexDeques, SegQueues, AsyncPriorityChannel,
                        PlainSegQueue, Kanal
                    ] as Q => single::batches::<Q>(BANDS, items)
                ),
            ),
            (
                Work::new("batches of 32, 2P2C", Unit::MillionPerSecond)
                    .claim(Claim::peer(name::SEG_QUEUE))
                    .claim(Claim::peer(name::DEQUES)),
                contenders!(
                    Queue [
                        Bandq, MutexHeap, MutexDeques, SegQueues, AsyncPriorityChannel,
                        PlainSegQueue, Kanal
                    ] as Q => threads::batched::<Q>(shape)
                ),
            ),
        ],
    }
}

pub(super) fn nothing(effort: &Effort) -> Group {
    let looks = effort.items(4_000_000);
    let work = |bands: usize| {
        Work::new(
            format!("pop nothing, bands used: {bands}"),
            Unit::NanosPerPair,
        )
        .claim(Claim::peer(name::SEG_QUEUES))
    };
    let contenders = |bands: usize| {
        contenders!(
            Queue [
                Bandq, MutexHeap, MutexDeques, SegQueues, AsyncPriorityChannel, PlainSegQueue,
                CrossbeamChannel, AsyncChannel, Flume, Kanal
            ] as Q => single::empty_looks::<Q>(bands, looks)
        )
    };
    Group {
        name: "nothing",
        title: "a pop that finds nothing, by one thread",
        drawing: Drawing::Bars { log: false },
        works: [1, BANDS, 64]
            .map(|bands| (work(bands), contenders(bands)))
            .into(),
    }
}

pub(super) fn short_lived(effort: &Effort) -> Group {
    let lives = effort.items(200_000);
    let work = |bands: usize| {
        Work::new(
            format!("make, send, receive, drop; bands: {bands}"),
            Unit::NanosPerPair,
        )
        .claim(Claim::peer(name::ASYNC_CHANNEL).goal(AtMost(1.0)))
    };
    let contenders = |bands: usize| {
        let mut contenders = contenders!(
            AsyncQueue [Bandq, AsyncPriorityChannel, AsyncChannel, Flume, Kanal] as Q
                => single::short_lived_channel::<Q>(bands, lives)
        );
        contenders.extend(contenders!(
            Queue [CrossbeamChannel] as Q => single::short_lived::<Q>(bands, lives)
        ));
        contenders
    };
    Group {
        name: "short-lived",
        title: "a channel that lives for one item, by one thread",
        drawing: Drawing::Bars { log: false },
        works: [1, BANDS]
            .map(|bands| (work(bands), contenders(bands)))
            .into(),
    }
}
