//! bandq
mod band;
mod bitmap;
mod error;
mod queue;
mod segment;
mod sync;
pub use band::Band;
pub use error::*;
pub use queue::BandQueue;
