//! Expiry: an item that is too old goes to the hook, once, and so does its room.

use bandq::{__internals::sleep, Band, Builder, Receiver, Sender};
use loom_tests::{Bound, Seen, model};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const LIFE: Duration = Duration::from_millis(1);

/// How often the hook got the first item, 1; keeping the books is no part of a model. A later one
/// may expire as well, outside of a model, where time passes by itself.
type Hooked = Arc<AtomicUsize>;

/// A channel with that much room, whose items live for a moment.
fn channel(capacity: usize) -> (Sender<u64>, Receiver<u64>, Hooked) {
    let hooked = Hooked::default();
    let counter = Arc::clone(&hooked);
    let (sender, receiver) = Builder::new(1)
        .capacity(capacity)
        .ttl(Band::URGENT, LIFE)
        .on_expired(move |_, item| {
            assert!(item == 1 || !cfg!(loom), "it was in time");
            counter.fetch_add(usize::from(item == 1), Ordering::SeqCst);
        })
        .build()
        .unwrap();
    (sender, receiver, hooked)
}

fn send(sender: &Sender<u64>, item: u64) -> bool {
    sender.try_send(Band::URGENT, item).is_ok()
}

/// All room that no item takes is there; in a model, for that many items.
fn check_room(sender: &Sender<u64>, receiver: &Receiver<u64>, capacity: usize, items: usize) {
    let left = sender.len();
    assert_eq!(receiver.available(), Some(capacity - left));
    assert!(left == items || !cfg!(loom), "{left} items, not {items}");
}

/// Two receives of an item that has expired: the hook gets it once, and its room is there once.
#[test]
fn recv_recv() {
    let bound = Bound::Preemptions(3).or_in_full(Bound::Preemptions(4));
    model("expiry/recv_recv", 2, bound, |cast| {
        let (sender, receiver, hooked) = channel(1);
        assert!(send(&sender, 1));
        sleep(LIFE);
        let other = receiver.clone();
        let (a, b) = cast.two(
            move || (receiver.try_recv().is_ok(), receiver),
            move || (other.try_recv().is_ok(), other),
        );
        assert!(!a.0 && !b.0, "handed out too late");
        assert_eq!(hooked.load(Ordering::SeqCst), 1);
        assert_eq!((sender.len(), sender.available()), (0, Some(1)));
    });
}

/// A receive beside a send that finds no room, for something has expired: the same, whoever looks
/// first, and the newcomer is in or comes back.
#[test]
fn recv_send() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("expiry/recv_send", 2, bound, |cast| {
        let (sender, receiver, hooked) = channel(1);
        assert!(send(&sender, 1));
        sleep(LIFE);
        let ((sent, sender), (received, receiver)) = cast.two(
            move || (send(&sender, 2), sender),
            move || (receiver.try_recv().ok(), receiver),
        );
        assert_eq!(hooked.load(Ordering::SeqCst), 1);
        let received = received.map(|(_, item)| item);
        assert!(received.is_none_or(|item| sent && item == 2));
        let left = usize::from(sent && received.is_none());
        check_room(&sender, &receiver, 1, left);
        SEEN.mark(if sent { "in" } else { "no room yet" });
    });
    SEEN.expect(["in", "no room yet"]);
}

/// The time passes beside a receive, and then a send needs the room: the item is received, or the
/// hook gets it, never both.
#[test]
fn sleep_and_send_recv() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("expiry/sleep_and_send_recv", 2, bound, |cast| {
        let (sender, receiver, hooked) = channel(1);
        assert!(send(&sender, 1));
        let ((sent, sender), (received, receiver)) = cast.two(
            move || {
                sleep(LIFE);
                (send(&sender, 2), sender)
            },
            move || (receiver.try_recv().ok(), receiver),
        );
        let first = received.is_some_and(|(_, item)| item == 1);
        assert_eq!(hooked.load(Ordering::SeqCst), usize::from(!first));
        SEEN.mark(if first { "received" } else { "expired" });
        let left = usize::from(sent && received.is_none_or(|(_, item)| item == 1));
        check_room(&sender, &receiver, 1, left);
    });
    SEEN.expect(["received", "expired"]);
}

/// A send that finds no room beside a receive: what lies behind an item that has expired, and has
/// not, goes to the receive and never to the hook.
#[test]
fn fresh_item_behind() {
    let bound = Bound::Preemptions(2).or_in_full(Bound::Preemptions(3));
    model("expiry/fresh_item_behind", 2, bound, |cast| {
        let (sender, receiver, hooked) = channel(2);
        assert!(send(&sender, 1));
        sleep(LIFE);
        assert!(send(&sender, 2));
        let ((sent, sender), (received, receiver)) = cast.two(
            move || (send(&sender, 3), sender),
            move || (receiver.try_recv().ok(), receiver),
        );
        assert_eq!(hooked.load(Ordering::SeqCst), 1);
        if cfg!(loom) {
            assert_eq!(received, Some((Band::URGENT, 2)));
        }
        check_room(&sender, &receiver, 2, usize::from(sent));
    });
}
