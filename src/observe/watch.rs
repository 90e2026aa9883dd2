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
        let missed = longest.max().filter(|_| over.is_none() && others > 0);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The band that is watched, and its limit.
    const BAND: Band = Band::new(1);
    const LIMIT: u64 = 10;

    const fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    /// Times of so many milliseconds.
    fn times(of: &[u64]) -> Latencies {
        Latencies::of(of.iter().map(|ms| ms * 1_000_000))
    }

    /// Three bands, the middle one with these.
    fn sight(oldest: Option<u64>, get: &[u64], gone: &[u64]) -> Sight {
        let mut bands: Vec<_> = (0..3)
            .map(|n| BandSnapshot::unobserved(Band::from_index(n), 0))
            .collect();
        bands[1].oldest = oldest.map(ms);
        (bands[1].get, bands[1].gone) = (times(get), times(gone));
        Sight {
            snapshot: Snapshot {
                bands,
                used: 3,
                capacity: None,
                senders: 1,
                receivers: 1,
                senders_waiting: 0,
                receivers_waiting: 0,
                observed_for: Some(Duration::ZERO),
            },
            inverted: 0,
            running: Vec::new(),
        }
    }

    fn waits(oldest: u64) -> Sight {
        sight(Some(oldest), &[], &[])
    }

    fn inverted(oldest: u64, bands: u64) -> Sight {
        let mut sight = waits(oldest);
        sight.inverted = bands;
        sight
    }

    fn nothing() -> Sight {
        sight(None, &[], &[])
    }

    fn received(get: &[u64]) -> Sight {
        sight(None, get, &[])
    }

    fn used(used: usize, capacity: Option<usize>) -> Sight {
        let mut sight = nothing();
        (sight.snapshot.used, sight.snapshot.capacity) = (used, capacity);
        sight
    }

    fn watch() -> Watch {
        Watch::new(&[(BAND, ms(LIMIT))], &nothing().snapshot)
    }

    /// Stage, age, how long it lasted, how many were left out; times in milliseconds.
    type Said = (Stage, u128, u128, u64);

    /// What is said of the band, all of that kind.
    fn said(watch: &mut Watch, kind: AlarmKind, sight: &Sight, now: u64) -> Vec<Said> {
        let alarms = watch.look(sight, ms(now)).into_iter();
        let said = alarms.map(|alarm| {
            let of = (alarm.kind, alarm.band, alarm.limit);
            let expected = match kind {
                AlarmKind::NearlyFull => (kind, None, Duration::ZERO),
                _ => (kind, Some(BAND), ms(LIMIT)),
            };
            assert_eq!(of, expected);
            assert_eq!(alarm.used, sight.snapshot.used);
            assert_eq!(alarm.capacity, sight.snapshot.capacity);
            let (age, lasted) = (alarm.age.as_millis(), alarm.lasted.as_millis());
            (alarm.stage, age, lasted, alarm.left_out)
        });
        said.collect()
    }

    fn starved(watch: &mut Watch, sight: &Sight, now: u64) -> Vec<Said> {
        said(watch, AlarmKind::Starved, sight, now)
    }

    fn full(watch: &mut Watch, sight: &Sight, now: u64) -> Vec<Said> {
        said(watch, AlarmKind::NearlyFull, sight, now)
    }

    #[test]
    fn an_episode_is_said_when_it_begins_at_each_doubling_and_at_its_end() {
        let mut watch = watch();
        assert_eq!(starved(&mut watch, &waits(10), 109), []);
        let began = starved(&mut watch, &waits(12), 111);
        assert_eq!(began, [(Stage::Began, 12, 2, 0)]); // since 109
        assert_eq!(starved(&mut watch, &waits(23), 122), []);
        assert_eq!(starved(&mut watch, &waits(15), 123), []);
        let lasts = starved(&mut watch, &waits(24), 124);
        assert_eq!(lasts, [(Stage::Lasts, 24, 15, 2)]);
        assert_eq!(starved(&mut watch, &waits(47), 147), []);
        assert_eq!(starved(&mut watch, &waits(11), 148), []);
        let lasts = starved(&mut watch, &waits(60), 160);
        assert_eq!(lasts, [(Stage::Lasts, 60, 51, 2)]);
        assert_eq!(starved(&mut watch, &waits(30), 180), []);
        let ended = starved(&mut watch, &nothing(), 190);
        assert_eq!(ended, [(Stage::Ended, 60, 81, 1)]);
        assert_eq!(starved(&mut watch, &nothing(), 191), []);
        let again = starved(&mut watch, &waits(11), 211);
        assert_eq!(again, [(Stage::Began, 11, 1, 0)]);
    }

    #[test]
    fn an_inversion_is_called_so_at_once_and_until_the_end() {
        let inversion = AlarmKind::Inversion;
        let mut watch = watch();
        assert_eq!(said(&mut watch, inversion, &inverted(11, 2), 11).len(), 1);
        assert_eq!(said(&mut watch, inversion, &inverted(12, 2), 12), []);
        assert_eq!(said(&mut watch, inversion, &waits(13), 13), []);
        let ended = said(&mut watch, inversion, &nothing(), 14);
        assert_eq!(ended, [(Stage::Ended, 13, 4, 2)]);
        // Of another band.
        assert_eq!(starved(&mut watch, &inverted(11, 1 | 4), 30).len(), 1);
    }

    #[test]
    fn what_turns_out_to_be_an_inversion_is_said_again_once() {
        let mut watch = watch();
        assert_eq!(starved(&mut watch, &waits(11), 11).len(), 1);
        let turned = said(&mut watch, AlarmKind::Inversion, &inverted(12, 2), 12);
        assert_eq!(turned, [(Stage::Lasts, 12, 2, 0)]);
        assert_eq!(said(&mut watch, AlarmKind::Inversion, &waits(13), 13), []);
        let still = said(&mut watch, AlarmKind::Inversion, &inverted(14, 2), 14);
        assert_eq!(still, []);
        let doubled = said(&mut watch, AlarmKind::Inversion, &waits(24), 24);
        assert_eq!(doubled, [(Stage::Lasts, 24, 14, 2)]);
    }

    #[test]
    fn what_waited_for_too_long_between_two_looks_is_said_as_both_once() {
        let mut watch = watch();
        assert_eq!(starved(&mut watch, &received(&[1]), 1), []);
        let both = |age: u128| {
            let lasted = age - u128::from(LIMIT);
            [
                (Stage::Began, age, lasted, 0),
                (Stage::Ended, age, lasted, 0),
            ]
        };
        let of = |sight: &Sight| {
            let times = [&sight.snapshot.bands[1].get, &sight.snapshot.bands[1].gone];
            let longest = times.map(|times| times.longest_at_least());
            longest.into_iter().max().flatten().unwrap().as_millis()
        };
        let late = received(&[1, 500, 300]);
        assert_eq!(starved(&mut watch, &late, 600), both(of(&late)));
        assert!((490..=500).contains(&of(&late)));
        assert_eq!(starved(&mut watch, &late, 601), []);
        // Evicted or expired.
        let gone = sight(None, &[1, 500, 300], &[100]);
        let only = sight(None, &[], &[100]);
        assert_eq!(starved(&mut watch, &gone, 700), both(of(&only)));
        assert_eq!(starved(&mut watch, &gone, 701), []);
        // Not for too long.
        let short = sight(None, &[1, 500, 300, 9], &[100, 2]);
        assert_eq!(starved(&mut watch, &short, 800), []);
    }

    #[test]
    fn what_was_there_before_the_first_look_is_not_said() {
        let before = sight(None, &[500], &[400]);
        let mut watch = Watch::new(&[(BAND, ms(LIMIT))], &before.snapshot);
        assert_eq!(starved(&mut watch, &before, 1), []);
    }

    #[test]
    fn the_item_of_an_episode_is_not_said_twice() {
        let mut watch = watch();
        // Counted with its end.
        assert_eq!(starved(&mut watch, &waits(20), 20).len(), 1);
        let ended = starved(&mut watch, &received(&[25]), 26);
        assert_eq!(ended, [(Stage::Ended, 20, 16, 0)]);
        assert_eq!(starved(&mut watch, &received(&[25; 2]), 30).len(), 2);
        // Counted only later.
        assert_eq!(
            starved(&mut watch, &sight(Some(20), &[25; 2], &[]), 50).len(),
            1
        );
        assert_eq!(starved(&mut watch, &received(&[25; 2]), 60).len(), 1);
        assert_eq!(starved(&mut watch, &received(&[25; 3]), 61), []);
        assert_eq!(starved(&mut watch, &received(&[25; 4]), 62).len(), 2);
        // And another one with it.
        assert_eq!(
            starved(&mut watch, &sight(Some(20), &[25; 4], &[]), 90).len(),
            1
        );
        assert_eq!(starved(&mut watch, &received(&[25; 6]), 99).len(), 3);
    }

    #[test]
    fn while_something_waits_for_too_long_what_goes_is_part_of_it() {
        let mut watch = watch();
        let first = sight(Some(11), &[25; 2], &[]);
        assert_eq!(starved(&mut watch, &first, 20).len(), 1);
        let next = sight(Some(11), &[25; 4], &[]);
        assert_eq!(starved(&mut watch, &next, 30), []);
        assert_eq!(starved(&mut watch, &received(&[25; 5]), 40).len(), 1);
    }

    #[test]
    fn nearly_full_is_above_nine_tenths_until_no_more_than_eight() {
        let mut watch = watch();
        assert_eq!(full(&mut watch, &used(9, Some(10)), 50), []);
        let began = full(&mut watch, &used(10, Some(10)), 100);
        assert_eq!(began, [(Stage::Began, 1_000, 0, 0)]); // so much at the least
        assert_eq!(full(&mut watch, &used(9, Some(10)), 2_099), []);
        let lasts = full(&mut watch, &used(9, Some(10)), 2_100);
        assert_eq!(lasts, [(Stage::Lasts, 2_000, 2_000, 1)]);
        assert_eq!(full(&mut watch, &used(10, Some(10)), 3_100), []);
        let ended = full(&mut watch, &used(8, Some(10)), 3_200);
        assert_eq!(ended, [(Stage::Ended, 3_000, 3_100, 1)]);
        assert_eq!(full(&mut watch, &used(9, Some(10)), 3_300), []);
        // The largest there is, and a limit that is taken away.
        let most = used(usize::MAX, Some(usize::MAX));
        assert_eq!(full(&mut watch, &most, 4_000).len(), 1);
        assert_eq!(full(&mut watch, &used(usize::MAX, None), 4_001).len(), 1);
        assert_eq!(full(&mut watch, &used(usize::MAX, None), 4_002), []);
    }

    #[test]
    fn of_several_limits_for_a_band_the_last_counts_and_the_shortest_is_known() {
        let limits = [
            (BAND, ms(1)),
            (Band::new(7), ms(2)),
            (BAND, ms(LIMIT)),
            (Band::new(2), ms(40)),
        ];
        let mut watch = Watch::new(&limits, &nothing().snapshot);
        assert_eq!(watch.shortest_limit(), Some(ms(LIMIT)));
        assert_eq!(starved(&mut watch, &waits(LIMIT), 10), []);
        assert_eq!(starved(&mut watch, &waits(LIMIT + 1), 11).len(), 1);
        assert_eq!(Watch::new(&[], &nothing().snapshot).shortest_limit(), None);
    }
}
