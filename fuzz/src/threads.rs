//! Target `threads`: two to four threads, each with a small program, and a schedule from the input.
//!
//! The steps name their threads; what one thread does stays in order. How the threads are switched
//! is in [`stage`](crate::stage). Each call is written down with its times, and the whole
//! [`history`](crate::history) is checked at the end: exactly once, first in first out, priority,
//! counts, a close that is final. When all threads have stopped, nobody who waits may be asleep
//! beside what it waits for.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{array, mem};

use arbitrary::Arbitrary;
use bandq::{
    Band, BandQueue, Receiver, RecvError, RecvTimeoutError, SendError, SendManyError, Sender,
    TryRecvError, TrySendError, WeakReceiver, WeakSender,
};
use futures_core::Stream;

use crate::bands::band_from;
use crate::flag::Flag;
use crate::history::{self, Call, Clock, What};
use crate::item::{Item, Ledger};
use crate::program::Program;
use crate::stage::{MOST, Stage, Switch, play};

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
    RecvMany { thread: u8, limit: u8 },
    Switch { after: u8, to: u8 },
    Poll { thread: u8, task: u8 },
    PollWoken { thread: u8 },
    Cancel { thread: u8, task: u8 },
    Len { thread: u8, band: u8 },
    Close { thread: u8, handle: u8 },
    Leave { thread: u8, handle: u8 },
    Upgrade { thread: u8, band: u8 },
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
            | Self::Upgrade { thread, .. } => thread,
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
    };
    match second / 128 {
        0 => act::<600>(setup, &program.steps),
        _ => act::<2000>(setup, &program.steps),
    }
}

/// What the threads share.
struct Shared<const PAD: usize> {
    queue: Option<BandQueue<Item<PAD>>>,
    senders: Option<WeakSender<Item<PAD>>>,
    receivers: Option<WeakReceiver<Item<PAD>>>,
    clock: Clock,
    bands: usize,
    calls: Mutex<Vec<Call>>,
    tasks: Mutex<Vec<Task<PAD>>>,
}

/// What a future yields.
enum Outcome<const PAD: usize> {
    Sent(Result<(), SendError<Item<PAD>>>),
    Got(Result<(Band, Item<PAD>), RecvError>),
}

/// A future that owns its handle, and its waker's flag.
struct Task<const PAD: usize> {
    future: Pin<Box<dyn Future<Output = Outcome<PAD>> + Send>>,
    flag: Arc<Flag>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Recv,
    Stream,
    Send { band: usize, id: u32 },
}

/// One thread's side of a run.
struct Actor<const PAD: usize> {
    me: usize,
    shared: Arc<Shared<PAD>>,
    sender: Option<Sender<Item<PAD>>>,
    receiver: Option<Receiver<Item<PAD>>>,
    tasks: Vec<Task<PAD>>,
    calls: Vec<Call>,
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
    history::check(&calls, setup.capacity, emptied);
    drop(main);
    let shared = Arc::into_inner(shared).expect("a thread still has a part");
    drop(shared);
    assert_eq!(ledger.living(), 0, "items left");
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
    let channel = (!setup.queue).then(|| match setup.capacity {
        Some(capacity) => bandq::bounded(setup.bands, capacity),
        None => bandq::unbounded(setup.bands),
    });
    let (sender, receiver) = channel.unzip();
    let shared = Arc::new(Shared {
        queue: setup.queue.then(|| BandQueue::new(setup.bands)),
        senders: sender.as_ref().map(Sender::downgrade),
        receivers: receiver.as_ref().map(Receiver::downgrade),
        clock: Clock::default(),
        bands: setup.bands,
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

impl<const PAD: usize> Shared<PAD> {
    fn upgrade_sender(&self) -> Option<Sender<Item<PAD>>> {
        self.senders.as_ref().and_then(WeakSender::upgrade)
    }

    fn upgrade_receiver(&self) -> Option<Receiver<Item<PAD>>> {
        self.receivers.as_ref().and_then(WeakReceiver::upgrade)
    }
}

impl<const PAD: usize> Actor<PAD> {
    fn fork(&self, me: usize) -> Self {
        Self {
            me,
            shared: self.shared.clone(),
            sender: self.sender.clone(),
            receiver: self.receiver.clone(),
            tasks: Vec::new(),
            calls: Vec::new(),
        }
    }

    fn run(&mut self, stage: &Arc<Stage>, script: &[(usize, Op)]) {
        for &(index, op) in script {
            stage.begin(self.me, index);
            self.step(op);
        }
        stage.begin(self.me, 0);
        self.sender = None;
        self.receiver = None;
        let shared = &self.shared;
        shared.tasks.lock().expect("tasks").append(&mut self.tasks);
        shared.calls.lock().expect("calls").append(&mut self.calls);
    }

    fn step(&mut self, op: Op) {
        let band = |byte| band_from(byte, self.shared.bands);
        match op {
            Op::Send {
                band: byte, how, ..
            } => self.send(band(byte), how),
            Op::SendMany {
                band: byte, count, ..
            } => self.send_many(band(byte), count as usize % (MOST_BATCH + 1)),
            Op::Recv { how, .. } => drop(self.recv(how)),
            Op::RecvMany { limit, .. } => self.recv_many(limit as usize % (MOST_BATCH + 1)),
            Op::Poll { task, .. } => {
                if !self.tasks.is_empty() {
                    self.poll(task as usize % self.tasks.len());
                }
            }
            Op::PollWoken { .. } => {
                if let Some(at) = self.tasks.iter().position(|task| task.flag.is_set()) {
                    self.poll(at);
                }
            }
            Op::Cancel { task, .. } => {
                if !self.tasks.is_empty() {
                    let at = task as usize % self.tasks.len();
                    drop(self.tasks.swap_remove(at));
                }
            }
            Op::Len { band: byte, .. } => self.len(band(byte)),
            Op::Close { handle, .. } => self.close(handle),
            Op::Leave { handle, .. } => {
                if handle % 2 == 0 {
                    self.sender = None;
                } else {
                    self.receiver = None;
                }
            }
            // Dealt out before.
            Op::Switch { .. } => {}
            Op::Upgrade { band: byte, .. } => {
                let band = band(byte);
                if let Some(sender) = self.shared.upgrade_sender() {
                    let mine = self.sender.replace(sender);
                    self.send(band, 0);
                    self.sender = mine;
                }
            }
        }
    }

    fn tick(&self) -> u64 {
        self.shared.clock.tick()
    }

    fn write(&mut self, start: u64, what: What) {
        let end = self.tick();
        self.calls.push(Call {
            thread: self.me,
            start,
            end,
            what,
        });
    }
}

/// An item that was sent for certain.
fn sent(band: Band, id: u32) -> What {
    What::Sent {
        band: band.index(),
        id,
        sure: true,
    }
}

/// Calls that send.
impl<const PAD: usize> Actor<PAD> {
    fn send(&mut self, band: Band, how: u8) {
        let there = band.index() < self.shared.bands;
        let item = Item::new();
        let id = item.id();
        if let Some(queue) = &self.shared.queue {
            let start = self.tick();
            let pushed = queue.push(band, item);
            assert_eq!(pushed.is_ok(), there, "push");
            if there {
                self.write(start, sent(band, id));
            }
            return;
        }
        let Some(sender) = &self.sender else {
            return;
        };
        if how % 4 == 1 && there {
            let sender = sender.clone();
            let future = async move { Outcome::Sent(sender.send(band, item).await) };
            let band = band.index();
            self.begin(Box::pin(future), Kind::Send { band, id });
            return;
        }
        let start = self.tick();
        let result = match how % 4 {
            2 => sender.try_reserve(band).and_then(|permit| {
                // No permit is made for a band that is not there.
                permit.send(item).map_err(|_| TrySendError::Closed(()))
            }),
            3 => sender.try_reserve(band).map(drop),
            _ => sender.try_send(band, item).map_err(|error| match error {
                TrySendError::Full(_) => TrySendError::Full(()),
                TrySendError::Closed(_) => TrySendError::Closed(()),
                TrySendError::NoSuchBand(_) => TrySendError::NoSuchBand(()),
            }),
        };
        assert_eq!(result == Err(TrySendError::NoSuchBand(())), !there);
        match result {
            Ok(()) if how % 4 == 3 => self.write(start, What::Held),
            Ok(()) => self.write(start, sent(band, id)),
            Err(TrySendError::Full(())) => self.write(start, What::Full),
            Err(TrySendError::Closed(())) => self.write(start, What::Refused),
            Err(TrySendError::NoSuchBand(())) => {}
        }
    }

    fn send_many(&mut self, band: Band, count: usize) {
        if band.index() >= self.shared.bands || count == 0 {
            return;
        }
        let items: Vec<Item<PAD>> = (0..count).map(|_| Item::new()).collect();
        // Other threads make items meanwhile, so their numbers need not follow each other.
        let ids: Vec<_> = items.iter().map(Item::id).collect();
        let start = self.tick();
        let sure = if let Some(queue) = &self.shared.queue {
            let pushed = queue.push_many(band, items);
            assert_eq!(pushed.ok(), Some(count), "push_many");
            Some(count)
        } else {
            let Some(sender) = &self.sender else {
                return;
            };
            let waker = Flag::new().waker();
            let mut future = Box::pin(sender.send_many(band, items));
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => None,
                Poll::Ready(Ok(sent)) => Some(sent),
                Poll::Ready(Err(SendManyError { sent, .. })) => Some(sent),
            }
        };
        let end = self.tick();
        for (place, &id) in ids.iter().enumerate() {
            // A batch that is pending, and cancelled here, has sent what there was room for.
            let what = match sure {
                Some(sure) if place < sure => sent(band, id),
                // The first item that was refused; it may have held a unit of room for a moment.
                Some(sure) if place == sure => What::Refused,
                Some(_) => break,
                None => What::Sent {
                    band: band.index(),
                    id,
                    sure: false,
                },
            };
            self.calls.push(Call {
                thread: self.me,
                start,
                end,
                what,
            });
        }
    }

    fn close(&mut self, handle: u8) {
        let start = self.tick();
        match (&self.sender, &self.receiver) {
            // Rarely, as little is left to see after it.
            _ if handle < 128 => return,
            (Some(sender), _) if handle.is_multiple_of(2) => drop(sender.close()),
            (_, Some(receiver)) => drop(receiver.close()),
            _ => return,
        }
        self.write(start, What::Close);
    }
}

/// Calls that receive or look.
impl<const PAD: usize> Actor<PAD> {
    /// Receives; whether there was something.
    fn recv(&mut self, how: u8) -> bool {
        let start = self.tick();
        let got = if let Some(queue) = &self.shared.queue {
            queue.pop().ok_or(TryRecvError::Empty)
        } else {
            let Some(receiver) = &self.receiver else {
                return false;
            };
            match how % 4 {
                1 => {
                    let receiver = receiver.clone();
                    let future = async move { Outcome::Got(receiver.recv().await) };
                    return self.begin(Box::pin(future), Kind::Recv);
                }
                2 => {
                    let mut receiver = receiver.clone();
                    let future = async move {
                        let next = poll_fn(|context| Pin::new(&mut receiver).poll_next(context));
                        Outcome::Got(next.await.ok_or(RecvError))
                    };
                    return self.begin(Box::pin(future), Kind::Stream);
                }
                3 => receiver
                    .recv_timeout(Duration::ZERO)
                    .map_err(|error| match error {
                        RecvTimeoutError::Timeout => TryRecvError::Empty,
                        RecvTimeoutError::Closed => TryRecvError::Closed,
                    }),
                _ => receiver.try_recv(),
            }
        };
        let what = match &got {
            Ok((band, item)) => What::Took(vec![(band.index(), item.id())]),
            Err(TryRecvError::Empty) => What::Nothing,
            Err(error) if !error.is_closed() => panic!("{error}"),
            Err(_) => What::Ended,
        };
        self.write(start, what);
        got.is_ok()
    }

    fn recv_many(&mut self, limit: usize) {
        let mut out = Vec::new();
        let start = self.tick();
        let got = if let Some(queue) = &self.shared.queue {
            match queue.pop_many(&mut out, limit) {
                0 if limit > 0 => Err(TryRecvError::Empty),
                count => Ok(count),
            }
        } else {
            let Some(receiver) = &self.receiver else {
                return;
            };
            receiver.try_recv_many(&mut out, limit)
        };
        let took = || out.iter().map(|(band, item)| (band.index(), item.id()));
        let what = match got {
            Ok(0) => return assert!(limit == 0 && out.is_empty(), "an empty batch"),
            Ok(count) => {
                assert!(count == out.len() && count <= limit, "a batch's count");
                What::Took(took().collect())
            }
            Err(TryRecvError::Empty) => What::Nothing,
            Err(error) if !error.is_closed() => panic!("{error}"),
            Err(_) => What::Ended,
        };
        self.write(start, what);
    }

    fn len(&mut self, band: Band) {
        let start = self.tick();
        let len = match (&self.shared.queue, &self.sender, &self.receiver) {
            (Some(queue), _, _) => {
                // Only that it does not underflow.
                assert!(queue.band_len(band) <= MOST_CALLS * MOST_BATCH);
                queue.len()
            }
            (_, Some(sender), _) => sender.len(),
            (_, _, Some(receiver)) => receiver.len(),
            _ => return,
        };
        self.write(start, What::Len(len));
    }
}

/// The executor.
impl<const PAD: usize> Actor<PAD> {
    fn begin(
        &mut self,
        future: Pin<Box<dyn Future<Output = Outcome<PAD>> + Send>>,
        kind: Kind,
    ) -> bool {
        self.tasks.push(Task {
            future,
            flag: Flag::new(),
            kind,
        });
        self.poll(self.tasks.len() - 1)
    }

    /// Polls a future; whether it was ready.
    fn poll(&mut self, at: usize) -> bool {
        let start = self.tick();
        let mut task = self.tasks.swap_remove(at);
        task.flag.reset();
        let waker = task.flag.waker();
        let polled = task.future.as_mut().poll(&mut Context::from_waker(&waker));
        let ready = polled.is_ready();
        let what = match (polled, task.kind) {
            (Poll::Pending, Kind::Send { .. }) => What::Full,
            (Poll::Pending, _) => What::Nothing,
            (Poll::Ready(Outcome::Sent(Ok(()))), Kind::Send { band, id }) => {
                sent(Band::new(band as u8), id)
            }
            (Poll::Ready(Outcome::Sent(_)), _) => What::Refused,
            (Poll::Ready(Outcome::Got(Ok((band, item)))), _) => {
                What::Took(vec![(band.index(), item.id())])
            }
            (Poll::Ready(Outcome::Got(Err(RecvError))), _) => What::Ended,
        };
        self.write(start, what);
        if !ready {
            self.tasks.push(task);
        }
        ready
    }

    /// Runs whoever was woken until nobody is.
    fn run_woken(&mut self) {
        for _ in 0..1000 {
            match self.tasks.iter().position(|task| task.flag.is_set()) {
                Some(at) => self.poll(at),
                None => return,
            };
        }
        panic!("waiters wake each other for ever");
    }

    /// Checks, while nothing runs, that nobody is asleep beside what it waits for; see
    /// [`waits`](crate::waits).
    fn check_waiters(&self, capacity: Option<usize>) {
        let (items, closed) = match (&self.receiver, &self.sender) {
            (Some(receiver), _) => (receiver.len(), receiver.is_closed()),
            (_, Some(sender)) => (sender.len(), sender.is_closed()),
            // A queue, or a channel that nobody has a handle of.
            _ => return,
        };
        let count = |kind: fn(&Kind) -> bool| {
            let all = self.tasks.iter().filter(|task| kind(&task.kind));
            let woken = all.clone().filter(|task| task.flag.is_set());
            (all.count(), woken.count())
        };
        let (recvs, recvs_woken) = count(|kind| *kind == Kind::Recv);
        let (streams, streams_woken) = count(|kind| *kind == Kind::Stream);
        let (sends, sends_woken) = count(|kind| matches!(kind, Kind::Send { .. }));
        let room = capacity.map_or(usize::MAX, |capacity| capacity - items);
        let (recvs_owed, streams_owed, sends_owed) = if closed {
            (recvs, streams, sends)
        } else {
            (items, items.saturating_sub(recvs_woken), room)
        };
        assert!(
            recvs_woken >= recvs.min(recvs_owed)
                && streams_woken >= streams.min(streams_owed)
                && sends_woken >= sends.min(sends_owed),
            "asleep: {items} items, room for {room}, closed {closed}; woken {recvs_woken} of \
             {recvs} receives, {streams_woken} of {streams} streams, {sends_woken} of {sends} sends"
        );
    }
}
