//! Reclamation, with the real `crossbeam-epoch` (`cargo loom-epoch`): an emptied segment is used
//! again only when nobody can look into it any more, and then it is.
#![cfg(any(not(loom), bandq_loom_epoch))]

use bandq::__internals::Fifo;
use loom_tests::{Bound, Seen, model};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
};

/// An item of which two fit a segment outside loom, too.
#[derive(Debug, Clone, Copy)]
#[repr(align(256))]
struct Wide {
    id: usize,
    _padding: [u8; 760],
}

impl Wide {
    fn new(id: usize) -> Self {
        Self {
            id,
            _padding: [0; 760],
        }
    }
}

/// A FIFO of two full segments, the first of which is emptied: both ends are parked.
fn parked() -> Arc<Fifo<Wide>> {
    let fifo = Arc::<Fifo<Wide>>::default();
    for id in 0..4 {
        assert!(fifo.push(Wide::new(id)).is_ok());
    }
    assert_eq!([pop(&fifo), pop(&fifo)], [Some(0), Some(1)]);
    fifo
}

fn pop(fifo: &Fifo<Wide>) -> Option<usize> {
    fifo.pop().map(|item| item.id)
}

fn rest(fifo: &Fifo<Wide>) -> Vec<usize> {
    std::iter::from_fn(|| pop(fifo)).collect()
}

/// Two consumers meet the parked head. One of them is still looking into the emptied segment while
/// the other sweeps it and pushes into the segment that it gets for the next: not that one.
#[test]
fn visitor_at_the_head() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("reclaim/visitor_at_the_head", 2, bound, |cast| {
        let fifo = parked();
        let (slow, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (a, b) = cast.two(
            move || pop(&slow).expect("there is one for each"),
            move || {
                let b = pop(&quick).expect("there is one for each");
                assert!(quick.push(Wide::new(4)).is_ok());
                b
            },
        );
        assert_eq!((a + b, a == b), (5, false));
        assert_eq!(rest(&fifo), [4]);
    });
}

/// A producer that meets the parked tail is still looking into that segment while the other hands
/// over, empties it, sweeps it, and fills two more.
#[test]
fn visitor_at_the_tail() {
    model(
        "reclaim/visitor_at_the_tail",
        2,
        Bound::Preemptions(3),
        |cast| {
            let fifo = Arc::<Fifo<Wide>>::default();
            for id in 0..2 {
                assert!(fifo.push(Wide::new(id)).is_ok());
                assert_eq!(pop(&fifo), Some(id));
            }
            let (slow, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
            let ((), popped) = cast.two(
                move || assert!(slow.push(Wide::new(5)).is_ok()),
                move || {
                    assert!(quick.push(Wide::new(2)).is_ok());
                    let popped = pop(&quick);
                    assert!(quick.push(Wide::new(3)).is_ok() && quick.push(Wide::new(4)).is_ok());
                    popped
                },
            );
            let mut all: Vec<_> = popped.into_iter().chain(rest(&fifo)).collect();
            assert!(all.iter().filter(|id| **id != 5).eq(&[2, 3, 4]), "{all:?}");
            all.sort_unstable();
            assert_eq!(all, [2, 3, 4, 5]);
        },
    );
}

/// Each of two consumers may move the head on and sweep: the chain of emptied segments is one's at
/// a time, and no segment is given back twice.
#[test]
fn two_sweepers() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("reclaim/two_sweepers", 2, bound, |cast| {
        let fifo = Arc::<Fifo<Wide>>::default();
        for id in 0..5 {
            assert!(fifo.push(Wide::new(id)).is_ok());
        }
        assert_eq!(pop(&fifo), Some(0));
        let two = || {
            let fifo = Arc::clone(&fifo);
            move || [(); 2].map(|()| pop(&fifo).expect("there are two for each"))
        };
        let (a, b) = cast.two(two(), two());
        assert!(a[0] < a[1] && b[0] < b[1]);
        let mut all = [a, b].concat();
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4]);
        // Two segments of one kind would show here.
        for id in 5..9 {
            assert!(fifo.push(Wide::new(id)).is_ok());
        }
        assert_eq!(rest(&fifo), [5, 6, 7, 8]);
    });
}

/// Two consumers meet the parked head beside a producer: whoever helps, each item goes to one of
/// them.
#[test]
fn two_consumers_and_a_producer() {
    let bound = Bound::Preemptions(0).or_in_full(Bound::Preemptions(1));
    model("reclaim/two_consumers_and_a_producer", 3, bound, |cast| {
        let fifo = Arc::<Fifo<Wide>>::default();
        for id in 0..3 {
            assert!(fifo.push(Wide::new(id)).is_ok());
        }
        assert_eq!([pop(&fifo), pop(&fifo)], [Some(0), Some(1)]);
        let consumer = || {
            let fifo = Arc::clone(&fifo);
            move || pop(&fifo)
        };
        let producer = Arc::clone(&fifo);
        let (a, b, ()) = cast.three(consumer(), consumer(), move || {
            assert!(producer.push(Wide::new(3)).is_ok());
        });
        let mut all: Vec<_> = [a, b].into_iter().flatten().chain(rest(&fifo)).collect();
        all.sort_unstable();
        assert_eq!(all, [2, 3]);
    });
}

/// A consumer is late to finish the last slot of a segment that another has handed over from, swept
/// in vain, and replaced by a new one: it sweeps itself, and its segment is used next. When the two
/// just miss each other, the segment is left to the next sweep.
#[test]
fn late_consumer_sweeps() {
    static SEEN: Seen = Seen::new();
    late_sweep("reclaim/late_consumer_sweeps", &SEEN, pop);
}

/// The same for a consumer of runs.
#[test]
fn late_consumer_of_a_run_sweeps() {
    static SEEN: Seen = Seen::new();
    late_sweep("reclaim/late_consumer_of_a_run_sweeps", &SEEN, |fifo| {
        Some(fifo.pop_run(1).pop()?.id)
    });
}

fn late_sweep(name: &str, seen: &'static Seen, late_pop: fn(&Fifo<Wide>) -> Option<usize>) {
    model(name, 2, Bound::Preemptions(3), move |cast| {
        let before = SEGMENTS.get();
        let live = move || SEGMENTS.get().wrapping_sub(before);
        let fifo = Arc::<Fifo<Wide>>::default();
        for id in 0..4 {
            assert!(fifo.push(Wide::new(id)).is_ok());
        }
        assert_eq!(pop(&fifo), Some(0));
        let (late, quick) = (Arc::clone(&fifo), Arc::clone(&fifo));
        let (a, (b, then)) = cast.two(
            move || late_pop(&late).expect("there is one for each"),
            move || {
                let b = pop(&quick).expect("there is one for each");
                assert!(quick.push(Wide::new(4)).is_ok());
                (b, live())
            },
        );
        assert_eq!((a + b, a == b), (3, false));
        if cfg!(loom) {
            for id in 5..7 {
                assert!(fifo.push(Wide::new(id)).is_ok());
            }
            let how = match (then, live()) {
                (2, 3) => "swept at the hand-over",
                (3, 3) => "swept by the late one",
                (3, 4) => "left to the next sweep",
                other => panic!("{other:?} segments"),
            };
            // Else it was the other way round.
            if a == 1 {
                seen.mark(how);
            }
        }
        let left = rest(&fifo);
        assert!(left.starts_with(&[3, 4]), "{left:?}");
    });
    seen.expect([
        "swept at the hand-over",
        "swept by the late one",
        "left to the next sweep",
    ]);
}

thread_local! {
    /// How many segments there are. loom runs all threads of a model on one, and tests have their
    /// own.
    static SEGMENTS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator; it counts what is as large and as strictly aligned as a segment of
/// [`Wide`]s.
struct Counting;

fn is_segment(layout: Layout) -> bool {
    layout.align() == align_of::<Wide>() && layout.size() > 2 * size_of::<Wide>()
}

// SAFETY: all work is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_segment(layout) {
            SEGMENTS.set(SEGMENTS.get().wrapping_add(1));
        }
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_segment(layout) {
            SEGMENTS.set(SEGMENTS.get().wrapping_sub(1));
        }
        // SAFETY: passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
