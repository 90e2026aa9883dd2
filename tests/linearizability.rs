//! Promise 2, by the definition: histories of concurrent pushes and pops are recorded and each
//! band is checked to be a FIFO queue. Broken queues show that the checker bites. And promise 3,
//! measured: how many more urgent items were there when a pop took its item (the rank error).
//!
//! `BANDQ_HISTORIES` is the number of histories for each kind of queue.

#[path = "support/checker.rs"]
mod checker;
mod support;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bandq::{BandQueue, Receiver, Sender, bounded, unbounded};
use checker::{Did, Op, is_fifo};
use support::{Task, Watchdog, XorShift, b, env_number};

/// What is put to the test: bands of numbers.
trait Queue: Send + Sync {
    fn push(&self, band: u8, item: u32);
    fn pop(&self) -> Option<(u8, u32)>;

    fn push_many(&self, band: u8, items: &[u32]) {
        for &item in items {
            self.push(band, item);
        }
    }

    /// At most `limit` items.
    fn pop_many(&self, limit: usize) -> Vec<(u8, u32)> {
        (0..limit).map_while(|_| self.pop()).collect()
    }
}

impl Queue for BandQueue<u32> {
    fn push(&self, band: u8, item: u32) {
        BandQueue::push(self, b(band), item).unwrap();
    }

    fn pop(&self) -> Option<(u8, u32)> {
        BandQueue::pop(self).map(|(band, item)| (band.into(), item))
    }

    fn push_many(&self, band: u8, items: &[u32]) {
        let pushed = BandQueue::push_many(self, b(band), items.iter().copied());
        assert_eq!(pushed, Ok(items.len()));
    }

    fn pop_many(&self, limit: usize) -> Vec<(u8, u32)> {
        let mut out = Vec::new();
        BandQueue::pop_many(self, &mut out, limit);
        out.into_iter()
            .map(|(band, item)| (band.into(), item))
            .collect()
    }
}

struct Channel(Sender<u32>, Receiver<u32>);

impl Queue for Channel {
    fn push(&self, band: u8, item: u32) {
        self.0.try_send(b(band), item).unwrap();
    }

    fn pop(&self) -> Option<(u8, u32)> {
        let (band, item) = self.1.try_recv().ok()?;
        Some((band.into(), item))
    }

    fn push_many(&self, band: u8, items: &[u32]) {
        let sent = Task::new(self.0.send_many(b(band), items.iter().copied())).ready();
        assert_eq!(sent, Ok(items.len()));
    }

    fn pop_many(&self, limit: usize) -> Vec<(u8, u32)> {
        let mut out = Vec::new();
        let _ = self.1.try_recv_many(&mut out, limit);
        out.into_iter()
            .map(|(band, item)| (band.into(), item))
            .collect()
    }
}

/// A channel with receivers that come and go waiting, so that its wakes run as well.
struct Waiting(Channel);

impl Queue for Waiting {
    fn push(&self, band: u8, item: u32) {
        self.0.push(band, item);
    }

    fn pop(&self) -> Option<(u8, u32)> {
        match Task::new(self.0.1.recv()).poll() {
            std::task::Poll::Ready(got) => {
                let (band, item) = got.unwrap();
                Some((band.into(), item))
            }
            std::task::Poll::Pending => None,
        }
    }
}

// Recording.

const BANDS: usize = 2;
const THREADS: usize = 4;

/// One operation as its thread saw it.
#[derive(Debug)]
enum Call {
    Push(u8, Vec<u32>),
    /// What came out, and whether a lone pop found nothing.
    Pop(Vec<(u8, u32)>, bool),
}

#[derive(Debug)]
struct Record {
    call: Call,
    begin: u64,
    end: u64,
}

/// A clock whose every look is later than the one before, on whichever thread.
#[derive(Default)]
struct Clock(AtomicU64);

impl Clock {
    fn now(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Waits for `value`, as one of more threads than cores.
fn wait_for(word: &AtomicUsize, value: usize) {
    let mut turns = 0;
    while word.load(Ordering::SeqCst) < value {
        turns += 1;
        if turns % 64 == 0 {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

struct Summary {
    histories: u64,
    overlapping: u64,
    ops: u64,
    /// The first history that is not one of a FIFO queue.
    wrong: Option<Vec<Op>>,
}

/// Records `histories` histories of `queue`, or until one is wrong, and checks each.
fn record(queue: &dyn Queue, histories: u64, seed: u64) -> Summary {
    let clock = Clock::default();
    let round = AtomicUsize::new(0);
    let ended = AtomicUsize::new(0);
    let stop = AtomicUsize::new(0);
    let logs: [Mutex<Vec<Record>>; THREADS] = Default::default();
    let mut summary = Summary {
        histories: 0,
        overlapping: 0,
        ops: 0,
        wrong: None,
    };
    thread::scope(|s| {
        for (me, log) in logs.iter().enumerate() {
            let (clock, round, ended, stop) = (&clock, &round, &ended, &stop);
            s.spawn(move || {
                let mut rng = XorShift::new(seed * 100 + me as u64);
                for history in 1.. {
                    wait_for(round, history);
                    if stop.load(Ordering::SeqCst) != 0 {
                        return;
                    }
                    let mut records = Vec::with_capacity(8);
                    let ops = 4 + rng.below(2);
                    for op in 0..ops {
                        let item = me as u32 * 100 + op as u32 * 10;
                        records.push(call(queue, clock, &mut rng, item));
                    }
                    *log.lock().unwrap() = records;
                    ended.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for history in 1..=histories as usize {
            round.store(history, Ordering::SeqCst);
            wait_for(&ended, history * THREADS);
            let mut records: Vec<Record> = logs
                .iter()
                .flat_map(|log| std::mem::take(&mut *log.lock().unwrap()))
                .collect();
            summary.ops += records.len() as u64;
            // What is left comes out at the end: no item is lost or doubled.
            loop {
                let begin = clock.now();
                let got: Vec<_> = queue.pop().into_iter().collect();
                let end = clock.now();
                let empty = got.is_empty();
                let call = Call::Pop(got, empty);
                records.push(Record { call, begin, end });
                if empty {
                    break;
                }
            }
            summary.histories += 1;
            let overlaps = |i: usize| {
                records[..i]
                    .iter()
                    .any(|r| r.begin < records[i].end && records[i].begin < r.end)
            };
            summary.overlapping += u64::from((0..records.len()).any(overlaps));
            for band in 0..BANDS {
                let ops = ops_of(&records, band as u8);
                if !is_fifo(&ops) {
                    summary.wrong.get_or_insert(ops);
                }
            }
            if summary.wrong.is_some() {
                break;
            }
        }
        stop.store(1, Ordering::SeqCst);
        round.store(usize::MAX, Ordering::SeqCst);
    });
    summary
}

/// One call at random. Its items are `item` and the nine that follow.
fn call(queue: &dyn Queue, clock: &Clock, rng: &mut XorShift, item: u32) -> Record {
    let band = rng.below(BANDS as u64) as u8;
    let choice = rng.below(16);
    let begin = clock.now();
    // Now and then another thread gets a turn inside the operation's time, on one core as well.
    if rng.one_in(16) {
        thread::yield_now();
    }
    let call = match choice {
        0..7 => {
            queue.push(band, item);
            Call::Push(band, vec![item])
        }
        7 => {
            let items: Vec<u32> = (item..item + 3).collect();
            queue.push_many(band, &items);
            Call::Push(band, items)
        }
        8 => Call::Pop(queue.pop_many(3), false),
        _ => match queue.pop() {
            Some(got) => Call::Pop(vec![got], false),
            None => Call::Pop(Vec::new(), true),
        },
    };
    let end = clock.now();
    Record { call, begin, end }
}

/// The operations of one band: its own, and each pop that said that all are empty.
fn ops_of(records: &[Record], band: u8) -> Vec<Op> {
    let mut ops = Vec::new();
    for record in records {
        let mut last = None;
        let mut add = |did| {
            let mut op = Op::new(did, record.begin, record.end);
            op.after = last;
            last = Some(ops.len());
            ops.push(op);
        };
        match &record.call {
            Call::Push(to, items) if *to == band => {
                items.iter().for_each(|&item| add(Did::Push(item)));
            }
            Call::Push(..) => {}
            Call::Pop(_, true) => add(Did::SawEmpty),
            Call::Pop(got, false) => {
                for &(from, item) in got {
                    if from == band {
                        add(Did::Pop(item));
                    }
                }
            }
        }
    }
    ops
}

fn histories() -> u64 {
    env_number("BANDQ_HISTORIES", 2_000)
}

fn must_be_fifo(name: &'static str, queue: impl Queue) {
    let _watchdog = Watchdog::with_limit(name, Duration::from_secs(120 + histories() / 100));
    let summary = record(&queue, histories(), 1);
    println!(
        "{name}: {} histories of {THREADS} threads, {:.1} operations each, {:.1} % with \
         operations that overlap",
        summary.histories,
        summary.ops as f64 / summary.histories as f64,
        100.0 * summary.overlapping as f64 / summary.histories as f64,
    );
    if let Some(wrong) = summary.wrong {
        panic!("not a FIFO queue: {wrong:#?}");
    }
}

#[test]
fn the_queue_is_linearizable() {
    must_be_fifo("queue", BandQueue::new(BANDS));
}

#[test]
fn a_channel_is_linearizable() {
    let (tx, rx) = unbounded(BANDS);
    must_be_fifo("channel", Channel(tx, rx));
}

#[test]
fn a_bounded_channel_with_waiters_is_linearizable() {
    let (tx, rx) = bounded(BANDS, 1_000);
    must_be_fifo("channel with waiters", Waiting(Channel(tx, rx)));
}

// Controls: queues that are wrong in known ways, and one that is right.

type Lanes<const N: usize> = [Mutex<VecDeque<(u8, u32)>>; N];

fn must_be_caught(name: &'static str, queue: impl Queue) {
    let _watchdog = Watchdog::new(name);
    let summary = record(&queue, 200_000, 2);
    assert!(summary.wrong.is_some(), "{name} was not caught");
    println!("{name}: caught in history {}", summary.histories);
}

#[test]
fn control_a_mutexed_queue_passes() {
    struct Right(Lanes<BANDS>);
    impl Queue for Right {
        fn push(&self, band: u8, item: u32) {
            self.0[usize::from(band)]
                .lock()
                .unwrap()
                .push_back((band, item));
        }
        fn pop(&self) -> Option<(u8, u32)> {
            self.0
                .iter()
                .find_map(|lane| lane.lock().unwrap().pop_front())
        }
    }
    must_be_fifo("control", Right(Default::default()));
}

#[test]
fn control_a_queue_of_two_lanes_is_caught() {
    #[derive(Default)]
    struct TwoLanes(Lanes<2>, AtomicUsize, AtomicUsize);
    impl Queue for TwoLanes {
        fn push(&self, band: u8, item: u32) {
            let lane = self.1.fetch_add(1, Ordering::SeqCst) % 2;
            self.0[lane].lock().unwrap().push_back((band, item));
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let lane = self.2.fetch_add(1, Ordering::SeqCst) % 2;
            let got = self.0[lane].lock().unwrap().pop_front();
            got.or_else(|| self.0[1 - lane].lock().unwrap().pop_front())
        }
    }
    must_be_caught("two lanes", TwoLanes::default());
}

#[test]
fn control_a_pop_in_two_steps_is_caught() {
    #[derive(Default)]
    struct TwoSteps(Lanes<1>);
    impl Queue for TwoSteps {
        fn push(&self, band: u8, item: u32) {
            self.0[0].lock().unwrap().push_back((band, item));
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let seen = self.0[0].lock().unwrap().front().copied()?;
            thread::yield_now();
            self.0[0].lock().unwrap().pop_front();
            Some(seen)
        }
    }
    must_be_caught("pop in two steps", TwoSteps::default());
}

#[test]
fn control_a_push_that_publishes_late_is_caught() {
    #[derive(Default)]
    struct Inner {
        there: VecDeque<(u8, u32)>,
        late: Option<(u8, u32)>,
    }
    #[derive(Default)]
    struct Late(Mutex<Inner>);
    impl Queue for Late {
        fn push(&self, band: u8, item: u32) {
            let mut inner = self.0.lock().unwrap();
            let before = inner.late.replace((band, item));
            inner.there.extend(before);
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let mut inner = self.0.lock().unwrap();
            let got = inner.there.pop_front();
            if got.is_none() {
                // Only the next look sees it.
                let late = inner.late.take();
                inner.there.extend(late);
            }
            got
        }
    }
    must_be_caught("late push", Late::default());
}

#[test]
fn control_a_pop_that_says_empty_when_it_meets_another_is_caught() {
    #[derive(Default)]
    struct Shy(Lanes<1>);
    impl Queue for Shy {
        fn push(&self, band: u8, item: u32) {
            self.0[0].lock().unwrap().push_back((band, item));
        }
        fn pop(&self) -> Option<(u8, u32)> {
            let mut lane = self.0[0].try_lock().ok()?;
            thread::yield_now();
            lane.pop_front()
        }
    }
    must_be_caught("shy pop", Shy::default());
}

#[test]
fn control_the_checker_tells_right_from_wrong_by_hand() {
    use Did::{Pop, Push, SawEmpty};
    let ops = |ops: &[(Did, u64, u64)]| -> Vec<Op> {
        ops.iter()
            .map(|&(did, begin, end)| Op::new(did, begin, end))
            .collect()
    };
    for right in [
        &[][..],
        &[(Push(1), 0, 1), (Pop(1), 2, 3), (SawEmpty, 4, 5)],
        // Pushes that overlap may take effect in either order.
        &[
            (Push(1), 0, 5),
            (Push(2), 1, 6),
            (Pop(2), 7, 8),
            (Pop(1), 9, 10),
        ],
        // A pop may overlap the push of its item, and see empty while a push runs.
        &[
            (Push(1), 0, 9),
            (SawEmpty, 1, 2),
            (Pop(1), 3, 4),
            (SawEmpty, 5, 6),
        ],
        &[(Push(1), 0, 1), (Pop(1), 2, 9), (SawEmpty, 3, 4)],
    ] {
        assert!(is_fifo(&ops(right)), "{right:?}");
    }
    for wrong in [
        // Out of order, doubled, from nowhere, missed, before its push, resurrected.
        &[
            (Push(1), 0, 1),
            (Push(2), 2, 3),
            (Pop(2), 4, 5),
            (Pop(1), 6, 7),
        ][..],
        &[(Push(1), 0, 1), (Pop(1), 2, 5), (Pop(1), 3, 6)],
        &[(Pop(1), 0, 1)],
        &[(Push(1), 0, 1), (SawEmpty, 2, 3)],
        &[(Pop(1), 0, 1), (Push(1), 2, 3)],
        &[
            (Push(1), 0, 9),
            (Pop(1), 1, 2),
            (Push(2), 3, 4),
            (SawEmpty, 5, 6),
        ],
        &[
            (Push(1), 0, 5),
            (Push(2), 1, 6),
            (Pop(1), 7, 20),
            (Pop(2), 8, 9),
            (Push(3), 2, 3),
            (Pop(3), 10, 11),
            (SawEmpty, 12, 13),
            (Push(4), 14, 15),
            (SawEmpty, 16, 17),
        ],
    ] {
        assert!(!is_fifo(&ops(wrong)), "{wrong:?}");
    }
    // Batches are in order.
    let mut batch = ops(&[
        (Push(1), 0, 5),
        (Push(2), 0, 5),
        (Pop(2), 6, 7),
        (Pop(1), 8, 9),
    ]);
    assert!(is_fifo(&batch));
    batch[1].after = Some(0);
    assert!(!is_fifo(&batch));
    assert!(batch[0].overlaps(&batch[1]) && !batch[0].overlaps(&batch[2]));
}

// Across bands.

const RANK_BANDS: usize = 8;

/// An item's life: when its push returned, when its pop began and ended.
#[derive(Clone, Copy)]
struct Life {
    pushed: u64,
    pop_begin: u64,
    pop_end: u64,
}

/// A pop of one receiver, of a band or of nothing.
#[derive(Clone, Copy)]
struct Pop {
    band: Option<usize>,
    begin: u64,
    end: u64,
}

struct Log {
    /// By band.
    lives: [Vec<Life>; RANK_BANDS],
    /// By receiver, each in the order of time.
    pops: Vec<Vec<Pop>>,
}

/// `receivers` pop what two senders push, beside a backlog.
fn run_receivers(queue: &dyn Queue, receivers: usize, items: usize, seed: u64) -> Log {
    const SENDERS: usize = 2;
    let clock = Clock::default();
    let backlog = items / 10;
    let each = (items - backlog) / SENDERS;
    let total = backlog + each * SENDERS;
    let taken = AtomicUsize::new(0);
    let mut pushed = vec![0; total];
    let mut rng = XorShift::new(seed);
    for (id, pushed) in pushed.iter_mut().enumerate().take(backlog) {
        queue.push(rng.below(RANK_BANDS as u64) as u8, id as u32);
        *pushed = clock.now();
    }
    let mut received: Vec<Vec<(usize, Pop)>> = Vec::new();
    thread::scope(|s| {
        let (clock, taken) = (&clock, &taken);
        for (i, pushed) in pushed[backlog..].chunks_mut(each).enumerate() {
            s.spawn(move || {
                let mut rng = XorShift::new(seed + 10 + i as u64);
                for (n, pushed) in pushed.iter_mut().enumerate() {
                    let id = backlog + i * each + n;
                    queue.push(rng.below(RANK_BANDS as u64) as u8, id as u32);
                    *pushed = clock.now();
                    if rng.one_in(32) {
                        thread::yield_now();
                    }
                }
            });
        }
        let receivers: Vec<_> = (0..receivers)
            .map(|_| {
                s.spawn(move || {
                    let mut log = Vec::new();
                    while taken.load(Ordering::Relaxed) < total {
                        let begin = clock.now();
                        let got = queue.pop();
                        let end = clock.now();
                        let band = got.map(|(band, _)| usize::from(band));
                        let id = got.map_or(usize::MAX, |(_, id)| id as usize);
                        log.push((id, Pop { band, begin, end }));
                        if got.is_some() {
                            taken.fetch_add(1, Ordering::Relaxed);
                        } else {
                            thread::yield_now();
                        }
                    }
                    log
                })
            })
            .collect();
        received = receivers.into_iter().map(|r| r.join().unwrap()).collect();
    });
    let mut lives: [Vec<Life>; RANK_BANDS] = Default::default();
    for &(id, pop) in received.iter().flatten() {
        if let Some(band) = pop.band {
            lives[band].push(Life {
                pushed: pushed[id],
                pop_begin: pop.begin,
                pop_end: pop.end,
            });
        }
    }
    assert_eq!(lives.iter().map(Vec::len).sum::<usize>(), total);
    let pops = received
        .into_iter()
        .map(|log| log.into_iter().map(|(_, pop)| pop).collect())
        .collect();
    Log { lives, pops }
}

/// p50, p99 and the greatest.
struct Spread(usize, usize, usize);

impl Spread {
    fn of(mut values: Vec<usize>) -> Self {
        values.sort_unstable();
        let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
        Spread(at(0.5), at(0.99), at(1.0))
    }
}

struct Ranks {
    /// More urgent items that were there when the pop began, those included that another pop was
    /// just taking.
    at_begin: Spread,
    /// Those of them that nobody began to take before the pop had returned: passed over.
    passed_over: Spread,
    /// For each item, how many pops passed it over.
    delay: Spread,
    /// Items passed over for which promise 3 has no excuse.
    inexcusable: usize,
}

fn ranks(log: &Log) -> Ranks {
    let sorted = |key: fn(&Life) -> u64| -> Vec<Vec<u64>> {
        let keys = |lives: &Vec<Life>| {
            let mut keys: Vec<u64> = lives.iter().map(key).collect();
            keys.sort_unstable();
            keys
        };
        log.lives.iter().map(keys).collect()
    };
    let before = |keys: &[u64], time: u64| keys.partition_point(|&key| key < time);
    let pushed = sorted(|life| life.pushed);
    let gone = sorted(|life| life.pushed.max(life.pop_end));
    let mut delays: Vec<Vec<usize>> = log.lives.iter().map(|l| vec![0; l.len()]).collect();
    let (mut at_begin, mut passed_over) = (Vec::new(), Vec::new());
    let mut inexcusable = 0;
    for (receiver, pops) in log.pops.iter().enumerate() {
        for pop in pops {
            let Some(band) = pop.band else { continue };
            let there = |i: usize| before(&pushed[i], pop.begin) - before(&gone[i], pop.begin);
            let begin: usize = (0..band).map(there).sum();
            at_begin.push(begin);
            let mut over = 0;
            if begin > 0 {
                for (lives, delays) in log.lives.iter().zip(&mut delays).take(band) {
                    for (life, delay) in lives.iter().zip(delays) {
                        if life.pushed < pop.begin && life.pop_begin > pop.end {
                            over += 1;
                            *delay += 1;
                            inexcusable += usize::from(!excused(log, receiver, pop, life));
                        }
                    }
                }
            }
            passed_over.push(over);
        }
    }
    Ranks {
        at_begin: Spread::of(at_begin),
        passed_over: Spread::of(passed_over),
        delay: Spread::of(delays.into_iter().flatten().collect()),
        inexcusable,
    }
}

/// Another receive that began earlier, has not returned when this pop begins, and may have found
/// the band empty, since it began before the item's push returned.
fn excused(log: &Log, receiver: usize, pop: &Pop, life: &Life) -> bool {
    let others = log.pops.iter().enumerate().filter(|&(i, _)| i != receiver);
    others.into_iter().any(|(_, pops)| {
        let earlier = pops.partition_point(|other| other.begin < pop.begin);
        earlier > 0 && {
            let other = pops[earlier - 1];
            other.end > pop.begin && other.begin < life.pushed
        }
    })
}

#[test]
fn rank_error_is_0_with_one_receiver_and_always_excused_with_more() {
    let _watchdog =
        Watchdog::with_limit("rank_error", Duration::from_secs(120 + histories() / 100));
    let items = (histories() as usize * 4).clamp(4_000, 400_000);
    println!("receivers | at begin p50 p99 max | passed over p50 p99 max | delay p50 p99 max");
    for receivers in [1, 2, 4, 8] {
        let queue = BandQueue::new(RANK_BANDS);
        let log = run_receivers(&queue, receivers, items, receivers as u64);
        let ranks = ranks(&log);
        let show = |s: &Spread| format!("{} {} {}", s.0, s.1, s.2);
        println!(
            "{receivers} | {} | {} | {}",
            show(&ranks.at_begin),
            show(&ranks.passed_over),
            show(&ranks.delay)
        );
        if receivers == 1 {
            assert_eq!(ranks.at_begin.2, 0, "a more urgent item was there");
        }
        assert_eq!(ranks.inexcusable, 0, "with {receivers} receivers");
    }
}

/// A queue that takes from its bands in turns: what the measure is to notice.
struct InTurns([Mutex<VecDeque<u32>>; RANK_BANDS], AtomicUsize);

impl Queue for InTurns {
    fn push(&self, band: u8, item: u32) {
        self.0[usize::from(band)].lock().unwrap().push_back(item);
    }

    fn pop(&self) -> Option<(u8, u32)> {
        let first = self.1.fetch_add(1, Ordering::Relaxed);
        (0..RANK_BANDS).find_map(|n| {
            let band = (first + n) % RANK_BANDS;
            let item = self.0[band].lock().unwrap().pop_front()?;
            Some((band as u8, item))
        })
    }
}

#[test]
fn control_a_queue_without_priority_has_a_rank_error_without_excuse() {
    let _watchdog = Watchdog::new("rank_error_control");
    for receivers in [1, 4] {
        let queue = InTurns(Default::default(), AtomicUsize::new(0));
        let ranks = ranks(&run_receivers(&queue, receivers, 4_000, 1));
        assert!(ranks.at_begin.2 > 0 && ranks.passed_over.2 > 0 && ranks.delay.2 > 0);
        assert!(ranks.inexcusable > 0);
    }
}

/// Items taken in batches are of one receive each: with one receiver the rank error is 0 as well.
#[test]
fn rank_error_of_batches_is_0_with_one_receiver() {
    let _watchdog = Watchdog::new("rank_error_of_batches");
    const ITEMS: usize = 10_000;
    let queue = BandQueue::new(RANK_BANDS);
    let pushed: [AtomicU64; RANK_BANDS] = Default::default();
    let mut got = [0; RANK_BANDS];
    thread::scope(|s| {
        let (queue, pushed) = (&queue, &pushed);
        s.spawn(move || {
            let mut rng = XorShift::new(1);
            let mut left = ITEMS;
            while left > 0 {
                let run = left.min(rng.below(50) as usize + 1);
                let band = rng.below(RANK_BANDS as u64) as usize;
                queue.push_many(b(band as u8), 0..run).unwrap();
                pushed[band].fetch_add(run as u64, Ordering::SeqCst);
                left -= run;
            }
        });
        let mut total = 0;
        let mut rng = XorShift::new(2);
        let mut out = Vec::new();
        while total < ITEMS {
            let there: Vec<u64> = pushed.iter().map(|n| n.load(Ordering::SeqCst)).collect();
            out.clear();
            total += queue.pop_many(&mut out, rng.below(100) as usize + 1);
            for &(band, _) in &out {
                for i in 0..band.index() {
                    assert!(got[i] >= there[i], "a more urgent item was there");
                }
                got[band.index()] += 1;
            }
            if out.is_empty() {
                thread::yield_now();
            }
        }
    });
}
