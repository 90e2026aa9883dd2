//! Pools of workers.

mod apalis;
mod bandq_workers;
mod hand_written;
mod recv_loop;

pub use self::apalis::{Apalis, SPAWNING, UNSPAWNED};
pub use self::bandq_workers::{BandqWorkers, BandqWorkersSpawning};
pub use self::hand_written::HandWritten;
pub use self::recv_loop::RecvLoop;
