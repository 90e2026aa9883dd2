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

#[cfg(not(target_family = "wasm"))]
mod alarm;
#[cfg(any(feature = "prometheus", feature = "metrics"))]
mod families;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "prometheus")]
pub mod prometheus;
#[cfg(not(target_family = "wasm"))]
mod watch;
#[cfg(not(target_family = "wasm"))]
mod watchdog;

#[cfg(not(target_family = "wasm"))]
pub use self::alarm::{Alarm, AlarmKind, Stage};
#[cfg(not(target_family = "wasm"))]
pub use self::watchdog::{Watchdog, WatchdogBuilder};
pub use crate::record::{BandSnapshot, Latencies, Running, Snapshot, Working, suggest_capacity};
