//! Promise 4: no waker is cloned, woken or dropped, and no item dropped, while a lock is held or a
//! slot is claimed. So a waker may do whatever it likes with the very channel that calls it.

mod eager;
mod hooks;
mod owned_task;
mod queue_executor;
#[path = "../support/mod.rs"]
mod support;
mod two_locks;
mod waits;
