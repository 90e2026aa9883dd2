//! The account at the end of a run: who received what.

use std::sync::atomic::{AtomicU32, Ordering};

use bandq::Band;

use crate::plan::{PRODUCERS, Plan};

/// An item as it was received: band, producer, number.
pub(crate) type Received = (u8, usize, u32);

/// For each producer and band, how many pushes have returned.
pub(crate) type Sent = Vec<[AtomicU32; Band::MAX_BANDS]>;

/// Who received what: each item once, and each receiver in the order of each producer.
pub(crate) struct Account<'p> {
    plan: &'p Plan,
    /// By producer, band and number: whether it was received.
    seen: Vec<Vec<Vec<bool>>>,
    /// The next number that can come from a producer by a band.
    next: Vec<Vec<u32>>,
}

impl<'p> Account<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let producers = plan.victims.len() + PRODUCERS + 1;
        Self {
            plan,
            seen: vec![vec![Vec::new(); Band::MAX_BANDS]; producers],
            next: vec![vec![0; Band::MAX_BANDS]; producers],
        }
    }

    /// The logs of receivers that ran side by side.
    pub(crate) fn side_by_side(&mut self, logs: &[Vec<Received>]) {
        let mut latest = self.next.clone();
        for log in logs {
            let mut next = self.next.clone();
            self.in_order(log, &mut next);
            for (latest, next) in latest.iter_mut().flatten().zip(next.iter().flatten()) {
                *latest = *next.max(latest);
            }
        }
        self.next = latest;
    }

    /// The log of one that began after all before had ended.
    pub(crate) fn afterwards(&mut self, log: &[Received]) {
        let mut next = self.next.clone();
        self.in_order(log, &mut next);
        self.next = next;
    }

    /// The log of one that was stopped: its last item may be older than what others had long ago.
    pub(crate) fn stopped(&mut self, log: &[Received]) {
        let mut next = vec![vec![0; Band::MAX_BANDS]; self.next.len()];
        self.in_order(log, &mut next);
    }

    fn in_order(&mut self, log: &[Received], next: &mut [Vec<u32>]) {
        for &(band, from, number) in log {
            let next = &mut next[from][usize::from(band)];
            assert!(
                *next <= number,
                "out of order: {number} of {from} in {band}: {:?}",
                self.plan
            );
            *next = number + 1;
            let (seen, index) = (&mut self.seen[from][usize::from(band)], number as usize);
            if seen.len() <= index {
                seen.resize((index + 1).next_power_of_two(), false);
            }
            assert!(
                !seen[index],
                "twice: {number} of {from} in {band}: {:?}",
                self.plan
            );
            seen[index] = true;
        }
    }

    /// How many of the items whose push has returned were not received.
    pub(crate) fn missing(&self, sent: &Sent) -> usize {
        self.compare(sent, |sent, seen| {
            sent - seen.iter().take(sent).filter(|&&seen| seen).count()
        })
    }

    /// How many were received of which no push has returned.
    pub(crate) fn unknown(&self, sent: &Sent) -> usize {
        self.compare(sent, |sent, seen| {
            seen.iter().skip(sent).filter(|&&seen| seen).count()
        })
    }

    fn compare(&self, sent: &Sent, count: impl Fn(usize, &[bool]) -> usize) -> usize {
        let pairs = sent.iter().flatten().zip(self.seen.iter().flatten());
        pairs
            .map(|(sent, seen)| count(sent.load(Ordering::Acquire) as usize, seen))
            .sum()
    }
}
