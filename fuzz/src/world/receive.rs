//! Calls that receive.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bandq::{Band, RecvTimeoutError, TryRecvError};
use futures_core::stream::{FusedStream, Stream};

use super::executor::ready_waker;
use super::job::{Batch, Job};
use super::{World, pick};
use crate::item::Item;
use crate::loan::Loan;
use crate::waits::Class;

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

    /// `try_recv_many`, and the blocking ones where they need not wait or give up at once.
    pub fn recv_many_now(&mut self, receiver: u8, limit: usize, how: u8) {
        let Some(at) = pick(receiver, self.taps.len()) else {
            return;
        };
        let mut out = Vec::new();
        let receiver = &self.taps[at].receiver;
        let waits = limit > 0 && self.bands.is_empty() && !self.closed;
        let got = match how % 4 {
            1 => {
                let got = receiver.recv_many_timeout(&mut out, limit, Duration::ZERO);
                got.map_err(|error| match error.is_closed() {
                    true => TryRecvError::Closed,
                    false => TryRecvError::Empty,
                })
            }
            2 if !waits => match receiver.recv_many_blocking(&mut out, limit) {
                0 if limit > 0 => Err(TryRecvError::Closed),
                count => Ok(count),
            },
            _ => receiver.try_recv_many(&mut out, limit),
        };
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

    pub(super) fn take_all(&mut self, out: &Batch<PAD>) {
        for entry in out {
            self.take(Some(entry));
        }
    }

    /// Up to `count` items of `try_iter`, or of a blocking iterator where it need not wait.
    pub fn iterate(&mut self, receiver: u8, count: usize, how: u8) {
        let Some(at) = pick(receiver, self.taps.len()) else {
            return;
        };
        let receiver = &self.taps[at].receiver;
        let there = count.min(self.bands.len());
        let most = if self.closed { count } else { there };
        let out: Vec<_> = match how % 4 {
            1 => receiver.iter().take(most).collect(),
            2 => receiver.into_iter().take(most).collect(),
            3 => receiver.clone().into_iter().take(most).collect(),
            _ => receiver.try_iter().take(count).collect(),
        };
        assert_eq!(out.len(), there, "an iterator");
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

    /// Polls a receiver as a stream.
    pub fn poll_stream(&mut self, receiver: u8, other_waker: bool) {
        if let Some(at) = pick(receiver, self.taps.len()) {
            self.poll_tap(at, other_waker);
        }
    }

    pub(super) fn poll_tap(&mut self, at: usize, other_waker: bool) {
        let tap = &mut self.taps[at];
        let waker = ready_waker(&mut tap.flag, other_waker);
        let mut context = Context::from_waker(&waker);
        match Pin::new(&mut tap.receiver).poll_next(&mut context) {
            Poll::Pending => {
                assert!(self.bands.is_empty(), "pending, and an item is there");
                assert!(!self.closed, "pending, and closed");
                let (ticket, flag) = (tap.ticket, tap.flag.clone());
                self.waits.park(ticket, (Class::Stream, 0), &flag, false);
            }
            Poll::Ready(got) => {
                self.waits.done(tap.ticket);
                tap.is_ended = got.is_none();
                assert!(got.is_some() || self.closed, "ended, and not closed");
                self.take(got.as_ref());
            }
        }
        self.check_terminated();
        self.settle();
    }

    /// `poll_recv_many`, which waits where the stream waits.
    pub fn poll_recv_many(&mut self, receiver: u8, limit: usize, other_waker: bool) {
        let Some(at) = pick(receiver, self.taps.len()) else {
            return;
        };
        let tap = &mut self.taps[at];
        let waker = ready_waker(&mut tap.flag, other_waker);
        let mut context = Context::from_waker(&waker);
        let mut out = Vec::new();
        match tap.receiver.poll_recv_many(&mut context, &mut out, limit) {
            Poll::Pending => {
                assert!(self.bands.is_empty(), "a batch is pending");
                assert!(!self.closed && limit > 0, "a batch is pending for nothing");
                assert!(out.is_empty(), "a pending batch took items");
                let (ticket, flag) = (tap.ticket, tap.flag.clone());
                self.waits.park(ticket, (Class::Stream, 0), &flag, false);
            }
            Poll::Ready(count) => {
                self.waits.done(tap.ticket);
                assert_eq!(count, limit.min(self.bands.len()), "a batch's count");
                assert_eq!(out.len(), count, "a batch's length");
                assert!(count > 0 || self.closed || limit == 0, "an empty batch");
                self.take_all(&out);
            }
        }
        drop(out);
        self.check_terminated();
        self.settle();
    }

    /// A stream is terminated once it has yielded `None`, and not before.
    fn check_terminated(&self) {
        for tap in &self.taps {
            assert_eq!(tap.receiver.is_terminated(), tap.is_ended, "terminated");
        }
    }
}
