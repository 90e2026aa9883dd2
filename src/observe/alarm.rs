//! [`Alarm`]: what a watchdog says.

use crate::{band::Band, record::Running};
use core::fmt;
use std::time::Duration;

/// What is wrong.
///
/// ```
/// assert_eq!(bandq::observe::AlarmKind::Inversion.to_string(), "inversion");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlarmKind {
    /// The oldest item of a band has waited for longer than its limit.
    Starved,
    /// The same, while all who could take it are at less urgent work.
    Inversion,
    /// More than nine tenths of the capacity are in use.
    NearlyFull,
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Starved => "starved",
            Self::Inversion => "inversion",
            Self::NearlyFull => "nearly full",
        })
    }
}

/// Which report of an episode it is.
///
/// ```
/// assert_eq!(bandq::observe::Stage::Ended.to_string(), "ended");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The first.
    Began,
    /// It has become twice as bad since the last report, or it has turned out to be an inversion.
    Lasts,
    /// It is over: the last one.
    Ended,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Began => "began",
            Self::Lasts => "lasts",
            Self::Ended => "ended",
        })
    }
}

/// What a [`Watchdog`](super::Watchdog) says; its [`Display`](fmt::Display) is one line, and one
/// more for each piece of work that runs.
///
/// ```
/// # use bandq::{Band, Builder, observe::{AlarmKind, Watchdog}};
/// # use std::{sync::mpsc, time::Duration};
/// let (sender, receiver) = Builder::new(2).observe().build()?;
/// let (say, heard) = mpsc::channel();
/// let _watchdog = Watchdog::new(&receiver)
///     .limit(Band::new(1), Duration::from_millis(20))
///     .spawn(move |alarm| _ = say.send(alarm))?;
/// sender.try_send(Band::new(1), "nobody takes it")?;
/// let alarm = heard.recv()?;
/// assert_eq!((alarm.kind, alarm.band), (AlarmKind::Starved, Some(Band::new(1))));
/// assert!(alarm.age > alarm.limit);
/// println!("{alarm}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alarm {
    /// What is wrong; of the last report of an episode, the worst of what it was.
    pub kind: AlarmKind,
    /// Which report of the episode it is.
    pub stage: Stage,
    /// Of which band; `None` if it is about the capacity.
    pub band: Option<Band>,
    /// For how long the oldest item has waited, at the end: the longest that was seen; or for how
    /// long the channel is nearly full.
    pub age: Duration,
    /// How long it may wait; nothing if it is about the capacity.
    pub limit: Duration,
    /// For how long it has been wrong: since the limit was passed.
    pub lasted: Duration,
    /// How many looks have found it since the last report, and were left out.
    pub left_out: u64,
    /// The units of room in use.
    pub used: usize,
    /// The capacity, if there is one.
    pub capacity: Option<usize>,
    /// What is being worked on, as far as it is known: see
    /// [`Receiver::working`](crate::Receiver::working). The longest first.
    pub running: Vec<Running>,
    /// What [`WatchdogBuilder::dump`](super::WatchdogBuilder::dump) returned.
    pub dump: Option<String>,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.kind, self.stage)?;
        match (self.band, self.capacity) {
            (Some(band), _) => write!(
                f,
                "band {band} waited for {:.1?}, limit {:?}",
                self.age, self.limit
            )?,
            (None, Some(capacity)) => write!(f, "{} of {capacity} used", self.used)?,
            (None, None) => write!(f, "{} used", self.used)?,
        }
        write!(f, ", for {:.1?}", self.lasted)?;
        if self.left_out > 0 {
            write!(f, " ({} looks left out)", self.left_out)?;
        }
        for running in &self.running {
            write!(f, "\n  at work: {running}")?;
        }
        if let Some(dump) = &self.dump {
            write!(f, "\n{dump}")?;
        }
        Ok(())
    }
}
