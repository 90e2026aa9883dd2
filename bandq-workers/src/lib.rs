//! Workers.
#![forbid(unsafe_code)]
mod control;
mod crew;
mod desk;
mod drive;
mod ears;
mod entry;
mod handle;
mod intake;
mod job;
mod jobs;
mod joins;
mod outcome;
mod place;
mod pool;
mod quiet;
mod report;
mod retry;
mod timer;
#[cfg(feature = "tracing")]
mod trace;
mod wakes;
mod workers;

pub use control::{Control, Ending, Join};
pub use desk::{Cause, DeadLetter};
pub use job::{Cancelled, Job};
pub use jobs::Jobs;
pub use outcome::{Failure, Outcome};
pub use place::Task;
pub use report::{Counts, Report, Returned, Stuck};
pub use retry::Retry;
pub use workers::Workers;
