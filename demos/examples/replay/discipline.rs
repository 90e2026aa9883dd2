//! How jobs are put into bands and served, and what goes through the channel for one.

use std::fmt;
use std::time::Instant;

use bandq::Band;
use serde::{Serialize, Serializer};

use crate::job::CLASSES;

/// How jobs are put into bands, and by which policy the bands are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discipline {
    /// First come, first served: one band.
    Fifo,
    /// A band for each class, served as bandq does by default.
    Priority,
    /// A band for each class, and the strict policy.
    Strict,
    /// A band for each class, and a weight for each.
    Weighted,
    /// A band for each class, and ageing.
    Ageing,
}

impl Discipline {
    pub(crate) fn bands(self) -> usize {
        match self {
            Discipline::Fifo => 1,
            _ => CLASSES.len(),
        }
    }

    /// The band that jobs of a class are sent in.
    pub(crate) fn band(self, class: usize) -> Band {
        match self {
            Discipline::Fifo => Band::URGENT,
            _ => Band::new(class as u8),
        }
    }

    /// Whether it was asked for by `--policy`, to be compared with other policies.
    pub(crate) fn is_policy(self) -> bool {
        !matches!(self, Discipline::Fifo | Discipline::Priority)
    }
}

impl fmt::Display for Discipline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Discipline::Fifo => "fifo",
            Discipline::Priority => "priority",
            Discipline::Strict => "strict",
            Discipline::Weighted => "weighted",
            Discipline::Ageing => "ageing",
        })
    }
}

impl Serialize for Discipline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What goes through the channel for a job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    /// The job's place in the plan.
    pub(crate) number: usize,
    pub(crate) sent: Instant,
}

impl Ticket {
    pub(crate) fn now(number: usize) -> Ticket {
        Ticket {
            number,
            sent: Instant::now(),
        }
    }
}
