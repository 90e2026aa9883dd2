//! Criterion's view of one thread: push and pop of an empty queue, of a deep one, and in batches.

use std::hint::black_box;
use std::time::Duration;

use bandq_benches::loads::{BATCH, Bands};
use bandq_benches::peers::{
    AsyncPriorityChannel, Bandq, Kanal, MutexDeques, MutexHeap, PlainSegQueue, SegQueues,
    TwoCounters,
};
use bandq_benches::queue::Queue;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const BANDS: usize = 8;

fn pair<Q: Queue>(criterion: &mut Criterion, depth: u64) {
    let queue = Q::new(BANDS);
    let mut band = Bands::new(BANDS, 0);
    (0..depth).for_each(|item| queue.push(band.pick(), item));
    let mut group = criterion.benchmark_group("push+pop");
    group.bench_function(BenchmarkId::new(Q::PEER.name, depth), |bencher| {
        bencher.iter(|| {
            queue.push(black_box(band.pick()), black_box(0));
            queue.pop()
        });
    });
    group.finish();
}

fn batch<Q: Queue>(criterion: &mut Criterion) {
    let queue = Q::new(BANDS);
    let mut band = Bands::new(BANDS, 0);
    let mut scratch = Q::Scratch::default();
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function(BenchmarkId::new(Q::PEER.name, BATCH), |bencher| {
        bencher.iter(|| {
            queue.push_many(black_box(band.pick()), 0..black_box(BATCH as u64));
            queue.pop_many(&mut scratch, BATCH, |item| {
                black_box(item);
            })
        });
    });
    group.finish();
}

fn pairs(criterion: &mut Criterion) {
    for depth in [0, 1_000, 1_000_000] {
        pair::<Bandq>(criterion, depth);
        pair::<MutexHeap>(criterion, depth);
        pair::<MutexDeques>(criterion, depth);
        pair::<SegQueues>(criterion, depth);
        pair::<AsyncPriorityChannel>(criterion, depth);
        pair::<PlainSegQueue>(criterion, depth);
        pair::<Kanal>(criterion, depth);
        pair::<TwoCounters>(criterion, depth);
    }
}

fn batches(criterion: &mut Criterion) {
    batch::<Bandq>(criterion);
    batch::<MutexHeap>(criterion);
    batch::<MutexDeques>(criterion);
    batch::<SegQueues>(criterion);
    batch::<AsyncPriorityChannel>(criterion);
    batch::<PlainSegQueue>(criterion);
}

criterion_group! {
    name = single;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30);
    targets = pairs, batches
}
criterion_main!(single);
