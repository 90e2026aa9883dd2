//! Inversion as a number: scripted runs whose inversion time is known.

use bandq::{Band, Builder, Receiver, Sender};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

const MS: Duration = Duration::from_millis(1);

fn channel() -> (Sender<u32>, Receiver<u32>) {
    Builder::new(3).observe().build().unwrap()
}

fn inversion(receiver: &Receiver<u32>) -> [Duration; 3] {
    let snapshot = receiver.snapshot();
    [0, 1, 2].map(|band| snapshot.bands[band].inversion)
}

/// When something happened: not before, and not after.
#[derive(Clone, Copy)]
struct When(Instant, Instant);

impl When {
    /// That of what `f` does.
    fn does<R>(f: impl FnOnce() -> R) -> (Self, R) {
        let before = Instant::now();
        let done = f();
        (Self(before, Instant::now()), done)
    }

    /// Whether a time is that from then to another one; on a quiet machine within microseconds.
    #[track_caller]
    fn until(self, end: Self, found: Duration) {
        let (least, most) = (end.0 - self.1, end.1 - self.0);
        assert!(
            least <= found && found <= most,
            "{least:?} {found:?} {most:?}"
        );
    }
}

/// From when the urgent item is sent to when the low work ends; of a band less urgent than the
/// work, and of an empty one, nothing.
#[test]
fn it_is_the_time_in_which_all_work_is_less_urgent_than_what_waits() {
    let (sender, receiver) = channel();
    let working = receiver.working(Band::new(1));
    sleep(20 * MS);
    let (sent, _) = When::does(|| sender.try_send(Band::URGENT, 1).unwrap());
    sender.try_send(Band::new(2), 2).unwrap();
    sleep(100 * MS);
    let (end, ()) = When::does(|| drop(working));
    sleep(20 * MS);
    let [urgent, same, low] = inversion(&receiver);
    sent.until(end, urgent);
    assert_eq!((same, low), (Duration::ZERO, Duration::ZERO));
}

/// It counts from when the last of them began, if the item was there before.
#[test]
fn it_begins_when_the_last_worker_begins_less_urgent_work() {
    let (sender, receiver) = channel();
    let other = receiver.clone();
    drop((receiver.working(Band::new(2)), other.working(Band::new(2)))); // both are workers
    sender.try_send(Band::URGENT, 1).unwrap();
    let first = receiver.working(Band::new(2));
    sleep(20 * MS);
    assert_eq!(
        inversion(&receiver)[0],
        Duration::ZERO,
        "the other could take it"
    );
    let (began, second) = When::does(|| other.working(Band::new(1)));
    sleep(100 * MS);
    let (now, [seen, ..]) = When::does(|| inversion(&receiver));
    began.until(now, seen); // while it lasts
    let (end, ()) = When::does(|| drop(first));
    sleep(20 * MS);
    drop(second);
    began.until(end, inversion(&receiver)[0]);
}

#[test]
fn work_that_is_as_urgent_or_more_is_none() {
    let (sender, receiver) = channel();
    let other = receiver.clone();
    let _low = receiver.working(Band::new(2));
    let _urgent = other.working(Band::new(1));
    sender.try_send(Band::new(1), 1).unwrap();
    sleep(20 * MS);
    assert_eq!(inversion(&receiver)[1], Duration::ZERO);
}

/// It is guards that are counted, however few the workers are.
#[test]
fn less_urgent_work_beside_some_that_is_as_urgent_is_none() {
    let (sender, receiver) = channel();
    let _both = [1, 2].map(|band| receiver.working(Band::new(band)));
    sender.try_send(Band::new(1), 1).unwrap();
    sleep(5 * MS);
    assert_eq!(inversion(&receiver)[1], Duration::ZERO);
    sender.try_send(Band::URGENT, 1).unwrap();
    sleep(5 * MS);
    assert!(inversion(&receiver)[0] >= 5 * MS);
}

/// Each episode adds up.
#[test]
fn episodes_add_up() {
    let (sender, receiver) = channel();
    let mut before = Duration::ZERO;
    for n in 0..5 {
        let working = receiver.working(Band::new(2));
        let (sent, _) = When::does(|| sender.try_send(Band::new(1), n).unwrap());
        sleep(30 * MS);
        let (end, ()) = When::does(|| drop(working));
        receiver.try_recv().unwrap();
        sleep(5 * MS);
        let found = inversion(&receiver)[1];
        sent.until(end, found - before);
        before = found;
    }
    assert_eq!(
        inversion(&receiver)[0],
        Duration::ZERO,
        "nothing waited there"
    );
}

/// A worker for urgent work that is idle could take it; a worker of other bands could not.
#[test]
fn only_those_count_who_may_take_from_the_band() {
    let (sender, receiver) = channel();
    let low = receiver.within(Band::new(1)..=Band::new(2));
    let _working = low.working(Band::new(2));
    sender.try_send(Band::URGENT, 1).unwrap();
    sender.try_send(Band::new(1), 1).unwrap();
    sleep(20 * MS);
    let [urgent, middle, _] = inversion(&receiver);
    assert_eq!(urgent, Duration::ZERO, "nobody who works may take it");
    assert!(
        middle >= 20 * MS,
        "the only one that may take it is at band 2"
    );

    let reserved = receiver.within(Band::URGENT..=Band::new(1));
    drop(reserved.working(Band::URGENT));
    let before = inversion(&receiver)[1];
    sleep(20 * MS);
    assert_eq!(
        inversion(&receiver)[1],
        before,
        "now there is one that is idle"
    );
    drop(reserved);
    sleep(20 * MS);
    assert!(
        inversion(&receiver)[1] >= before + 20 * MS,
        "and now there is not"
    );
}

/// A handle that only looks is no worker.
#[test]
fn a_handle_that_never_works_hides_nothing() {
    let (sender, receiver) = channel();
    let worker = receiver.clone();
    let _working = worker.working(Band::new(1));
    sender.try_send(Band::URGENT, 1).unwrap();
    sleep(20 * MS);
    assert!(inversion(&receiver)[0] >= 20 * MS);
}

#[test]
fn running_is_the_number_of_guards() {
    let (_sender, receiver) = channel();
    let guards: Vec<_> = (0..1_000).map(|_| receiver.working(Band::new(1))).collect();
    assert_eq!(receiver.snapshot().bands[1].running, 1_000);
    drop(guards);
    assert_eq!(receiver.snapshot().bands[1].running, 0);
    drop(receiver.working(Band::new(50))); // there is no such band
}

/// A guard outlives its receiver and the channel.
#[test]
fn a_guard_may_outlive_everything() {
    let (sender, receiver) = channel();
    let working = receiver.working(Band::new(1));
    drop((sender, receiver));
    drop(working);
}

/// Who looks while an episode ends does not count it twice; and no episode is longer than the time
/// in which it was.
#[test]
fn a_look_beside_the_end_counts_nothing_twice() {
    for _ in 0..300 {
        let (sender, receiver) = channel();
        let begun = Instant::now();
        let working = receiver.working(Band::new(1));
        sender.try_send(Band::URGENT, 1).unwrap();
        let over = AtomicBool::new(false);
        let wall = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::black_box(receiver.snapshot());
                }
            });
            sleep(MS);
            drop(working);
            let wall = begun.elapsed();
            over.store(true, Ordering::Relaxed);
            wall
        });
        let [urgent, ..] = inversion(&receiver);
        assert!(urgent <= wall, "{urgent:?} in {wall:?}");
    }
}

/// What was told and then taken by a handle that never works hides nothing that comes later.
#[test]
fn each_episode_raises_the_number() {
    let (sender, receiver) = channel();
    let idle = receiver.clone();
    let mut before = Duration::ZERO;
    for n in 0..3 {
        let working = receiver.working(Band::new(1));
        sender.try_send(Band::URGENT, n).unwrap();
        sleep(20 * MS);
        let [told, ..] = inversion(&receiver);
        assert!(told >= before + 20 * MS, "{told:?} after {before:?}");
        before = told;
        idle.try_recv().unwrap();
        drop(working);
    }
}

#[test]
fn what_is_dropped_with_the_last_receiver_waits_no_longer() {
    let (sender, receiver) = channel();
    let working = receiver.working(Band::new(1));
    sender.try_send(Band::URGENT, 1).unwrap();
    drop(receiver);
    let before = sender.snapshot().bands[0].inversion;
    sleep(20 * MS);
    assert_eq!(sender.snapshot().bands[0].inversion, before);
    drop(working);
    assert_eq!(sender.snapshot().bands[0].inversion, before);
}

/// Nor is one who works on a band that there is not.
#[test]
fn a_band_that_there_is_not_makes_nobody_a_worker() {
    let (sender, receiver) = channel();
    let other = receiver.clone();
    drop(other.working(Band::new(50)));
    let _working = receiver.working(Band::new(1));
    sender.try_send(Band::URGENT, 1).unwrap();
    sleep(20 * MS);
    assert!(inversion(&receiver)[0] >= 20 * MS);
}
