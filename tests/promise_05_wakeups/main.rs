//! Promise 5: no wakeup is lost. One wake per item; a woken future that is dropped passes its
//! wake on; one that is forgotten holds at most that one; a stream's wake never stands in for a
//! `recv`'s; the same for senders that wait for room.

mod close;
mod long_runs;
mod receivers;
mod senders;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod threads;
