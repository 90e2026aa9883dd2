//! Odd items: of no size, very large, over-aligned, with niches, borrowed.

mod support;

use std::num::NonZeroU8;
use std::sync::Arc;
use std::thread;

use bandq::{BandQueue, TryRecvError, bounded, unbounded};
use support::{Ledger, Task, Watchdog, b};

/// Sends `n` items every way there is, and checks each one that arrives.
fn round_trip<T>(n: usize, make: impl Fn(usize) -> T, check: impl Fn(usize, &T)) {
    let queue = BandQueue::new(2);
    for i in 0..n {
        assert!(queue.push(b((i % 2) as u8), make(i)).is_ok());
    }
    for i in (0..n).step_by(2).chain((1..n).step_by(2)) {
        let (band, item) = queue.pop().unwrap();
        assert_eq!(band, b((i % 2) as u8));
        check(i, &item);
    }
    assert!(queue.pop().is_none());

    assert_eq!(queue.push_many(b(1), (0..n).map(&make)), Ok(n));
    let mut buffer = Vec::new();
    while queue.pop_many(&mut buffer, 5) > 0 {}
    for (i, (_, item)) in buffer.iter().enumerate() {
        check(i, item);
    }
    assert_eq!(buffer.len(), n);

    let (tx, rx) = bounded(1, 3);
    let mut send = Task::new(tx.send_many(b(0), (0..n).map(&make)));
    let mut next = 0;
    while send.poll().is_pending() {
        for (_, item) in rx.try_iter() {
            check(next, &item);
            next += 1;
        }
    }
    for (_, item) in rx.try_iter() {
        check(next, &item);
        next += 1;
    }
    assert_eq!(next, n);
    drop(send);
    for i in 0..n {
        assert!(Task::new(tx.send(b(0), make(i))).ready().is_ok());
        let (_, item) = Task::new(rx.recv()).ready().unwrap();
        check(i, &item);
        assert!(tx.send_blocking(b(0), make(i)).is_ok());
        let (_, item) = rx.recv_blocking().unwrap();
        check(i, &item);
        assert!(tx.try_reserve(b(0)).unwrap().send(make(i)).is_ok());
        check(i, &rx.try_recv().unwrap().1);
    }
    // Some are left inside.
    for i in 0..n.min(3) {
        assert!(tx.try_send(b(0), make(i)).is_ok());
    }
}

#[test]
fn items_of_no_size() {
    round_trip(1_000, |_| (), |_, &()| {});
    let (tx, rx) = bounded(1, 2);
    tx.try_send(b(0), ()).unwrap();
    tx.try_send(b(0), ()).unwrap();
    assert!(tx.try_send(b(0), ()).is_err());
    assert_eq!(rx.len(), 2);
    assert_eq!(rx.drain().count(), 2);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn items_of_no_size_are_each_dropped_once() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    struct Empty;
    impl Drop for Empty {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (tx, rx) = unbounded(3);
    for i in 0..900 {
        tx.try_send(b(i as u8 % 3), Empty).ok().unwrap();
    }
    for taken in 1..=400 {
        drop(rx.try_recv());
        assert_eq!(DROPS.load(Ordering::SeqCst), taken);
    }
    drop(rx);
    assert_eq!(DROPS.load(Ordering::SeqCst), 900);
}

#[test]
fn over_aligned_items() {
    #[derive(Clone, Copy)]
    #[repr(align(128))]
    struct Wide(usize);
    #[derive(Clone, Copy)]
    #[repr(align(4096))]
    struct Page(usize);
    #[repr(align(4096))]
    struct EmptyPage;
    fn aligned<T>(item: &T) {
        assert_eq!((item as *const T).addr() % align_of::<T>(), 0);
    }
    let check = |i, wide: &Wide| {
        aligned(wide);
        assert_eq!(wide.0, i);
    };
    round_trip(600, Wide, check);
    let check = |i, page: &Page| {
        aligned(page);
        assert_eq!(page.0, i);
    };
    round_trip(20, Page, check);
    round_trip(20, |_| EmptyPage, |_, page| aligned(page));
}

#[test]
fn items_with_niches() {
    let number = |i| NonZeroU8::new((i % 255 + 1) as u8).unwrap();
    round_trip(600, number, |i, &n| assert_eq!(n, number(i)));
    round_trip(600, Box::new, |i, n| assert_eq!(**n, i));
    round_trip(600, |i| i % 2 == 0, |i, &even| assert_eq!(even, i % 2 == 0));
    round_trip(
        600,
        |i| (i % 3 == 0).then_some(Box::new(i)),
        |i, item| {
            assert_eq!(item.as_deref(), (i % 3 == 0).then_some(&i));
        },
    );
    let text = |i: usize| i.to_string();
    round_trip(600, text, |i, item| assert_eq!(*item, text(i)));
    let shared = Arc::new(());
    round_trip(
        100,
        |_| shared.clone(),
        |_, item| assert!(Arc::ptr_eq(item, &shared)),
    );
    assert_eq!(Arc::strong_count(&shared), 1);
    round_trip(100, |i| move || i, |i, f| assert_eq!(f(), i));
    round_trip(
        100,
        |i| -> Box<dyn Fn() -> usize> { Box::new(move || i) },
        |i, f| {
            assert_eq!(f(), i);
        },
    );
}

#[test]
fn borrowed_items() {
    let texts: Vec<String> = (0..300).map(|i| i.to_string()).collect();
    round_trip(
        300,
        |i| &texts[i],
        |i, &text| assert!(std::ptr::eq(text, &texts[i])),
    );
    round_trip(
        300,
        |i| &texts[i][..1],
        |i, &text| assert_eq!(text, &texts[i][..1]),
    );
    let (tx, rx) = unbounded(1);
    thread::scope(|s| {
        s.spawn(|| {
            for text in &texts {
                tx.try_send(b(0), text.as_str()).unwrap();
            }
        });
        for text in &texts {
            assert_eq!(rx.recv_blocking().unwrap().1, text);
        }
    });
}

/// Runs `f` on a thread with this much stack.
fn on_stack<R: Send + 'static>(bytes: usize, f: impl FnOnce() -> R + Send + 'static) -> R {
    let thread = thread::Builder::new().stack_size(bytes).spawn(f);
    thread.unwrap().join().unwrap()
}

const MIB: usize = 1 << 20;

fn boxed_mib(fill: u8) -> Box<[u8; MIB]> {
    vec![fill; MIB].into_boxed_slice().try_into().unwrap()
}

#[test]
fn a_box_of_1_mib_on_a_64_kib_stack() {
    on_stack(64 * 1024, || {
        round_trip(
            5,
            |i| boxed_mib(i as u8),
            |i, item| {
                assert_eq!((item[0], item[MIB - 1]), (i as u8, i as u8));
            },
        );
    });
}

/// Nothing of the size of an item is built on the stack to make a queue or a channel.
#[test]
fn a_channel_of_1_mib_items_is_made_on_a_64_kib_stack() {
    let (queue, channel) = on_stack(64 * 1024, || {
        let queue = BandQueue::<[u8; MIB]>::new(64);
        assert!(queue.is_empty());
        let (tx, rx) = bounded::<[u8; MIB]>(2, 4);
        assert_eq!((tx.len(), rx.capacity()), (0, Some(4)));
        (queue, (tx, rx))
    });
    on_stack(128 * MIB, || drop((queue, channel)));
}

/// By value an item passes through a few frames, and unoptimised code copies it in each; there is
/// never a copy for each slot of a segment or each item of a batch.
#[test]
fn items_of_512_bytes_by_value_on_a_128_kib_stack() {
    on_stack(128 * 1024, || {
        round_trip(
            300,
            |i| [i as u8; 512],
            |i, item| {
                assert_eq!((item[0], item[511]), (i as u8, i as u8));
            },
        );
    });
}

#[test]
fn items_of_8_kib_by_value_on_a_2_mib_stack() {
    on_stack(2 * MIB, || {
        round_trip(
            40,
            |i| [i as u8; 8192],
            |i, item| {
                assert_eq!((item[0], item[8191]), (i as u8, i as u8));
            },
        );
    });
}

#[test]
fn items_of_1_mib_by_value() {
    let _watchdog = Watchdog::new("items_of_1_mib_by_value");
    on_stack(128 * MIB, || {
        let queue = BandQueue::new(2);
        for i in 0..3 {
            assert!(queue.push(b(1), [i; MIB]).is_ok());
        }
        for i in 0..3 {
            let (band, item) = queue.pop().unwrap();
            assert_eq!((band, item[0], item[MIB - 1]), (b(1), i, i));
        }
        let (tx, rx) = bounded(2, 2);
        tx.try_send(b(1), [1u8; MIB]).ok().unwrap();
        tx.send_blocking(b(0), [2u8; MIB]).ok().unwrap();
        let back = tx.try_send(b(0), [3u8; MIB]).err().unwrap().into_inner();
        assert_eq!(back[MIB - 1], 3);
        assert_eq!(rx.try_recv().ok().unwrap().1[7], 2);
        assert_eq!(rx.recv_blocking().ok().unwrap().1[7], 1);
    });
}

#[test]
fn large_items_are_each_dropped_once() {
    struct Big(support::Token, [u8; 10_000]);
    let ledger = Ledger::new(40);
    let (tx, rx) = unbounded(2);
    for token in ledger.tokens() {
        let big = Big(token, [9; 10_000]);
        tx.try_send(b(1), big).ok().unwrap();
    }
    for i in 0..15 {
        let (_, Big(token, bytes)) = rx.try_recv().ok().unwrap();
        assert_eq!((token.id(), bytes[9_999]), (i, 9));
    }
    drop((tx, rx));
    ledger.assert_each_dropped_once();
}
