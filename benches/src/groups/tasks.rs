//! Tasks on tokio with two workers, and everybody waits.

use super::{BANDS, Effort, name};
use crate::loads::crew::Shape;
use crate::loads::tasks::{self, Sides};
use crate::peers::*;
use crate::results::Bound::{AtLeast, AtMost};
use crate::results::{Claim, Drawing, Unit, Work};
use crate::runner::Group;

pub(super) fn throughput(effort: &Effort) -> Group {
    let items = effort.items(500_000);
    let works = [
        ("1P1C, tokio", 1, 1, None),
        ("4P4C, tokio", 4, 4, None),
        ("16P1C, tokio", 16, 1, None),
        ("4P4C, tokio, bounded 1024", 4, 4, Some(1024)),
    ]
    .map(|(name, producers, consumers, capacity)| {
        let shape = Shape {
            producers,
            consumers,
            bands: BANDS,
            items,
        };
        (
            Work::new(name, Unit::MillionPerSecond)
                .claim(Claim::peer(name::KANAL).goal(AtLeast(1.0)))
                .claim(Claim::peer(name::ASYNC_CHANNEL).least(AtLeast(1.5)))
                .claim(Claim::peer(name::ASYNC_PRIORITY_CHANNEL).least(AtLeast(8.0))),
            contenders!(every AsyncQueue as Q => tasks::throughput::<Q>(shape, capacity)),
        )
    });
    Group {
        name: "tasks",
        title: "producers and consumers as tasks on tokio, two workers, items a second",
        drawing: Drawing::Bars { log: false },
        works: works.into(),
    }
}

pub(super) fn ping_pong(effort: &Effort) -> Group {
    let rounds = effort.items(10_000);
    let works = [
        ("ping-pong, a task and a thread", Sides::Threads),
        ("ping-pong, two tasks", Sides::Tasks),
    ]
    .map(|(name, sides)| {
        (
            Work::new(name, Unit::Micros)
                .claim(Claim::peer(name::KANAL).goal(AtMost(1.0)))
                .claim(Claim::peer(name::ASYNC_CHANNEL).least(AtMost(1.0))),
            contenders!(every AsyncQueue as Q => tasks::ping_pong::<Q>(BANDS, rounds, sides)),
        )
    });
    Group {
        name: "ping-pong",
        title: "an item there and back on tokio, two workers",
        drawing: Drawing::Bars { log: false },
        works: works.into(),
    }
}
