//! The peers do what their files say, and every load runs on every kind of them: a figure of a
//! broken queue would be worth nothing.

use std::collections::VecDeque;

use bandq_benches::loads::crew::Shape;
use bandq_benches::loads::tasks::{self, Sides};
use bandq_benches::loads::{Bands, backlog, latency, memory, single, threads, urgent};
use bandq_benches::peers::*;
use bandq_benches::queue::{AsyncQueue, Queue};

const BANDS: usize = 8;

const SHAPE: Shape = Shape {
    producers: 2,
    consumers: 2,
    bands: BANDS,
    items: 5_000,
};

/// The body once a peer.
macro_rules! each {
    ([$($peer:ty),+ $(,)?] as $queue:ident => $body:expr) => {
        $({
            type $queue = $peer;
            $body;
        })+
    };
}

/// Random pushes and pops, one by one and in batches, against a deque a band.
fn takes_the_most_urgent_and_oldest<Q: Queue>() {
    let queue = Q::new(BANDS);
    let mut model = [(); BANDS].map(|()| VecDeque::new());
    let mut scratch = Q::Scratch::default();
    let mut band = Bands::new(BANDS, 0);
    let expected = |limit: usize, model: &mut [VecDeque<u64>; BANDS]| -> Vec<u64> {
        let next = || model.iter_mut().find_map(VecDeque::pop_front);
        std::iter::from_fn(next).take(limit).collect()
    };
    for round in 0..1_000u64 {
        let target = band.pick();
        let items = round * 10..round * 10 + u64::from(band.pick());
        model[usize::from(target)].extend(items.clone());
        if round % 2 == 0 {
            queue.push_many(target, items);
        } else {
            items.for_each(|item| queue.push(target, item));
        }
        let limit = usize::from(band.pick());
        let mut taken = Vec::new();
        if round % 3 == 0 {
            queue.pop_many(&mut scratch, limit, |item| taken.push(item));
        } else {
            taken.extend((0..limit).map_while(|_| queue.pop()));
        }
        assert_eq!(taken, expected(limit, &mut model), "{}", Q::PEER.name);
    }
}

#[test]
fn the_order_is_right() {
    each!(
        [Bandq, MutexHeap, MutexDeques, SegQueues, AsyncChannels, SkipMapQueue] as Q
            => takes_the_most_urgent_and_oldest::<Q>()
    );
}

#[test]
fn every_peer_does_the_loads_on_threads() {
    each!(
        [
            Bandq, MutexHeap, MutexDeques, SegQueues, AsyncPriorityChannel, AsyncChannels,
            SkipMapQueue, PlainSegQueue, CrossbeamChannel, AsyncChannel, Flume, Kanal, TwoCounters
        ] as Q => {
            single::pairs::<Q>(BANDS, 100, 1_000);
            single::batches::<Q>(BANDS, 1_000);
            threads::throughput::<Q>(SHAPE);
            threads::batched::<Q>(SHAPE);
            backlog::throughput::<Q>(SHAPE, 1_000);
            latency::worst::<Q>(SHAPE);
            memory::bytes::<Q>(BANDS, 1_000, || 0);
        }
    );
}

#[test]
fn every_peer_does_the_loads_on_tasks() {
    each!(
        [
            Bandq, AsyncPriorityChannel, AsyncChannels, WithEvent<MutexHeap>,
            WithEvent<MutexDeques>, WithEvent<SegQueues>, AsyncChannel, Flume, Kanal
        ] as Q => {
            tasks::throughput::<Q>(SHAPE, None);
            tasks::throughput::<Q>(SHAPE, Some(64));
            tasks::ping_pong::<Q>(BANDS, 100, Sides::Tasks);
            tasks::ping_pong::<Q>(BANDS, 100, Sides::Threads);
        }
    );
}

#[test]
fn an_urgent_item_is_waited_for() {
    fn on_tasks<Q: AsyncQueue>() {
        assert!(urgent::on_tasks::<Q>(BANDS, 3) > 0.0);
    }
    assert!(urgent::on_threads::<Bandq>(BANDS, 3) > 0.0);
    on_tasks::<Bandq>();
}
