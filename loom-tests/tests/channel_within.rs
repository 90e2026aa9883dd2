//! Receivers of some bands: whoever may take an item is woken for it.

use bandq::{Band, unbounded};
use loom_tests::{
    Bound, Seen, block_on, model,
    task::{Count, begin_to_wait},
};
use std::{pin::pin, sync::Arc};

const LOW: Band = Band::new(1);

/// A receiver of the item's band that begins to wait beside the send, as the first of its kind.
#[test]
fn send_recv() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("within/send_recv", 2, bound, |cast| {
        let (sender, receiver) = unbounded(2);
        cast.two(
            move || {
                sender.try_send(Band::URGENT, 7).unwrap();
                sender // it is the send that wakes, and not the close
            },
            move || {
                let urgent = receiver.within(Band::URGENT..=Band::URGENT);
                assert_eq!(urgent.recv_blocking(), Ok((Band::URGENT, 7)));
                receiver
            },
        );
    });
}

/// The same while a receiver of other bands waits, and one of all: no wake goes astray.
#[test]
fn send_recv_beside_others() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("within/send_recv_beside_others", 2, bound, |cast| {
        let (sender, receiver) = unbounded(2);
        let low = receiver.within(LOW..=LOW);
        let count = Arc::<Count>::default();
        let mut others = pin!(low.recv());
        begin_to_wait(others.as_mut(), &count);
        let kept = cast.two(
            move || {
                sender.try_send(Band::URGENT, 7).unwrap();
                sender
            },
            move || {
                let urgent = receiver.within(Band::URGENT..=Band::URGENT);
                assert_eq!(block_on(urgent.recv()), Ok((Band::URGENT, 7)));
                receiver
            },
        );
        assert!(!count.is_woken(), "it may not take that");
        drop(kept);
    });
}

/// A receiver begins to wait beside a send by somebody who has just made a receiver of other bands:
/// whichever of the two is linked first, the sender finds who waits.
#[test]
fn two_new_ones() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("within/two_new_ones", 2, bound, |cast| {
        let (sender, receiver) = unbounded(2);
        let other = receiver.clone();
        let kept = cast.two(
            move || {
                let low = other.within(LOW..=LOW);
                sender.try_send(Band::URGENT, 7).unwrap();
                (sender, low, other)
            },
            move || {
                let urgent = receiver.within(Band::URGENT..=Band::URGENT);
                assert_eq!(urgent.recv_blocking(), Ok((Band::URGENT, 7)));
                receiver
            },
        );
        drop(kept);
    });
}

/// A narrow receiver that is woken and dropped passes its wake on to a wide one.
#[test]
fn woken_narrow_one_is_dropped() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("within/woken_narrow_one_is_dropped", 2, bound, |cast| {
        let (sender, receiver) = unbounded(2);
        let urgent = receiver.within(Band::URGENT..=Band::URGENT);
        cast.two(
            move || {
                {
                    let mut narrow = pin!(urgent.recv());
                    begin_to_wait(narrow.as_mut(), &Arc::default());
                    sender.try_send(Band::URGENT, 7).unwrap();
                }
                (sender, urgent)
            },
            move || {
                assert_eq!(receiver.recv_blocking(), Ok((Band::URGENT, 7)));
                receiver
            },
        );
    });
}

/// Who was woken for the low item takes the urgent one, for which a narrow receiver was woken:
/// another one must know of the low item.
#[test]
fn took_a_more_urgent_one() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("within/took_a_more_urgent_one", 2, bound, |cast| {
        let (sender, receiver) = unbounded(2);
        let urgent = receiver.within(Band::URGENT..=Band::URGENT);
        let of_one = receiver.clone();
        let [narrow_count, one_count, another_count] = [(); 3].map(|()| Arc::<Count>::default());
        let mut narrow = pin!(urgent.recv());
        begin_to_wait(narrow.as_mut(), &narrow_count);
        let mut one = Box::pin(async move {
            let received = of_one.recv().await;
            (received.unwrap().0, of_one)
        });
        begin_to_wait(one.as_mut(), &one_count);
        let mut another = pin!(receiver.recv());
        begin_to_wait(another.as_mut(), &another_count);
        let (sender, (band, of_one)) = cast.two(
            move || {
                sender.try_send(LOW, 1).unwrap();
                sender.try_send(Band::URGENT, 2).unwrap();
                sender
            },
            move || block_on(one),
        );
        if band == LOW {
            SEEN.mark("its own");
            assert!(narrow_count.is_woken() || another_count.is_woken());
        } else {
            SEEN.mark("the urgent one");
            assert!(
                another_count.is_woken(),
                "the low item is there, and it sleeps"
            );
        }
        assert_eq!(receiver.len(), 1);
        drop((sender, of_one));
    });
    SEEN.expect(["its own", "the urgent one"]);
}
