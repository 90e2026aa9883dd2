//! Target `threads`: two to four threads, each with a small program, and a schedule from the input.
//!
//! The steps name their threads; what one thread does stays in order. How the threads are switched
//! is in [`stage`](crate::stage). Each call is written down with its times, and the whole
//! [`history`](crate::history) is checked at the end: exactly once, first in first out, priority,
//! counts, a close that is final. When all threads have stopped, nobody who waits may be asleep
//! beside what it waits for.

mod actor;
mod task;
mod tasks;

use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{array, mem};

use arbitrary::Arbitrary;
use bandq::{Band, BandQueue, Builder, Policy, Receiver, Sender};

use crate::history::{self, Clock};
use crate::item::{Item, Ledger};
use crate::program::Program;
use crate::stage::{MOST, Switch, play};
use actor::{Actor, Shared};

/// The most steps of a run that are calls.
const MOST_CALLS: usize = 24;

/// The most items of one batch.
const MOST_BATCH: usize = 5;

/// One step.
#[derive(Arbitrary, Clone, Copy, Debug)]
#[expect(
    missing_docs,
    reason = "named like the calls they stand for, and their arguments"
)]
pub enum Op {
    Send { thread: u8, band: u8, how: u8 },
    SendMany { thread: u8, band: u8, count: u8 },
    Recv { thread: u8, how: u8 },
    RecvMany { thread: u8, limit: u8, how: u8 },
    Switch { after: u8, to: u8 },
    Poll { thread: u8, task: u8 },
    PollWoken { thread: u8 },
    Cancel { thread: u8, task: u8 },
    Len { thread: u8, band: u8 },
    Close { thread: u8, handle: u8 },
    Leave { thread: u8, handle: u8 },
    Upgrade { thread: u8, band: u8 },
    Look { thread: u8, how: u8 },
}

impl Op {
    /// The thread that takes the step.
    fn thread(self) -> u8 {
        match self {
            Self::Switch { .. } => 0,
            Self::Send { thread, .. }
            | Self::SendMany { thread, .. }
            | Self::Recv { thread, .. }
            | Self::RecvMany { thread, .. }
            | Self::Poll { thread, .. }
            | Self::PollWoken { thread }
            | Self::Cancel { thread, .. }
            | Self::Len { thread, .. }
            | Self::Close { thread, .. }
            | Self::Leave { thread, .. }
            | Self::Upgrade { thread, .. }
            | Self::Look { thread, .. } => thread,
        }
    }
}

/// What the setup says.
#[derive(Clone, Copy)]
struct Setup {
    threads: usize,
    bands: usize,
    /// The queue alone, or a channel.
    queue: bool,
    capacity: Option<usize>,
    /// Whether the main thread keeps handles, so that the channel does not close by itself.
    keep: bool,
    /// Items pushed and popped before, which moves the place in the segment.
    moved: usize,
    /// Items that are there at the start.
    filled: usize,
    /// How loosely calls begin in the order of the program.
    slack: usize,
    /// Which policy a channel has, and whether it changes.
    policy: Option<usize>,
}

/// The policies of channels that have some; the bands' numbers are few, or all.
fn policy(number: usize, bands: usize) -> Policy {
    match number % 4 {
        0 => Policy::weighted(1..=bands as u32),
        1 => Policy::ageing(Duration::from_nanos(1)),
        2 => Policy::strict_then_weighted(1, 2..=bands as u32),
        _ => Policy::ageing(Duration::from_secs(1)),
    }
}

/// Runs a program.
pub fn run(program: &Program<Op>) {
    let [first, second] = program.setup.map(usize::from);
    let setup = Setup {
        threads: 2 + first % 3,
        bands: [1, 2, 3, 64][first / 3 % 4],
        queue: first / 12 % 3 == 0,
        capacity: [None, Some(1), Some(2), Some(3)][first / 36 % 4],
        keep: second % 4 != 3,
        moved: second / 4 % 4,
        filled: second / 16 % 4,
        slack: second / 64 % 2,
        policy: (first >= 144).then_some(first / 3 % 4 + second / 4),
    };
    match second / 128 {
        0 => act::<600>(setup, &program.steps),
        _ => act::<2000>(setup, &program.steps),
    }
}

fn act<const PAD: usize>(setup: Setup, steps: &[Op]) {
    let ledger = Ledger::open();
    let (mut main, mut scripts, switches) = prepare::<PAD>(setup, steps);
    let shared = main.shared.clone();
    let mut actors: Vec<_> = (0..setup.threads).map(|me| main.fork(me)).collect();
    if !setup.keep {
        main.sender = None;
        main.receiver = None;
    }
    play(switches, setup.slack, setup.threads, |me, stage| {
        let mut actor = actors.remove(0);
        let script = mem::take(&mut scripts[me]);
        let stage = stage.clone();
        Box::new(move || actor.run(&stage, &script))
    });
    drop(actors);

    let mut calls = mem::take(&mut *shared.calls.lock().expect("calls"));
    main.tasks = mem::take(&mut *shared.tasks.lock().expect("tasks"));
    main.sender = main.sender.take().or_else(|| shared.upgrade_sender());
    main.receiver = main.receiver.take().or_else(|| shared.upgrade_receiver());
    main.check_waiters(setup.capacity);
    main.run_woken();
    main.check_waiters(setup.capacity);
    main.tasks.clear();
    let emptied = setup.queue || main.receiver.is_some();
    if emptied {
        while main.recv(0) {}
    }
    calls.append(&mut main.calls);
    let is_strict = setup.queue || setup.policy.is_none();
    history::check(&calls, setup.capacity, emptied, is_strict);
    drop(main);
    let shared = Arc::into_inner(shared).expect("a thread still has a part");
    drop(shared);
    assert_eq!(ledger.living(), 0, "items left");
}

/// A channel; half of those with a policy get it later, by a step.
fn channel<const PAD: usize>(setup: Setup) -> (Sender<Item<PAD>>, Receiver<Item<PAD>>) {
    let mut builder = Builder::new(setup.bands);
    if let Some(capacity) = setup.capacity {
        builder = builder.capacity(capacity);
    }
    if let Some(number) = setup.policy.filter(|number| number / 4 % 2 == 0) {
        builder = builder.policy(policy(number, setup.bands));
    }
    builder.build().expect("a channel")
}

/// Makes the subject, brings it into its first state, and deals out the steps.
#[expect(
    clippy::type_complexity,
    reason = "three things, named where they are used"
)]
fn prepare<const PAD: usize>(
    setup: Setup,
    steps: &[Op],
) -> (Actor<PAD>, [Vec<(usize, Op)>; MOST], Vec<Switch>) {
    let channel = (!setup.queue).then(|| channel(setup));
    let (sender, receiver) = channel.unzip();
    let shared = Arc::new(Shared {
        queue: setup.queue.then(|| BandQueue::new(setup.bands)),
        senders: sender.as_ref().map(Sender::downgrade),
        receivers: receiver.as_ref().map(Receiver::downgrade),
        clock: Clock::default(),
        bands: setup.bands,
        has_policy: setup.policy.is_some(),
        calls: Mutex::default(),
        tasks: Mutex::default(),
    });
    let mut main = Actor {
        me: setup.threads,
        shared,
        sender,
        receiver,
        tasks: Vec::new(),
        calls: Vec::new(),
    };
    let last = Band::new(setup.bands as u8 - 1);
    for _ in 0..setup.moved {
        main.send(last, 0);
        main.recv(0);
    }
    for _ in 0..setup.filled {
        main.send(last, 0);
    }

    let mut scripts: [Vec<(usize, Op)>; MOST] = array::from_fn(|_| Vec::new());
    let mut switches = Vec::new();
    let mut index = 0;
    for &op in steps {
        if let Op::Switch { after, to } = op {
            switches.push(Switch { after, to });
        } else if index < MOST_CALLS {
            scripts[op.thread() as usize % setup.threads].push((index, op));
            index += 1;
        }
    }
    (main, scripts, switches)
}
