//! Waiting for what was accepted; jobs by hand; channels that a handler fills itself.

#[path = "../support/mod.rs"]
mod support;

mod by_hand;
mod join;
