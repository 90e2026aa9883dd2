//! What it costs to see: the same channel, observed and not. An item is timed at both ends, so what
//! a look at the clock takes stands beside it.

use super::{BANDS, Effort, line};
use crate::loads::crew::Shape;
use crate::loads::{clock, single, threads};
use crate::peers::{BandqChannel, BandqObserved, UNBOUNDED};
use crate::queue::{Kind, Peer, Queue};
use crate::results::{Claim, Drawing, Unit, Work};
use crate::runner::{Contender, Group};

const NAME: &str = <BandqChannel<UNBOUNDED> as Queue>::PEER.name;

pub(super) fn group(effort: &Effort) -> Group {
    let pairs = effort.items(1_000_000);
    let looks = effort.items(4_000_000);
    let shape = Shape {
        producers: 2,
        consumers: 2,
        bands: BANDS,
        items: effort.items(1_000_000),
    };
    let claim = || Claim::peer(NAME);
    let clock = Peer::new("Instant::now", Kind::Bound);
    Group {
        name: "sight",
        title: "what it costs to observe a channel",
        drawing: Drawing::Bars { log: false },
        works: vec![
            (
                Work::new("send + receive, empty", Unit::NanosPerPair).claim(claim()),
                contenders!(
                    Queue [BandqObserved, BandqChannel<UNBOUNDED>] as Q
                        => single::pairs::<Q>(BANDS, 0, pairs)
                ),
            ),
            (
                Work::new("send + receive, 1,000 there", Unit::NanosPerPair).claim(claim()),
                contenders!(
                    Queue [BandqObserved, BandqChannel<UNBOUNDED>] as Q
                        => single::pairs::<Q>(BANDS, 1_000, pairs)
                ),
            ),
            (
                Work::new("2P2C, channel", Unit::MillionPerSecond).claim(claim()),
                contenders!(
                    Queue [BandqObserved, BandqChannel<UNBOUNDED>] as Q
                        => threads::throughput::<Q>(shape)
                ),
            ),
            (
                Work::new("a look at the clock", Unit::Nanos),
                vec![Contender::new(clock, move || clock::looks(looks))],
            ),
            line::one_way(effort),
        ],
    }
}
