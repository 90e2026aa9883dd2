//! `available`: what is neither an item nor a permit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bandq::{bounded, unbounded};

use crate::support::{Watchdog, XorShift, b};

#[test]
fn available_counts_permits_of_every_kind() {
    let (tx, rx) = bounded(2, 10);
    assert_eq!((tx.available(), rx.available()), (Some(10), Some(10)));
    let one = tx.try_reserve(b(0)).unwrap();
    assert_eq!(
        (tx.capacity(), tx.len(), tx.is_full()),
        (Some(10), 0, false)
    );
    assert_eq!(rx.available(), Some(9));
    let owned = tx.try_reserve_owned(b(1)).unwrap();
    let mut many = tx.try_reserve_many(b(0), 5).unwrap();
    assert_eq!(rx.available(), Some(3));
    many.next().unwrap().send(1).unwrap();
    owned.send(2).unwrap();
    assert_eq!((rx.available(), rx.len()), (Some(3), 2));
    drop(many);
    assert_eq!(rx.available(), Some(7));
    drop(one);
    assert_eq!(rx.available(), Some(8));
    rx.try_recv().unwrap();
    assert_eq!(tx.available(), Some(9));
    tx.close();
    assert_eq!(tx.available(), Some(9));
    rx.try_recv().unwrap();
    assert_eq!(tx.available(), Some(10));
}

#[test]
fn without_a_bound_nothing_says_how_much_is_available() {
    let (tx, rx) = unbounded(1);
    tx.try_send(b(0), 1).unwrap();
    assert_eq!((tx.available(), rx.available()), (None, None));
}

/// While four threads take and give room in every way, no look is out of range; at rest, items,
/// permits and what is available are the capacity.
#[test]
fn available_items_and_permits_are_the_capacity_at_rest() {
    let _watchdog = Watchdog::new("available_items_and_permits_are_the_capacity_at_rest");
    const CAPACITY: usize = 7;
    for round in 0..40 {
        let (tx, rx) = bounded(3, CAPACITY);
        let held = AtomicUsize::new(0);
        let kept: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let (tx, rx, held) = (&tx, &rx, &held);
                    scope.spawn(move || {
                        let mut rng = XorShift::new(round * 4 + thread);
                        let (mut single, mut owned) = (Vec::new(), Vec::new());
                        for _ in 0..500 {
                            let band = b(rng.below(3) as u8);
                            match rng.below(7) {
                                0 => drop(tx.try_send(band, 0)),
                                1 => single.extend(tx.try_reserve(band)),
                                2 => owned.extend(tx.try_reserve_owned(band)),
                                3 => {
                                    let many = tx.try_reserve_many(band, 3);
                                    single.extend(many.into_iter().flatten().take(2));
                                }
                                4 => drop(single.pop().map(|permit| permit.send(0))),
                                5 => drop((single.pop(), owned.pop())),
                                _ => drop(rx.try_recv()),
                            }
                            assert!(tx.available().is_some_and(|units| units <= CAPACITY));
                        }
                        held.fetch_add(single.len() + owned.len(), Ordering::Relaxed);
                        (single, owned)
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let held = held.load(Ordering::Relaxed);
        assert_eq!(tx.available().unwrap() + tx.len() + held, CAPACITY);
        drop(kept);
        assert_eq!(rx.available().unwrap() + rx.len(), CAPACITY);
        rx.try_iter().for_each(drop);
        assert_eq!(rx.available(), Some(CAPACITY));
    }
}
