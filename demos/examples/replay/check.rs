//! The self-check: every accepted job came out once, in its band, and in order.

use std::fmt;

use serde::Serialize;

use crate::discipline::Discipline;
use crate::plan::Plan;
use crate::run::Outcome;

/// What became of the jobs of one run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Check {
    /// Jobs that were run, each counted once.
    pub(crate) completed: usize,
    /// Jobs that Ctrl-C left: taken out of the closed channel, and not run.
    #[serde(skip)]
    pub(crate) drained: usize,
    /// Jobs that Ctrl-C left: never sent.
    #[serde(skip)]
    pub(crate) unsent: usize,
    /// Jobs that the channel accepted and that never came out.
    pub(crate) lost: usize,
    /// Receives of a job that had been received before.
    pub(crate) duplicated: usize,
    /// Receives by a worker of a job that was sent before another one that it had already received
    /// in the same band. One producer sends all jobs, so there must be none.
    pub(crate) out_of_order: usize,
    /// Receives in a band that the job was not sent in, or of a job that was not accepted.
    #[serde(skip)]
    pub(crate) misplaced: usize,
}

impl Check {
    /// Goes through the notes of all workers.
    pub(crate) fn new(plan: &Plan, discipline: Discipline, outcome: &Outcome) -> Check {
        let mut check = Check {
            unsent: plan.jobs.len() - outcome.accepted,
            ..Check::default()
        };
        let mut seen = vec![false; plan.jobs.len()];
        for receipts in &outcome.receipts {
            let mut last_in_band = [None; bandq::Band::MAX_BANDS];
            for receipt in receipts {
                let number = receipt.number;
                let sent_in = discipline.band(plan.jobs[number].class);
                if receipt.band != sent_in || number >= outcome.accepted {
                    check.misplaced += 1;
                }
                let last = &mut last_in_band[receipt.band.index()];
                if *last > Some(number) {
                    check.out_of_order += 1;
                }
                *last = (*last).max(Some(number));
                if seen[number] {
                    check.duplicated += 1;
                } else if receipt.ended.is_some() {
                    check.completed += 1;
                } else {
                    check.drained += 1;
                }
                seen[number] = true;
            }
        }
        let accepted = &seen[..outcome.accepted];
        check.lost = accepted.iter().filter(|&&seen| !seen).count();
        check
    }

    /// Whether all was as promised.
    pub(crate) fn passed(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.out_of_order == 0 && self.misplaced == 0
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} completed, {} lost, {} duplicated, {} out of order",
            self.completed, self.lost, self.duplicated, self.out_of_order
        )?;
        if self.misplaced > 0 {
            write!(f, ", {} in the wrong band or never sent", self.misplaced)?;
        }
        Ok(())
    }
}
