//! Panics and re-entrance from the user's code (drops, iterators, band conversions, wakers), and
//! everything that can be forgotten: nothing is lost, doubled or deadlocked. Where
//! `event-listener` sets a limit, a test with `limit` in its name shows it; those are no promises.

mod conversions;
mod drops;
mod forgetting;
mod iterators;
#[path = "../support/mod.rs"]
mod support;
mod wakers;

use std::panic::{AssertUnwindSafe, catch_unwind};

use support::Token;

/// Runs `f`, which must panic.
#[track_caller]
fn must_panic<R>(f: impl FnOnce() -> R) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err(), "should panic");
}

fn ids<B>(items: impl IntoIterator<Item = (B, Token)>) -> Vec<usize> {
    items.into_iter().map(|(_, token)| token.id()).collect()
}
