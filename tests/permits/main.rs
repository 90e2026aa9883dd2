//! Permits: room without an item. Owned ones, many at once, who is woken for them, and what
//! `available` says of them.

mod available;
mod many;
mod owned;
#[path = "../support/mod.rs"]
mod support;
mod waiting;
