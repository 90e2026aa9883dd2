//! One thread's side of a run: its calls, each written down with its times.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bandq::{
    Band, BandQueue, Receiver, SendManyError, Sender, TryRecvError, TrySendError, TrySendManyError,
    WeakReceiver, WeakSender,
};

use super::task::Task;
use super::{MOST_BATCH, MOST_CALLS, Op, policy};
use crate::bands::band_from;
use crate::flag::Flag;
use crate::history::{Call, Clock, What};
use crate::item::Item;
use crate::stage::Stage;

/// What the threads share.
pub(super) struct Shared<const PAD: usize> {
    pub(super) queue: Option<BandQueue<Item<PAD>>>,
    pub(super) senders: Option<WeakSender<Item<PAD>>>,
    pub(super) receivers: Option<WeakReceiver<Item<PAD>>>,
    pub(super) clock: Clock,
    pub(super) bands: usize,
    /// Whether the policy may change.
    pub(super) has_policy: bool,
    pub(super) calls: Mutex<Vec<Call>>,
    pub(super) tasks: Mutex<Vec<Task<PAD>>>,
}

/// One thread's side of a run.
pub(super) struct Actor<const PAD: usize> {
    pub(super) me: usize,
    pub(super) shared: Arc<Shared<PAD>>,
    pub(super) sender: Option<Sender<Item<PAD>>>,
    pub(super) receiver: Option<Receiver<Item<PAD>>>,
    pub(super) tasks: Vec<Task<PAD>>,
    pub(super) calls: Vec<Call>,
}

impl<const PAD: usize> Shared<PAD> {
    pub(super) fn upgrade_sender(&self) -> Option<Sender<Item<PAD>>> {
        self.senders.as_ref().and_then(WeakSender::upgrade)
    }

    pub(super) fn upgrade_receiver(&self) -> Option<Receiver<Item<PAD>>> {
        self.receivers.as_ref().and_then(WeakReceiver::upgrade)
    }
}

impl<const PAD: usize> Actor<PAD> {
    pub(super) fn fork(&self, me: usize) -> Self {
        Self {
            me,
            shared: self.shared.clone(),
            sender: self.sender.clone(),
            receiver: self.receiver.clone(),
            tasks: Vec::new(),
            calls: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, stage: &Arc<Stage>, script: &[(usize, Op)]) {
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
            } => self.send_many(band(byte), count as usize % (MOST_BATCH + 1), count / 64),
            Op::Recv { how, .. } => drop(self.recv(how)),
            Op::RecvMany { limit, how, .. } => {
                self.recv_many(limit as usize % (MOST_BATCH + 1), how);
            }
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
            Op::Look { how, .. } => self.look(how),
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

    pub(super) fn tick(&self) -> u64 {
        self.shared.clock.tick()
    }

    pub(super) fn write(&mut self, start: u64, what: What) {
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
pub(super) fn sent(band: Band, id: u32) -> What {
    What::Sent {
        band: band.index(),
        id,
        sure: true,
    }
}

/// Calls that send.
impl<const PAD: usize> Actor<PAD> {
    pub(super) fn send(&mut self, band: Band, how: u8) {
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
        let how = how % 8;
        if how == 1 && there {
            return self.begin_send(band, item);
        }
        if how == 6 && there {
            return self.begin_reserve_two(band);
        }
        let start = self.tick();
        // The units of room that it asks for.
        let mut units = 1;
        let refused = |error: TrySendError<Item<PAD>>| match error {
            TrySendError::Full(_) => TrySendError::Full(()),
            TrySendError::Closed(_) => TrySendError::Closed(()),
            TrySendError::NoSuchBand(_) => TrySendError::NoSuchBand(()),
            TrySendError::TooHeavy(_) => TrySendError::TooHeavy(()),
            error => panic!("{error:?}"),
        };
        // No permit is made for a band that is not there.
        let closed = |_| TrySendError::Closed(());
        let result = match how {
            2 => sender
                .try_reserve(band)
                .and_then(|permit| permit.send(item).map_err(closed)),
            3 => sender.try_reserve(band).map(drop),
            4 => sender
                .try_reserve_owned(band)
                .and_then(|permit| permit.send(item).map_err(closed)),
            5 => match sender.to(band) {
                Ok(sender) => sender.try_send(item).map_err(refused),
                Err(error) => Err(error.into()),
            },
            7 => {
                units = 2;
                sender.try_reserve_many(band, 2).and_then(|mut permits| {
                    let permit = permits.next().expect("two permits");
                    permit.send(item).map_err(closed)
                })
            }
            _ => sender.try_send(band, item).map_err(refused),
        };
        assert_eq!(result == Err(TrySendError::NoSuchBand(())), !there);
        match result {
            Ok(()) if how == 3 => self.write(start, What::Held(1)),
            Ok(()) => {
                self.write(start, sent(band, id));
                if units > 1 {
                    // The other unit, held for the length of the call.
                    self.write(start, What::Held(units - 1));
                }
            }
            Err(TrySendError::Full(())) => self.write(start, What::Full(units)),
            Err(TrySendError::Closed(())) => self.write(start, What::Refused(units)),
            Err(TrySendError::NoSuchBand(())) => {}
            Err(TrySendError::TooHeavy(())) => self.check_too_heavy(units),
            Err(error) => panic!("{error}"),
        }
    }

    /// Only what is more than the capacity is too heavy.
    pub(super) fn check_too_heavy(&self, units: usize) {
        let capacity = self.sender.as_ref().and_then(Sender::capacity);
        assert!(
            capacity.is_none_or(|capacity| capacity < units),
            "too heavy"
        );
    }

    fn send_many(&mut self, band: Band, count: usize, how: u8) {
        if band.index() >= self.shared.bands || count == 0 {
            return;
        }
        let items: Vec<Item<PAD>> = (0..count).map(|_| Item::new()).collect();
        // Other threads make items meanwhile, so their numbers need not follow each other.
        let ids: Vec<_> = items.iter().map(Item::id).collect();
        let start = self.tick();
        let mut full = false;
        let sure = if let Some(queue) = &self.shared.queue {
            let pushed = queue.push_many(band, items);
            assert_eq!(pushed.ok(), Some(count), "push_many");
            Some(count)
        } else {
            let Some(sender) = &self.sender else {
                return;
            };
            if how >= 2 {
                match sender.try_send_many(band, items) {
                    Ok(sent) => Some(sent),
                    Err(TrySendManyError { sent, error }) => {
                        full = error.is_full();
                        Some(sent)
                    }
                }
            } else {
                let waker = Flag::new().waker();
                let mut future = Box::pin(sender.send_many(band, items));
                match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Pending => None,
                    Poll::Ready(Ok(sent)) => Some(sent),
                    Poll::Ready(Err(SendManyError { sent, .. })) => Some(sent),
                }
            }
        };
        let end = self.tick();
        for (place, &id) in ids.iter().enumerate() {
            // A batch that is pending, and cancelled here, has sent what there was room for.
            let what = match sure {
                Some(sure) if place < sure => sent(band, id),
                Some(sure) if place == sure && full => What::Full(1),
                // The first item that was refused; it may have held a unit of room for a moment.
                Some(sure) if place == sure => What::Refused(1),
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
            (_, Some(receiver)) if handle < 64 && self.shared.has_policy => {
                let policy = policy(handle.into(), self.shared.bands);
                return receiver.set_policy(policy).expect("a policy that fits");
            }
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
    pub(super) fn recv(&mut self, how: u8) -> bool {
        let start = self.tick();
        let got = if let Some(queue) = &self.shared.queue {
            queue.pop().ok_or(TryRecvError::Empty)
        } else {
            let Some(receiver) = &self.receiver else {
                return false;
            };
            match how % 4 {
                1 => return self.begin_recv(receiver.clone()),
                2 => return self.begin_stream(receiver.clone()),
                3 => receiver
                    .recv_timeout(Duration::ZERO)
                    .map_err(|error| empty_or_closed(error.is_closed())),
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

    fn recv_many(&mut self, limit: usize, how: u8) {
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
            match how % 3 {
                1 => receiver
                    .recv_many_timeout(&mut out, limit, Duration::ZERO)
                    .map_err(|error| empty_or_closed(error.is_closed())),
                2 => {
                    // It goes at once, and hands on the wake that it may have been given.
                    let mut receiver = receiver.clone();
                    let waker = Flag::new().waker();
                    let mut context = Context::from_waker(&waker);
                    match receiver.poll_recv_many(&mut context, &mut out, limit) {
                        Poll::Pending => Err(TryRecvError::Empty),
                        Poll::Ready(0) if limit > 0 => Err(TryRecvError::Closed),
                        Poll::Ready(count) => Ok(count),
                    }
                }
                _ => receiver.try_recv_many(&mut out, limit),
            }
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

    /// `is_empty` or `available`.
    fn look(&mut self, how: u8) {
        let start = self.tick();
        let (is_empty, available) = match (&self.shared.queue, &self.sender, &self.receiver) {
            (Some(queue), _, _) => (queue.is_empty(), None),
            (_, Some(sender), _) if how.is_multiple_of(2) => (sender.is_empty(), None),
            (_, _, Some(receiver)) if how.is_multiple_of(2) => (receiver.is_empty(), None),
            (_, Some(sender), _) => (false, sender.available()),
            (_, _, Some(receiver)) => (false, receiver.available()),
            _ => return,
        };
        if is_empty {
            self.write(start, What::Empty);
        }
        if let Some(available) = available {
            self.write(start, What::Available(available));
        }
    }
}

/// Why a receive got nothing.
fn empty_or_closed(is_closed: bool) -> TryRecvError {
    match is_closed {
        true => TryRecvError::Closed,
        false => TryRecvError::Empty,
    }
}
