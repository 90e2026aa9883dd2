//! Promises 1 and 5 when a waker panics. A panic in its `wake` or `drop` ends inside the call that
//! ran it, which goes on as if nothing had happened: no item is lost or doubled, no unit of room,
//! and everybody else who was owed a wake has it. A panic in its `clone` goes up to whoever polled,
//! and the future can be polled again or dropped.

mod clone;
mod drop;
mod during_a_panic;
mod sleeper;
#[path = "../support/mod.rs"]
mod support;
mod wake_of_close;
mod wake_of_receiver;
mod wake_of_sender;
