//! Sight: counts and times, inversion, the watchdog, exporters.
#![cfg(feature = "observe")]

mod counts;
mod inversion;
#[path = "../support/mod.rs"]
mod support;
mod times;
#[cfg(feature = "tracing")]
mod traces;
mod watchdog;
