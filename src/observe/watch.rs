//! When a watchdog speaks: rules without a clock and without a thread.
//!
//! An **episode** is a time in which something is wrong. It is reported when it begins, again each
//! time it has become twice as bad, and when it ends. So there are as many reports as the episode
//! has powers of two, and it never falls silent for good.
//!
//! What began and ended between two looks is in the histograms: an item that has waited for longer
//! than the limit, and is gone. It is reported as both at once.

use super::alarm::{Alarm, AlarmKind, Stage};
use crate::{
    band::Band,
    record::{BandSnapshot, Latencies, Running, Snapshot},
};
use std::time::Duration;

/// The part of a capacity above which a channel is nearly full, in tenths; and the one to which it
/// has to come down to be no longer so, or a channel that is just there would say so all the time.
const NEARLY_FULL: usize = 9;
const NO_LONGER: usize = 8;

/// Nearly full for less than this counts as for so long: from here on it doubles.
const SHORT: Duration = Duration::from_secs(1);

/// What a look has found.
pub(super) struct Sight {
    pub(super) snapshot: Snapshot,
    /// The bands that are inverted, a bit a band.
    pub(super) inverted: u64,
    pub(super) running: Vec<Running>,
}

/// What is known of a condition from look to look.
#[derive(Default)]
struct Condition {
    episode: Option<Episode>,
}

struct Episode {
    kind: AlarmKind,
    began: Duration,
    /// How bad it was at the last report, and at its worst.
    reported: Duration,
    worst: Duration,
    left_out: u64,
}

/// What a condition has to say.
struct Report {
    kind: AlarmKind,
    stage: Stage,
    age: Duration,
    lasted: Duration,
    left_out: u64,
}

impl Condition {
    /// It is wrong: of this kind, so bad, since then.
    fn wrong(
        &mut self,
        kind: AlarmKind,
        age: Duration,
        since: Duration,
        now: Duration,
    ) -> Option<Report> {
        let report = |episode: &mut Episode, stage| {
            episode.reported = age;
            Some(Report {
                kind: episode.kind,
                stage,
                age,
                lasted: now.saturating_sub(episode.began),
                left_out: std::mem::take(&mut episode.left_out),
            })
        };
        let Some(episode) = &mut self.episode else {
            let episode = self.episode.insert(Episode {
                kind,
                began: since,
                reported: age,
                worst: age,
                left_out: 0,
            });
            return report(episode, Stage::Began);
        };
        episode.worst = episode.worst.max(age);
        let turned = kind == AlarmKind::Inversion && episode.kind != kind;
        if turned {
            episode.kind = kind;
        }
        if turned || age >= episode.reported * 2 {
            return report(episode, Stage::Lasts);
        }
        episode.left_out += 1;
        None
    }

    /// It is right.
    fn right(&mut self, now: Duration) -> Option<Report> {
        let episode = self.episode.take()?;
        Some(Report {
            kind: episode.kind,
            stage: Stage::Ended,
            age: episode.worst,
            lasted: now.saturating_sub(episode.began),
            left_out: episode.left_out,
        })
    }
}

/// One band with a limit.
struct Watched {
    band: Band,
    limit: Duration,
    condition: Condition,
    /// What had been received, and what had gone, at the last look.
    get: Latencies,
    gone: Latencies,
    /// Whether an episode ended at the last look, and its item was not counted yet.
    is_owed: bool,
}

impl Watched {
    fn look(
        &mut self,
        band: &BandSnapshot,
        is_inverted: bool,
        now: Duration,
    ) -> impl Iterator<Item = Report> + use<> {
        let limit = self.limit;
        let over = band.oldest.filter(|age| *age > limit);
        let report = match over {
            Some(age) => {
                let kind = if is_inverted {
                    AlarmKind::Inversion
                } else {
                    AlarmKind::Starved
                };
                let since = now.saturating_sub(age - limit);
                self.condition.wrong(kind, age, since, now)
            }
            None => self.condition.right(now),
        };
        let late = || [(&band.get, &self.get), (&band.gone, &self.gone)].into_iter();
        let ended = report.as_ref().is_some_and(|r| r.stage == Stage::Ended);
        let count: u64 = late()
            .map(|(times, before)| times.since(before).count_at_least(limit))
            .sum();
        // One of them is that of the episode: counted with its end, or only at the next look.
        let others = count.saturating_sub(u64::from(ended || self.is_owed));
        let longest = late().filter_map(|(times, before)| times.since(before).longest_at_least());
        let missed = longest
            .max()
            .filter(|age| over.is_none() && others > 0 && *age > limit);
        let missed = missed.into_iter().flat_map(move |age| {
            [Stage::Began, Stage::Ended].map(|stage| Report {
                kind: AlarmKind::Starved,
                stage,
                age,
                lasted: age - limit,
                left_out: 0,
            })
        });
        self.is_owed = ended && count == 0;
        self.get = band.get.clone();
        self.gone = band.gone.clone();
        report.into_iter().chain(missed)
    }
}

/// What is watched of a channel.
pub(super) struct Watch {
    bands: Vec<Watched>,
    room: Condition,
}

impl Watch {
    /// With a limit for some bands; of several for one band, the last counts.
    pub(super) fn new(limits: &[(Band, Duration)], first: &Snapshot) -> Self {
        let watched = first.bands.iter().filter_map(|band| {
            let (_, limit) = limits.iter().rfind(|(of, _)| *of == band.band)?;
            Some(Watched {
                band: band.band,
                limit: *limit,
                condition: Condition::default(),
                get: band.get.clone(),
                gone: band.gone.clone(),
                is_owed: false,
            })
        });
        Self {
            bands: watched.collect(),
            room: Condition::default(),
        }
    }

    /// The shortest limit of a band that there is.
    pub(super) fn shortest_limit(&self) -> Option<Duration> {
        self.bands.iter().map(|watched| watched.limit).min()
    }

    /// What there is to say of a look at that time.
    pub(super) fn look(&mut self, sight: &Sight, now: Duration) -> Vec<Alarm> {
        let snapshot = &sight.snapshot;
        let alarm = |report: Report, band, limit| Alarm {
            kind: report.kind,
            stage: report.stage,
            band,
            age: report.age,
            limit,
            lasted: report.lasted,
            left_out: report.left_out,
            used: snapshot.used,
            capacity: snapshot.capacity,
            running: sight.running.clone(),
            dump: None,
        };
        let mut alarms = Vec::new();
        for watched in &mut self.bands {
            let band = &snapshot.bands[watched.band.index()];
            let is_inverted = sight.inverted & (1 << watched.band.index()) != 0;
            let reports = watched.look(band, is_inverted, now);
            alarms.extend(reports.map(|r| alarm(r, Some(watched.band), watched.limit)));
        }
        alarms.extend(
            self.room(snapshot, now)
                .map(|r| alarm(r, None, Duration::ZERO)),
        );
        alarms
    }

    fn room(&mut self, snapshot: &Snapshot, now: Duration) -> Option<Report> {
        let is_above = |tenths| {
            let capacity = snapshot.capacity?;
            Some(snapshot.used as u128 * 10 > capacity as u128 * tenths as u128)
        };
        let since = self.room.episode.as_ref().map(|episode| episode.began);
        let most = if since.is_some() {
            NO_LONGER
        } else {
            NEARLY_FULL
        };
        if is_above(most) == Some(true) {
            let since = since.unwrap_or(now);
            let age = now.saturating_sub(since).max(SHORT);
            self.room.wrong(AlarmKind::NearlyFull, age, since, now)
        } else {
            self.room.right(now)
        }
    }
}
