//! Empty means empty, across bands too: whoever is told that nothing is there is told the truth
//! about one moment, for all bands at once.
//!
//! An item is there for certain from the return of its push to the begin of the pop that got it. A
//! look that found nothing is wrong if such times cover all of it, one after the other. (It is
//! wrong only then: at a moment that none of them covers, every item whose push has returned may
//! have been taken by a pop that has begun.)

use bandq::{BandQueue, bounded, unbounded};

use crate::fifo::must_be_linearizable;
use crate::history::{Call, Mix, Record};
use crate::queue::{Channel, Waiting};

/// A look that found nothing though there was always something.
#[derive(Debug)]
#[allow(dead_code)] // shown
pub(crate) struct Missed {
    look: (u64, u64),
    /// Items and when they were there, which together cover the look.
    there: Vec<(u32, u64, u64)>,
}

/// The first such look, and how many looks found nothing.
pub(crate) fn missed(records: &[Record]) -> (Option<Missed>, u64) {
    let mut there = Vec::new();
    for record in records {
        if let Call::Push(_, items) = &record.call {
            there.extend(items.iter().map(|&item| (item, record.end, u64::MAX)));
        }
    }
    for record in records {
        if let Call::Pop(got, _) = &record.call {
            for (_, item) in got {
                let life = there.iter_mut().find(|(id, ..)| id == item);
                if let Some((_, _, until)) = life {
                    *until = record.begin;
                }
            }
        }
    }
    there.sort_unstable_by_key(|&(_, from, _)| from);
    let looks = records
        .iter()
        .filter(|record| matches!(record.call, Call::Pop(_, true) | Call::Look(true)));
    let count = looks.clone().count() as u64;
    let missed = looks.filter_map(|look| cover(&there, look)).next();
    (missed, count)
}

/// The items that cover a look, if they do; given by when they began to be there.
fn cover(there: &[(u32, u64, u64)], look: &Record) -> Option<Missed> {
    let mut covered = look.begin;
    let mut cover = Vec::new();
    for &(item, from, until) in there {
        if from > covered {
            return None;
        }
        if until > covered {
            covered = until;
            cover.push((item, from, until));
        }
        if covered > look.end {
            return Some(Missed {
                look: (look.begin, look.end),
                there: cover,
            });
        }
    }
    None
}

const BANDS: usize = 8;

#[test]
fn the_queue_is_linearizable_across_bands() {
    let queue = BandQueue::new(BANDS);
    must_be_linearizable("queue, 8 bands", queue, BANDS, Mix::Turns);
}

#[test]
fn a_channel_is_linearizable_across_bands() {
    let (tx, rx) = unbounded(BANDS);
    let channel = Channel(tx, rx);
    must_be_linearizable("channel, 8 bands", channel, BANDS, Mix::Turns);
}

#[test]
fn a_bounded_channel_with_waiters_is_linearizable_across_bands() {
    let (tx, rx) = bounded(BANDS, 1_000);
    let channel = Waiting(Channel(tx, rx));
    must_be_linearizable("channel with waiters, 8 bands", channel, BANDS, Mix::Turns);
}

/// Queues that are wrong only where several bands are looked at.
mod controls {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::{BANDS, Call, Mix, Record, missed, must_be_linearizable};
    use crate::history::{Wrong, record};
    use crate::queue::Queue;
    use crate::support::Watchdog;

    #[derive(Default)]
    struct Lanes([Mutex<VecDeque<(u8, u32)>>; BANDS], AtomicUsize);

    impl Lanes {
        fn push(&self, band: u8, item: u32) {
            let mut lane = self.0[usize::from(band)].lock().unwrap();
            lane.push_back((band, item));
        }

        /// One band after the other, beginning with another one each time: with the most urgent one
        /// first, items that come meanwhile are mostly taken first as well.
        fn pop(&self) -> Option<(u8, u32)> {
            let first = self.1.fetch_add(1, Ordering::Relaxed);
            (first..first + BANDS).find_map(|band| {
                if band % 2 == 0 {
                    thread::yield_now();
                }
                self.0[band % BANDS].lock().unwrap().pop_front()
            })
        }

        /// All bands at once.
        fn pop_at_once(&self) -> Option<(u8, u32)> {
            let mut lanes = self.0.each_ref().map(|lane| lane.lock().unwrap());
            lanes.iter_mut().find_map(|lane| lane.pop_front())
        }
    }

    fn must_miss_something(name: &'static str, queue: impl Queue) {
        let _watchdog = Watchdog::with_limit(name, Duration::from_secs(600));
        let summary = record(&queue, 200_000, 3, BANDS, Mix::Turns);
        let is_caught = matches!(summary.wrong, Some(Wrong::Missed(_)));
        assert!(is_caught, "{name}: {:?}", summary.wrong);
        println!("{name}: caught in history {}", summary.histories);
    }

    #[test]
    fn control_a_look_at_all_bands_at_once_passes() {
        struct Right(Lanes);
        impl Queue for Right {
            fn push(&self, band: u8, item: u32) {
                self.0.push(band, item);
            }
            fn pop(&self) -> Option<(u8, u32)> {
                self.0.pop_at_once()
            }
            fn is_empty(&self) -> bool {
                let lanes = self.0.0.each_ref().map(|lane| lane.lock().unwrap());
                lanes.iter().all(|lane| lane.is_empty())
            }
        }
        let queue = Right(Lanes::default());
        must_be_linearizable("control, 8 bands", queue, BANDS, Mix::Turns);
    }

    #[test]
    fn control_a_look_at_one_band_after_the_other_is_caught() {
        struct OneByOne(Lanes);
        impl Queue for OneByOne {
            fn push(&self, band: u8, item: u32) {
                self.0.push(band, item);
            }
            fn pop(&self) -> Option<(u8, u32)> {
                self.0.pop()
            }
        }
        must_miss_something("one band after the other", OneByOne(Lanes::default()));
    }

    #[test]
    fn control_two_looks_that_are_not_compared_are_caught() {
        struct Twice(Lanes);
        impl Queue for Twice {
            fn push(&self, band: u8, item: u32) {
                self.0.push(band, item);
            }
            fn pop(&self) -> Option<(u8, u32)> {
                self.0.pop().or_else(|| self.0.pop())
            }
        }
        must_miss_something("two looks", Twice(Lanes::default()));
    }

    #[test]
    fn control_an_is_empty_that_looks_at_one_band_after_the_other_is_caught() {
        struct OnlyIsEmpty(Lanes);
        impl Queue for OnlyIsEmpty {
            fn push(&self, band: u8, item: u32) {
                self.0.push(band, item);
            }
            fn pop(&self) -> Option<(u8, u32)> {
                self.0.pop_at_once()
            }
            fn is_empty(&self) -> bool {
                // The least urgent one first: pops take the items of the others first.
                self.0.0.iter().rev().all(|lane| {
                    thread::yield_now();
                    lane.lock().unwrap().is_empty()
                })
            }
        }
        must_miss_something("is_empty", OnlyIsEmpty(Lanes::default()));
    }

    #[test]
    fn control_the_oracle_tells_right_from_wrong_by_hand() {
        let calls = |calls: &[(Call, u64, u64)]| -> Vec<Record> {
            let record = |(call, begin, end): &(Call, u64, u64)| Record {
                call: call.clone(),
                begin: *begin,
                end: *end,
            };
            calls.iter().map(record).collect()
        };
        let push = |item: u32| Call::Push((item % 2) as u8, vec![item]);
        let pop = |item: u32| Call::Pop(vec![((item % 2) as u8, item)], false);
        let nothing = || Call::Pop(Vec::new(), true);
        for right in [
            &[(nothing(), 0, 1)][..],
            // The first item goes before the second one has come.
            &[
                (push(1), 0, 1),
                (nothing(), 2, 9),
                (pop(1), 3, 4),
                (push(2), 5, 6),
            ],
            // The second push had not returned when the pop of the first began.
            &[
                (push(1), 0, 1),
                (nothing(), 2, 9),
                (push(2), 3, 6),
                (pop(1), 5, 7),
            ],
            // The item came, or went, while the look ran.
            &[(nothing(), 0, 3), (push(1), 1, 2)],
            &[(push(1), 0, 1), (Call::Look(true), 2, 5), (pop(1), 3, 4)],
        ] {
            assert!(missed(&calls(right)).0.is_none(), "{right:?}");
        }
        for wrong in [
            &[(push(1), 0, 1), (nothing(), 2, 3)][..],
            &[(push(1), 0, 1), (Call::Look(true), 2, 3), (pop(1), 4, 5)],
            // One item after the other, in changing bands.
            &[
                (push(1), 0, 1),
                (nothing(), 2, 9),
                (push(2), 3, 4),
                (pop(1), 5, 6),
            ],
            &[
                (push(1), 0, 1),
                (nothing(), 2, 15),
                (push(2), 3, 4),
                (pop(1), 5, 6),
                (push(3), 7, 8),
                (pop(2), 9, 10),
                (pop(3), 16, 17),
            ],
        ] {
            assert!(missed(&calls(wrong)).0.is_some(), "{wrong:?}");
        }
    }
}
