//! The peers, a file for each kind.

pub(crate) mod bandq;
pub(crate) mod channels;
pub(crate) mod locks;
pub(crate) mod seg_queues;
