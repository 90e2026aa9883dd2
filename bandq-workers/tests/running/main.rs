//! What runs at a time, and what one handler does to the others.

#[path = "../support/mod.rs"]
mod support;

mod adaptive;
mod cost;
mod crew;
mod panics;
mod report;
#[cfg(feature = "tracing")]
mod spans;
mod times;
