//! What a job is, and the four classes it can be in.

/// The classes, most urgent first. The place in this list is the class's band.
pub(crate) const CLASSES: [&str; 4] = ["LS", "Guaranteed", "Burstable", "BE"];

/// A job, in the time of its trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// An index into [`CLASSES`].
    pub(crate) class: usize,
    /// Seconds after the first arrival.
    pub(crate) arrival: f64,
    /// How long it runs, in seconds.
    pub(crate) run: f64,
}

/// All jobs of one trace or workload.
#[derive(Debug)]
pub(crate) struct Jobs {
    /// Where they come from, for people to read.
    pub(crate) source: String,
    /// At least one, in order of arrival.
    pub(crate) jobs: Vec<Job>,
    /// Rows that were left out, because their job never ran.
    pub(crate) skipped: usize,
}
