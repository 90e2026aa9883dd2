//! Bytes: while a million items lie there, and when ten million have come and gone.

use std::process::Command;

use super::{BANDS, Effort};
use crate::loads::memory::{Bytes, bytes};
use crate::peers::*;
use crate::queue::Queue;
use crate::results::Bound::AtMost;
use crate::results::{Against, Claim, Drawing, Unit, Work};
use crate::runner::Group;

pub(super) fn group(effort: &Effort) -> Group {
    let full = effort.items(1_000_000);
    let drained = effort.items(10_000_000);
    let bounds = |goal, least| {
        Claim::against(Against::Nothing)
            .goal(AtMost(goal))
            .least(AtMost(least))
    };
    let program = effort.memory;
    Group {
        name: "memory",
        title: "bytes an item while a million lie there; bytes a band left after ten million",
        drawing: Drawing::Bars { log: true },
        works: vec![
            (
                Work::new("memory at 1e6 items", Unit::BytesPerItem).claim(bounds(9.5, 16.5)),
                contenders!(
                    Queue [
                        Bandq, MutexHeap, MutexDeques, SegQueues, AsyncPriorityChannel,
                        AsyncChannels, SkipMapQueue, PlainSegQueue, CrossbeamChannel, AsyncChannel,
                        Flume, Kanal
                    ] as Q => measure::<Q>(program, full).full as f64 / full as f64
                ),
            ),
            (
                Work::new("memory left after 1e7 items", Unit::BytesPerBand)
                    .claim(bounds(6.0 * 1024.0, 16.0 * 1024.0)),
                // Without those that need ten seconds and more for it.
                contenders!(
                    Queue [
                        Bandq, MutexDeques, SegQueues, AsyncChannels, PlainSegQueue,
                        CrossbeamChannel, AsyncChannel, Flume, Kanal
                    ] as Q => measure::<Q>(program, drained).drained as f64 / BANDS as f64
                ),
            ),
        ],
    }
}

/// Has the counting binary do it.
fn measure<Q: Queue>(program: &str, items: u64) -> Bytes {
    let output = Command::new(program)
        .args([Q::PEER.name, &BANDS.to_string(), &items.to_string()])
        .output()
        .expect("the binary `memory` starts");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {message}", Q::PEER.name);
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let mut numbers = text
        .split_whitespace()
        .map(|word| word.parse().expect("it prints numbers"));
    let mut number = || numbers.next().expect("it prints two numbers");
    Bytes {
        full: number(),
        drained: number(),
    }
}

/// What the binary `memory` does: the work of the peer of that name. `allocated` tells the bytes in
/// use.
pub fn count(peer: &str, bands: usize, items: u64, allocated: impl Fn() -> i64) -> Bytes {
    macro_rules! pick {
        ($($queue:ty),+ $(,)?) => {
            $(if peer == <$queue as Queue>::PEER.name {
                return bytes::<$queue>(bands, items, allocated);
            })+
        };
    }
    pick!(
        Bandq,
        MutexHeap,
        MutexDeques,
        SegQueues,
        AsyncPriorityChannel,
        AsyncChannels,
        SkipMapQueue,
        PlainSegQueue,
        CrossbeamChannel,
        AsyncChannel,
        Flume,
        Kanal
    );
    panic!("no such peer: {peer}");
}
