//! Room: limits of the whole and of bands, what changes while the channel lives, and who is woken.

mod held;
mod limits;
mod live;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod wakes;
mod wrong;
