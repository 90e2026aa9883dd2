//! Items a second, and how long they waited: what two snapshots, about a second apart, differ by.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bandq::{Latencies, Snapshot};

/// Over how long a rate is taken.
const SPAN: Duration = Duration::from_secs(1);

/// What came into a band and what was received, in items a second; and how long the latter waited.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rate {
    pub(crate) sent: f64,
    pub(crate) received: f64,
    pub(crate) get: Latencies,
}

/// What was counted by then.
#[derive(Debug)]
struct Mark {
    at: Instant,
    snapshot: Snapshot,
}

/// The counts of the last second.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    marks: VecDeque<Mark>,
}

impl Rates {
    /// The rate of each band up to this snapshot: over a second, or over less than that at the
    /// start. The first one has none to compare with, and its rates are 0.
    pub(crate) fn next(&mut self, at: Instant, snapshot: &Snapshot) -> Vec<Rate> {
        // The oldest that stays is a second old or younger, unless there is none such.
        while self.marks.len() > 1 && at.duration_since(self.marks[1].at) >= SPAN {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark {
            at,
            snapshot: snapshot.clone(),
        });
        let first = &self.marks[0];
        let seconds = at.duration_since(first.at).as_secs_f64();
        let both = first.snapshot.bands.iter().zip(&snapshot.bands);
        both.map(|(before, now)| Rate {
            sent: rate(before.sent, now.sent, seconds),
            received: rate(before.received, now.received, seconds),
            get: now.get.since(&before.get),
        })
        .collect()
    }
}

fn rate(before: u64, now: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        now.saturating_sub(before) as f64 / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bandq::{Band, Builder};

    #[test]
    fn a_rate_is_of_the_last_second() {
        let (sender, receiver) = Builder::new(2).observe().build().unwrap();
        let start = Instant::now();
        let mut rates = Rates::default();
        let first = rates.next(start, &receiver.snapshot());
        assert_eq!(first, [Rate::default(), Rate::default()]);

        // 100 in half a second, of which 50 are received; then nothing for longer than a second.
        sender.try_send_many(Band::new(1), vec![(); 100]).unwrap();
        receiver.try_iter().take(50).for_each(drop);
        let half = Duration::from_millis(500);
        let busy = rates.next(start + half, &receiver.snapshot());
        assert_eq!(busy[0], Rate::default());
        assert_eq!((busy[1].sent, busy[1].received), (200.0, 100.0));
        assert_eq!((busy[0].get.count(), busy[1].get.count()), (0, 50));

        let second = rates.next(start + SPAN, &receiver.snapshot());
        assert_eq!((second[1].sent, second[1].received), (100.0, 50.0));
        rates.next(start + SPAN * 2, &receiver.snapshot());
        let idle = rates.next(start + SPAN * 3, &receiver.snapshot());
        assert_eq!(idle, [Rate::default(), Rate::default()]);
    }
}
