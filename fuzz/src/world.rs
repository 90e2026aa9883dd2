//! A channel beside its model, and a hand-driven executor for its futures.
//!
//! Each method makes one call and checks the answer, then what the counts say, which items live,
//! and who was woken. Futures are polled only when the program says so, each with a waker of its
//! own, and may be kept, polled though nobody woke them, dropped or forgotten at any time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use std::{mem, vec};

use bandq::{
    Band, Permit, Receiver, RecvError, RecvTimeoutError, SendError, SendManyError,
    SendTimeoutError, Sender, TryRecvError, TrySendError, WeakReceiver, WeakSender,
};
use futures_core::stream::{FusedStream, Stream};

use crate::bands::{Bands, band_from};
use crate::flag::Flag;
use crate::item::{Item, Ledger};
use crate::loan::{Loan, forget};
use crate::program::MOST_STEPS;
use crate::waits::{Class, Done, Now, Ticket, Waits};

const MOST_HANDLES: usize = 4;
const MOST_TASKS: usize = 8;
const MOST_PERMITS: usize = 8;

type Batch<const PAD: usize> = Vec<(Band, Item<PAD>)>;
type Future_<T> = Pin<Box<dyn Future<Output = T>>>;

/// A future that was begun.
enum Job<const PAD: usize> {
    Send {
        future: Future_<Result<(), SendError<Item<PAD>>>>,
        band: Band,
        id: u32,
    },
    SendMany {
        future: Future_<Result<usize, SendManyError<Item<PAD>>>>,
        band: Band,
        /// The first item that was not accepted yet, and the end.
        next: u32,
        end: u32,
        sent: usize,
        /// The iterator, where the future only borrows it.
        kept: Option<Loan<vec::IntoIter<Item<PAD>>>>,
    },
    Reserve {
        future: Future_<Result<Permit<'static, Item<PAD>>, SendError<()>>>,
        band: Band,
    },
    Recv {
        future: Future_<Result<(Band, Item<PAD>), RecvError>>,
    },
    RecvMany {
        future: Future_<usize>,
        out: Loan<Batch<PAD>>,
        limit: usize,
    },
    Closed {
        future: Future_<()>,
    },
}

impl<const PAD: usize> Job<PAD> {
    fn class(&self) -> Class {
        match self {
            Self::Send { .. } | Self::SendMany { .. } | Self::Reserve { .. } => Class::Room,
            Self::Recv { .. } | Self::RecvMany { .. } => Class::Recv,
            Self::Closed { .. } => Class::Closed,
        }
    }

    /// Items that go when it is dropped.
    fn items(&self) -> usize {
        match self {
            Self::Send { .. } => 1,
            Self::SendMany { next, end, .. } => (end - next) as usize,
            _ => 0,
        }
    }

    /// Forgets the future, keeps what it borrowed, and says how many items went with it.
    fn forget(self) -> usize {
        let items = self.items();
        match self {
            Self::Send { future, .. } => forget(future),
            Self::SendMany { future, kept, .. } => {
                forget(future);
                if let Some(mut kept) = kept {
                    // SAFETY: the future that borrowed it is forgotten.
                    return in_hand(items, unsafe { kept.seen() });
                }
            }
            Self::Reserve { future, .. } => forget(future),
            Self::Recv { future } => forget(future),
            Self::RecvMany {
                future, mut out, ..
            } => {
                forget(future);
                // SAFETY: the future that borrowed it is forgotten.
                assert!(
                    unsafe { out.seen() }.is_empty(),
                    "a pending batch took items"
                );
            }
            Self::Closed { future } => forget(future),
        }
        items
    }

    /// Drops the future and looks at what it borrowed.
    fn cancel(self) {
        let items = self.items();
        match self {
            Self::SendMany { future, kept, .. } => {
                drop(future);
                if let Some(mut kept) = kept {
                    // SAFETY: the future that borrowed it is gone.
                    in_hand(items, unsafe { kept.seen() });
                }
            }
            Self::RecvMany {
                future, mut out, ..
            } => {
                drop(future);
                // SAFETY: the future that borrowed it is gone.
                assert!(
                    unsafe { out.seen() }.is_empty(),
                    "a pending batch took items"
                );
            }
            job => drop(job),
        }
    }
}

/// How many of a batch's items its future took from the iterator and did not send: at most one.
fn in_hand<T>(items: usize, rest: &vec::IntoIter<T>) -> usize {
    let taken = items - rest.len();
    assert!(
        taken <= 1,
        "a batch took {taken} items that it had no room for"
    );
    taken
}

/// The handle that a future or permit borrows.
enum Lent<const PAD: usize> {
    Sender { _loan: Loan<Sender<Item<PAD>>> },
    Receiver { _loan: Loan<Receiver<Item<PAD>>> },
}

struct Task<const PAD: usize> {
    // Before what it borrows.
    job: Job<PAD>,
    lent: Lent<PAD>,
    ticket: Ticket,
    flag: Arc<Flag>,
}

struct Held<const PAD: usize> {
    // Before what it borrows.
    permit: Permit<'static, Item<PAD>>,
    lent: Lent<PAD>,
    band: Band,
}

/// A receiver, which may also be polled as a stream.
struct Tap<const PAD: usize> {
    receiver: Receiver<Item<PAD>>,
    ticket: Ticket,
    flag: Arc<Flag>,
}

/// Things that are not touched again until the end of the run. To the channel that is the same as if
/// they were forgotten.
struct Aside<const PAD: usize> {
    tasks: Vec<Task<PAD>>,
    senders: Vec<Sender<Item<PAD>>>,
    taps: Vec<Tap<PAD>>,
}

/// A channel, the handles, futures and permits that there are, and what should hold of it.
pub struct World<const PAD: usize> {
    tasks: Vec<Task<PAD>>,
    permits: Vec<Held<PAD>>,
    senders: Vec<Sender<Item<PAD>>>,
    taps: Vec<Tap<PAD>>,
    weak_senders: Vec<WeakSender<Item<PAD>>>,
    weak_receivers: Vec<WeakReceiver<Item<PAD>>>,

    bands: Bands,
    capacity: Option<usize>,
    /// Units of room that permits hold, those forgotten too.
    reserved: usize,
    closed: bool,
    sender_count: usize,
    receiver_count: usize,
    waits: Waits,
    done: Done,
    /// Items that went with something forgotten.
    forgotten: usize,
    aside: Aside<PAD>,
    past: Instant,
    // After everything that holds items.
    ledger: Ledger,
}

impl<const PAD: usize> World<PAD> {
    /// A new channel; no capacity means unbounded.
    pub fn new(bands: usize, capacity: Option<usize>) -> Self {
        let ledger = Ledger::open();
        let (sender, receiver) = match capacity {
            Some(capacity) => bandq::bounded(bands, capacity),
            None => bandq::unbounded(bands),
        };
        let mut waits = Waits::default();
        let tap = Tap {
            receiver,
            ticket: waits.ticket(),
            flag: Flag::new(),
        };
        Self {
            tasks: Vec::with_capacity(MOST_TASKS),
            permits: Vec::new(),
            senders: vec![sender],
            taps: vec![tap],
            weak_senders: Vec::new(),
            weak_receivers: Vec::new(),
            bands: Bands::new(bands),
            capacity,
            reserved: 0,
            closed: false,
            sender_count: 1,
            receiver_count: 1,
            waits,
            done: Done::default(),
            forgotten: 0,
            aside: Aside::default(),
            past: Instant::now(),
            ledger,
        }
    }

    fn band(&self, byte: u8) -> Band {
        band_from(byte, self.bands.count())
    }

    fn room(&self) -> usize {
        match self.capacity {
            Some(capacity) => capacity - self.bands.len() - self.reserved,
            None => usize::MAX,
        }
    }

    /// What a send to `band` must say now, the item aside.
    fn send_verdict(&self, band: Band) -> Verdict {
        if !self.bands.has(band) {
            Verdict::NoSuchBand
        } else if self.closed {
            Verdict::Closed
        } else if self.room() == 0 {
            Verdict::Full
        } else {
            Verdict::Ok
        }
    }

    fn accept(&mut self, band: Band, id: u32) {
        self.bands.push(band, id);
        self.done.items += 1;
    }

    /// Checks that `got` is what a receive must get now; `None` is nothing.
    fn take(&mut self, got: Option<&(Band, Item<PAD>)>) {
        let expected = self.bands.pop();
        let got = got.map(|(band, item)| (band.index(), item.id()));
        assert_eq!(got, expected, "received");
        self.done.room += usize::from(expected.is_some());
    }

    fn lose_sender(&mut self) {
        self.sender_count -= 1;
        self.closed |= self.sender_count == 0;
    }

    fn lose_receiver(&mut self) {
        self.receiver_count -= 1;
        if self.receiver_count == 0 {
            self.closed = true;
            self.bands.clear();
        }
    }

    fn give_back(&mut self, lent: Lent<PAD>) {
        match lent {
            Lent::Sender { .. } => self.lose_sender(),
            Lent::Receiver { .. } => self.lose_receiver(),
        }
        drop(lent);
        self.settle();
    }

    /// After one call: who was woken, what the counts say, which items live.
    fn settle(&mut self) {
        let now = Now {
            items: self.bands.len(),
            room: self.room(),
            closed: self.closed,
        };
        self.waits.check(mem::take(&mut self.done), now);

        let inside: usize = self.tasks.iter().map(|task| task.job.items()).sum();
        assert_eq!(
            self.ledger.living(),
            self.bands.len() + inside + self.forgotten,
            "living items"
        );
        let full = now.room == 0;
        let counts = (self.sender_count, self.receiver_count);
        if let Some(sender) = self.senders.first() {
            assert_eq!(sender.len(), now.items, "len");
            assert_eq!(sender.is_empty(), now.items == 0, "is_empty");
            if self.receiver_count > 0 {
                assert_eq!(sender.is_full(), full, "is_full");
            }
            assert_eq!(sender.is_closed(), now.closed, "is_closed");
            assert_eq!(sender.capacity(), self.capacity, "capacity");
            let seen = (sender.sender_count(), sender.receiver_count());
            assert_eq!(seen, counts, "handles");
        } else if let Some(Tap { receiver, .. }) = self.taps.first() {
            assert_eq!(receiver.len(), now.items, "len");
            assert_eq!(receiver.is_empty(), now.items == 0, "is_empty");
            assert_eq!(receiver.is_full(), full, "is_full");
            assert_eq!(receiver.is_closed(), now.closed, "is_closed");
            assert_eq!(receiver.capacity(), self.capacity, "capacity");
            let seen = (receiver.sender_count(), receiver.receiver_count());
            assert_eq!(seen, counts, "handles");
        }
    }

    /// `band_len`, from both sides.
    pub fn band_len(&mut self, band: u8) {
        let band = self.band(band);
        let expected = self.bands.band_len(band);
        if let Some(sender) = self.senders.first() {
            assert_eq!(sender.band_len(band), expected);
        }
        if let Some(Tap { receiver, .. }) = self.taps.first() {
            assert_eq!(receiver.band_len(band), expected);
        }
    }
}

impl<const PAD: usize> Default for Aside<PAD> {
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            senders: Vec::new(),
            taps: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    Full,
    Closed,
    NoSuchBand,
}

/// Picks one of `len` things by a byte; `None` where there is none.
fn pick(byte: u8, len: usize) -> Option<usize> {
    (len > 0).then(|| byte as usize % len)
}

/// Calls that send.
impl<const PAD: usize> World<PAD> {
    /// `try_send`, and the blocking sends where they need not wait or give up at once.
    pub fn send_now(&mut self, sender: u8, band: u8, how: u8) {
        let Some(at) = pick(sender, self.senders.len()) else {
            return;
        };
        let band = self.band(band);
        let expected = self.send_verdict(band);
        let item = Item::new();
        let id = item.id();
        let sender = &self.senders[at];
        let (verdict, back) = match how % 4 {
            1 => timed(sender.send_timeout(band, item, Duration::ZERO)),
            2 => timed(sender.send_deadline(band, item, self.past)),
            3 if expected != Verdict::Full => match sender.send_blocking(band, item) {
                Ok(()) => (Verdict::Ok, None),
                Err(SendError::Closed(item)) => (Verdict::Closed, Some(item)),
                Err(SendError::NoSuchBand(item)) => (Verdict::NoSuchBand, Some(item)),
            },
            _ => match sender.try_send(band, item) {
                Ok(()) => (Verdict::Ok, None),
                Err(TrySendError::Full(item)) => (Verdict::Full, Some(item)),
                Err(TrySendError::Closed(item)) => (Verdict::Closed, Some(item)),
                Err(TrySendError::NoSuchBand(item)) => (Verdict::NoSuchBand, Some(item)),
            },
        };
        assert_eq!(verdict, expected, "send");
        match back {
            Some(item) => assert_eq!(item.id(), id, "gave back another item"),
            None => self.accept(band, id),
        }
        self.settle();
    }

    fn lend_sender(&mut self, sender: u8) -> Option<(&'static Sender<Item<PAD>>, Lent<PAD>)> {
        if self.tasks.len() == MOST_TASKS {
            return None;
        }
        let at = pick(sender, self.senders.len())?;
        let loan = Loan::new(self.senders[at].clone());
        self.sender_count += 1;
        // SAFETY: a task and a permit are dropped or forgotten before the loan.
        let lent = unsafe { loan.lend() };
        Some((lent, Lent::Sender { _loan: loan }))
    }

    fn begin(&mut self, job: Job<PAD>, lent: Lent<PAD>, poll: bool) {
        self.tasks.push(Task {
            job,
            lent,
            ticket: self.waits.ticket(),
            flag: Flag::new(),
        });
        self.settle();
        if poll {
            self.poll(self.tasks.len() - 1, false);
        }
    }

    /// Begins a `send`.
    pub fn begin_send(&mut self, sender: u8, band: u8, poll: bool) {
        let band = self.band(band);
        let Some((sender, lent)) = self.lend_sender(sender) else {
            return;
        };
        let item = Item::new();
        let id = item.id();
        let future = Box::pin(sender.send(band, item));
        self.begin(Job::Send { future, band, id }, lent, poll);
    }

    /// Begins a `send_many` of `count` items; with `keep`, by a borrowed iterator.
    pub fn begin_send_many(&mut self, sender: u8, band: u8, count: usize, keep: bool, poll: bool) {
        let band = self.band(band);
        let Some((sender, lent)) = self.lend_sender(sender) else {
            return;
        };
        let next = self.ledger.made();
        let items: Vec<_> = (0..count).map(|_| Item::new()).collect();
        let end = self.ledger.made();
        let mut kept = keep.then(|| Loan::new(Vec::new().into_iter()));
        let future: Future_<_> = match &mut kept {
            Some(kept) => {
                // SAFETY: the job drops or forgets the future before it looks at the iterator.
                let iter = unsafe { kept.lend_mut() };
                *iter = items.into_iter();
                Box::pin(sender.send_many(band, iter))
            }
            None => Box::pin(sender.send_many(band, items)),
        };
        let job = Job::SendMany {
            future,
            band,
            next,
            end,
            sent: 0,
            kept,
        };
        self.begin(job, lent, poll);
    }

    /// Begins a `reserve`.
    pub fn begin_reserve(&mut self, sender: u8, band: u8, poll: bool) {
        if self.permits.len() == MOST_PERMITS {
            return;
        }
        let band = self.band(band);
        let Some((sender, lent)) = self.lend_sender(sender) else {
            return;
        };
        let future = Box::pin(sender.reserve(band));
        self.begin(Job::Reserve { future, band }, lent, poll);
    }

    /// `try_reserve`.
    pub fn try_reserve(&mut self, sender: u8, band: u8) {
        if self.permits.len() == MOST_PERMITS {
            return;
        }
        let band = self.band(band);
        let expected = self.send_verdict(band);
        let Some((sender, lent)) = self.lend_sender(sender) else {
            return;
        };
        let verdict = match sender.try_reserve(band) {
            Ok(permit) => {
                self.reserved += 1;
                self.permits.push(Held { permit, lent, band });
                self.settle();
                Verdict::Ok
            }
            Err(error) => {
                self.give_back(lent);
                match error {
                    TrySendError::Full(()) => Verdict::Full,
                    TrySendError::Closed(()) => Verdict::Closed,
                    TrySendError::NoSuchBand(()) => Verdict::NoSuchBand,
                }
            }
        };
        assert_eq!(verdict, expected, "try_reserve");
    }

    fn take_permit(&mut self, permit: u8) -> Option<Held<PAD>> {
        let at = pick(permit, self.permits.len())?;
        self.reserved -= 1;
        Some(self.permits.remove(at))
    }

    /// Uses a permit.
    pub fn permit_send(&mut self, permit: u8) {
        let Some(Held { permit, lent, band }) = self.take_permit(permit) else {
            return;
        };
        let item = Item::new();
        let id = item.id();
        match permit.send(item) {
            Ok(()) => {
                assert!(!self.closed, "a permit sent though the channel is closed");
                self.accept(band, id);
            }
            Err(SendError::Closed(item)) => {
                assert!(self.closed, "a permit was refused");
                assert_eq!(item.id(), id, "gave back another item");
                self.done.room += 1;
            }
            Err(SendError::NoSuchBand(_)) => panic!("a permit for a band that is not there"),
        }
        self.settle();
        self.give_back(lent);
    }

    /// Drops a permit.
    pub fn permit_drop(&mut self, permit: u8) {
        let Some(Held { permit, lent, .. }) = self.take_permit(permit) else {
            return;
        };
        drop(permit);
        self.done.room += 1;
        self.settle();
        self.give_back(lent);
    }

    /// Forgets a permit: its unit of room is gone for good.
    pub fn permit_forget(&mut self, permit: u8) {
        let Some(Held { permit, lent, .. }) = self.take_permit(permit) else {
            return;
        };
        forget(permit);
        self.reserved += 1;
        self.settle();
        self.give_back(lent);
    }
}

fn timed<T>(sent: Result<(), SendTimeoutError<T>>) -> (Verdict, Option<T>) {
    match sent {
        Ok(()) => (Verdict::Ok, None),
        Err(SendTimeoutError::Timeout(item)) => (Verdict::Full, Some(item)),
        Err(SendTimeoutError::Closed(item)) => (Verdict::Closed, Some(item)),
        Err(SendTimeoutError::NoSuchBand(item)) => (Verdict::NoSuchBand, Some(item)),
    }
}

/// Calls that receive.
impl<const PAD: usize> World<PAD> {
    /// `try_recv`, and the blocking receives where they need not wait or give up at once.
    pub fn recv_now(&mut self, receiver: u8, how: u8) {
        let Some(at) = pick(receiver, self.taps.len()) else {
            return;
        };
        let receiver = &self.taps[at].receiver;
        let waits = self.bands.is_empty() && !self.closed;
        // Closed, or only empty.
        let (got, closed) = match how % 4 {
            1 | 2 => {
                let got = if how % 4 == 1 {
                    receiver.recv_timeout(Duration::ZERO)
                } else {
                    receiver.recv_deadline(self.past)
                };
                let closed = got.as_ref().err() == Some(&RecvTimeoutError::Closed);
                (got.ok(), closed)
            }
            3 if !waits => {
                let got = receiver.recv_blocking();
                let closed = got.is_err();
                (got.ok(), closed)
            }
            _ => {
                let got = receiver.try_recv();
                let closed = got.as_ref().err() == Some(&TryRecvError::Closed);
                (got.ok(), closed)
            }
        };
        self.take(got.as_ref());
        assert_eq!(closed, got.is_none() && self.closed, "closed, or empty");
        drop(got);
        self.settle();
    }

    /// `try_recv_many`.
    pub fn recv_many_now(&mut self, receiver: u8, limit: usize) {
        let Some(at) = pick(receiver, self.taps.len()) else {
            return;
        };
        let mut out = Vec::new();
        let got = self.taps[at].receiver.try_recv_many(&mut out, limit);
        let expected = match limit.min(self.bands.len()) {
            0 if limit == 0 => Ok(0),
            0 if self.closed => Err(TryRecvError::Closed),
            0 => Err(TryRecvError::Empty),
            count => Ok(count),
        };
        assert_eq!(got, expected, "try_recv_many");
        self.take_all(&out);
        drop(out);
        self.settle();
    }

    fn take_all(&mut self, out: &Batch<PAD>) {
        for entry in out {
            self.take(Some(entry));
        }
    }

    /// Up to `count` items of `try_iter`.
    pub fn iterate(&mut self, receiver: u8, count: usize) {
        let Some(at) = pick(receiver, self.taps.len()) else {
            return;
        };
        let out: Vec<_> = self.taps[at].receiver.try_iter().take(count).collect();
        assert_eq!(out.len(), count.min(self.bands.len()), "try_iter");
        self.take_all(&out);
        drop(out);
        self.settle();
    }

    /// `drain`, with a `try_send` to the most urgent band after the first `count` items: it ends
    /// after as many items as were there when it began.
    pub fn drain(&mut self, receiver: u8, count: usize, sends: usize) {
        let (Some(at), false) = (pick(receiver, self.taps.len()), self.senders.is_empty()) else {
            return;
        };
        // The drain borrows the tap, and the model is changed between its steps.
        let tap = self.taps.swap_remove(at);
        let limit = self.bands.len();
        let mut drain = tap.receiver.drain();
        for seen in 0..=count {
            let got = drain.next();
            if seen < limit {
                self.take(got.as_ref());
            } else {
                assert!(got.is_none(), "drained more than was there");
            }
            if seen < sends && self.room() > 0 && !self.closed {
                let item = Item::new();
                self.accept(Band::new(0), item.id());
                let sent = self.senders[0].try_send(Band::new(0), item);
                assert!(sent.is_ok(), "a send during a drain");
            }
        }
        drop(drain);
        self.taps.push(tap);
        self.settle();
    }

    fn lend_receiver(&mut self, receiver: u8) -> Option<(&'static Receiver<Item<PAD>>, Lent<PAD>)> {
        if self.tasks.len() == MOST_TASKS {
            return None;
        }
        let at = pick(receiver, self.taps.len())?;
        let loan = Loan::new(self.taps[at].receiver.clone());
        self.receiver_count += 1;
        // SAFETY: a task is dropped or forgotten before the loan.
        let lent = unsafe { loan.lend() };
        Some((lent, Lent::Receiver { _loan: loan }))
    }

    /// Begins a `recv`.
    pub fn begin_recv(&mut self, receiver: u8, poll: bool) {
        let Some((receiver, lent)) = self.lend_receiver(receiver) else {
            return;
        };
        let future = Box::pin(receiver.recv());
        self.begin(Job::Recv { future }, lent, poll);
    }

    /// Begins a `recv_many`.
    pub fn begin_recv_many(&mut self, receiver: u8, limit: usize, poll: bool) {
        let Some((receiver, lent)) = self.lend_receiver(receiver) else {
            return;
        };
        let mut out = Loan::new(Vec::new());
        // SAFETY: the job drops or forgets the future before it looks at the vector.
        let future = Box::pin(receiver.recv_many(unsafe { out.lend_mut() }, limit));
        self.begin(Job::RecvMany { future, out, limit }, lent, poll);
    }

    /// Begins a `closed`, on either side.
    pub fn begin_closed(&mut self, handle: u8, poll: bool) {
        let lent = if handle % 2 == 0 {
            self.lend_sender(handle / 2)
                .map(|(sender, lent)| (Box::pin(sender.closed()) as Future_<()>, lent))
        } else {
            self.lend_receiver(handle / 2)
                .map(|(receiver, lent)| (Box::pin(receiver.closed()) as Future_<()>, lent))
        };
        if let Some((future, lent)) = lent {
            self.begin(Job::Closed { future }, lent, poll);
        }
    }

    /// Polls a receiver as a stream.
    pub fn poll_stream(&mut self, receiver: u8, other_waker: bool) {
        if let Some(at) = pick(receiver, self.taps.len()) {
            self.poll_tap(at, other_waker);
        }
    }

    fn poll_tap(&mut self, at: usize, other_waker: bool) {
        let tap = &mut self.taps[at];
        let waker = ready_waker(&mut tap.flag, other_waker);
        let mut context = Context::from_waker(&waker);
        match Pin::new(&mut tap.receiver).poll_next(&mut context) {
            Poll::Pending => {
                assert!(self.bands.is_empty(), "pending, and an item is there");
                assert!(!self.closed, "pending, and closed");
                let (ticket, flag) = (tap.ticket, tap.flag.clone());
                self.waits.park(ticket, Class::Stream, &flag, false);
            }
            Poll::Ready(got) => {
                self.waits.done(tap.ticket);
                if got.is_none() {
                    assert!(tap.receiver.is_terminated(), "ended, and not terminated");
                    assert!(self.closed, "ended, and not closed");
                }
                self.take(got.as_ref());
            }
        }
        self.settle();
    }
}

/// Resets a flag for the next poll, or replaces it, and returns its waker.
fn ready_waker(flag: &mut Arc<Flag>, other: bool) -> std::task::Waker {
    if other {
        *flag = Flag::new();
    } else {
        flag.reset();
    }
    flag.waker()
}

/// The executor.
impl<const PAD: usize> World<PAD> {
    /// Polls a future.
    pub fn poll_task(&mut self, task: u8, other_waker: bool) {
        if let Some(at) = pick(task, self.tasks.len()) {
            self.poll(at, other_waker);
        }
    }

    /// Polls one of the futures and streams that were woken.
    pub fn poll_woken(&mut self, which: u8) {
        let tasks: Vec<_> = (0..self.tasks.len())
            .filter(|&at| self.waits.is_woken(self.tasks[at].ticket))
            .collect();
        let taps: Vec<_> = (0..self.taps.len())
            .filter(|&at| self.waits.is_woken(self.taps[at].ticket))
            .collect();
        if let Some(at) = pick(which, tasks.len() + taps.len()) {
            match tasks.get(at) {
                Some(&task) => self.poll(task, false),
                None => self.poll_tap(taps[at - tasks.len()], false),
            }
        }
    }

    /// Runs whoever was woken until nobody is.
    pub fn run_woken(&mut self) {
        for _ in 0..4 * MOST_STEPS {
            let woken = |ticket| self.waits.is_woken(ticket);
            if let Some(at) = self.tasks.iter().position(|task| woken(task.ticket)) {
                self.poll(at, false);
            } else if let Some(at) = self.taps.iter().position(|tap| woken(tap.ticket)) {
                self.poll_tap(at, false);
            } else {
                return;
            }
        }
        panic!("waiters wake each other for ever");
    }

    fn poll(&mut self, at: usize, other_waker: bool) {
        let room = self.room();
        let closed = self.closed;
        let mut task = self.tasks.swap_remove(at);
        let ticket = task.ticket;
        let waker = ready_waker(&mut task.flag, other_waker);
        let mut context = Context::from_waker(&waker);
        let class = task.job.class();
        let mut moved = false;
        // The permit that a reserve got, and its band.
        let mut permit = None;
        let ready = match &mut task.job {
            Job::Send { future, band, id } => {
                let (band, id) = (*band, *id);
                let expected = self.send_verdict(band);
                match future.as_mut().poll(&mut context) {
                    Poll::Pending => {
                        assert_eq!(expected, Verdict::Full, "a send is pending");
                        false
                    }
                    Poll::Ready(sent) => {
                        let verdict = match sent {
                            Ok(()) => {
                                self.accept(band, id);
                                Verdict::Ok
                            }
                            Err(SendError::Closed(item)) => {
                                assert_eq!(item.id(), id);
                                Verdict::Closed
                            }
                            Err(SendError::NoSuchBand(item)) => {
                                assert_eq!(item.id(), id);
                                Verdict::NoSuchBand
                            }
                        };
                        assert_eq!(verdict, expected, "a send is ready");
                        true
                    }
                }
            }
            Job::SendMany {
                future,
                band,
                next,
                end,
                sent,
                ..
            } => {
                let band = *band;
                let accepts = self.bands.has(band) && !closed;
                let polled = future.as_mut().poll(&mut context);
                if accepts {
                    let count = room.min((*end - *next) as usize);
                    for _ in 0..count {
                        self.accept(band, *next);
                        *next += 1;
                    }
                    *sent += count;
                    moved = count > 0;
                }
                match polled {
                    Poll::Pending => {
                        assert!(accepts, "a batch is pending that can never be sent");
                        assert!(*next < *end, "a batch is pending with nothing left to send");
                        false
                    }
                    Poll::Ready(Ok(count)) => {
                        assert_eq!(*next, *end, "a batch is ready before its end");
                        assert_eq!(count, *sent, "the count of a batch");
                        true
                    }
                    Poll::Ready(Err(SendManyError { sent: count, error })) => {
                        assert!(!accepts, "a batch was refused");
                        assert_eq!(count, *sent, "the count of a batch");
                        let item = match error {
                            SendError::Closed(item) => {
                                assert!(self.bands.has(band), "no such band wins over closed");
                                item
                            }
                            SendError::NoSuchBand(item) => {
                                assert!(!self.bands.has(band));
                                item
                            }
                        };
                        assert_eq!(item.id(), *next, "gave back another item");
                        *next += 1;
                        true
                    }
                }
            }
            Job::Reserve { future, band } => {
                let expected = self.send_verdict(*band);
                match future.as_mut().poll(&mut context) {
                    Poll::Pending => {
                        assert_eq!(expected, Verdict::Full, "a reserve is pending");
                        false
                    }
                    Poll::Ready(reserved) => {
                        let verdict = match reserved {
                            Ok(got) => {
                                permit = Some((got, *band));
                                self.reserved += 1;
                                Verdict::Ok
                            }
                            Err(SendError::Closed(())) => Verdict::Closed,
                            Err(SendError::NoSuchBand(())) => Verdict::NoSuchBand,
                        };
                        assert_eq!(verdict, expected, "a reserve is ready");
                        true
                    }
                }
            }
            Job::Recv { future } => match future.as_mut().poll(&mut context) {
                Poll::Pending => {
                    assert!(self.bands.is_empty(), "a recv is pending");
                    assert!(!closed, "a recv is pending though closed");
                    false
                }
                Poll::Ready(got) => {
                    assert!(got.is_ok() || closed, "a recv says closed");
                    self.take(got.ok().as_ref());
                    true
                }
            },
            Job::RecvMany { future, out, limit } => match future.as_mut().poll(&mut context) {
                Poll::Pending => {
                    assert!(self.bands.is_empty(), "a batch is pending");
                    assert!(!closed && *limit > 0, "a batch is pending for nothing");
                    false
                }
                Poll::Ready(count) => {
                    assert_eq!(count, (*limit).min(self.bands.len()), "a batch's count");
                    assert!(count > 0 || closed || *limit == 0, "an empty batch");
                    // SAFETY: the future is ready and never used again but to drop it, and a
                    // future that has returned does not touch what it borrowed.
                    let out = mem::take(unsafe { out.seen() });
                    assert_eq!(out.len(), count, "a batch's length");
                    self.take_all(&out);
                    true
                }
            },
            Job::Closed { future } => {
                let ready = future.as_mut().poll(&mut context).is_ready();
                assert_eq!(ready, closed, "closed");
                ready
            }
        };
        if ready {
            self.waits.done(ticket);
            let Task { job, lent, .. } = task;
            if let Job::Send { .. } = job {
                // Its item is sent or given back; it holds none.
                drop(job);
            } else {
                job.cancel();
            }
            self.settle();
            match permit {
                Some((permit, band)) => self.permits.push(Held { permit, lent, band }),
                None => self.give_back(lent),
            }
        } else {
            self.waits.park(ticket, class, &task.flag, moved);
            self.tasks.push(task);
            self.settle();
        }
    }

    /// Drops a future.
    pub fn cancel(&mut self, task: u8) {
        if let Some(at) = pick(task, self.tasks.len()) {
            let Task {
                job, lent, ticket, ..
            } = self.tasks.swap_remove(at);
            self.waits.leave(ticket);
            job.cancel();
            self.settle();
            self.give_back(lent);
        }
    }

    /// Forgets a future, and drops what it borrowed; or, unless `really`, puts it aside with what
    /// it borrowed until the end, which gives the memory back.
    pub fn forget_task(&mut self, task: u8, really: bool) {
        if let Some(at) = pick(task, self.tasks.len()) {
            let task = self.tasks.swap_remove(at);
            if really {
                self.forgotten += task.job.forget();
                self.settle();
                self.give_back(task.lent);
            } else {
                self.forgotten += task.job.items();
                self.aside.tasks.push(task);
                self.settle();
            }
        }
    }
}

/// Handles.
impl<const PAD: usize> World<PAD> {
    /// `close`, on either side.
    pub fn close(&mut self, handle: u8) {
        let tx = pick(handle / 2, self.senders.len());
        let rx = pick(handle / 2, self.taps.len());
        let first = match (handle % 2, tx, rx) {
            (0, Some(at), _) => self.senders[at].close(),
            (1, _, Some(at)) => self.taps[at].receiver.close(),
            _ => return,
        };
        assert_eq!(first, !self.closed, "who closed");
        self.closed = true;
        self.settle();
    }

    /// Clones a sender.
    pub fn clone_sender(&mut self, sender: u8) {
        if let Some(at) = pick(sender, self.senders.len()) {
            if self.senders.len() < MOST_HANDLES {
                let clone = self.senders[at].clone();
                assert!(clone.same_channel(&self.senders[0]));
                self.senders.push(clone);
                self.sender_count += 1;
                self.settle();
            }
        }
    }

    /// Clones a receiver.
    pub fn clone_receiver(&mut self, receiver: u8) {
        if let Some(at) = pick(receiver, self.taps.len()) {
            if self.taps.len() < MOST_HANDLES {
                let clone = self.taps[at].receiver.clone();
                assert!(clone.same_channel(&self.taps[0].receiver));
                self.add_receiver(clone);
            }
        }
    }

    fn add_receiver(&mut self, receiver: Receiver<Item<PAD>>) {
        self.receiver_count += 1;
        self.taps.push(Tap {
            receiver,
            ticket: self.waits.ticket(),
            flag: Flag::new(),
        });
        self.settle();
    }

    /// Drops a sender.
    pub fn drop_sender(&mut self, sender: u8) {
        if let Some(at) = pick(sender, self.senders.len()) {
            drop(self.senders.swap_remove(at));
            self.lose_sender();
            self.settle();
        }
    }

    /// Drops a receiver, which may be waiting as a stream.
    pub fn drop_receiver(&mut self, receiver: u8) {
        if let Some(at) = pick(receiver, self.taps.len()) {
            let tap = self.taps.swap_remove(at);
            self.waits.leave(tap.ticket);
            drop(tap.receiver);
            self.lose_receiver();
            self.settle();
        }
    }

    /// Forgets a sender: the channel never closes by itself.
    pub fn forget_sender(&mut self, sender: u8) {
        if let Some(at) = pick(sender, self.senders.len()) {
            self.aside.senders.push(self.senders.swap_remove(at));
            self.settle();
        }
    }

    /// Forgets a receiver, which may be waiting as a stream.
    pub fn forget_receiver(&mut self, receiver: u8) {
        if let Some(at) = pick(receiver, self.taps.len()) {
            self.aside.taps.push(self.taps.swap_remove(at));
            self.settle();
        }
    }

    /// `downgrade`, on either side.
    pub fn downgrade(&mut self, handle: u8) {
        let weak = self.weak_senders.len() + self.weak_receivers.len();
        if weak >= 2 * MOST_HANDLES {
            return;
        }
        if handle % 2 == 0 {
            if let Some(at) = pick(handle / 2, self.senders.len()) {
                self.weak_senders.push(self.senders[at].downgrade());
            }
        } else if let Some(at) = pick(handle / 2, self.taps.len()) {
            self.weak_receivers.push(self.taps[at].receiver.downgrade());
        }
        self.settle();
    }

    /// `upgrade`, on either side.
    pub fn upgrade(&mut self, handle: u8) {
        if handle % 2 == 0 {
            let Some(at) = pick(handle / 2, self.weak_senders.len()) else {
                return;
            };
            if self.senders.len() == MOST_HANDLES {
                return;
            }
            let strong = self.weak_senders[at].upgrade();
            self.check_upgrade(strong.is_some(), self.sender_count);
            if let Some(sender) = strong {
                self.sender_count += 1;
                self.senders.push(sender);
            }
        } else {
            let Some(at) = pick(handle / 2, self.weak_receivers.len()) else {
                return;
            };
            if self.taps.len() == MOST_HANDLES {
                return;
            }
            let strong = self.weak_receivers[at].upgrade();
            self.check_upgrade(strong.is_some(), self.receiver_count);
            if let Some(receiver) = strong {
                self.add_receiver(receiver);
            }
        }
        self.settle();
    }

    /// A weak handle gives a strong one while there is one on its side; where the channel was
    /// closed by hand it may refuse.
    fn check_upgrade(&self, given: bool, count: usize) {
        assert!(given || count == 0 || self.closed, "upgrade refused");
        assert!(
            !given || count > 0,
            "upgraded after the last one was dropped"
        );
    }

    /// Drops a weak handle.
    pub fn drop_weak(&mut self, handle: u8) {
        if handle % 2 == 0 {
            if let Some(at) = pick(handle / 2, self.weak_senders.len()) {
                self.weak_senders.swap_remove(at);
            }
        } else if let Some(at) = pick(handle / 2, self.weak_receivers.len()) {
            self.weak_receivers.swap_remove(at);
        }
        self.settle();
    }
}

/// The end of a run.
impl<const PAD: usize> World<PAD> {
    /// Lets everybody run who was woken, drops all there is, and then what was put aside. No item is
    /// left but those that went with a future that was really forgotten.
    pub fn finish(mut self) {
        self.run_woken();
        self.drop_all();
        let Aside {
            tasks,
            senders,
            taps,
        } = mem::take(&mut self.aside);
        for task in &tasks {
            self.forgotten -= task.job.items();
        }
        self.tasks = tasks;
        self.senders = senders;
        self.taps = taps;
        self.drop_all();
        assert_eq!(self.ledger.living(), self.forgotten, "items left");
    }

    fn drop_all(&mut self) {
        while !self.tasks.is_empty() {
            self.cancel(0);
        }
        while !self.permits.is_empty() {
            self.permit_drop(0);
        }
        while !self.senders.is_empty() {
            self.drop_sender(0);
        }
        while !self.taps.is_empty() {
            self.drop_receiver(0);
        }
    }

    /// Checks that no unit of room was lost or made: with all futures and permits gone and all
    /// items taken, there is room for the capacity, less what was forgotten.
    pub fn audit(&mut self) {
        while !self.tasks.is_empty() {
            self.cancel(0);
        }
        while !self.permits.is_empty() {
            self.permit_drop(0);
        }
        let capacity = self.capacity.filter(|&capacity| capacity <= MOST_STEPS);
        let (Some(capacity), false) = (capacity, self.closed || self.taps.is_empty()) else {
            return;
        };
        while !self.bands.is_empty() {
            self.recv_now(0, 0);
        }
        for _ in self.reserved..capacity {
            self.send_now(0, 0, 0);
        }
        self.send_now(0, 0, 0);
        assert_eq!(self.bands.len(), capacity - self.reserved);
    }
}
