//! What is seen of a channel that is observed.
#![cfg(feature = "observe")]

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "prometheus")]
mod prometheus;
#[path = "../support/mod.rs"]
mod support;
