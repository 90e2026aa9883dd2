//! How a pool ends: drain, stop, cut.

#[path = "../support/mod.rs"]
mod support;

mod blocked;
mod dropped;
mod ends;
mod order;
mod pause;
