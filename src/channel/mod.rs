//! Channels: the queue with handles, waiting, capacity and close.
//!
//! From the bottom up: [`room`] (who may enter), [`waits`] (who waits, and who is woken), [`close`]
//! and [`core`], which the handles share; [`permit`], [`hold`] and [`futures`]; the handles
//! [`sender`], [`band_sender`] and [`receiver`] with [`iter`]; [`weak`] and [`builder`].

mod band_sender;
#[cfg(not(target_family = "wasm"))]
mod blocking;
mod builder;
mod close;
mod common;
mod core;
mod evict;
pub mod futures;
mod hold;
mod iter;
mod managed;
mod observed;
mod overload;
mod pace;
mod permit;
mod reach;
mod receiver;
mod room;
mod sender;
mod served;
#[cfg(feature = "observe")]
mod sight;
#[cfg(feature = "sink")]
mod sink;
mod waits;
mod weak;

pub use band_sender::BandSender;
pub use builder::{Builder, bounded, unbounded};
pub use hold::HeldRoom;
pub use iter::{Drain, TryIter};
#[cfg(not(target_family = "wasm"))]
pub use iter::{IntoIter, Iter};
pub use permit::{OwnedPermit, Permit, Permits};
pub use receiver::Receiver;
pub use sender::Sender;
pub use weak::{WeakReceiver, WeakSender};
