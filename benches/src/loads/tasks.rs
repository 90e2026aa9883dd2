//! Producers and consumers as tasks on tokio with two workers. Each yields to the runtime every 64
//! items, as a well-behaved task does: neither side can hold a worker for the whole run.

use std::hint::black_box;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use super::crew::Shape;
use super::{Bands, Tally, shares};
use crate::queue::AsyncQueue;

/// Items between two yields.
pub(crate) const STRIDE: u64 = 64;

/// tokio with two workers.
pub(super) fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("tokio starts")
}

/// Million items a second.
pub fn throughput<Q: AsyncQueue>(shape: Shape, capacity: Option<usize>) -> f64 {
    let runtime = runtime();
    let (sender, receiver) = Q::channel(shape.bands, capacity);

    let begun = Instant::now();
    let consumers: Vec<_> = (0..shape.consumers)
        .map(|_| {
            let receiver = receiver.clone();
            runtime.spawn(async move {
                let mut tally = Tally::default();
                while let Some(item) = Q::recv(&receiver).await {
                    tally.add(black_box(item));
                    if tally.count() % STRIDE == 0 {
                        yield_now().await;
                    }
                }
                tally
            })
        })
        .collect();
    for (seed, items) in shares(shape.items, shape.producers).enumerate() {
        let sender = sender.clone();
        runtime.spawn(async move {
            let mut band = Bands::new(shape.bands, seed);
            for item in items {
                Q::send(&sender, black_box(band.pick()), black_box(item)).await;
                if item % STRIDE == 0 {
                    yield_now().await;
                }
            }
        });
    }
    drop((sender, receiver));
    let tally = runtime.block_on(async {
        let mut tally = Tally::default();
        for consumer in consumers {
            tally = tally.merge(consumer.await.expect("a consumer ends"));
        }
        tally
    });
    let taken = begun.elapsed();

    tally.expect(shape.items);
    shape.items as f64 / taken.as_secs_f64() / 1e6
}

/// Where the two sides of ping-pong are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Two tasks: tokio runs the woken one on the worker that woke it, so no thread has to wake up.
    Tasks,
    /// A task and the thread that runs `block_on`: each item wakes a thread.
    Threads,
}

/// Microseconds for one item to go to another task and come back.
pub fn ping_pong<Q: AsyncQueue>(bands: usize, rounds: u64, sides: Sides) -> f64 {
    let runtime = runtime();
    let (ping_sender, ping_receiver) = Q::channel(bands, None);
    let (pong_sender, pong_receiver) = Q::channel(bands, None);

    runtime.spawn(async move {
        let mut band = Bands::new(bands, 1);
        while let Some(item) = Q::recv(&ping_receiver).await {
            Q::send(&pong_sender, band.pick(), item).await;
        }
    });
    let player = async move {
        let mut band = Bands::new(bands, 0);
        let mut tally = Tally::default();
        let begun = Instant::now();
        for item in 0..rounds {
            Q::send(&ping_sender, band.pick(), item).await;
            tally.add(Q::recv(&pong_receiver).await.expect("it comes back"));
        }
        (begun.elapsed(), tally)
    };
    let (taken, tally) = match sides {
        Sides::Tasks => runtime
            .block_on(runtime.spawn(player))
            .expect("the player ends"),
        Sides::Threads => runtime.block_on(player),
    };

    tally.expect(rounds);
    taken.as_secs_f64() * 1e6 / rounds as f64
}
