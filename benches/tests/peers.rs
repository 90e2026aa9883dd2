//! The peers do what their files say, and every load runs on every kind of them: a figure of a
//! broken queue would be worth nothing.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use bandq_benches::loads::crew::Shape;
use bandq_benches::loads::tasks::{self, Sides};
use bandq_benches::loads::{
    Bands, backlog, busy, clock, jobs, latency, memory, single, threads, urgent,
};
use bandq_benches::peers::jobs::*;
use bandq_benches::peers::policies::*;
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
        [
            Bandq, BandqServing<Strict>, MutexHeap, MutexDeques, SegQueues, AsyncChannels,
            SkipMapQueue
        ] as Q => takes_the_most_urgent_and_oldest::<Q>()
    );
}

/// Every set of busy bands: the first `strict` run dry first, and of each row of as many items as
/// the sum of the weights the others get theirs.
fn the_shares_are_right<Q: Queue>(strict: usize) {
    let no_weights = std::iter::repeat_n(0, strict);
    let weights: Vec<u32> = no_weights.chain(weights(BANDS, strict)).collect();
    let item = |band: usize, number: u32| band as u64 * 1_000 + u64::from(number);
    for set in 1..1 << BANDS {
        let context = format!("{}, bands {set:b}", Q::PEER.name);
        let queue = Q::new(BANDS);
        let busy = (0..BANDS).filter(|band| set & 1 << band != 0);
        let (first, shared): (Vec<_>, Vec<_>) = busy.partition(|&band| band < strict);
        let mut pushed = [0; BANDS];
        let mut push = |band: usize| {
            queue.push(band as u8, item(band, pushed[band]));
            pushed[band] += 1;
        };
        let take = |taken: &mut [u32; BANDS]| {
            let next = queue.pop().expect("there is something");
            let band = (next / 1_000) as usize;
            assert_eq!(next, item(band, taken[band]), "{context}: in order");
            taken[band] += 1;
            band
        };

        let mut taken = [0; BANDS];
        for &band in shared.iter().chain(first.iter().rev()) {
            (0..4 * weights[band].max(1)).for_each(|_| push(band));
        }
        for &band in &first {
            (0..4).for_each(|_| assert_eq!(take(&mut taken), band, "{context}"));
        }
        let sum: u32 = shared.iter().map(|&band| weights[band]).sum();
        for row in 1..=3 {
            for _ in 0..sum {
                take(&mut taken);
            }
            for &band in &shared {
                let (turns, due) = (taken[band], row * weights[band]);
                assert!(turns.abs_diff(due) <= 1, "{context}: {turns} for {due}");
            }
            if let Some(&band) = first.last() {
                push(band);
                assert_eq!(take(&mut taken), band, "{context}");
            }
        }
    }
}

#[test]
fn weighted_peers_share_by_their_weights() {
    each!(
        [BandqServing<Weighted<0>>, WeightedHeap<0>, WeightedDeques<0>] as Q
            => the_shares_are_right::<Q>(0)
    );
    each!(
        [BandqServing<Weighted<2>>, WeightedHeap<2>, WeightedDeques<2>] as Q
            => the_shares_are_right::<Q>(2)
    );
}

/// A band that was idle gets its share from then on, and nothing for the time before.
fn idleness_is_not_saved_up<Q: Queue>(strict: usize) {
    const IDLE: u8 = 3;
    let queue = Q::new(BANDS);
    // Used once, so that it is a band that comes back.
    queue.push(IDLE, IDLE.into());
    assert_eq!(queue.pop(), Some(IDLE.into()));
    for _ in 0..2_000 {
        queue.push(2, 2);
        queue.push(7, 7);
    }
    (0..1_000).for_each(|_| assert!(queue.pop().is_some()));
    if strict > 0 {
        queue.push(0, 0);
        assert_eq!(queue.pop(), Some(0), "strict bands come between");
    }
    (0..200).for_each(|_| queue.push(IDLE, IDLE.into()));
    let weights: Vec<u32> = weights(BANDS, strict).collect();
    let weight = |band: u8| weights[usize::from(band) - strict];
    let sum = weight(2) + weight(IDLE) + weight(7);
    let turns = (0..sum).filter(|_| queue.pop() == Some(IDLE.into()));
    let turns = turns.count() as u32;
    assert!(
        turns.abs_diff(weight(IDLE)) <= 1,
        "{}: {turns}",
        Q::PEER.name
    );
}

#[test]
fn weighted_peers_save_nothing_up() {
    each!(
        [BandqServing<Weighted<0>>, WeightedHeap<0>, WeightedDeques<0>] as Q
            => idleness_is_not_saved_up::<Q>(0)
    );
    each!(
        [BandqServing<Weighted<2>>, WeightedHeap<2>, WeightedDeques<2>] as Q
            => idleness_is_not_saved_up::<Q>(2)
    );
}

/// A less urgent item that has waited long enough is before an urgent one, and not before that.
/// `policies.rs` has the order at given times.
fn waiting_makes_urgent<Q: Queue>() {
    let queue = Q::new(BANDS);
    let wait = STEP * (BANDS as u32 - 1);
    loop {
        let begun = Instant::now();
        queue.push(BANDS as u8 - 1, 1);
        queue.push(0, 0);
        let was_quick = begun.elapsed() < wait;
        let order = [queue.pop(), queue.pop()];
        if was_quick {
            assert_eq!(order, [Some(0), Some(1)], "{}", Q::PEER.name);
            break;
        }
    }
    queue.push(BANDS as u8 - 1, 1);
    thread::sleep(wait + STEP);
    queue.push(0, 0);
    let order = [queue.pop(), queue.pop()];
    assert_eq!(order, [Some(1), Some(0)], "{}", Q::PEER.name);
}

#[test]
fn ageing_peers_make_urgent_what_has_waited() {
    each!(
        [BandqServing<Ageing>, AgeingHeap, AgeingDeques] as Q => waiting_makes_urgent::<Q>()
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
fn every_peer_does_the_loads_of_policies() {
    each!(
        [
            BandqServing<Strict>, MutexHeap, MutexDeques,
            BandqServing<Weighted<0>>, WeightedHeap<0>, WeightedDeques<0>,
            BandqServing<Weighted<2>>, WeightedHeap<2>, WeightedDeques<2>,
            BandqServing<Ageing>, AgeingHeap, AgeingDeques
        ] as Q => {
            busy::throughput::<Q>(BANDS, 1_000, 5_000);
            threads::throughput::<Q>(SHAPE);
            backlog::throughput::<Q>(SHAPE, 1_000);
        }
    );
}

#[test]
fn every_peer_does_the_loads_of_sight() {
    each!(
        [BandqObserved, BandqChannel<UNBOUNDED>] as Q => {
            single::pairs::<Q>(BANDS, 100, 1_000);
            threads::throughput::<Q>(SHAPE);
        }
    );
    assert!(clock::looks(1_000) > 0.0);
}

#[test]
fn every_peer_does_the_loads_on_tasks() {
    each!(
        [
            Bandq, AsyncPriorityChannel, AsyncChannels, WithEvent<MutexHeap>,
            WithEvent<MutexDeques>, WithEvent<SegQueues>, AsyncChannel, Flume, Kanal
        ] as Q => ends(<Q as AsyncQueue>::PEER.name, || {
            tasks::throughput::<Q>(SHAPE, None);
            tasks::throughput::<Q>(SHAPE, Some(64));
            tasks::ping_pong::<Q>(BANDS, 100, Sides::Tasks);
            tasks::ping_pong::<Q>(BANDS, 100, Sides::Threads);
        })
    );
}

/// Runs the loads of one peer. Some peers lose a wake-up once in a while (seen of
/// async-priority-channel). That is no fault of ours: it is said, and the peer stays where it
/// hangs. bandq has to end.
fn ends(peer: &str, loads: fn()) {
    let (done, ended) = mpsc::channel();
    let run = thread::spawn(move || {
        loads();
        let _ = done.send(());
    });
    if ended.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
        assert_ne!(peer, <Bandq as AsyncQueue>::PEER.name, "hangs");
        eprintln!("hangs, and is left alone: {peer}");
    } else if let Err(panic) = run.join() {
        resume_unwind(panic);
    }
}

#[test]
fn every_pool_handles_each_job_once() {
    each!(
        [
            BandqWorkers, BandqWorkersSpawning, Apalis<UNSPAWNED>, Apalis<SPAWNING>, HandWritten,
            RecvLoop
        ] as P => {
            jobs::throughput::<P>(4, 1_000);
            jobs::one_thread::<P>(4, 1_000);
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
