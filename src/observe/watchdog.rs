//! [`Watchdog`]: a thread that looks at a channel and speaks up.

use super::{
    alarm::{Alarm, Stage},
    watch::{Sight, Watch},
};
use crate::{band::Band, channel::Receiver, quiet::quietly};
use core::fmt;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How often it looks without being told: so often within the shortest limit, but no more often
/// than the first of these, and no more seldom than the second.
const LOOKS_A_LIMIT: u32 = 4;
const OFTEN: Duration = Duration::from_millis(5);
const SELDOM: Duration = Duration::from_millis(250);

/// It looks no more often, whatever it is told.
const LEAST: Duration = Duration::from_millis(1);

/// A thread of its own that looks at a channel again and again, and says when an item has waited
/// for too long or the room is nearly used up. It is a thread because a task on a runtime that
/// starves would starve with it.
///
/// | alarm | when |
/// |---|---|
/// | [`Starved`](super::AlarmKind::Starved) | the oldest item of a band waits for longer than its limit |
/// | [`Inversion`](super::AlarmKind::Inversion) | the same, while all who could take it are at less urgent work |
/// | [`NearlyFull`](super::AlarmKind::NearlyFull) | more than nine tenths of the capacity are in use, until no more than eight are |
///
/// Each is said when it begins, again each time it has become twice as bad, and once more when it
/// is over. An item that began to wait for too long and was taken between two looks is said as
/// both, at the next.
///
/// It keeps the channel neither open nor its receivers alive: it ends with the last
/// [`Receiver`], without a word about what was wrong then, or when it is dropped, which waits for a
/// call of the hook that runs. A look takes a [`snapshot`](Receiver::snapshot): some 0.3 ms where
/// 8 bands are in use.
///
/// ```
/// use bandq::{Band, Builder, observe::Watchdog};
/// use std::time::Duration;
///
/// let (sender, receiver) = Builder::new(8).capacity(1000).observe().build()?;
/// let watchdog = Watchdog::new(&receiver)
///     .limit(Band::URGENT, Duration::from_millis(100))
///     .limit(Band::new(7), Duration::from_secs(60))
///     .spawn(|alarm| eprintln!("{alarm}"))?;
/// sender.try_send(Band::URGENT, "work")?;
/// receiver.try_recv()?;
/// drop(watchdog);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a watchdog that is dropped ends"]
pub struct Watchdog {
    thread: Option<thread::JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
}

/// What a [`Watchdog`] is to look for, made by [`Watchdog::new`].
///
/// ```
/// # use bandq::{Band, observe::Watchdog};
/// # use std::time::Duration;
/// let (_sender, receiver) = bandq::Builder::<u32>::new(1).observe().build()?;
/// let builder = Watchdog::new(&receiver).limit(Band::URGENT, Duration::from_secs(1));
/// let _watchdog = builder.every(Duration::from_millis(50)).spawn(|alarm| println!("{alarm}"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nobody watches before `spawn`"]
pub struct WatchdogBuilder {
    look: Box<dyn Fn() -> Option<Sight> + Send>,
    limits: Vec<(Band, Duration)>,
    every: Option<Duration>,
    dump: Option<Box<dyn Fn() -> String + Send>>,
}

impl Watchdog {
    /// Of the channel of that receiver.
    ///
    /// ```
    /// # use bandq::observe::Watchdog;
    /// let (_sender, receiver) = bandq::unbounded::<u32>(1);
    /// let not_observed = Watchdog::new(&receiver).spawn(drop);
    /// assert!(not_observed.is_err());
    /// ```
    #[expect(
        clippy::new_ret_no_self,
        reason = "what it makes first has to be told more"
    )]
    pub fn new<T: Send + 'static>(receiver: &Receiver<T>) -> WatchdogBuilder {
        let channel = receiver.downgrade();
        WatchdogBuilder {
            look: Box::new(move || {
                let (snapshot, inverted, running) = channel.look()?;
                Some(Sight {
                    snapshot,
                    inverted,
                    running,
                })
            }),
            limits: Vec::new(),
            every: None,
            dump: None,
        }
    }
}

impl WatchdogBuilder {
    /// How long the oldest item of that band may wait. Asked for twice for one band, the later one
    /// counts; a band without a limit may wait for ever, and so may one that the channel does not
    /// have.
    ///
    /// ```
    /// # use bandq::{Band, observe::Watchdog};
    /// # use std::time::Duration;
    /// # let (_sender, receiver) = bandq::Builder::<u32>::new(1).observe().build()?;
    /// let builder = Watchdog::new(&receiver).limit(Band::URGENT, Duration::from_secs(1));
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn limit(mut self, band: impl Into<Band>, limit: Duration) -> Self {
        self.limits.push((band.into(), limit));
        self
    }

    /// How often it looks. Without this, four times within the shortest limit, but every 5 ms at
    /// the most and every 250 ms at the least. No more often than every millisecond.
    ///
    /// ```
    /// # use bandq::observe::Watchdog;
    /// # use std::time::Duration;
    /// # let (_sender, receiver) = bandq::Builder::<u32>::new(1).observe().build()?;
    /// let builder = Watchdog::new(&receiver).every(Duration::from_secs(1));
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn every(mut self, time: Duration) -> Self {
        self.every = Some(time);
        self
    }

    /// What else is to be said with an alarm, once it is on: a dump of the tasks that are blocked,
    /// say. It is called on the watchdog's thread.
    ///
    /// ```
    /// # use bandq::observe::Watchdog;
    /// # let (_sender, receiver) = bandq::Builder::<u32>::new(1).observe().build()?;
    /// let builder = Watchdog::new(&receiver).dump(|| "what my runtime knows".to_owned());
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn dump(mut self, dump: impl Fn() -> String + Send + 'static) -> Self {
        self.dump = Some(Box::new(dump));
        self
    }

    /// Begins to watch, on a thread of its own. The hook is called there, with each alarm, outside
    /// of every lock. If it panics, the panic ends there, once the panic hook has reported it.
    ///
    /// # Errors
    ///
    /// If the channel is not [observed](crate::Builder::observe), or the thread cannot be had.
    ///
    /// ```
    /// # use bandq::{Band, observe::Watchdog};
    /// # use std::time::Duration;
    /// let (_sender, receiver) = bandq::Builder::<u32>::new(1).observe().build()?;
    /// let watchdog = Watchdog::new(&receiver)
    ///     .limit(Band::URGENT, Duration::from_secs(1))
    ///     .spawn(|alarm| eprintln!("{alarm}"))?;
    /// # drop(watchdog);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn(self, mut hook: impl FnMut(Alarm) + Send + 'static) -> io::Result<Watchdog> {
        let not_observed = || io::Error::new(io::ErrorKind::InvalidInput, "it is not observed");
        let first = (self.look)()
            .filter(|sight| sight.snapshot.observed_for.is_some())
            .ok_or_else(not_observed)?;
        let mut watch = Watch::new(&self.limits, &first.snapshot);
        let every = interval(self.every, watch.shortest_limit());
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::Builder::new()
            .name("bandq-watchdog".to_owned())
            .spawn(move || {
                let began = Instant::now();
                while !over.load(Ordering::Relaxed) {
                    let Some(sight) = (self.look)() else {
                        return; // the last receiver is gone
                    };
                    for mut alarm in watch.look(&sight, began.elapsed()) {
                        if over.load(Ordering::Relaxed) {
                            return; // the hook has dropped us
                        }
                        if let Some(dump) = &self.dump {
                            if alarm.stage != Stage::Ended {
                                quietly(|| alarm.dump = Some(dump()));
                            }
                        }
                        #[cfg(feature = "tracing")]
                        quietly(|| trace(&alarm));
                        quietly(|| hook(alarm));
                    }
                    thread::park_timeout(every); // or until it is over
                }
            })?;
        Ok(Watchdog {
            thread: Some(thread),
            is_over,
        })
    }
}

/// The time from look to look: as it is told, or by the shortest limit.
fn interval(told: Option<Duration>, shortest_limit: Option<Duration>) -> Duration {
    let every = told.unwrap_or_else(|| match shortest_limit {
        Some(limit) => (limit / LOOKS_A_LIMIT).clamp(OFTEN, SELDOM),
        None => SELDOM,
    });
    every.max(LEAST)
}

/// An alarm as an event.
#[cfg(feature = "tracing")]
fn trace(alarm: &Alarm) {
    tracing::warn!(
        target: "bandq",
        kind = %alarm.kind,
        stage = %alarm.stage,
        band = alarm.band.map(Band::index),
        age_ms = alarm.age.as_millis() as u64,
        "{alarm}"
    );
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed); // and the thread looks when it is woken
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The hook may have dropped us.
            if thread.thread().id() != thread::current().id() {
                _ = thread.join(); // nothing in it panics
            }
        }
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog").finish_non_exhaustive()
    }
}

impl fmt::Debug for WatchdogBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchdogBuilder")
            .field("limits", &self.limits)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_four_times_within_the_shortest_limit_unless_it_is_told_otherwise() {
        let ms = Duration::from_millis;
        let by_limits = [(400, 100), (2, 5), (20, 5), (1_000, 250), (60_000, 250)];
        for (limit, every) in by_limits {
            assert_eq!(interval(None, Some(ms(limit))), ms(every), "limit {limit}");
        }
        assert_eq!(interval(None, None), ms(250));
        for (told, every) in [(0, 1), (2, 2), (9_000, 9_000)] {
            assert_eq!(interval(Some(ms(told)), Some(ms(400))), ms(every));
        }
    }
}
