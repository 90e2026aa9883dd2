//! Calls that send.

use std::time::Duration;

use super::job::{Future_, Job};
use super::verdict::Verdict;
use super::{MOST_HANDLES, World, pick};
use crate::item::Item;
use crate::loan::Loan;

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
            1 => Verdict::of_timed(sender.send_timeout(band, item, Duration::ZERO)),
            2 => Verdict::of_timed(sender.send_deadline(band, item, self.past)),
            3 if expected != Verdict::Full => Verdict::of_waiting(sender.send_blocking(band, item)),
            _ => Verdict::of(sender.try_send(band, item)),
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

    /// `try_send_many` of `count` items, or `send_many_blocking` where it need not wait.
    pub fn send_many_now(&mut self, sender: u8, band: u8, count: usize, how: u8) {
        let Some(at) = pick(sender, self.senders.len()) else {
            return;
        };
        let band = self.band(band);
        let verdict = self.send_verdict(band);
        let accepted = match verdict {
            Verdict::Ok | Verdict::Full => self.room().min(count),
            _ => 0,
        };
        // Why the first item that is not accepted is refused.
        let refused = match verdict {
            Verdict::Ok => Verdict::Full,
            verdict => verdict,
        };
        let waits = accepted < count && refused == Verdict::Full;
        let first = self.ledger.made();
        let items: Vec<_> = (0..count).map(|_| Item::new()).collect();
        let sender = &self.senders[at];
        let (sent, error) = if how % 2 == 1 && !waits {
            match sender.send_many_blocking(band, items) {
                Ok(sent) => (sent, None),
                Err(error) => (error.sent, Some(error.error.into())),
            }
        } else {
            match sender.try_send_many(band, items) {
                Ok(sent) => (sent, None),
                Err(error) => (error.sent, Some(error.error)),
            }
        };
        assert_eq!(sent, accepted, "the count of a batch");
        let end = first + sent as u32;
        match error {
            Some(error) => {
                let (verdict, item) = Verdict::of::<(), _>(Err(error));
                assert_eq!(verdict, refused, "why a batch was refused");
                assert_eq!(item.map(|item| item.id()), Some(end), "gave back another");
            }
            None => assert_eq!(sent, count, "a batch ended early"),
        }
        for id in first..end {
            self.accept(band, id);
        }
        self.settle();
    }

    /// `to`: a sender of one band.
    pub fn bind(&mut self, sender: u8, band: u8) {
        if self.band_senders.len() == MOST_HANDLES {
            return;
        }
        let Some(at) = pick(sender, self.senders.len()) else {
            return;
        };
        let band = self.band(band);
        match self.senders[at].to(band) {
            Ok(sender) => {
                assert!(self.bands.has(band), "bound to no band");
                assert_eq!(sender.band(), band, "bound to another band");
                assert!(sender.sender().same_channel(&self.senders[at]));
                self.sender_count += 1;
                self.band_senders.push(sender);
            }
            Err(_) => assert!(!self.bands.has(band), "refused a band that is there"),
        }
        self.settle();
    }

    /// A call of a sender of one band.
    pub fn bound(&mut self, sender: u8, how: u8) {
        let Some(at) = pick(sender, self.band_senders.len()) else {
            return;
        };
        let sender = &self.band_senders[at];
        let band = sender.band();
        match how % 4 {
            0 | 1 => {
                let expected = self.send_verdict(band);
                let item = Item::new();
                let id = item.id();
                let (verdict, back) = if how.is_multiple_of(4) {
                    Verdict::of(sender.try_send(item))
                } else {
                    Verdict::of_timed(sender.send_timeout(item, Duration::ZERO))
                };
                assert_eq!(verdict, expected, "a bound send");
                match back {
                    Some(item) => assert_eq!(item.id(), id, "gave back another item"),
                    None => self.accept(band, id),
                }
            }
            2 if self.band_senders.len() < MOST_HANDLES => {
                self.band_senders.push(sender.clone());
                self.sender_count += 1;
            }
            _ => {
                drop(self.band_senders.swap_remove(at));
                self.lose_sender();
            }
        }
        self.settle();
    }
}
