//! What a policy costs: the order in which bands are served, beside a heap and deques behind a lock
//! that serve in the same.

use super::{BANDS, Effort, line, name};
use crate::loads::crew::Shape;
use crate::loads::{backlog, busy, threads};
use crate::peers::policies::*;
use crate::peers::{MutexDeques, MutexHeap};
use crate::results::{Claim, Drawing, Unit, Work};
use crate::runner::{Contender, Group};

/// Items that lie in the queue from beginning to end.
const DEPTH: u64 = 100_000;

const STRICT: &str = "strict";

/// Each policy's name with its contenders; the body once each of them.
macro_rules! policies {
    (as $queue:ident => $body:expr) => {
        policies!(
            STRICT => [BandqServing<Strict>, MutexHeap, MutexDeques],
            "weighted" => [BandqServing<Weighted<0>>, WeightedHeap<0>, WeightedDeques<0>],
            "2 strict, then weighted" =>
                [BandqServing<Weighted<2>>, WeightedHeap<2>, WeightedDeques<2>],
            "ageing" => [BandqServing<Ageing>, AgeingHeap, AgeingDeques],
            as $queue => $body
        )
    };
    ($($name:expr => [$($peer:ty),+],)+ as $queue:ident => $body:expr) => {
        [$(($name, contenders!(Queue [$($peer),+] as $queue => $body))),+]
    };
}

pub(super) fn group(effort: &Effort) -> Group {
    let depth = effort.items(DEPTH);
    let by_one_thread = effort.items(2_000_000);
    let shape = Shape {
        producers: 2,
        consumers: 2,
        bands: BANDS,
        items: effort.items(1_000_000),
    };
    let mut works = Vec::new();
    let mut add = |load: &str, policies: [(&str, Vec<Contender>); 4]| {
        for (policy, contenders) in policies {
            let name = |policy| format!("{load}, {policy}");
            let mut work = Work::new(name(policy), Unit::MillionPerSecond)
                .claim(Claim::peer(name::HEAP))
                .claim(Claim::peer(name::DEQUES));
            if policy != STRICT {
                work = work.claim(Claim::work(&name(STRICT)));
            }
            works.push((work, contenders));
        }
    };
    add(
        "all busy",
        policies!(as Q => busy::throughput::<Q>(BANDS, depth, by_one_thread)),
    );
    add("2P2C", policies!(as Q => threads::throughput::<Q>(shape)));
    add(
        "2P2C, backlog",
        policies!(as Q => backlog::throughput::<Q>(shape, depth)),
    );
    works.push(line::one_way(effort));
    Group {
        name: "policies",
        title: "each policy beside peers that serve by it too, items a second",
        drawing: Drawing::Bars { log: false },
        works,
    }
}
