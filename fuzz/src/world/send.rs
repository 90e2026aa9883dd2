//! Calls that send.

use std::time::Duration;

use bandq::{SendError, SendTimeoutError, TrySendError};

use super::job::{Future_, Held, Job};
use super::{MOST_PERMITS, Verdict, World, pick};
use crate::item::Item;
use crate::loan::{Loan, forget};

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
