//! The oracle of the `threads` target for "empty means empty, across bands too": histories by hand,
//! and those of a queue that looks at its bands one after the other.

use std::collections::VecDeque;
use std::panic::catch_unwind;

use bandq_fuzz::history::{Call, Clock, What, check};

const BANDS: usize = 2;

/// A queue of number lanes and the history of its calls, by three threads.
#[derive(Default)]
struct Recorded {
    lanes: [VecDeque<u32>; BANDS],
    clock: Clock,
    calls: Vec<Call>,
}

impl Recorded {
    /// A pop that begins: when.
    fn begin(&self) -> u64 {
        self.clock.tick()
    }

    fn end(&mut self, thread: usize, start: u64, what: What) {
        let end = self.clock.tick();
        self.calls.push(Call {
            thread,
            start,
            end,
            what,
        });
    }

    fn push(&mut self, band: usize, id: u32) {
        let start = self.begin();
        self.lanes[band].push_back(id);
        let sure = true;
        self.end(1, start, What::Sent { band, id, sure });
    }

    fn pop(&mut self, band: usize) {
        let start = self.begin();
        let id = self.lanes[band].pop_front().expect("an item");
        self.end(2, start, What::Took(vec![(band, id)]));
    }

    /// What is wrong with the history; nothing, if the promises allow it.
    fn fault(mut self) -> Option<String> {
        for band in 0..BANDS {
            while !self.lanes[band].is_empty() {
                self.pop(band);
            }
        }
        let panic = catch_unwind(|| check(&self.calls, None, true, true)).err()?;
        Some(*panic.downcast().expect("a message"))
    }
}

/// Whether the fault is that a call found nothing though there was always something.
fn is_caught(fault: Option<String>) -> bool {
    fault.is_some_and(|fault| fault.contains("something was there throughout"))
}

/// One thread's look at one band after the other, the least urgent first, while `between` runs
/// after the first.
fn look_at_each_band(
    before: impl FnOnce(&mut Recorded),
    between: impl FnOnce(&mut Recorded),
    what: What,
) -> Option<String> {
    let mut queue = Recorded::default();
    before(&mut queue);
    let start = queue.begin();
    let first = queue.lanes[1].is_empty();
    between(&mut queue);
    let second = queue.lanes[0].is_empty();
    assert!(first && second, "it saw each band empty");
    queue.end(0, start, what);
    queue.fault()
}

#[test]
fn a_look_at_one_band_after_the_other_is_caught() {
    for what in [What::Nothing, What::Ended, What::Empty] {
        // At no time are both bands empty, but each is when it is looked at.
        let fault = look_at_each_band(
            |queue| queue.push(0, 0),
            |queue| {
                queue.push(1, 1);
                queue.pop(0);
            },
            what,
        );
        assert!(is_caught(fault), "passed");
    }
}

#[test]
fn a_longer_chain_of_items_is_caught() {
    let fault = look_at_each_band(
        |queue| queue.push(0, 0),
        |queue| {
            for id in 1..8 {
                queue.push(1, 2 * id);
                queue.pop(0);
                queue.push(0, 2 * id + 1);
                queue.pop(1);
            }
            queue.push(1, 100);
            queue.pop(0);
        },
        What::Nothing,
    );
    assert!(is_caught(fault), "passed");
}

#[test]
fn a_moment_without_items_is_enough() {
    let fault = look_at_each_band(
        |queue| queue.push(0, 0),
        |queue| {
            queue.pop(0);
            queue.push(1, 1);
        },
        What::Nothing,
    );
    assert_eq!(fault, None, "there was a moment at which nothing was there");
}

#[test]
fn a_send_that_runs_need_not_be_seen() {
    let fault = look_at_each_band(
        |queue| queue.push(0, 0),
        |queue| {
            let start = queue.begin();
            queue.pop(0);
            queue.lanes[1].push_back(1);
            queue.end(
                1,
                start,
                What::Sent {
                    band: 1,
                    id: 1,
                    sure: true,
                },
            );
        },
        What::Nothing,
    );
    assert_eq!(fault, None, "the send had not returned when the pop began");
}

#[test]
fn one_item_throughout_is_caught() {
    let mut queue = Recorded::default();
    queue.push(0, 0);
    let start = queue.begin();
    queue.end(0, start, What::Nothing);
    assert!(is_caught(queue.fault()), "passed");
}
