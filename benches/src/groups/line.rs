//! How far apart the cores are, beside works that depend on it.

use super::Effort;
use crate::loads::line;
use crate::queue::{Kind, Peer};
use crate::results::{Unit, Work};
use crate::runner::Contender;

pub(super) fn one_way(effort: &Effort) -> (Work, Vec<Contender>) {
    let turns = effort.items(200_000);
    let peer = Peer::new("two threads, one word", Kind::Bound);
    (
        Work::new("a cache line, one way", Unit::Nanos),
        vec![Contender::new(peer, move || line::one_way(turns))],
    )
}
