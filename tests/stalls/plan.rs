//! What a run is to do, and what it tells.

use std::collections::BTreeMap;

use crate::{item::Shape, sites::Place, subject::Operation};

/// How full the queue is, and how many bands it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weather {
    /// Mostly empty.
    Sparse,
    /// Hundreds of items.
    Busy,
    /// 64 bands, so that something happens for the first time for a while.
    New,
    /// One band, and threads that sleep often, so also between claim and publish.
    Rough,
}

impl Weather {
    pub(crate) const ALL: [Self; 4] = [Self::Sparse, Self::Busy, Self::New, Self::Rough];

    pub(crate) fn bands(self) -> u8 {
        match self {
            Self::Sparse => 3,
            Self::Busy => 2,
            Self::New => 64,
            Self::Rough => 1,
        }
    }

    /// Items in the queue beyond which producers wait.
    pub(crate) fn backlog(self) -> isize {
        match self {
            Self::Sparse => 3,
            Self::Busy => 1000,
            Self::New => 150,
            Self::Rough => 8,
        }
    }

    /// Of 512 accesses, at how many a thread on its way sleeps.
    pub(crate) fn sleeps(self) -> u64 {
        match self {
            Self::Sparse | Self::Busy | Self::New => 1,
            Self::Rough => 40,
        }
    }

    /// Worlds to look for sites in.
    pub(crate) fn worlds(self) -> u64 {
        match self {
            Self::Sparse | Self::Busy => 2,
            Self::Rough => 4,
            Self::New => 8,
        }
    }
}

/// When a thread is stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    Never,
    /// Before it passes this place for the so-manieth time.
    At {
        place: Place,
        visit: u64,
    },
    /// Before its so-manieth access.
    After {
        accesses: u64,
    },
}

/// A thread that is stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Victim {
    pub(crate) operation: Operation,
    pub(crate) stop: Stop,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    pub(crate) weather: Weather,
    pub(crate) victims: Vec<Victim>,
    /// Operations for the others once all victims are stopped.
    pub(crate) operations: u64,
    pub(crate) seed: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Whether every victim was stopped.
    pub(crate) stopped: bool,
    /// What the others completed meanwhile.
    pub(crate) others: u64,
    /// Items that the stopped calls held.
    pub(crate) held: usize,
    /// Where the victims came by, and how often.
    pub(crate) visits: BTreeMap<Place, u64>,
}

/// Of those that are not stopped.
pub(crate) const PRODUCERS: usize = 2;
