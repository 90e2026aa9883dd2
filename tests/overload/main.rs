//! What happens where there is no room, or no time: eviction, expiry, weights; promises 11 and 12.

mod change;
mod evict;
mod expire;
mod hook;
mod late;
mod model;
mod races;
mod refuse;
#[path = "../support/mod.rs"]
mod support;
mod weigh;
mod wrong;
