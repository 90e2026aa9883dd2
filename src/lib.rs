//! A lock-free concurrent priority scheduler.
//!
//! Work goes into up to 64 **bands**, 0 the most urgent. Each band is a lock-free FIFO for many
//! producers and many consumers, and one atomic word says which are non-empty, so the next item is
//! found by one bit scan at any depth. Tasks and threads wait through `event-listener`, so a
//! channel serves tokio, smol, async-std and plain threads alike.
//!
//! ```
//! use bandq::{Band, Receiver, bounded};
//!
//! /// What this program knows as urgent; the first is the most.
//! enum Class {
//!     Request,
//!     Background,
//! }
//!
//! impl From<Class> for Band {
//!     fn from(class: Class) -> Self {
//!         Band::new(class as u8)
//!     }
//! }
//!
//! async fn work(receiver: Receiver<String>) -> usize {
//!     let mut done = 0;
//!     while let Ok((band, job)) = receiver.recv().await {
//!         println!("band {band}: {job}");
//!         done += 1;
//!     }
//!     done // every sender is gone, and nothing is left
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (sender, receiver) = bounded(2, 1000);
//!     let worker = tokio::spawn(work(receiver)); // more workers: clones of the receiver
//!     let other = sender.clone();
//!     let producer = tokio::spawn(async move {
//!         other.send(Class::Background, "a thumbnail".to_owned()).await
//!     });
//!     sender.send(Class::Request, "a page".to_owned()).await?;
//!     drop(sender);
//!     producer.await??;
//!     assert_eq!(worker.await?, 2);
//!     Ok(())
//! }
//! ```
//!
//! # Which part do I want?
//!
//! * Items from threads or tasks to threads or tasks: a channel, [`unbounded`] or [`bounded`]. Its
//!   handles are [`Sender`] and [`Receiver`]; a [`BandSender`] always sends to the same band.
//! * Room before there is an item: [`Sender::reserve`] and its [`Permit`]. Room for one that has
//!   left and will be worked on again: [`Receiver::hold_room`].
//! * A channel from a configuration that may be wrong: [`Builder`].
//! * Only the data structure, with waiting of your own: [`BandQueue`].
//! * The types of the futures: [`futures`].
//!
//! The [`guide`] goes further: [order and costs](guide::order_and_costs),
//! [cancel safety](guide::cancel_safety), [wakers and panics](guide::wakers_and_panics),
//! [tuning](guide::tuning), [overload](guide::overload), [sight](guide::sight),
//! [pitfalls](guide::pitfalls), and how to come
//! [from `async-channel`](guide::from_async_channel) or
//! [from `asyncio.PriorityQueue`](guide::from_asyncio).
//!
//! # In which order do items come out?
//!
//! Within a band first in, first out, linearizable: what one producer sends to one band arrives in
//! that order; across producers, in an order that fits real time.
//!
//! Across bands, a receive never takes an item while a more urgent one is there whose send happened
//! before the receive began, unless another receive that began earlier found that band empty and
//! has not yet returned. With one receive at a time there is no exception. Nothing is prefetched. A
//! busy urgent band starves the others: strict means strict, unless the channel has another
//! [`Policy`].
//!
//! # What when there is too much?
//!
//! Say which of these is yours; [`guide::overload`] has an example and figures for each.
//!
//! | what must not happen | what to ask for |
//! |---|---|
//! | a class of work stands still | [`Policy::weighted`], [`Policy::ageing`]; [`Receiver::within`] for workers of its own |
//! | low work fills the room, and urgent work cannot get in | [`Builder::high_water`], [`Builder::band_capacity`] |
//! | urgent work is refused while low work sits there | [`Sender::force_send`] |
//! | somebody works on what is too late | [`Builder::ttl`], [`Sender::with_ttl`] |
//! | work waits in vain | [`Builder::refuse_late`] |
//!
//! A channel that asks for none of them pays nothing for them.
//!
//! # What waits, how long, and why?
//!
//! A channel that is built with [`Builder::observe`] counts and times what goes through it.
//! [`Receiver::snapshot`] has the numbers of a moment, as values or as a table: lengths, the age of
//! the oldest item, what was sent, received, evicted, expired, refused, waiting times as
//! histograms. With [`Receiver::working`] it also knows who works on what, and for how long urgent
//! work waited for less urgent one. [`observe::Watchdog`] speaks up when something waits for too
//! long; collectors feed Prometheus, the `metrics` facade and `tracing`. See [`observe`].
//!
//! # What can get lost?
//!
//! Nothing. An item whose send returned `Ok` ends in one way, once: it is received, or returned by
//! an eviction, or handed to the hook for what has expired, or dropped: when the last [`Receiver`]
//! goes, or where it has expired and there is no hook. That holds when futures are cancelled, the
//! channel closes, or a waker, an iterator, a hook or an item's `drop` panics. Every error of a
//! send gives the item back. Each async method has a section on cancel safety.
//!
//! # What does "empty" mean?
//!
//! `None`, [`Empty`](TryRecvError::Empty) and `is_empty()`: there was one instant within the call
//! at which no item whose send had returned was in any band that it may take from. So who has just
//! sent, and does not find its item, knows that somebody else has taken it. `len` is exact when no
//! operation runs.
//!
//! # Who can stop whom?
//!
//! [`BandQueue::push`] and [`BandQueue::pop`], and [`Sender::try_send`] and [`Receiver::try_recv`]
//! while nobody waits, are lock-free, the allocator aside: a thread that is stopped at any
//! instruction of them stops no other. When somebody waits or begins to, `event-listener`'s mutex
//! is taken for a moment; bandq has no lock of its own.
//!
//! No foreign code, be it a waker, an item's `drop`, an iterator, a weigher or a hook, runs while a
//! lock is held or a slot is claimed: it may use the same channel, or panic. See
//! [`guide::wakers_and_panics`].
//!
//! # What does another thread see?
//!
//! What happened before a send has happened for whoever receives the item; what happened before a
//! receive or the drop of a [`Permit`], for whoever then takes that room; and what happened before
//! a close, or before the last handle of one side was dropped, for whoever is told `Closed`.
//!
//! # What does it cost in memory?
//!
//! Memory is proportional to the items held, allocated for about 2 KiB of items at a time. A band
//! that was never used owns no segment. After a drain, a used band keeps one or two, the queue a
//! pool of at most 4, and up to 3 more wait for reclamation until the next few segments are
//! emptied. While a thread is stopped inside an operation, emptied segments of that band may wait
//! for it. Ageing, lives, weights and observation make an item 32 bytes larger (24 without the
//! feature `observe`, 40 with `tracing`); a channel without them has no byte for them.
//!
//! # Features and targets
//!
//! * `observe` (on by default): counts, waiting times, the watchdog. It brings the crate
//!   `histogram`; without it there are four dependencies.
//! * `prometheus`, `metrics`, `tracing`, `serde`: what is observed, for these crates.
//! * `sink`: a [`BandSender`] is a `Sink` of the `futures` crates.
//!
//! 64-bit atomics are needed; 32-bit targets that have them will do. On wasm32 the calls that block
//! a thread do not exist.
//!
//! # How does it work?
//!
//! Read the source from the bottom up; each module imports only from those before it.
//!
//! | module | what it is |
//! |---|---|
//! | `sync` | the only place that knows loom, reclamation and stall points |
//! | `spin` | every bounded wait, with its constants |
//! | `band`, `error`, `parcel`, `layout`, `once`, `quiet` | [`Band`]; the errors; an item on its way in or out; words apart from each other in memory; what appears once; panics that end |
//! | `fifo` | one band: linked segments, claims at both ends, hand-over, sweeping |
//! | `queue` | bands and the set of those that are non-empty; which is next; [`BandQueue`] |
//! | `wait` | eventcounts: who waits, who is woken and when; `wait.md` has the proof |
//! | `policy` | decisions as pure functions: who is next, who has to go, how long it would take |
//! | `clock`, `entry` | the channel's time; an item with its times and its weight |
//! | `record` | what is counted and timed by band; who works on what, and inversion; [`Snapshot`] |
//! | `channel` | handles, room, close, futures, permits, eviction, expiry |
//! | `observe` | the watchdog; Prometheus, `metrics` |
//!
//! The models of it are in `loom-tests`; what is tested how, and what is not, in `TESTING.md`.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod __internals;
mod band;
mod channel;
mod clock;
mod entry;
mod error;
mod fifo;
pub mod guide;
mod layout;
#[cfg(feature = "observe")]
pub mod observe;
mod once;
mod parcel;
mod policy;
mod queue;
mod quiet;
#[cfg(feature = "observe")]
mod record;
#[cfg(not(feature = "observe"))]
#[path = "record/off.rs"]
mod record;
mod spin;
mod sync;
mod wait;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use band::{Band, InvalidBand};
pub use channel::{
    BandSender, Builder, Drain, HeldRoom, OwnedPermit, Permit, Permits, Receiver, Sender, TryIter,
    WeakReceiver, WeakSender, bounded, futures, unbounded,
};
#[cfg(not(target_family = "wasm"))]
pub use channel::{IntoIter, Iter};
pub use error::{
    BuildError, ForceSendError, NoSuchBand, RecvError, RecvTimeoutError, SendError, SendManyError,
    SendTimeoutError, TryRecvError, TrySendError, TrySendManyError,
};
#[cfg(feature = "observe")]
pub use observe::{BandSnapshot, Latencies, Snapshot, Working, suggest_capacity};
pub use policy::{Policy, estimate::Estimate};
pub use queue::BandQueue;
