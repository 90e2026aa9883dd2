//! What a pool of workers costs: a backlog of jobs that do nothing.

use super::{Effort, line};
use crate::loads::jobs;
use crate::peers::jobs::*;
use crate::queue::JobPool;
use crate::results::Bound::{AtLeast, AtMost};
use crate::results::{Against, Claim, Drawing, Unit, Work};
use crate::runner::Group;

const WORKERS: usize = 4;

pub(super) fn group(effort: &Effort) -> Group {
    let backlog = effort.items(400_000);
    Group {
        name: "workers",
        title: "no-op jobs worked off by a pool on tokio, 4 workers",
        drawing: Drawing::Bars { log: true },
        works: vec![
            (
                Work::new("jobs, 4 workers", Unit::MillionPerSecond)
                    .claim(Claim::peer(Apalis::<UNSPAWNED>::PEER.name).goal(AtLeast(10.0)))
                    .claim(Claim::peer(Apalis::<SPAWNING>::PEER.name).goal(AtLeast(10.0)))
                    .claim(Claim::peer(HandWritten::PEER.name).goal(AtLeast(1.0))),
                contenders!(
                    JobPool [
                        BandqWorkers, BandqWorkersSpawning, Apalis<UNSPAWNED>, Apalis<SPAWNING>,
                        HandWritten
                    ] as P => jobs::throughput::<P>(WORKERS, backlog)
                ),
            ),
            (
                Work::new("a job, one thread", Unit::Nanos),
                contenders!(
                    JobPool [BandqWorkers, BandqWorkersSpawning, HandWritten, RecvLoop] as P
                        => jobs::one_thread::<P>(WORKERS, backlog)
                ),
            ),
            (
                Work::new("a job more than in a recv loop", Unit::Nanos)
                    .claim(Claim::against(Against::Nothing).goal(AtMost(150.0))),
                contenders!(
                    JobPool [BandqWorkers, BandqWorkersSpawning] as P
                        => jobs::overhead::<P, RecvLoop>(WORKERS, backlog)
                ),
            ),
            line::one_way(effort),
        ],
    }
}
