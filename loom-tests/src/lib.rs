//! What the models share: [`model`], who runs what ([`Cast`]), what must have been seen ([`Seen`]),
//! what must have been dropped ([`Ledger`]), and the names that differ between loom and plain
//! threads.
//!
//! Under `cfg(loom)` a model is explored exhaustively within its preemption bound. Otherwise its
//! body runs a number of times on real threads, so that the models stay compiled and true in every
//! build.

pub mod band;
mod cast;
mod explore;
mod ledger;
mod seen;
pub mod shelf;
pub mod task;

pub use cast::Cast;
pub use explore::{Bound, full, model};
pub use ledger::{Item, Ledger};
pub use seen::Seen;

#[cfg(loom)]
pub use loom::{future::block_on, sync, thread};
#[cfg(not(loom))]
pub use {futures_lite::future::block_on, std::sync, std::thread};
