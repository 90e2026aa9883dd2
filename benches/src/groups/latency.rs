//! Whom does a stopped thread stop? One operation's time among 16 threads.

use super::{BANDS, Effort, name};
use crate::loads::{crew::Shape, latency};
use crate::peers::*;
use crate::results::Bound::AtMost;
use crate::results::{Against, Claim, Drawing, Unit, Work};
use crate::runner::Group;

/// A hundredth of what a mutex takes in a bad run, when its holder is preempted: 4 ms.
const LEAST_MICROS: f64 = 40.0;

pub(super) fn group(effort: &Effort) -> Group {
    let shape = Shape {
        producers: 8,
        consumers: 8,
        bands: BANDS,
        items: effort.items(1_000_000),
    };
    let work = Work::new("latency, 8P8C, p99.99", Unit::Micros)
        .claim(Claim::peer(name::SEG_QUEUE).goal(AtMost(1.0)))
        .claim(Claim::against(Against::Nothing).least(AtMost(LEAST_MICROS)))
        .claim(Claim::peer(name::DEQUES));
    Group {
        name: "latency",
        title: "one operation's time with 8 producers and 8 consumers, p99.99",
        drawing: Drawing::Bars { log: true },
        works: vec![(
            work,
            contenders!(every Queue as Q => latency::worst::<Q>(shape)),
        )],
    }
}
