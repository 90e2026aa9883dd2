//! Admission by estimate: what would be too late is refused at once, and not thrown away later.
//!
//! `BANDQ_ADMISSION_MS=10000 cargo test --release --test admission -- --nocapture` for a longer
//! run, with the figures.

use bandq::{Band, Builder, TrySendError};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

const LIFE: Duration = Duration::from_millis(50);
/// The work of an item.
const WORK: Duration = Duration::from_millis(1);
const WORKERS: usize = 4;

#[derive(Debug)]
struct Outcome {
    offered: usize,
    admitted: usize,
    /// Of the admitted ones, those that were handed to a worker.
    started: usize,
    /// Of the admitted ones, those that were thrown away after queueing.
    expired: usize,
}

impl Outcome {
    fn thrown_away(&self) -> f64 {
        self.expired as f64 / self.admitted as f64
    }
}

/// Twice as much as the workers can do, in these bands by turns.
fn overload(bands: u8, refuses: bool, time: Duration) -> Outcome {
    static EXPIRED: AtomicUsize = AtomicUsize::new(0);
    EXPIRED.store(0, Ordering::Relaxed);
    let mut builder =
        Builder::new(bands.into()).on_expired(|_, ()| _ = EXPIRED.fetch_add(1, Ordering::Relaxed));
    for band in 0..bands {
        builder = builder.ttl(Band::new(band), LIFE);
    }
    if refuses {
        builder = builder.refuse_late();
    }
    let (sender, receiver) = builder.build().unwrap();
    let done = AtomicUsize::new(0);
    let (offered, admitted) = thread::scope(|scope| {
        for _ in 0..WORKERS {
            let (receiver, done) = (receiver.clone(), &done);
            scope.spawn(move || {
                for ((), _) in receiver.iter().map(|(_, item)| (item, ())) {
                    thread::sleep(WORK);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (mut offered, mut admitted) = (0, 0);
        let began = Instant::now();
        while began.elapsed() < time {
            // As fast as they work, and as many again: however slow this machine is today.
            let due = 2 * done.load(Ordering::Relaxed) + 8;
            while offered < due {
                match sender.try_send(Band::new((offered % usize::from(bands)) as u8), ()) {
                    Ok(()) => admitted += 1,
                    Err(TrySendError::Late(())) => {}
                    Err(error) => panic!("{error}"),
                }
                offered += 1;
            }
            thread::sleep(WORK / 4);
        }
        drop(sender);
        (offered, admitted)
    });
    let expired = EXPIRED.load(Ordering::Relaxed);
    let started = done.load(Ordering::Relaxed);
    assert_eq!(
        started + expired,
        admitted,
        "accepted is started or expired"
    );
    Outcome {
        offered,
        admitted,
        started,
        expired,
    }
}

#[test]
fn of_what_is_admitted_hardly_anything_is_thrown_away() {
    let millis = std::env::var("BANDQ_ADMISSION_MS").map_or(1_500, |ms| ms.parse().unwrap());
    let time = Duration::from_millis(millis);
    for bands in [1, 4] {
        let [plain, refusing] = [false, true].map(|refuses| overload(bands, refuses, time));
        println!(
            "{bands} bands, expiry alone: {plain:?}, {:.3} thrown away",
            plain.thrown_away()
        );
        println!(
            "{bands} bands, refusing: {refusing:?}, {:.3}",
            refusing.thrown_away()
        );
        // Half of what is offered cannot be done.
        assert!(plain.thrown_away() > 0.25, "no overload: {plain:?}");
        // A machine that stops for 50 ms expires what waits. The bound is 5 % by a clock that does
        // not stop: in the tests of `src/channel/pace.rs`.
        assert!(refusing.thrown_away() < 0.10, "{refusing:?}");
        assert!(
            refusing.started as f64 > 0.4 * refusing.offered as f64,
            "idle: {refusing:?}"
        );
    }
}

#[test]
fn a_new_channel_admits() {
    let builder = Builder::new(2).ttl(Band::URGENT, Duration::from_nanos(1));
    let (sender, _receiver) = builder.refuse_late().build().unwrap();
    for n in 0..1_000 {
        assert_eq!(sender.try_send(Band::URGENT, n), Ok(()));
    }
    assert_eq!(sender.estimate(Band::URGENT).ahead, 1_000);
    assert_eq!(sender.estimate(Band::URGENT).wait, None);
}
