//! Histories of concurrent calls: recorded, and checked band by band, and across bands.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::across_bands::{Missed, missed};
use crate::checker::{Did, Op, is_fifo};
use crate::clock::Clock;
use crate::queue::Queue;
use crate::support::XorShift;

pub(crate) const THREADS: usize = 4;

/// What a thread does in a history.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mix {
    /// Pushes and pops at random.
    Any,
    /// A push and a look, in turns, so that there is mostly something there.
    Turns,
}

/// One operation as its thread saw it.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Push(u8, Vec<u32>),
    /// What came out, and whether it found nothing.
    Pop(Vec<(u8, u32)>, bool),
    /// Whether `is_empty` said so.
    Look(bool),
}

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) call: Call,
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

/// What is wrong with a history.
#[derive(Debug)]
#[allow(dead_code)] // shown
pub(crate) enum Wrong {
    /// A band is not that of a FIFO queue.
    NotFifo(Vec<Op>),
    /// Nothing was found where something was.
    Missed(Missed),
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

pub(crate) struct Summary {
    pub(crate) histories: u64,
    pub(crate) overlapping: u64,
    pub(crate) ops: u64,
    /// Looks that found nothing, the last one of each history aside.
    pub(crate) empty: u64,
    /// What is wrong with the first history that is.
    pub(crate) wrong: Option<Wrong>,
}

/// Records `histories` histories of `queue`, or until one is wrong, and checks each.
pub(crate) fn record(
    queue: &dyn Queue,
    histories: u64,
    seed: u64,
    bands: usize,
    mix: Mix,
) -> Summary {
    let clock = Clock::default();
    let round = AtomicUsize::new(0);
    let ended = AtomicUsize::new(0);
    let stop = AtomicUsize::new(0);
    let logs: [Mutex<Vec<Record>>; THREADS] = Default::default();
    let mut summary = Summary {
        histories: 0,
        overlapping: 0,
        ops: 0,
        empty: 0,
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
                    let ops = match mix {
                        Mix::Any => 4 + rng.below(2),
                        Mix::Turns => 16,
                    };
                    for op in 0..ops {
                        let item = me as u32 * 1_000 + op as u32 * 10;
                        let choice = match mix {
                            Mix::Any => rng.below(16),
                            Mix::Turns if op % 2 == 0 => rng.below(8),
                            Mix::Turns => 8 + rng.below(9),
                        };
                        let band = rng.below(bands as u64) as u8;
                        records.push(call(queue, clock, &mut rng, choice, band, item));
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
            for band in 0..bands {
                let ops = ops_of(&records, band as u8);
                if !is_fifo(&ops) {
                    summary.wrong.get_or_insert(Wrong::NotFifo(ops));
                }
            }
            let (missed, empty) = missed(&records);
            summary.empty += empty - 1;
            if let Some(missed) = missed {
                summary.wrong.get_or_insert(Wrong::Missed(missed));
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

/// One call: 0 to 7 are pushes, the others look for something. Its items are `item` and the nine
/// that follow.
fn call(
    queue: &dyn Queue,
    clock: &Clock,
    rng: &mut XorShift,
    choice: u64,
    band: u8,
    item: u32,
) -> Record {
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
        8 => {
            let got = queue.pop_many(3);
            let is_empty = got.is_empty();
            Call::Pop(got, is_empty)
        }
        16 => Call::Look(queue.is_empty()),
        _ => match queue.pop() {
            Some(got) => Call::Pop(vec![got], false),
            None => Call::Pop(Vec::new(), true),
        },
    };
    let end = clock.now();
    Record { call, begin, end }
}

/// The operations of one band: its own, and each look that found all of them empty.
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
            Call::Look(false) => {}
            Call::Pop(_, true) | Call::Look(true) => add(Did::SawEmpty),
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
