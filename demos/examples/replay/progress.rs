//! The live bars: one per class, on a terminal only.
//!
//! The producer and the workers only count; a thread of its own looks at the counts and draws.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::discipline::Discipline;
use crate::job::CLASSES;

const REDRAW: Duration = Duration::from_millis(100);
const STYLE: &str = "{prefix:<20} [{bar:32}] {pos:>6}/{len:<6} {msg}";

/// Jobs of each class that were sent, and that were received.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    sent: [AtomicUsize; CLASSES.len()],
    received: [AtomicUsize; CLASSES.len()],
}

impl Counts {
    pub(crate) fn sent(&self, class: usize) {
        self.sent[class].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, class: usize) {
        self.received[class].fetch_add(1, Ordering::Relaxed);
    }

    /// How many were received, and about how many more wait. A job can be received before its
    /// producer has come to count it.
    fn look(&self, class: usize) -> (usize, usize) {
        let received = self.received[class].load(Ordering::Relaxed);
        let sent = self.sent[class].load(Ordering::Relaxed);
        (received, sent.saturating_sub(received))
    }
}

/// Draws the counts of one run until it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    counts: Arc<Counts>,
    /// The drawing thread, and what ends it by being dropped.
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts to draw, if somebody can see it.
    pub(crate) fn start(discipline: Discipline, jobs: [usize; CLASSES.len()]) -> Progress {
        let counts = Arc::new(Counts::default());
        let drawing = stderr().is_terminal().then(|| {
            let (end, ended) = mpsc::channel();
            let counts = counts.clone();
            let draw = move || {
                let bars = bars(discipline, jobs);
                loop {
                    // Before the look, so that the last look comes after the end.
                    let waited = ended.recv_timeout(REDRAW);
                    for (class, bar) in bars.iter().enumerate() {
                        let (received, waiting) = counts.look(class);
                        bar.set_position(received as u64);
                        bar.set_message(format!("{waiting} waiting"));
                    }
                    if waited != Err(RecvTimeoutError::Timeout) {
                        break;
                    }
                }
                for bar in bars {
                    bar.abandon(); // leaves it on the screen as it is
                }
            };
            (end, thread::spawn(draw))
        });
        Progress { counts, drawing }
    }

    /// Where the producer and the workers count.
    pub(crate) fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.drawing.take() {
            drop(end);
            // Should drawing have panicked, it has said so; the replay is none the worse.
            let _ = thread.join();
        }
    }
}

fn bars(discipline: Discipline, jobs: [usize; CLASSES.len()]) -> Vec<ProgressBar> {
    let all = MultiProgress::new();
    let style = ProgressStyle::with_template(STYLE)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    CLASSES
        .iter()
        .zip(jobs)
        .map(|(class, jobs)| {
            all.add(ProgressBar::new(jobs as u64))
                .with_style(style.clone())
                .with_prefix(format!("{discipline:<9}{class}"))
        })
        .collect()
}
