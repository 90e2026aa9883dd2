//! Who got how many of the receives where several classes waited, and who was overtaken.

use std::time::Duration;

use serde::Serialize;

use crate::job::CLASSES;
use crate::plan::Plan;
use crate::run::Outcome;

/// How one class fared against the others in one run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Contest {
    /// Of the receives made while this class and another one waited, the part that it got.
    pub(crate) share: Option<f64>,
    /// Of the receives made while all classes waited, the part that it got.
    pub(crate) share_all: Option<f64>,
    /// Something that was sent so long after a job of this class went before it: the longest, in
    /// milliseconds.
    pub(crate) overtaken_ms: f64,
}

/// What the notes of all workers say about each class, and how many receives were made while all
/// classes waited.
pub(crate) fn contests(plan: &Plan, outcome: &Outcome) -> ([Contest; CLASSES.len()], usize) {
    let receipts = outcome.receipts.iter().flatten();
    let run = receipts.filter(|receipt| receipt.ended.is_some());
    let mut receives: Vec<_> = run
        .map(|receipt| Receive {
            class: plan.jobs[receipt.number].class,
            sent: receipt.began.saturating_sub(receipt.wait),
            received: receipt.began,
        })
        .collect();
    let mut sends: Vec<_> = receives.iter().map(|job| (job.sent, job.class)).collect();
    sends.sort_unstable();
    receives.sort_by_key(|job| job.received); // stable: one worker's notes stay in order

    let mut tally = Tally::default();
    let mut overtaken = [Duration::ZERO; CLASSES.len()];
    let mut waiting = [0_usize; CLASSES.len()];
    let mut sends = sends.into_iter().peekable();
    let mut last_sent = Duration::ZERO;
    for job in &receives {
        while let Some((_, class)) = sends.next_if(|&(sent, _)| sent <= job.received) {
            waiting[class] += 1;
        }
        tally.add(job.class, waiting);
        waiting[job.class] -= 1;
        last_sent = last_sent.max(job.sent);
        overtaken[job.class] = overtaken[job.class].max(last_sent - job.sent);
    }
    let contests = std::array::from_fn(|class| Contest {
        share: part(tally.got[class], tally.contested[class]),
        share_all: part(tally.got_of_all[class], tally.all),
        overtaken_ms: (overtaken[class].as_secs_f64() * 1e6).round() / 1e3,
    });
    (contests, tally.all)
}

struct Receive {
    class: usize,
    sent: Duration,
    received: Duration,
}

/// Receives, by class.
#[derive(Default)]
struct Tally {
    /// Made while it and another class waited, and how many of them it got.
    contested: [usize; CLASSES.len()],
    got: [usize; CLASSES.len()],
    /// Made while all waited, and how many of them each got.
    all: usize,
    got_of_all: [usize; CLASSES.len()],
}

impl Tally {
    fn add(&mut self, taken: usize, waiting: [usize; CLASSES.len()]) {
        let busy = waiting.iter().filter(|&&jobs| jobs > 0).count();
        if busy < 2 {
            return;
        }
        for (contested, jobs) in self.contested.iter_mut().zip(waiting) {
            *contested += usize::from(jobs > 0);
        }
        self.got[taken] += 1;
        if busy == CLASSES.len() {
            self.all += 1;
            self.got_of_all[taken] += 1;
        }
    }
}

/// To a thousandth.
fn part(some: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| (1000.0 * some as f64 / of as f64).round() / 1000.0)
}
