//! Threads that begin together: producers, each with its share of the items, and consumers.

use std::ops::Range;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::shares;

/// How many threads or tasks do what.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Those that push.
    pub producers: usize,
    /// Those that pop.
    pub consumers: usize,
    /// Bands to pick from.
    pub bands: usize,
    /// Items in all.
    pub items: u64,
}

/// The number of producers that are not done.
pub(super) struct Producing(CachePadded<AtomicUsize>);

impl Producing {
    /// Whether everything is pushed: then what a consumer finds after this call is all there is.
    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

/// What the threads returned.
pub(super) struct Outcome<P, C> {
    pub(super) producers: Vec<P>,
    pub(super) consumers: Vec<C>,
    /// From when the first producer began until the last consumer was done.
    pub(super) seconds: f64,
}

/// Runs the threads. Each is told its number among its kind.
pub(super) fn run<P: Send, C: Send>(
    shape: Shape,
    produce: impl Fn(usize, Range<u64>) -> P + Sync,
    consume: impl Fn(usize, &Producing) -> C + Sync,
) -> Outcome<P, C> {
    let producing = &Producing(CachePadded::new(AtomicUsize::new(shape.producers)));
    let barrier = &Barrier::new(shape.producers + shape.consumers);
    let (produce, consume) = (&produce, &consume);

    thread::scope(|scope| {
        let producers: Vec<_> = shares(shape.items, shape.producers)
            .enumerate()
            .map(|(number, items)| {
                scope.spawn(move || {
                    barrier.wait();
                    let begun = Instant::now();
                    let result = produce(number, items);
                    producing.0.fetch_sub(1, Ordering::Release);
                    (begun, result)
                })
            })
            .collect();
        let consumers: Vec<_> = (0..shape.consumers)
            .map(|number| {
                scope.spawn(move || {
                    barrier.wait();
                    let result = consume(number, producing);
                    (Instant::now(), result)
                })
            })
            .collect();
        let (begun, producers) = join(producers);
        let (ended, consumers) = join(consumers);
        let begun = begun.into_iter().min().expect("there is a producer");
        let ended = ended.into_iter().max().expect("there is a consumer");
        Outcome {
            producers,
            consumers,
            seconds: (ended - begun).as_secs_f64(),
        }
    })
}

fn join<T>(threads: Vec<ScopedJoinHandle<'_, (Instant, T)>>) -> (Vec<Instant>, Vec<T>) {
    let results = threads.into_iter();
    results
        .map(|thread| thread.join().expect("a thread ends"))
        .unzip()
}
