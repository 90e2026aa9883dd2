//! [`Snapshot`]: what a channel is like at one time.

use super::latency::Latencies;
use crate::band::Band;
use core::fmt;
use std::time::Duration;

/// What a channel is like at one time, made by
/// [`Receiver::snapshot`](crate::Receiver::snapshot) or
/// [`Sender::snapshot`](crate::Sender::snapshot).
///
/// Its [`Display`](fmt::Display) is a table of at most 80 columns. With the feature `serde` it is
/// `Serialize`.
///
/// ```
/// # use bandq::{Band, Builder};
/// let (sender, receiver) = Builder::new(2).capacity(10).observe().build()?;
/// sender.try_send_many(Band::new(1), ["a", "b", "c"])?;
/// receiver.try_recv()?;
/// let snapshot = receiver.snapshot();
/// assert_eq!((snapshot.used, snapshot.capacity), (2, Some(10)));
/// let band = &snapshot.bands[1];
/// assert_eq!((band.sent, band.received, band.len), (3, 1, 2));
/// println!("{snapshot}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// One for each band, the most urgent first.
    pub bands: Vec<BandSnapshot>,
    /// The units of room that are in use, permits among them; of a channel without a limit, its
    /// items.
    pub used: usize,
    /// As [`Receiver::capacity`](crate::Receiver::capacity).
    pub capacity: Option<usize>,
    /// The number of senders.
    pub senders: usize,
    /// The number of receivers.
    pub receivers: usize,
    /// How many senders wait for room.
    pub senders_waiting: usize,
    /// How many receives and streams wait for an item.
    pub receivers_waiting: usize,
    /// For how long the channel is observed; `None` if it is not.
    pub observed_for: Option<Duration>,
}

/// What one band of a channel is like at one time, a part of a [`Snapshot`].
///
/// At rest, `sent` is the sum of `received`, `evicted`, `expired`, `dropped` and `len`.
///
/// ```
/// # use bandq::{Band, Builder};
/// let (sender, receiver) = Builder::new(1).capacity(1).observe().build()?;
/// sender.try_send(Band::URGENT, 1)?;
/// assert!(sender.try_send(Band::URGENT, 2).is_err());
/// let band = &sender.snapshot().bands[0];
/// assert_eq!((band.sent, band.refused, band.len), (1, 1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BandSnapshot {
    /// Which band it is.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_number"))]
    pub band: Band,
    /// The items in it.
    pub len: usize,
    /// For how long its oldest item has waited.
    pub oldest: Option<Duration>,
    /// Items that were accepted.
    pub sent: u64,
    /// Items that were received.
    pub received: u64,
    /// Items that had to go for more urgent ones.
    pub evicted: u64,
    /// Items whose time to live was over.
    pub expired: u64,
    /// Items that were there when the last receiver went.
    pub dropped: u64,
    /// Items, and reservations, that came back to their sender, for whatever reason.
    pub refused: u64,
    /// Of them: because there was no room, or not in time.
    pub refused_full: u64,
    /// Of them: because they would have expired before they were reached.
    pub refused_late: u64,
    /// How many work on its items: [`Receiver::working`](crate::Receiver::working).
    pub running: usize,
    /// For how long something waited in it while all who could have taken it were at less urgent
    /// work.
    pub inversion: Duration,
    /// From send to receive.
    pub get: Latencies,
    /// How long senders waited for room: nothing for those that found it at once. A reservation
    /// counts when it has got its room after a wait, else when something is sent by it.
    pub put: Latencies,
    /// From send to eviction or expiry.
    pub gone: Latencies,
}

impl BandSnapshot {
    /// Of a channel of which no more is known than how many items there are.
    pub(crate) fn unobserved(band: Band, len: usize) -> Self {
        Self {
            band,
            len,
            oldest: None,
            sent: 0,
            received: 0,
            evicted: 0,
            expired: 0,
            dropped: 0,
            refused: 0,
            refused_full: 0,
            refused_late: 0,
            running: 0,
            inversion: Duration::ZERO,
            get: Latencies::default(),
            put: Latencies::default(),
            gone: Latencies::default(),
        }
    }
}

#[cfg(feature = "serde")]
fn as_number<S: serde::Serializer>(band: &Band, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(u8::from(*band))
}

/// How large a capacity may be so that items wait no longer than `target` in the mean, while the
/// channel is full: Little's law (J. D. C. Little, "A Proof for the Queuing Formula L = λW",
/// Operations Research 9, 1961). As many items are in a queue as come in in a time, times the time
/// that each is in it. The law is about means: under a priority order urgent items wait less than
/// that, and others more. It counts items; a channel with a weigher needs that many times the mean
/// weight.
///
/// The rate is that of all sends since the channel is observed, so ask after a time that is like
/// those to come; what was refused does not count. At least 1. Of a channel that is not observed,
/// or into which nothing was sent, nothing is known, and the answer is 1.
///
/// For example, 500 items a second that may wait 200 ms each are 100 items. (A time in milliseconds
/// has to be divided by 1,000 once, to get seconds, before it is multiplied with a rate a second;
/// items come out of it, not a time.)
///
/// ```
/// # use bandq::{Band, Builder, suggest_capacity};
/// # use std::{thread::sleep, time::Duration};
/// let (sender, receiver) = Builder::new(1).observe().build()?;
/// for _ in 0..20 {
///     sender.try_send(Band::URGENT, ())?;
///     receiver.try_recv()?;
///     sleep(Duration::from_millis(1));
/// }
/// // At most a thousand a second. For `Builder::capacity`, or `set_capacity` of a bounded channel:
/// let capacity = suggest_capacity(&receiver.snapshot(), Duration::from_secs(1));
/// assert!((10..=1000).contains(&capacity), "{capacity}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn suggest_capacity(snapshot: &Snapshot, target: Duration) -> usize {
    let sent: u64 = snapshot.bands.iter().map(|band| band.sent).sum();
    let seconds = snapshot.observed_for.unwrap_or_default().as_secs_f64();
    if seconds <= 0.0 {
        return 1;
    }
    let items = sent as f64 / seconds * target.as_secs_f64();
    (items.round() as usize).max(1) // which saturates
}

impl fmt::Display for Snapshot {
    /// A line about the channel, and a table with a line for each band.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.capacity {
            Some(capacity) => write!(f, "{} of {capacity} used", self.used)?,
            None => write!(f, "{} used, no capacity", self.used)?,
        }
        writeln!(
            f,
            "; senders {} ({} waiting), receivers {} ({} waiting)",
            self.senders, self.senders_waiting, self.receivers, self.receivers_waiting
        )?;
        let Some(_) = self.observed_for else {
            write!(f, "band       len")?;
            for band in &self.bands {
                write!(
                    f,
                    "\n{:>4}{:>10}",
                    band.band.index(),
                    Number(band.len as u64)
                )?;
            }
            return Ok(());
        };
        write!(
            f,
            "band   len oldest    sent   recvd evict expir refus run invert   p50   p99"
        )?;
        for band in &self.bands {
            write!(
                f,
                "\n{:>4}{:>6}{:>7}{:>8}{:>8}{:>6}{:>6}{:>6}{:>4}{:>7}{:>6}{:>6}",
                band.band.index(),
                Number(band.len as u64),
                Time(band.oldest),
                Number(band.sent),
                Number(band.received),
                Number(band.evicted),
                Number(band.expired),
                Number(band.refused),
                Number(band.running as u64),
                Time(Some(band.inversion)),
                Time(band.get.quantile(0.5)),
                Time(band.get.quantile(0.99)),
            )?;
        }
        Ok(())
    }
}

/// A number of at most five characters, rounded down.
struct Number(u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (1_000_000_000_000, "T"),
            (1_000_000_000, "G"),
            (1_000_000, "M"),
            (1_000, "k"),
        ];
        let unit = units.iter().find(|(unit, _)| self.0 >= unit * 10);
        match unit {
            Some((unit, name)) => f.pad(&format!("{}{name}", self.0 / unit)),
            None => f.pad(&self.0.to_string()),
        }
    }
}

/// A time of at most five characters, rounded down.
struct Time(Option<Duration>);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(time) = self.0 else {
            return f.pad("-");
        };
        let nanos = time.as_nanos();
        let units = [
            (86_400_000_000_000, "d"),
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
        ];
        match units.iter().find(|(unit, _)| nanos >= *unit) {
            Some((unit, name)) => f.pad(&format!("{}{name}", nanos / unit)),
            None if nanos == 0 => f.pad("0"),
            None => f.pad("<1us"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_five_characters_at_the_most_and_is_rounded_down() {
        let numbers = [
            (0, "    0"),
            (9_999, " 9999"),
            (10_000, "  10k"),
            (9_999_999, "9999k"),
            (10_000_000, "  10M"),
            (10_500_000_000, "  10G"),
            (9_999_999_999_999, "9999G"),
            (10_000_000_000_000, "  10T"),
        ];
        for (number, text) in numbers {
            assert_eq!(format!("{:>5}", Number(number)), text);
        }
    }

    #[test]
    fn a_time_has_five_characters_at_the_most_and_is_rounded_down() {
        let times = [
            (Duration::ZERO, "    0"),
            (Duration::from_nanos(1), " <1us"),
            (Duration::from_nanos(999), " <1us"),
            (Duration::from_nanos(1_000), "  1us"),
            (Duration::from_nanos(999_999), "999us"),
            (Duration::from_millis(1), "  1ms"),
            (Duration::from_millis(1_999), "   1s"),
            (Duration::from_secs(59), "  59s"),
            (Duration::from_secs(60), "   1m"),
            (Duration::from_secs(3_599), "  59m"),
            (Duration::from_secs(7_199), "   1h"),
            (Duration::from_secs(86_400 * 3), "   3d"),
        ];
        for (time, text) in times {
            assert_eq!(format!("{:>5}", Time(Some(time))), text);
        }
        assert_eq!(format!("{:>5}", Time(None)), "    -");
    }
}
