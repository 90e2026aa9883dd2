//! tokio: a request that comes late overtakes a backlog that was there before it.
//!
//! ```text
//! cargo run --example tokio
//! ```

use bandq::{Band, Receiver, unbounded};

/// What this program knows as urgent; the first is the most.
enum Class {
    Request,
    Background,
}

impl From<Class> for Band {
    fn from(class: Class) -> Self {
        Band::new(class as u8)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Two bands, no limit to what they hold.
    let (sender, receiver) = unbounded(2);

    // A backlog, and only then a request. Any number of tasks can do this with clones of `sender`.
    for number in 1..=3 {
        sender
            .send(Class::Background, format!("thumbnail {number}"))
            .await?;
    }
    sender
        .send(Class::Request, "a page that somebody waits for".to_owned())
        .await?;

    // More workers would each get a clone of `receiver`; one makes the order plain to see.
    let worker = tokio::spawn(work(receiver));

    // When the last sender goes, the channel closes. What is in it is still received.
    drop(sender);
    println!("{} jobs done", worker.await?);
    Ok(())
}

/// Takes the most urgent job, again and again, until the channel is closed and empty.
async fn work(receiver: Receiver<String>) -> usize {
    let mut done = 0;
    while let Ok((band, job)) = receiver.recv().await {
        println!("band {}: {job}", band.index());
        done += 1;
    }
    done
}
