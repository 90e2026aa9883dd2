//! Promise 1: an accepted item is received once, or drained once, or dropped once. Never lost,
//! never doubled: not by a cancel, a close, a panic or a drop.

mod batches;
mod cancels;
mod drops;
mod failed_sends;
mod permits;
mod races;
mod receives;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use support::Token;

/// Long enough never to end in a test.
const LONG: Duration = Duration::from_secs(600);

fn id<B>((_, token): (B, Token)) -> usize {
    token.id()
}
