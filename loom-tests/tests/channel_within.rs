//! Receivers of some bands: whoever may take an item is woken for it.

use bandq::{Band, Builder, Receiver, unbounded};
use loom_tests::{
    Bound, Seen, block_on, model,
    task::{Count, begin_to_wait, poll_now},
};
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Waker},
};

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
    narrow_one_passes_on("within/woken_narrow_one_is_dropped", |wide, _| wide);
}

/// The same, to another one of its kind.
#[test]
fn woken_narrow_one_is_dropped_for_another() {
    narrow_one_passes_on(
        "within/woken_narrow_one_is_dropped_for_another",
        |_, narrow| narrow.clone(),
    );
}

/// To the one that is chosen of a wide one, and of what is like itself.
fn narrow_one_passes_on(name: &str, choose: fn(Receiver<u64>, &Receiver<u64>) -> Receiver<u64>) {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model(name, 2, bound, move |cast| {
        let (sender, receiver) = unbounded(2);
        let urgent = receiver.within(Band::URGENT..=Band::URGENT);
        let other = choose(receiver, &urgent);
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
                assert_eq!(other.recv_blocking(), Ok((Band::URGENT, 7)));
                other
            },
        );
    });
}

/// A wide one that is woken and dropped beside a narrow one, the first of its kind, that begins to
/// wait: whether or not it is seen by who passes the wake on, it finds the item.
#[test]
fn woken_wide_one_is_dropped() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("within/woken_wide_one_is_dropped", 2, bound, |cast| {
        let (sender, receiver) = unbounded(2);
        let other = receiver.clone();
        cast.two(
            move || {
                {
                    let mut wide = pin!(other.recv());
                    begin_to_wait(wide.as_mut(), &Arc::default());
                    sender.try_send(Band::URGENT, 7).unwrap();
                }
                (sender, other)
            },
            move || {
                let urgent = receiver.within(Band::URGENT..=Band::URGENT);
                assert_eq!(urgent.recv_blocking(), Ok((Band::URGENT, 7)));
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

/// The same where items are entries, which a receive takes another way.
#[test]
fn took_a_more_urgent_entry() {
    static SEEN: Seen = Seen::new();
    took_a_more_urgent(
        "within/took_a_more_urgent_entry",
        &SEEN,
        |receiver| async move { (receiver.recv().await.unwrap().0, receiver) },
    );
}

/// The same where it takes a batch, which goes yet another way.
#[test]
fn took_a_more_urgent_batch() {
    static SEEN: Seen = Seen::new();
    took_a_more_urgent(
        "within/took_a_more_urgent_batch",
        &SEEN,
        |receiver| async move {
            let mut items = Vec::new();
            receiver.recv_many(&mut items, 1).await;
            (items[0].0, receiver)
        },
    );
}

/// What is received so is of entries.
fn took_a_more_urgent<F>(
    name: &'static str,
    seen: &'static Seen,
    receive: impl Fn(Receiver<u64>) -> F + Copy + Send + Sync + 'static,
) where
    F: Future<Output = (Band, Receiver<u64>)> + Send + 'static,
{
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model(name, 2, bound, move |cast| {
        let (sender, receiver) = Builder::new(2).weigher(|_| 1).build().unwrap();
        let urgent = receiver.within(Band::URGENT..=Band::URGENT);
        let of_one = receiver.clone();
        let [narrow_count, one_count, another_count] = [(); 3].map(|()| Arc::<Count>::default());
        let mut narrow = pin!(urgent.recv());
        begin_to_wait(narrow.as_mut(), &narrow_count);
        let mut one = Box::pin(receive(of_one));
        begin_to_wait(one.as_mut(), &one_count);
        let mut another = pin!(receiver.recv());
        begin_to_wait(another.as_mut(), &another_count);
        sender.try_send(LOW, 1).unwrap();
        let (sender, (band, of_one)) = cast.two(
            move || {
                sender.try_send(Band::URGENT, 2).unwrap();
                sender
            },
            move || block_on(one),
        );
        if band == LOW {
            seen.mark("its own");
            assert!(narrow_count.is_woken());
        } else {
            seen.mark("the urgent one");
            assert!(
                another_count.is_woken(),
                "the low item is there, and it sleeps"
            );
        }
        assert_eq!(receiver.len(), 1);
        drop((sender, of_one));
    });
    seen.expect(["its own", "the urgent one"]);
}

/// Who was woken for the low item takes the urgent one, and only then a narrow receiver appears, as
/// the first of its kind, for which the urgent one's sender wakes it: it finds nothing, and another
/// one must know of the low item.
#[test]
fn woken_in_vain() {
    static SEEN: Seen = Seen::new();
    new_one_beside_the_send("within/woken_in_vain", &SEEN, |narrow| {
        poll_now(Pin::new(narrow)).is_ready()
    });
}

/// The same where it is dropped instead.
#[test]
fn woken_in_vain_and_dropped() {
    static SEEN: Seen = Seen::new();
    new_one_beside_the_send("within/woken_in_vain_and_dropped", &SEEN, |narrow| {
        *narrow = Box::pin(async {});
        false
    });
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// `woken`: what the new receiver does once it is woken, and whether it has found the item then.
fn new_one_beside_the_send(name: &str, seen: &'static Seen, woken: fn(&mut Waiting) -> bool) {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model(name, 2, bound, move |cast| {
        let (sender, receiver) = unbounded(2);
        let of_one = receiver.clone();
        let [narrow_count, one_count, another_count] = [(); 3].map(|()| Arc::<Count>::default());
        let mut one = Box::pin(async move {
            let received = of_one.recv().await;
            (received.unwrap().0, of_one)
        });
        begin_to_wait(one.as_mut(), &one_count);
        let mut another = pin!(receiver.recv());
        begin_to_wait(another.as_mut(), &another_count);
        sender.try_send(LOW, 1).unwrap();
        let waker = Waker::from(Arc::clone(&narrow_count));
        let (sender, (band, mut narrow, found)) = cast.two(
            move || {
                sender.try_send(Band::URGENT, 2).unwrap();
                sender
            },
            move || {
                let (band, of_one) = block_on(one);
                let urgent = of_one.within(Band::URGENT..=Band::URGENT);
                let mut narrow: Waiting = Box::pin(async move {
                    urgent.recv().await.unwrap();
                });
                let polled = narrow.as_mut().poll(&mut Context::from_waker(&waker));
                (band, narrow, polled.is_ready())
            },
        );
        let is_woken = narrow_count.is_woken();
        let found = found || is_woken && woken(&mut narrow);
        assert!(
            found || another_count.is_woken(),
            "an item is there, and it sleeps"
        );
        seen.mark(match (band, is_woken) {
            (LOW, _) => "its own",
            (_, true) => "in vain",
            (_, false) => "the urgent one",
        });
        drop(sender);
    });
    seen.expect(["its own", "in vain", "the urgent one"]);
}
