//! Threads, without any runtime: three producers, each with a band of its own, and blocking calls.
//!
//! ```text
//! cargo run --example threads
//! ```

use std::thread;
use std::time::Duration;

use bandq::{Band, NoSuchBand, RecvTimeoutError, unbounded};

fn main() -> Result<(), NoSuchBand<()>> {
    let kinds = [
        ("housekeeping", Band::new(2)),
        ("reading", Band::new(1)),
        ("alarm", Band::URGENT),
    ];
    let (sender, receiver) = unbounded(kinds.len());

    // The scope ends when all three are done, in whatever order they came to run.
    thread::scope(|scope| {
        for (kind, band) in kinds {
            let sender = sender.to(band)?; // a clone that always sends there
            scope.spawn(move || {
                for number in 1..=2 {
                    // Waits while the channel is full, which an unbounded one never is.
                    let sent = sender.send_blocking(format!("{kind} {number}"));
                    sent.expect("the receiver is still there");
                }
            });
        }
        Ok(())
    })?;

    // Alarms first, each kind in the order in which it was sent.
    loop {
        match receiver.recv_timeout(Duration::from_millis(20)) {
            Ok((_, message)) => println!("{message}"),
            Err(RecvTimeoutError::Timeout) if sender.close() => println!("nothing more: closing"),
            Err(error) if error.is_timeout() => {}
            Err(_closed) => return Ok(()),
        }
    }
}
