//! Fuzz targets for `bandq`: random programs of calls, each checked call by call against a model.
//!
//! A target is one module with a `run` function that takes a decoded [`Program`](program::Program)
//! and panics when the library does something that the model does not allow. The binaries in
//! `fuzz_targets/` hand libFuzzer's bytes to it; `tests/seeds.rs` does the same with the committed
//! seeds on a stable toolchain.
//!
//! | module | what it is |
//! |---|---|
//! | [`program`] | how bytes become calls |
//! | [`item`] | the items: counted, so that each is dropped exactly once |
//! | [`bands`] | the model of the queue: a `VecDeque` per band |
//! | [`flag`] | wakers that remember whether they were woken |
//! | [`waits`] | the model of waiting: who must have been woken |
//! | [`loan`] | handles that a future borrows, and the place for forgotten things |
//! | [`world`] | a channel beside its model, and a hand-driven executor |
//! | [`quiet`] | panics that are asked for |
//! | [`stage`] | parked threads, and who of them may go on |
//! | [`history`] | what threads did and when, and whether that is allowed |
//! | [`queue`], [`channel`], [`capacity`], [`overload`], [`threads`], [`workers`] | the six targets |

pub mod bands;
pub mod capacity;
pub mod channel;
pub mod flag;
pub mod history;
pub mod item;
pub mod loan;
pub mod overload;
pub mod program;
pub mod queue;
pub mod quiet;
pub mod stage;
pub mod threads;
pub mod waits;
pub mod workers;
pub mod world;
