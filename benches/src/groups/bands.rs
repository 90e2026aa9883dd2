//! Does the number of bands matter? The same load, spread over 1 to 64.

use super::{Effort, name};
use crate::loads::crew::Shape;
use crate::loads::{single, threads as on_threads};
use crate::peers::*;
use crate::results::Bound::{AtLeast, AtMost};
use crate::results::{Claim, Drawing, Unit, Work};
use crate::runner::Group;

const BANDS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

fn plural(bands: usize) -> String {
    match bands {
        1 => "1 band".into(),
        _ => format!("{bands} bands"),
    }
}

fn drawing() -> Drawing {
    Drawing::Lines {
        axis: "bands".into(),
    }
}

pub(super) fn one_thread(effort: &Effort) -> Group {
    let pairs = effort.items(2_000_000);
    let name = |bands: usize| format!("push + pop, {}", plural(bands));
    let works = BANDS.map(|bands| {
        let mut work = Work::new(name(bands), Unit::NanosPerPair).at(bands as f64);
        if bands > 1 {
            work = work.claim(Claim::work(&name(1)).goal(AtMost(1.1)).least(AtMost(1.3)));
        }
        (
            work,
            contenders!(
                Queue [Bandq, MutexDeques, SegQueues, PlainSegQueue] as Q
                    => single::pairs::<Q>(bands, 0, pairs)
            ),
        )
    });
    Group {
        name: "bands",
        title: "push and pop by one thread, over so many bands",
        drawing: drawing(),
        works: works.into(),
    }
}

pub(super) fn threads(effort: &Effort) -> Group {
    let items = effort.items(1_000_000);
    let name = |bands: usize| format!("2P2C, {}", plural(bands));
    let works = BANDS.map(|bands| {
        let shape = Shape {
            producers: 2,
            consumers: 2,
            bands,
            items,
        };
        let mut work = Work::new(name(bands), Unit::MillionPerSecond).at(bands as f64);
        if bands > 1 {
            work = work.claim(
                Claim::work(&name(1))
                    .goal(AtLeast(1.0 / 1.1))
                    .least(AtLeast(1.0 / 1.3)),
            );
        }
        work = work.claim(Claim::peer(name::SEG_QUEUE));
        (
            work,
            contenders!(
                Queue [Bandq, MutexDeques, SegQueues, PlainSegQueue] as Q
                    => on_threads::throughput::<Q>(shape)
            ),
        )
    });
    Group {
        name: "bands-threads",
        title: "2 producers and 2 consumers on threads, over so many bands, items a second",
        drawing: drawing(),
        works: works.into(),
    }
}
