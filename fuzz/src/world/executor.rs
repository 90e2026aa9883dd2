//! The executor: futures are begun, polled, cancelled and forgotten by hand.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bandq::{Band, Receiver, SendError, SendManyError, Sender};

use super::job::{Future_, Job, Lent, Reserved, Task};
use super::verdict::Verdict;
use super::{MOST_TASKS, World, pick};
use crate::flag::Flag;
use crate::item::Item;
use crate::loan::Loan;
use crate::program::MOST_STEPS;
use crate::quiet::panics;

/// Resets a flag for the next poll, or replaces it, and returns its waker.
pub(super) fn ready_waker(flag: &mut Arc<Flag>, other: bool) -> Waker {
    if other {
        *flag = Flag::new();
    } else {
        flag.reset();
    }
    flag.waker()
}

impl<const PAD: usize> World<PAD> {
    pub(super) fn lend_sender(
        &mut self,
        sender: u8,
    ) -> Option<(&'static Sender<Item<PAD>>, Lent<PAD>)> {
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

    pub(super) fn lend_receiver(
        &mut self,
        receiver: u8,
    ) -> Option<(&'static Receiver<Item<PAD>>, Lent<PAD>)> {
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

    pub(super) fn begin(&mut self, job: Job<PAD>, lent: Lent<PAD>, poll: bool) {
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

    /// Begins a `closed`, on either side.
    pub fn begin_closed(&mut self, handle: u8, poll: bool) {
        let lent = if handle.is_multiple_of(2) {
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
        let line = task.job.line();
        let mut moved = false;
        // What a reserve got: the room, its band and its units.
        let mut got = None;
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
                        let (verdict, back) = Verdict::of_waiting(sent);
                        match back {
                            Some(item) => assert_eq!(item.id(), id, "gave back another item"),
                            None => self.accept(band, id),
                        }
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
                        let (verdict, item) = Verdict::of_waiting::<(), _>(Err(error));
                        let expected = match self.bands.has(band) {
                            true => Verdict::Closed,
                            false => Verdict::NoSuchBand,
                        };
                        assert_eq!(verdict, expected, "why a batch was refused");
                        let item = item.expect("the item that was refused");
                        assert_eq!(item.id(), *next, "gave back another item");
                        *next += 1;
                        true
                    }
                }
            }
            Job::Reserve { future, band } => {
                let polled = future.as_mut().poll(&mut context);
                let polled = polled.map_ok(Reserved::One);
                self.reserve(polled, *band, 1, &mut got)
            }
            Job::ReserveOwned { future, band } => {
                let polled = future.as_mut().poll(&mut context);
                let polled = polled.map_ok(Reserved::Owned);
                self.reserve(polled, *band, 1, &mut got)
            }
            Job::ReserveMany {
                future,
                band,
                units,
            } => {
                let polled = future.as_mut().poll(&mut context);
                let polled = polled.map_ok(Reserved::Many);
                self.reserve(polled, *band, *units, &mut got)
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
        assert_eq!(task.job.future().is_over(), ready, "fused");
        if ready {
            self.waits.done(ticket);
            if mem::take(&mut self.again) {
                let second = || task.job.future().poll_only(&mut context);
                assert!(panics(second), "a second poll after the end");
            }
            let Task { job, lent, .. } = task;
            if let Job::Send { .. } = job {
                // Its item is sent or given back; it holds none.
                drop(job);
            } else {
                job.cancel();
            }
            self.settle();
            match got {
                Some((reserved, band, units)) => self.hold(reserved, band, units, lent),
                None => self.give_back(lent),
            }
        } else {
            self.waits.park(ticket, (class, line), &task.flag, moved);
            self.tasks.push(task);
            self.settle();
        }
    }

    /// A future that reserves was polled; whether it is ready.
    fn reserve(
        &mut self,
        polled: Poll<Result<Reserved<PAD>, SendError<()>>>,
        band: Band,
        units: usize,
        got: &mut Option<(Reserved<PAD>, Band, usize)>,
    ) -> bool {
        let expected = self.reserve_verdict(band, units);
        let Poll::Ready(result) = polled else {
            assert_eq!(expected, Verdict::Full, "a reserve is pending");
            return false;
        };
        let verdict = match result {
            Ok(reserved) => {
                self.reserved += units;
                *got = Some((reserved, band, units));
                Verdict::Ok
            }
            Err(error) => Verdict::of_waiting::<(), _>(Err(error)).0,
        };
        assert_eq!(verdict, expected, "a reserve is ready");
        true
    }

    /// The next future that is ready is polled once more.
    pub fn again(&mut self) {
        self.again = true;
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
