//! What the ports share: their options, and what a run counts. `payloads.py` has the same.

use crate::payload::Payload;
use bandq::Sender;
use bandq_workers::{Control, Job, Report};
use serde::{Deserialize, Serialize};
use std::{
    cell::Cell,
    error::Error,
    fs::{File, OpenOptions, read_to_string},
    io::{self, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// How many payloads.
    #[arg(long, default_value_t = 10_000)]
    jobs: u64,
    /// How many are worked on at a time.
    #[arg(long, default_value_t = 16)]
    pub(crate) workers: usize,
    /// What each takes.
    #[arg(long, default_value_t = 0)]
    work_ms: u64,
    /// They come over that time.
    #[arg(long, default_value_t = 0)]
    spread_ms: u64,
    /// Percent of them that fail at first.
    #[arg(long, default_value_t = 0)]
    failing: u64,
    /// From SIGTERM to the end.
    #[arg(long, default_value_t = 200)]
    grace_ms: u64,
    /// A file for a byte an event.
    #[arg(long)]
    ledger: Option<PathBuf>,
}

impl Options {
    pub(crate) fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}

/// One run, and what became of the payloads.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) options: Options,
    ledger: Option<File>,
    done: Cell<u64>,
    digest: Cell<u64>,
    longest: Cell<usize>,
    began: Instant,
}

/// The line that ends each run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) done: u64,
    /// The same for all runs that did the same.
    pub(crate) digest: u64,
    pub(crate) seconds: f64,
    /// Processor time, where that can be told.
    pub(crate) busy: Option<f64>,
    /// The longest that the queue was.
    pub(crate) longest: usize,
    /// The most memory that the process ever had, where that can be told.
    pub(crate) peak_kb: Option<u64>,
}

/// The service's.
#[derive(Debug)]
pub(crate) struct NoAnswer;

/// What an event is in the ledger.
pub(crate) const ACCEPTED: u8 = b'a';
pub(crate) const DONE: u8 = b'd';
/// Not done, and not lost either.
pub(crate) const SAVED: u8 = b's';

impl Run {
    pub(crate) fn new(options: Options) -> io::Result<Self> {
        let open = |path| OpenOptions::new().append(true).create(true).open(path);
        Ok(Self {
            ledger: options.ledger.as_ref().map(open).transpose()?,
            options,
            done: Cell::default(),
            digest: Cell::default(),
            longest: Cell::default(),
            began: Instant::now(),
        })
    }

    /// Sends the payloads when they are due, until the channel is closed.
    pub(crate) async fn produce(&self, sender: Sender<Payload>) {
        let spread = Duration::from_millis(self.options.spread_ms);
        for number in 0..self.options.jobs {
            let due = spread.mul_f64(number as f64 / self.options.jobs as f64);
            let early = due.saturating_sub(self.began.elapsed());
            if !early.is_zero() {
                futures_lite::future::or(tokio::time::sleep(early), sender.closed()).await;
            }
            let payload = Payload::new(number, self.options.failing);
            if sender.send(payload.priority, payload).await.is_err() {
                return;
            }
            self.note(ACCEPTED);
            self.longest.set(self.longest.get().max(sender.len()));
        }
    }

    /// The handler: stands for a call to a service.
    pub(crate) async fn handle(&self, job: Job<Payload>) -> Result<(), NoAnswer> {
        if self.options.work_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.options.work_ms)).await;
        }
        if job.attempt() <= job.failures {
            return Err(NoAnswer);
        }
        self.note(DONE);
        self.done.set(self.done.get() + 1);
        let digest = self.digest.get();
        self.digest
            .set(digest.wrapping_add(job.number.wrapping_mul(job.amount)));
        Ok(())
    }

    /// What was given back is in hand: a program would write it to a file, or send it elsewhere.
    pub(crate) fn settle(
        &self,
        report: Report<Payload>,
        control: &Control<Payload>,
    ) -> Result<(), Box<dyn Error>> {
        for _payload in report.returned.iter().chain(&control.take_returned()) {
            self.note(SAVED);
        }
        match report.adds_up() {
            true => Ok(()),
            false => Err(report.to_string().into()),
        }
    }

    fn note(&self, event: u8) {
        if let Some(mut ledger) = self.ledger.as_ref() {
            ledger
                .write_all(&[event])
                .expect("the ledger can be written");
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary {
            done: self.done.get(),
            digest: self.digest.get(),
            seconds: self.began.elapsed().as_secs_f64(),
            busy: busy(),
            longest: self.longest.get(),
            peak_kb: peak_kb(),
        }
    }
}

fn busy() -> Option<f64> {
    /// What Linux counts in, everywhere.
    const TICKS_A_SECOND: f64 = 100.0;

    let text = read_to_string("/proc/self/stat").ok()?;
    // The name may hold blanks; what follows its parenthesis are the fields from the third on.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_A_SECOND)
}

fn peak_kb() -> Option<u64> {
    let text = read_to_string("/proc/self/status").ok()?;
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.split_whitespace().next()?.parse().ok()
}
