//! Sight: what waits in a channel, for how long, and why.
//!
//! A channel that is [built for it](crate::Builder::observe) counts and times what goes through it,
//! by band. Three ways to see it:
//!
//! * [`Snapshot`]: all numbers at one time, from any handle, as values or as a table;
//! * exporters: [`prometheus`] (feature `prometheus`), [`metrics`] (feature `metrics`), and spans
//!   and events (feature `tracing`);
//! * [`Watchdog`]: a thread of its own that says when something waits for too long, and who works
//!   meanwhile.

#[cfg(any(feature = "prometheus", feature = "metrics"))]
mod families;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "prometheus")]
pub mod prometheus;
mod snapshot;

pub use self::snapshot::{BandSnapshot, Snapshot, suggest_capacity};
pub use crate::record::{Latencies, Running, Working};
