//! Receivers that take from some bands only.

#[path = "support/hand.rs"]
#[allow(dead_code)]
mod hand;

use bandq::{Band, Receiver, RecvError, Sender, TryRecvError, unbounded};
use futures_lite::{StreamExt, future::block_on};
use hand::{Task, counting_waker, poll_stream};
use std::time::{Duration, Instant};

const URGENT: Band = Band::URGENT;
const LOW: Band = Band::new(5);

/// A channel of bare items, and one whose items have their times with them.
fn of_both_kinds<T>() -> [(Sender<T>, Receiver<T>); 2] {
    let (sender, receiver) = unbounded(8);
    drop(sender.with_ttl(Duration::MAX));
    [unbounded(8), (sender, receiver)]
}

#[test]
fn it_takes_from_its_bands_only_and_by_priority() {
    let (sender, receiver) = unbounded(8);
    let middle = receiver.within(Band::new(2)..=Band::new(4));
    for band in [7, 4, 3, 2, 1, 0] {
        sender.try_send(Band::new(band), band).unwrap();
    }
    let items: Vec<_> = middle.try_iter().map(|(_, item)| item).collect();
    assert_eq!(items, [2, 3, 4]);
    assert_eq!(middle.try_recv(), Err(TryRecvError::Empty));
    let rest: Vec<_> = receiver.try_iter().map(|(_, item)| item).collect();
    assert_eq!(rest, [0, 1, 7]);
}

#[test]
fn a_part_of_a_part_is_in_both() {
    let (sender, receiver) = unbounded(4);
    let part = receiver
        .within(Band::new(0)..=Band::new(2))
        .within(Band::new(2)..=Band::new(3));
    for band in 0..4 {
        sender.try_send(Band::new(band), band).unwrap();
    }
    assert_eq!(part.clone().try_recv(), Ok((Band::new(2), 2)));
    assert_eq!(part.try_recv(), Err(TryRecvError::Empty));
    let weak = part.downgrade();
    drop(part);
    assert_eq!(weak.upgrade().unwrap().try_recv(), Err(TryRecvError::Empty));
    assert_eq!(receiver.len(), 3);
}

#[test]
fn one_without_any_band_waits_for_the_close() {
    let (sender, receiver) = unbounded(2);
    #[allow(clippy::reversed_empty_ranges)]
    let nothing = receiver.within(Band::new(1)..=Band::new(0));
    let beyond = receiver.within(Band::new(2)..=Band::new(63));
    sender.try_send(URGENT, 1).unwrap();
    for none in [nothing, beyond] {
        let mut receiving = Task::waiting(none.recv());
        assert!(receiving.poll().is_pending());
        assert_eq!(
            none.recv_timeout(Duration::ZERO).unwrap_err().to_string(),
            "nothing came in time"
        );
    }
    sender.close();
    let beyond = receiver.within(Band::new(2)..=Band::new(63));
    assert_eq!(
        beyond.recv_blocking(),
        Err(RecvError),
        "closed, and its bands are empty"
    );
    assert_eq!(receiver.recv_blocking(), Ok((URGENT, 1)));
}

#[test]
fn the_close_wakes_receives_and_streams_of_some_bands() {
    let (sender, receiver) = unbounded::<u8>(2);
    let urgent = receiver.within(URGENT..=URGENT);
    let mut receiving = Task::waiting(urgent.recv());
    let mut stream = urgent.clone();
    let (waker, wakes) = counting_waker();
    assert!(poll_stream(&mut stream, &waker).is_pending());
    sender.close();
    assert_eq!((receiving.wakes(), wakes.get()), (1, 1));
    assert_eq!(receiving.ready(), Err(RecvError));
}

#[test]
fn an_item_wakes_only_who_may_take_it() {
    let (sender, receiver) = unbounded(8);
    let urgent = receiver.within(Band::new(0)..=Band::new(1));
    let of_urgent = Task::waiting(urgent.recv());
    let mut of_all = Task::waiting(receiver.recv());
    sender.try_send(LOW, 1).unwrap();
    assert_eq!([of_urgent.wakes(), of_all.wakes()], [0, 1]);
    assert_eq!(of_all.ready(), Ok((LOW, 1)));
}

#[test]
fn the_narrowest_is_woken_first() {
    let (sender, receiver) = unbounded(8);
    let receivers: Vec<_> = [0..=7, 0..=1, 0..=3]
        .map(|r| receiver.within(Band::new(*r.start())..=Band::new(*r.end())))
        .into();
    let mut tasks = vec![Task::waiting(receiver.recv())];
    tasks.extend(
        receivers
            .iter()
            .map(|receiver| Task::waiting(receiver.recv())),
    );
    for expected in [[0, 0, 1, 0], [0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]] {
        sender.try_send(URGENT, 0).unwrap();
        let wakes: Vec<_> = tasks.iter().map(Task::wakes).collect();
        assert_eq!(wakes, expected);
    }
}

#[test]
fn a_wake_that_is_given_up_goes_to_somebody_who_may_take_the_item() {
    let (sender, receiver) = unbounded(8);
    let urgent = receiver.within(URGENT..=URGENT);
    let narrow = Task::waiting(urgent.recv());
    let mut wide = Task::waiting(receiver.recv());
    sender.try_send(URGENT, 1).unwrap();
    assert_eq!([narrow.wakes(), wide.wakes()], [1, 0]);
    drop(narrow);
    assert_eq!(wide.wakes(), 1);
    assert_eq!(wide.ready(), Ok((URGENT, 1)));
}

#[test]
fn a_wake_that_is_given_up_goes_to_another_of_some_bands() {
    for band in [URGENT, LOW] {
        let (sender, receiver) = unbounded(8);
        let [narrow, other] = [band, Band::new(1)].map(|band| receiver.within(band..=band));
        let one = Task::waiting(narrow.recv());
        let mut another = Task::waiting(narrow.recv());
        let of_other = Task::waiting(other.recv());
        sender.try_send(band, 1).unwrap();
        assert_eq!([one.wakes(), another.wakes()], [1, 0]);
        drop(one);
        assert_eq!([another.wakes(), of_other.wakes()], [1, 0]);
        assert_eq!(another.ready(), Ok((band, 1)));
    }
}

#[test]
fn a_wake_that_is_given_up_wakes_one_for_each_band_that_has_something_and_nobody_else() {
    for (sender, receiver) in of_both_kinds() {
        let urgent = receiver.within(URGENT..=URGENT);
        let narrow = Task::waiting(urgent.recv());
        let wide = [(); 4].map(|()| Task::waiting(receiver.recv()));
        sender.try_send(URGENT, 1).unwrap();
        receiver.try_recv().unwrap();
        drop(narrow);
        assert_eq!(wide.each_ref().map(Task::wakes), [0, 0, 0, 0]);
        let narrow = Task::waiting(urgent.recv());
        sender.try_send(URGENT, 1).unwrap();
        sender.try_send(LOW, 1).unwrap();
        assert_eq!(wide.each_ref().map(Task::wakes), [1, 0, 0, 0]);
        drop(narrow); // who is awake for what, it cannot tell
        assert_eq!(wide.each_ref().map(Task::wakes), [1, 1, 1, 0]);
    }
}

#[test]
fn an_item_whose_receiver_took_a_more_urgent_one_wakes_another() {
    // One is woken for the low item, the narrow one for the urgent one; the first looks before it,
    // and takes the urgent one. Another must know of the low one: the narrow one may not take it.
    for band in [URGENT, Band::new(1)] {
        let (sender, receiver) = unbounded(8);
        let _wider = receiver.within(URGENT..=Band::new(1));
        let urgent = receiver.within(band..=band);
        let mut narrow = Task::waiting(urgent.recv());
        let mut one = Task::waiting(receiver.recv());
        let mut another = Task::waiting(receiver.recv());
        sender.try_send(LOW, 'l').unwrap();
        sender.try_send(band, 'u').unwrap();
        assert_eq!([narrow.wakes(), one.wakes(), another.wakes()], [1, 1, 0]);
        assert_eq!(one.ready(), Ok((band, 'u')));
        assert_eq!(another.wakes(), 1);
        assert_eq!(another.ready(), Ok((LOW, 'l')));
        assert!(narrow.poll().is_pending());
    }
}

#[test]
fn an_item_that_no_receiver_of_some_bands_was_woken_for_wakes_nobody_else_when_it_is_taken() {
    let (sender, receiver) = unbounded(8);
    let _of_low = receiver.within(LOW..=LOW);
    let mut wide = [(); 3].map(|()| Task::waiting(receiver.recv()));
    for item in 0..2 {
        sender.try_send(URGENT, item).unwrap();
    }
    assert_eq!(wide[0].ready(), Ok((URGENT, 0)));
    assert_eq!(wide.each_ref().map(Task::wakes), [1, 1, 0]);
}

#[test]
fn a_stream_is_woken_again_after_those_of_some_bands_and_of_all_were() {
    let (sender, receiver) = unbounded(8);
    let urgent = receiver.within(URGENT..=URGENT);
    let mut streams = vec![urgent.clone(), urgent.clone(), urgent];
    streams.extend([receiver.clone(), receiver.clone()]);
    let (waker, wakes) = counting_waker();
    for stream in &mut streams {
        assert!(poll_stream(stream, &waker).is_pending());
    }
    sender.try_send(URGENT, 0).unwrap();
    assert_eq!(wakes.get(), 5);
    receiver.try_recv().unwrap();
    assert!(poll_stream(&mut streams[0], &waker).is_pending());
    sender.try_send(URGENT, 0).unwrap();
    assert_eq!(wakes.get(), 6);
}

#[test]
fn a_stream_of_some_bands_yields_those() {
    block_on(async {
        let (sender, receiver) = unbounded(8);
        let mut urgent = receiver.within(Band::new(0)..=Band::new(1));
        let (waker, wakes) = counting_waker();
        assert!(poll_stream(&mut urgent, &waker).is_pending());
        sender.try_send(LOW, 1).unwrap();
        assert_eq!(wakes.get(), 0);
        sender.try_send(URGENT, 0).unwrap();
        assert_eq!(wakes.get(), 1);
        assert_eq!(urgent.next().await, Some((URGENT, 0)));
        drop(sender);
        assert_eq!(urgent.next().await, None);
        assert_eq!(receiver.try_recv(), Ok((LOW, 1)));
    });
}

#[test]
fn urgent_waiting_is_about_its_own_bands() {
    let (sender, receiver) = unbounded(8);
    let low = receiver.within(Band::new(4)..=Band::new(7));
    sender.try_send(Band::new(3), ()).unwrap();
    assert!(receiver.urgent_waiting(Band::new(4)) && !receiver.urgent_waiting(Band::new(3)));
    assert!(!low.urgent_waiting(Band::new(7)));
    sender.try_send(Band::new(4), ()).unwrap();
    assert!(low.urgent_waiting(Band::new(5)) && low.urgent_waiting(Band::new(63)));
}

#[test]
fn nobody_sleeps_beside_an_item_under_load() {
    const ITEMS: u64 = 20_000;
    let (sender, receiver) = unbounded::<u64>(4);
    let sums: Vec<u64> = std::thread::scope(|scope| {
        let ranges = [0..=0, 0..=1, 2..=3, 0..=3, 0..=63];
        let workers: Vec<_> = ranges
            .map(|r| receiver.within(Band::new(*r.start())..=Band::new(*r.end())))
            .into_iter()
            .map(|receiver| scope.spawn(move || receiver.iter().map(|(_, item)| item).sum()))
            .collect();
        for n in 0..ITEMS {
            sender.try_send(Band::new((n % 4) as u8), n).unwrap();
            if n % 64 == 0 {
                std::thread::yield_now();
            }
        }
        drop(sender);
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    assert_eq!(sums.iter().sum::<u64>(), (0..ITEMS).sum());
}

/// Four workers, with more low work than they can do; every item is worked on for 10 ms. Of the
/// urgent items that come now and then, in order of their waits, how long each waited.
fn urgent_waits(reserved: usize, items: usize) -> Vec<Duration> {
    const WORK: Duration = Duration::from_millis(10);
    let (sender, receiver) = unbounded::<Option<Instant>>(6);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let receiver = if worker < reserved {
                    receiver.within(URGENT..=Band::new(1))
                } else {
                    receiver.clone()
                };
                let sender = sender.clone();
                scope.spawn(move || {
                    let mut waits = Vec::new();
                    while let Ok((band, sent)) = receiver.recv_blocking() {
                        match sent {
                            Some(sent) => waits.push(sent.elapsed()),
                            None if receiver.is_closed() => continue,
                            None => _ = sender.try_send(band, None), // so it never runs out
                        }
                        assert!(
                            worker >= reserved || band == URGENT,
                            "{band} is not reserved"
                        );
                        std::thread::sleep(WORK);
                    }
                    waits
                })
            })
            .collect();
        sender.try_send_many(LOW, vec![None; 100]).unwrap();
        for n in 0..items {
            std::thread::sleep(2 * WORK + WORK / 16 * (n % 16) as u32);
            sender.try_send(URGENT, Some(Instant::now())).unwrap();
        }
        sender.close();
        let waits = workers.into_iter().map(|worker| worker.join().unwrap());
        let mut waits: Vec<_> = waits.flatten().collect();
        waits.sort();
        waits
    })
}

/// `BANDQ_WITHIN_ITEMS=500 cargo test --release --test within -- --nocapture` for the figures.
#[test]
fn urgent_items_find_a_reserved_worker_while_low_work_holds_the_others() {
    let items = std::env::var("BANDQ_WITHIN_ITEMS").map_or(20, |items| items.parse().unwrap());
    let [shared, reserved] = [0, 2].map(|reserved| {
        let waits = urgent_waits(reserved, items);
        assert_eq!(waits.len(), items, "each is received once");
        let [median, p99] = [waits[items / 2], waits[items * 99 / 100]];
        println!("{reserved} workers reserved: an urgent item waits {median:?}, p99 {p99:?}");
        median
    });
    // In the same run: the next of four to be free, against one that is.
    assert!(reserved < shared, "{reserved:?} with, {shared:?} without");
}
