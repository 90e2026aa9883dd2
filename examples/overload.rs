//! Overload: who is next, who may enter, who has to go; all that a channel can be asked for, once.
//!
//! ```text
//! cargo run --example overload
//! ```

use bandq::{Band, BuildError, Builder, Policy, SendError, TrySendError};
use std::{error::Error, thread::sleep, time::Duration};

const USER: Band = Band::new(0);
const REPORT: Band = Band::new(1);
const CLEANUP: Band = Band::new(2);

/// Who is next.
fn policies() -> Result<(), Box<dyn Error>> {
    let shares = Policy::weighted([4, 2, 1]);
    let (sender, receiver) = Builder::new(3).policy(shares.clone()).build()?;
    for band in [USER, REPORT, CLEANUP] {
        sender.try_send_many(band, 0..100)?;
    }
    let mut received = [0; 3];
    for _ in 0..70 {
        let (band, _) = receiver.try_recv()?;
        received[band.index()] += 1;
    }
    println!("by weight, of 70: {received:?}");
    assert_eq!(received, [40, 20, 10]);

    // A report that took a hundred times as long counts as a hundred.
    receiver.charge(REPORT, 99);
    assert!(receiver.try_iter().take(50).all(|(band, _)| band != REPORT));

    // What waits obeys a new policy at once; one that does not fit changes nothing.
    let wrong = receiver.set_policy(Policy::weighted([1])).unwrap_err();
    println!("refused: {wrong}");
    assert_eq!(receiver.policy(), shares);
    receiver.set_policy(Policy::strict_then_weighted(1, [1, 1]))?;
    assert_eq!(receiver.try_recv()?.0, USER);
    receiver.set_policy(Policy::ageing(Duration::from_secs(60)))?;
    receiver.set_policy(Policy::strict())?;

    // A worker for some bands, and a long job that stops for what is more urgent.
    let for_cleanup = receiver.within(CLEANUP..=CLEANUP);
    assert_eq!(for_cleanup.try_recv()?.0, CLEANUP);
    assert!(receiver.urgent_waiting(CLEANUP) && !for_cleanup.urgent_waiting(CLEANUP));
    Ok(())
}

/// Who may enter.
fn room() -> Result<(), Box<dyn Error>> {
    let (sender, _receiver) = Builder::new(3)
        .capacity(100) // bytes, by the weigher
        .weigher(|text: &String| text.len())
        .high_water(REPORT, 80) // the last twenty are for users
        .band_capacity(CLEANUP, 50)
        .build()?;
    sender.try_send(CLEANUP, "c".repeat(50))?;
    assert!(sender.try_send(CLEANUP, "c".into()).unwrap_err().is_full());
    sender.try_send(REPORT, "r".repeat(30))?;
    assert!(sender.try_send(REPORT, "r".into()).unwrap_err().is_full());
    sender.try_send(USER, "u".repeat(15))?;
    let heavy = sender.try_send(CLEANUP, "c".repeat(51)).unwrap_err();
    assert!(matches!(heavy, TrySendError::TooHeavy(_)));
    println!("too heavy for ever: {heavy}");

    // Room before there is an item, for one of so many bytes.
    let permit = sender.try_reserve_units(USER, 5)?;
    assert_eq!(sender.available(), Some(0));
    let error = permit.send("six...".into()).unwrap_err();
    assert!(matches!(error, SendError::TooHeavy(_)));
    Ok(())
}

/// Who has to go.
fn eviction() -> Result<(), Box<dyn Error>> {
    let builder = Builder::new(3).capacity(2).evictable_from(CLEANUP);
    let (sender, receiver) = builder.build()?;
    sender.try_send(CLEANUP, "old logs")?;
    sender.try_send(REPORT, "a report")?;
    let gone = sender.force_send(USER, "a page")?;
    println!("for a page went {gone:?}");
    assert_eq!(gone, [(CLEANUP, "old logs")]);
    let full = sender.force_send(USER, "another page").unwrap_err();
    assert_eq!(full.error, TrySendError::Full("another page"));
    assert!(full.evicted.is_empty(), "reports may not be asked");
    assert_eq!(receiver.len(), 2);
    Ok(())
}

/// What is too late.
fn lives() -> Result<(), Box<dyn Error>> {
    let (sender, receiver) = Builder::new(2)
        .ttl(USER, Duration::from_secs(60))
        .on_expired(|band, page: &str| println!("band {band}: {page} came too late"))
        .refuse_late()
        .build()?;
    let hasty = sender.with_ttl(Duration::from_millis(1)); // the lesser counts
    hasty.try_send(USER, "a page")?; // nothing is known of the rate, so it is let in
    sender.try_send(USER, "another page")?;
    sleep(Duration::from_millis(2));
    assert_eq!(receiver.try_recv()?.1, "another page");
    let estimate = sender.estimate(REPORT);
    println!(
        "ahead of a report: {}, for {:?}",
        estimate.ahead, estimate.wait
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    policies()?;
    room()?;
    eviction()?;
    lives()?;
    let wrong = Builder::<u8>::new(2).capacity(0).build().unwrap_err();
    assert_eq!(wrong, BuildError::ZeroCapacity);
    println!("{wrong}");
    Ok(())
}
