//! Controls: queues that are wrong in known ways, and one that is right.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::checker::{Did, Op, is_fifo};
use crate::fifo::{BANDS, must_be_linearizable};
use crate::history::{Mix, Wrong, record};
use crate::queue::Queue;
use crate::support::Watchdog;

type Lanes<const N: usize> = [Mutex<VecDeque<(u8, u32)>>; N];

fn must_be_caught(name: &'static str, queue: impl Queue) {
    let _watchdog = Watchdog::new(name);
    let summary = record(&queue, 200_000, 2, BANDS, Mix::Any);
    let is_caught = matches!(summary.wrong, Some(Wrong::NotFifo(_)));
    assert!(is_caught, "{name}: {:?}", summary.wrong);
    println!("{name}: caught in history {}", summary.histories);
}

#[test]
fn control_a_mutexed_queue_passes() {
    #[derive(Default)]
    struct Right(Mutex<[VecDeque<(u8, u32)>; BANDS]>);
    impl Queue for Right {
        fn push(&self, band: u8, item: u32) {
            self.0.lock().unwrap()[usize::from(band)].push_back((band, item));
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let mut lanes = self.0.lock().unwrap();
            lanes.iter_mut().find_map(VecDeque::pop_front)
        }
        fn is_empty(&self) -> bool {
            self.0.lock().unwrap().iter().all(VecDeque::is_empty)
        }
    }
    must_be_linearizable("control", Right::default(), BANDS, Mix::Any);
}

#[test]
fn control_a_queue_of_two_lanes_is_caught() {
    #[derive(Default)]
    struct TwoLanes(Lanes<2>, AtomicUsize, AtomicUsize);
    impl Queue for TwoLanes {
        fn push(&self, band: u8, item: u32) {
            let lane = self.1.fetch_add(1, Ordering::SeqCst) % 2;
            self.0[lane].lock().unwrap().push_back((band, item));
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let lane = self.2.fetch_add(1, Ordering::SeqCst) % 2;
            let got = self.0[lane].lock().unwrap().pop_front();
            got.or_else(|| self.0[1 - lane].lock().unwrap().pop_front())
        }
    }
    must_be_caught("two lanes", TwoLanes::default());
}

#[test]
fn control_a_pop_in_two_steps_is_caught() {
    #[derive(Default)]
    struct TwoSteps(Lanes<1>);
    impl Queue for TwoSteps {
        fn push(&self, band: u8, item: u32) {
            self.0[0].lock().unwrap().push_back((band, item));
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let seen = self.0[0].lock().unwrap().front().copied()?;
            thread::yield_now();
            self.0[0].lock().unwrap().pop_front();
            Some(seen)
        }
    }
    must_be_caught("pop in two steps", TwoSteps::default());
}

#[test]
fn control_a_push_that_publishes_late_is_caught() {
    #[derive(Default)]
    struct Inner {
        there: VecDeque<(u8, u32)>,
        late: Option<(u8, u32)>,
    }
    #[derive(Default)]
    struct Late(Mutex<Inner>);
    impl Queue for Late {
        fn push(&self, band: u8, item: u32) {
            let mut inner = self.0.lock().unwrap();
            let before = inner.late.replace((band, item));
            inner.there.extend(before);
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let mut inner = self.0.lock().unwrap();
            let got = inner.there.pop_front();
            if got.is_none() {
                // Only the next look sees it.
                let late = inner.late.take();
                inner.there.extend(late);
            }
            got
        }
    }
    must_be_caught("late push", Late::default());
}

#[test]
fn control_a_pop_that_says_empty_when_it_meets_another_is_caught() {
    #[derive(Default)]
    struct Shy(Lanes<1>);
    impl Queue for Shy {
        fn push(&self, band: u8, item: u32) {
            self.0[0].lock().unwrap().push_back((band, item));
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let mut lane = self.0[0].try_lock().ok()?;
            thread::yield_now();
            lane.pop_front()
        }
    }
    must_be_caught("shy pop", Shy::default());
}

#[test]
fn control_the_checker_tells_right_from_wrong_by_hand() {
    use Did::{Pop, Push, SawEmpty};
    let ops = |ops: &[(Did, u64, u64)]| -> Vec<Op> {
        ops.iter()
            .map(|&(did, begin, end)| Op::new(did, begin, end))
            .collect()
    };
    for right in [
        &[][..],
        &[(Push(1), 0, 1), (Pop(1), 2, 3), (SawEmpty, 4, 5)],
        // Pushes that overlap may take effect in either order.
        &[
            (Push(1), 0, 5),
            (Push(2), 1, 6),
            (Pop(2), 7, 8),
            (Pop(1), 9, 10),
        ],
        // A pop may overlap the push of its item, and see empty while a push runs.
        &[
            (Push(1), 0, 9),
            (SawEmpty, 1, 2),
            (Pop(1), 3, 4),
            (SawEmpty, 5, 6),
        ],
        &[(Push(1), 0, 1), (Pop(1), 2, 9), (SawEmpty, 3, 4)],
    ] {
        assert!(is_fifo(&ops(right)), "{right:?}");
    }
    for wrong in [
        // Out of order, doubled, from nowhere, missed, before its push, resurrected.
        &[
            (Push(1), 0, 1),
            (Push(2), 2, 3),
            (Pop(2), 4, 5),
            (Pop(1), 6, 7),
        ][..],
        &[(Push(1), 0, 1), (Pop(1), 2, 5), (Pop(1), 3, 6)],
        &[(Pop(1), 0, 1)],
        &[(Push(1), 0, 1), (SawEmpty, 2, 3)],
        &[(Pop(1), 0, 1), (Push(1), 2, 3)],
        &[
            (Push(1), 0, 9),
            (Pop(1), 1, 2),
            (Push(2), 3, 4),
            (SawEmpty, 5, 6),
        ],
        &[
            (Push(1), 0, 5),
            (Push(2), 1, 6),
            (Pop(1), 7, 20),
            (Pop(2), 8, 9),
            (Push(3), 2, 3),
            (Pop(3), 10, 11),
            (SawEmpty, 12, 13),
            (Push(4), 14, 15),
            (SawEmpty, 16, 17),
        ],
    ] {
        assert!(!is_fifo(&ops(wrong)), "{wrong:?}");
    }
    // Batches are in order.
    let mut batch = ops(&[
        (Push(1), 0, 5),
        (Push(2), 0, 5),
        (Pop(2), 6, 7),
        (Pop(1), 8, 9),
    ]);
    assert!(is_fifo(&batch));
    batch[1].after = Some(0);
    assert!(!is_fifo(&batch));
    assert!(batch[0].overlaps(&batch[1]) && !batch[0].overlaps(&batch[2]));
}
