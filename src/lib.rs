//! A lock-free concurrent priority scheduler.
//!
//! Work goes into up to 64 **bands**, 0 the most urgent. Each band is a lock-free FIFO for many
//! producers and many consumers, and one atomic word says which are non-empty, so the next item is
//! found by one bit scan at any depth. Tasks and threads wait through `event-listener`, so the
//! channel serves tokio, smol, async-std and plain threads alike.
//!
//! ```
//! use bandq::{Band, unbounded};
//!
//! const USER: Band = Band::URGENT;
//! const BATCH: Band = Band::new(1);
//!
//! # futures_lite::future::block_on(async {
//! let (sender, receiver) = unbounded(2);
//! sender.send(BATCH, "rebuild the index").await?;
//! sender.send(USER, "answer a request").await?;
//!
//! assert_eq!(receiver.recv().await?, (USER, "answer a request"));
//! assert_eq!(receiver.recv().await?, (BATCH, "rebuild the index"));
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Which part do I want?
//!
//! * Items from threads or tasks to threads or tasks: a channel, [`unbounded`] or [`bounded`].
//! * The same from a configuration that may be wrong: [`Builder`].
//! * Only the data structure, with waiting of your own: [`BandQueue`].
//!
//! # In which order do items come out?
//!
//! Within a band first in, first out, linearizable: what one producer sends to one band arrives in
//! that order; across producers, in an order that fits real time.
//!
//! Across bands, a receive never takes an item while a more urgent one is there whose send happened
//! before the receive began, unless another receive that began earlier has just emptied that band
//! and not yet returned. With one receive at a time there is no exception. Nothing is prefetched. A
//! busy urgent band starves the others: strict means strict.
//!
//! # What can get lost?
//!
//! Nothing. An item whose send returned `Ok` is received once, or dropped once when the last
//! [`Receiver`] goes; also when futures are cancelled, the channel closes, or a `drop` panics. Every
//! error of a send gives the item back. Each async method has a section on cancel safety.
//!
//! # Who can stop whom?
//!
//! [`BandQueue::push`] and [`BandQueue::pop`], and [`Sender::try_send`] and [`Receiver::try_recv`]
//! while nobody waits, are lock-free, the allocator aside: a thread that is stopped at any instruction of them
//! stops no other. When somebody waits or begins to, `event-listener`'s mutex is taken for a moment;
//! bandq has no lock of its own. Wakers run under that mutex: a waker that sends to the same
//! channel, or panics, breaks it. Those of the usual executors do neither.
//!
//! # What does another thread see?
//!
//! What happened before a send has happened for whoever receives the item; what happened before a
//! receive or the drop of a [`Permit`], for whoever then takes that room; and what happened before a
//! close, or before the last handle of one side was dropped, for whoever is told `Closed`.
//!
//! # What does it cost in memory?
//!
//! Memory is proportional to the items held, allocated about 2 KiB of items at a time. A band that was never used
//! owns no segment. After a drain, a used band keeps one or two, the queue a pool of at most
//! 4, and up to 3 more wait for reclamation until the next few segments are emptied. While a
//! thread is stopped inside an operation, emptied segments of that band may wait for it.
//!
//! # How does it work?
//!
//! Read the source in this order: `bitmap` (the set of bands, and the race of clearing a bit),
//! `segment` (one band), `queue`, `wait` with `wait.md` (who wakes whom, with its proof), `channel`.
//! `sync` is the only file that knows about loom; the models are in `loom-tests`.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod __internals;
mod band;
mod channel;
mod error;
mod fifo;
mod parcel;
mod queue;
mod spin;
mod sync;
mod wait;

pub use band::Band;
pub use channel::{
    BandSender, Builder, Drain, OwnedPermit, Permit, Permits, Receiver, Sender, TryIter,
    WeakReceiver, WeakSender, bounded, futures, unbounded,
};
#[cfg(not(target_family = "wasm"))]
pub use channel::{IntoIter, Iter};
pub use error::{
    BuildError, InvalidBand, NoSuchBand, RecvError, RecvTimeoutError, SendError, SendManyError,
    SendTimeoutError, TryRecvError, TrySendError, TrySendManyError,
};
pub use queue::BandQueue;
