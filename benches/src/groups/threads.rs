//! Threads that push and threads that pop, and nobody waits.

use super::{BANDS, Effort, name};
use crate::loads::crew::Shape;
use crate::loads::{backlog as with_backlog, threads};
use crate::peers::*;
use crate::results::Bound::AtLeast;
use crate::results::{Claim, Drawing, Unit, Work};
use crate::runner::Group;

/// As many producers as consumers.
const SIDES: [usize; 3] = [1, 2, 4];

/// Items that lie in the queue from beginning to end.
const BACKLOG: u64 = 200_000;

fn shape(side: usize, items: u64) -> Shape {
    Shape {
        producers: side,
        consumers: side,
        bands: BANDS,
        items,
    }
}

pub(super) fn handover(effort: &Effort) -> Group {
    let items = effort.items(1_000_000);
    let works = SIDES.map(|side| {
        let shape = shape(side, items);
        (
            Work::new(format!("{side}P{side}C"), Unit::MillionPerSecond)
                .claim(Claim::peer(name::SEG_QUEUE).goal(AtLeast(1.0)))
                .claim(Claim::peer(name::DEQUES).least(AtLeast(1.0)))
                .claim(Claim::peer(name::ASYNC_PRIORITY_CHANNEL).least(AtLeast(8.0))),
            contenders!(every Queue as Q => threads::throughput::<Q>(shape)),
        )
    });
    Group {
        name: "threads",
        title: "producers and consumers on threads, items a second",
        drawing: Drawing::Bars { log: false },
        works: works.into(),
    }
}

pub(super) fn backlog(effort: &Effort) -> Group {
    let items = effort.items(1_000_000);
    let backlog = effort.items(BACKLOG);
    let works = SIDES.map(|side| {
        let shape = shape(side, items);
        (
            Work::new(format!("{side}P{side}C, backlog"), Unit::MillionPerSecond)
                .claim(Claim::peer(name::SEG_QUEUE).goal(AtLeast(1.0)))
                .claim(Claim::peer(name::DEQUES).least(AtLeast(1.3))),
            contenders!(every Queue as Q => with_backlog::throughput::<Q>(shape, backlog)),
        )
    });
    Group {
        name: "backlog",
        title: "the same over 200,000 items that stay, items a second",
        drawing: Drawing::Bars { log: false },
        works: works.into(),
    }
}

pub(super) fn oversubscription(effort: &Effort) -> Group {
    let items = effort.items(1_000_000);
    let name = |threads: usize| format!("{threads} threads");
    let works = [2, 4, 8, 16, 32, 64].map(|threads| {
        let shape = shape(threads / 2, items);
        let mut work = Work::new(name(threads), Unit::MillionPerSecond)
            .at(threads as f64)
            .claim(Claim::peer(name::SEG_QUEUE))
            .claim(Claim::peer(name::DEQUES));
        if threads > 2 {
            work = work.claim(Claim::work(&name(2)).least(AtLeast(0.5)));
        }
        (
            work,
            contenders!(
                Queue [
                    Bandq, MutexDeques, SegQueues, AsyncPriorityChannel, PlainSegQueue,
                    CrossbeamChannel, Kanal
                ] as Q => threads::throughput::<Q>(shape)
            ),
        )
    });
    Group {
        name: "oversubscription",
        title: "more threads than cores, half of them producers, items a second",
        drawing: Drawing::Lines {
            axis: "threads".into(),
        },
        works: works.into(),
    }
}
