//! Promise 2, by the definition: histories of concurrent pushes and pops are recorded and each
//! band is checked to be a FIFO queue. Promise 10 in the same histories: whoever found nothing was
//! told the truth about all bands at one moment. Broken queues show that the checks bite. And
//! promise 3, measured: how many more urgent items were there when a pop took its item (the rank
//! error).
//!
//! `BANDQ_HISTORIES` is the number of histories for each kind of queue.

mod across_bands;
#[path = "../support/checker.rs"]
mod checker;
mod clock;
mod controls;
mod fifo;
mod history;
mod policies;
mod queue;
mod rank;
mod rank_error;
#[path = "../support/mod.rs"]
mod support;

use support::env_number;

fn histories() -> u64 {
    env_number("BANDQ_HISTORIES", 2_000)
}
