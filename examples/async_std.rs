//! async-std: ships log lines in batches, errors first; closing ends it without losing a line.
//!
//! ```text
//! cargo run --example async_std
//! ```

use async_std::task;
use bandq::{Band, Receiver, unbounded};

enum Level {
    Error,
    Warning,
    Info,
}

impl From<Level> for Band {
    fn from(level: Level) -> Self {
        Band::new(level as u8)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    task::block_on(async {
        let (sender, receiver) = unbounded(3);

        // One send for several lines; the iterator is pulled here, in order.
        sender
            .send_many(Level::Info, ["started", "listening", "first client"])
            .await?;
        sender.send(Level::Warning, "disk 90 % full").await?;
        sender.send(Level::Error, "disk full").await?;

        // No line is taken in from here on, and those inside still come out.
        sender.close();
        assert!(sender.send(Level::Info, "too late").await.is_err());

        let batches = task::spawn(ship(receiver)).await;
        println!("shipped {batches} batches");
        Ok(())
    })
}

/// Ships up to three lines at once, the most urgent that are there.
async fn ship(receiver: Receiver<&'static str>) -> usize {
    let mut batch = Vec::new();
    let mut batches = 0;
    // Zero means closed and empty.
    while receiver.recv_many(&mut batch, 3).await > 0 {
        let lines: Vec<_> = batch.drain(..).map(|(_, line)| line).collect();
        println!("{}", lines.join(", "));
        batches += 1;
    }
    batches
}
