//! smol: a full channel makes its sender wait, and still lets urgent work overtake; the receiver is
//! a `Stream`.
//!
//! ```text
//! cargo run --example smol
//! ```

use bandq::{Band, Receiver, SendError, Sender, bounded};
use smol::future;
use smol::stream::StreamExt;

enum Class {
    Interactive,
    Batch,
}

impl From<Class> for Band {
    fn from(class: Class) -> Self {
        Band::new(class as u8)
    }
}

fn main() -> Result<(), SendError<&'static str>> {
    // Two bands that share room for three items.
    let (sender, receiver) = bounded(2, 3);
    let (sent, ()) = smol::block_on(future::zip(produce(sender), consume(receiver)));
    sent
}

/// Sends one item more than there is room for. As `sender` goes at the end, the channel closes.
async fn produce(sender: Sender<&'static str>) -> Result<(), SendError<&'static str>> {
    for row in ["row 1", "row 2", "row 3"] {
        sender.send(Class::Batch, row).await?;
    }
    println!("full: {}", sender.is_full());
    // Waits until a row has been taken, and then is ahead of the two that are left.
    sender.send(Class::Interactive, "key press").await
}

/// Takes items until the channel is closed and empty.
async fn consume(mut receiver: Receiver<&'static str>) {
    while let Some((band, item)) = receiver.next().await {
        println!("band {}: {item}", band.index());
        // Work that lets other tasks run, as most does.
        future::yield_now().await;
    }
}
