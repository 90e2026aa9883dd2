//! What a bound costs: the same channel with and without one. Both are bandq, and the first one's
//! figure is compared with the other's. On threads, who finds it full yields, and what that costs
//! is the scheduler's; so there is one that is never full, which only counts.

use super::{BANDS, Effort, line};
use crate::loads::crew::Shape;
use crate::loads::{tasks, threads};
use crate::peers::{BandqChannel, NEVER_FULL, UNBOUNDED};
use crate::queue::Queue;
use crate::results::Bound::AtLeast;
use crate::results::{Claim, Drawing, Unit, Work};
use crate::runner::Group;

/// Room for so many items.
const BOUNDED: usize = 1024;

const NAME: &str = <BandqChannel<UNBOUNDED> as Queue>::PEER.name;

pub(super) fn group(effort: &Effort) -> Group {
    let items = effort.items(1_000_000);
    let work = |name: &str| {
        Work::new(name, Unit::MillionPerSecond).claim(Claim::peer(NAME).goal(AtLeast(1.0 / 1.2)))
    };
    let shape = |side| Shape {
        producers: side,
        consumers: side,
        bands: BANDS,
        items,
    };
    let mut works = Vec::new();
    for side in [2, 4] {
        let shape = shape(side);
        works.push((
            work(&format!("{side}P{side}C, channel")),
            contenders!(
                Queue [BandqChannel<BOUNDED>, BandqChannel<UNBOUNDED>] as Q
                    => threads::throughput::<Q>(shape)
            ),
        ));
        works.push((
            work(&format!("{side}P{side}C, channel, never full")),
            contenders!(
                Queue [BandqChannel<NEVER_FULL>, BandqChannel<UNBOUNDED>] as Q
                    => threads::throughput::<Q>(shape)
            ),
        ));
    }
    let shape = shape(4);
    works.push((
        work("4P4C, channel, tokio"),
        contenders!(
            AsyncQueue [BandqChannel<BOUNDED>, BandqChannel<UNBOUNDED>] as Q
                => tasks::throughput::<Q>(shape, None)
        ),
    ));
    works.push(line::one_way(effort));
    Group {
        name: "room",
        title: "what a bound of 1,024 costs, items a second",
        drawing: Drawing::Bars { log: false },
        works,
    }
}
