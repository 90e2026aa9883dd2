//! `BandSender`: a sender bound to one band, as a handle and as a sink.

#[cfg(feature = "sink")]
mod cancelled_sink;
mod handle;
#[cfg(feature = "sink")]
mod sink;
#[path = "../support/mod.rs"]
mod support;
