//! Sight: counts and times, inversion, the watchdog, exporters.
#![cfg(feature = "observe")]

mod counts;
mod inversion;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "prometheus")]
mod prometheus;
#[path = "../support/mod.rs"]
mod support;
mod times;
#[cfg(feature = "tracing")]
mod traces;
mod watchdog;
