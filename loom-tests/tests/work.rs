//! Who works on what: which bands are exposed once all changes have returned.

use bandq::__internals::Work;
use loom_tests::{Bound, Seen, model};
use std::sync::Arc;

const ALL: u64 = u64::MAX;

/// Two workers.
fn two() -> Arc<Work> {
    let work = Arc::new(Work::new(2));
    work.hire(ALL);
    work.hire(ALL);
    work
}

/// Both begin low work at once: the urgent band is exposed.
#[test]
fn begin_begin() {
    let bound = Bound::None;
    model("work/begin_begin", 2, bound, |cast| {
        let work = two();
        let (a, b) = (Arc::clone(&work), Arc::clone(&work));
        let both = cast.two(move || a.begin(ALL, 1), move || b.begin(ALL, 1));
        assert!(work.is_exposed(0));
        assert!(!work.is_exposed(1));
        drop(both);
        assert!(!work.is_exposed(0));
    });
}

/// One ends its low work while the other begins some: the urgent band is not exposed afterwards,
/// though it was for a moment in some schedules.
#[test]
fn end_begin() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::None;
    model("work/end_begin", 2, bound, |cast| {
        let work = two();
        let first = work.begin(ALL, 1);
        let (a, b) = (Arc::clone(&work), Arc::clone(&work));
        let ((), (second, was)) = cast.two(
            move || {
                drop(first);
                drop(a);
            },
            move || {
                let second = b.begin(ALL, 1);
                let was = b.is_exposed(0);
                (second, was)
            },
        );
        SEEN.mark(if was { "exposed for a moment" } else { "never" });
        assert!(!work.is_exposed(0));
        drop(second);
    });
    SEEN.expect(["exposed for a moment", "never"]);
}

/// Both end: nothing is exposed.
#[test]
fn end_end() {
    let bound = Bound::None;
    model("work/end_end", 2, bound, |cast| {
        let work = two();
        let (first, second) = (work.begin(ALL, 1), work.begin(ALL, 1));
        assert!(work.is_exposed(0));
        cast.two(move || drop(first), move || drop(second));
        assert!(!work.is_exposed(0));
    });
}

/// One begins urgent work while the other begins low work: the urgent band is not exposed.
#[test]
fn begin_urgent_beside_low() {
    let bound = Bound::None;
    model("work/begin_urgent_beside_low", 2, bound, |cast| {
        let work = two();
        let (a, b) = (Arc::clone(&work), Arc::clone(&work));
        let both = cast.two(move || a.begin(ALL, 0), move || b.begin(ALL, 1));
        assert!(!work.is_exposed(0));
        drop(both);
    });
}

/// A worker comes while the only other one begins low work, the first of its kind: it could take
/// what waits, so nothing is exposed until it goes.
#[test]
fn hire_begin() {
    let bound = Bound::None;
    model("work/hire_begin", 2, bound, |cast| {
        let work = Arc::new(Work::new(2));
        work.hire(ALL);
        let (a, b) = (Arc::clone(&work), Arc::clone(&work));
        let ((), working) = cast.two(
            move || {
                a.hire(0b01);
                drop(a);
            },
            move || b.begin(ALL, 1),
        );
        assert!(!work.is_exposed(0));
        work.dismiss(0b01);
        assert!(work.is_exposed(0));
        drop(working);
    });
}
