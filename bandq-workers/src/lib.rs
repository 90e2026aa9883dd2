//! Workers for a [`bandq`] channel: an async handler for each item, by priority, on any runtime or
//! none. What failed is tried again, a pool drains, stops and joins, and nothing is lost.
//!
//! ```
//! use bandq::Band;
//! use bandq_workers::{Job, Retry, Workers};
//! use std::time::Duration;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (sender, receiver) = bandq::bounded(4, 1000);
//!     let workers = Workers::new(receiver)
//!         .concurrency(8)
//!         .reserved(Band::URGENT..=Band::URGENT, 1)
//!         .retry(Retry::exponential(Duration::from_millis(10)).attempts(5))
//!         .dead_letter(|letter| eprintln!("given up: {} {:?}", letter.item, letter.failures));
//!     let control = workers.control();
//!     let pool = tokio::spawn(workers.run_on(tokio::spawn, |job: Job<String>| async move {
//!         println!("band {}: {}", job.band(), *job);
//!         Ok::<(), std::io::Error>(()) // an error is tried again
//!     }));
//!     sender.send(Band::new(2), "a report".to_owned()).await?;
//!     sender.send(Band::URGENT, "an alarm".to_owned()).await?;
//!
//!     // At SIGTERM, say:
//!     let report = control.drain(Duration::from_secs(10)).await;
//!     assert_eq!((report.done, report.returned.len()), (2, 0));
//!     pool.await?;
//!     Ok(())
//! }
//! ```
//!
//! # Which part do I want?
//!
//! * A handler for each item: [`Workers`], with [`run`](Workers::run) as one future, or with
//!   [`run_on`](Workers::run_on) the workers as tasks of your runtime.
//! * To pause, drain, stop, or wait for a pool: its [`Control`].
//! * A loop of my own, with `join` and `requeue`: [`Jobs`].
//!
//! # How does it run on my runtime?
//!
//! A pool is a future. Spawn it, `block_on` it in a thread, put it into a `JoinSet` or a scope:
//! `run` needs nothing to be `'static`. When it is dropped, so are its handlers. With `run` all
//! handlers share the pool's task, and so one thread at a time: right for handlers that mostly
//! wait. With `run_on` they use as many threads as the runtime has; the pool hands a free worker
//! its first job and puts back what is due, and a worker whose job was short takes the next one
//! itself.
//!
//! Timers are those of `async-io`, or tokio's with the feature `tokio`: at most one timer thread in
//! the process, which smol and async-std have anyway. With that feature a tokio runtime has to be
//! built with `enable_time` (or `enable_all`), else the first retry or time limit panics. No timer
//! is early; most are late by a millisecond or less. The pool reads the system's clock, also where
//! a test has paused tokio's: there, times do not agree.
//!
//! # What can a handler say at its end?
//!
//! See [`Outcome`]. A `Result` will do: an error is tried again. A panic and a
//! [time limit](Workers::time_limit) count as failures of that one item, each apart.
//!
//! # When is what failed tried again?
//!
//! As [`Retry`] says: exponential backoff with full jitter, so many attempts, a budget. The item
//! waits inside the pool, and keeps its number, its age and its attempts. It holds no worker
//! meanwhile. When its time has come it goes to the end of its band, or of [`Retry::band`]: behind
//! what is in the channel at that moment, and before what comes later. (If somebody else takes some
//! of that out of the channel, it comes later by as many.) What is dead goes to the
//! [dead-letter hook](Workers::dead_letter) with all its failures.
//!
//! An item that waits to be worked on again keeps its [room](bandq::Receiver::hold_room) in the
//! channel, so a capacity bounds what is queued and what waits, together. It never waits for that
//! room: while a worker had it somebody else may have entered, and then more than the capacity is
//! in use for a while: of the whole by at most one item a worker, of a band's own by all that went
//! there for a retry.
//!
//! # Who goes first?
//!
//! What is received goes by the channel's policy. Under [weights](bandq::Policy::weighted) each
//! band is charged the microseconds that its handlers ran, so a share is one of time. What was put
//! back goes by band, strictly, whatever the policy. While a band in the middle is at its
//! [cap](Workers::band_concurrency), the policy decides among the bands before it, and among those
//! behind it.
//!
//! How many work at a time is a fixed number, or as many as [pay](Workers::adaptive).
//!
//! [`reserved`](Workers::reserved) workers take from some bands only, so that urgent items start
//! while everybody else is at long work.
//!
//! # What can get lost?
//!
//! Nothing that the pool has received: accepted = done + dead + taken + returned + stuck, at its
//! end, and with what runs and waits at every moment ([`Counts::adds_up`]). A drain and a stop
//! receive all that is in the channel. Who drops the pool's future instead gives up what is still
//! there, unless the channel has another receiver.
//!
//! The item of a handler that is cut off, by a deadline or because its task is dropped, comes back
//! in the [`Report`]. To be interrupted is no failure. Only a handler that blocks its thread keeps
//! its item; it is named in [`stuck`](Report::stuck), and holds up nobody.
//!
//! A process that is killed loses what is in its memory: a handler begins at most once for each
//! attempt, and an item is handled at least once as long as the process lives and allows it another
//! attempt.
//!
//! # What may a handler do with the channel?
//!
//! Send into it, if it does not wait for room there: while every worker waits in its handler for
//! room in the channel that they are to empty, nothing goes on. Use
//! [`try_send`](bandq::Sender::try_send), a task of its own, or, to put the item itself back,
//! [`Job::requeue`], which needs no room.
//!
//! # How does a pool end?
//!
//! By itself, when its channel is closed and everything is settled; by [`Control::drain`], which
//! closes the channel and works off what is there; by [`Control::stop`], after which nothing starts
//! any more. Each has one deadline for all bands. A call takes effect when it is made, may be made
//! from anywhere, also from a handler or before the pool runs, and a later one can only bring the
//! end closer. The deadline is kept by whoever is polled: the pool, or a future of a [`Control`].
//!
//! # Which features are there?
//!
//! | feature | what it adds |
//! |---|---|
//! | `tokio` | tokio's timers, where a pool runs on tokio |
//! | `prometheus` | [`prometheus::Collector`] |
//! | `tracing` | a span a job, if the channel is [observed](bandq::Builder::observe), and a warning for what an end cuts short |
//!
//! # How does it work?
//!
//! Read the source from the bottom up; each module imports only from those before it.
//!
//! | module | what it is |
//! |---|---|
//! | `sync` | mutexes, atomics and the clock, in a normal build and in models |
//! | `quiet`, `wakes`, `timer`, `clock` | panics that end; who is woken; time |
//! | `slab`, `adapt`, `trace` | values that keep their place; how many workers there should be; warnings |
//! | `outcome`, `retry`, `times`, `report` | [`Outcome`]; [`Retry`]; [`RunTimes`]; [`Report`] |
//! | `past`, `entry`, `rooms`, `crew`, `ears`, `joins` | an item inside the pool, where it waits, and the room that it keeps; who may work on what; how a job hears of a stop; who waits for what |
//! | `notebook` | what a worker notes while it goes on alone |
//! | `pool` | the state of everything, its transitions and its races: **begin here** |
//! | `job`, `desk`, `handle` | [`Job`]; what is decided at its end; the future around handlers |
//! | `intake`, `place`, `drive` | where items come from; where workers run; what moves them |
//! | `control`, `workers`, `jobs`, `prometheus` | what a user has |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod adapt;
mod clock;
mod control;
mod crew;
mod desk;
mod drive;
mod ears;
mod entry;
mod handle;
mod intake;
mod job;
mod jobs;
mod joins;
mod notebook;
mod outcome;
mod past;
mod place;
mod pool;
#[cfg(feature = "prometheus")]
pub mod prometheus;
mod quiet;
mod report;
mod retry;
mod rooms;
mod slab;
mod sync;
mod timer;
mod times;
#[cfg(feature = "tracing")]
mod trace;
mod wakes;
mod workers;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use control::{Control, Ending, Join, Quiet};
pub use desk::{Cause, DeadLetter};
pub use job::{Cancelled, Job};
pub use jobs::Jobs;
pub use outcome::{Failure, Outcome};
pub use place::Task;
pub use report::{BandReport, Counts, Report, Returned, Stuck};
pub use retry::Retry;
pub use times::RunTimes;
pub use workers::Workers;

/// Lets time pass, in builds whose clock is set by hand.
#[cfg(any(loom, bandq_clock))]
#[doc(hidden)]
pub use sync::sleep;
