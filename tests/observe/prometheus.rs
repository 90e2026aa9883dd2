//! What the collector exports is what the snapshot says, in a form that Prometheus reads.

use crate::support::{Watchdog, b};
use bandq::{Builder, Receiver, Sender, Snapshot, TrySendError, observe::prometheus::Collector};
use futures_lite::future::block_on;
use prometheus_client::{
    encoding::{prometheus_text, text},
    registry::Registry,
};
use std::{collections::BTreeMap, thread, time::Duration};

/// A line of what is exported: the labels in their order of names, and the number.
type Series = BTreeMap<Vec<(String, String)>, f64>;

/// What is exported, by name.
#[derive(Debug, Default)]
struct Exposition {
    types: BTreeMap<String, String>,
    units: BTreeMap<String, String>,
    series: BTreeMap<String, Series>,
}

impl Exposition {
    /// Reads either format, and fails where it is broken: a name said twice, a line of another name
    /// than the one said, a series twice.
    fn parse(text: &str) -> Self {
        let mut all = Exposition::default();
        let mut helped = Vec::new();
        let mut family = String::new();
        for line in text.lines() {
            if line == "# EOF" {
                continue;
            }
            if let Some(line) = line.strip_prefix("# ") {
                let mut words = line.splitn(3, ' ');
                let [kind, name, rest] = [(); 3].map(|()| words.next().expect(line).to_owned());
                match kind.as_str() {
                    "HELP" => {
                        assert!(!helped.contains(&name), "{name} twice");
                        assert!(rest.ends_with('.'), "{line}");
                        helped.push(name);
                    }
                    "TYPE" => {
                        assert_eq!(helped.last(), Some(&name));
                        family.clone_from(&name);
                        assert_eq!(all.types.insert(name, rest), None);
                    }
                    "UNIT" => {
                        assert!(name.ends_with(&format!("_{rest}")), "{line}");
                        all.units.insert(name, rest);
                    }
                    _ => panic!("{line}"),
                }
                continue;
            }
            let (name, labels, number) = parse_series(line);
            let rest = name.strip_prefix(&family).expect("of the family above");
            let suffixes: &[&str] = match all.types[&family].as_str() {
                "counter" => &["", "_total"],
                "gauge" => &[""],
                "histogram" => &["_sum", "_count", "_bucket"],
                other => panic!("{other}"),
            };
            assert!(suffixes.contains(&rest), "{name}");
            let series = all.series.entry(name).or_default();
            assert_eq!(series.insert(labels, number), None, "{line} twice");
        }
        all
    }

    /// The number with these labels, `NAME=VALUE` with a comma between; in the order of the names.
    #[track_caller]
    fn get(&self, name: &str, labels: &str) -> f64 {
        let series = self.series.get(name).unwrap_or_else(|| panic!("no {name}"));
        let pairs = labels.split(',').map(|label| {
            let (name, value) = label.split_once('=').expect("a label");
            (name.to_owned(), value.to_owned())
        });
        let found = series.get(&pairs.collect::<Vec<_>>());
        *found.unwrap_or_else(|| panic!("no {labels} among {series:#?}"))
    }

    fn has(&self, name: &str) -> bool {
        self.series.contains_key(name)
    }
}

/// `name{label="value",...} number`, with `\\`, `\"` and `\n` in values.
fn parse_series(line: &str) -> (String, Vec<(String, String)>, f64) {
    let (name, mut rest) = line.split_once('{').expect("all of them have labels");
    let mut labels = Vec::new();
    while !rest.starts_with('}') {
        let (label, value) = rest.split_once("=\"").expect("a value in quotes");
        let mut text = String::new();
        let mut chars = value.char_indices();
        let end = loop {
            match chars.next().expect("the value ends") {
                (end, '"') => break end + 1,
                (_, '\\') => match chars.next().expect("something after it").1 {
                    'n' => text.push('\n'),
                    c @ ('\\' | '"') => text.push(c),
                    c => panic!("\\{c} in {line}"),
                },
                (_, c) => text.push(c),
            }
        };
        labels.push((label.to_owned(), text));
        rest = value[end..].trim_start_matches(',');
    }
    labels.sort();
    let number = rest.strip_prefix("} ").expect("a number");
    let number = number.parse().unwrap_or_else(|_| panic!("{line}"));
    (name.to_owned(), labels, number)
}

fn registry(collector: &Collector) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collector.clone()));
    registry
}

/// What a server without OpenMetrics gets.
fn scrape_text(registry: &Registry) -> String {
    let mut text = String::new();
    prometheus_text::encode(&mut text, registry).expect("a string takes all");
    text
}

fn scrape(collector: &Collector) -> Exposition {
    Exposition::parse(&scrape_text(&registry(collector)))
}

/// A channel to which everything happened: evicted, expired, refused, waited for, left behind.
fn eventful() -> (Sender<u32>, Receiver<u32>) {
    let (sender, receiver) = Builder::new(3)
        .capacity(4)
        .ttl(b(1), Duration::from_millis(1))
        .observe()
        .build()
        .expect("all of it is allowed");
    sender.try_send(b(1), 0).expect("room"); // expires
    sender.try_send_many(b(2), 1..=3).expect("room");
    thread::sleep(Duration::from_millis(3));
    for item in 4..=6 {
        // The first finds the place of what has expired; for each other, one of band 2 has to go.
        let gone = sender.force_send(b(0), item).expect("something may go");
        assert_eq!(gone.len(), usize::from(item > 4));
    }
    for _ in 0..5 {
        let full = sender.try_send(b(2), 7);
        assert_eq!(full, Err(TrySendError::Full(7)));
    }
    thread::scope(|scope| {
        scope.spawn(|| sender.send_blocking(b(2), 8).expect("room, later"));
        while receiver.snapshot().senders_waiting == 0 {
            thread::yield_now();
        }
        receiver.try_recv().expect("an item");
    });
    receiver.try_recv().expect("an item");
    (sender, receiver)
}

/// Each number of the snapshot is exported, and is the same there.
#[track_caller]
fn assert_same(all: &Exposition, channel: &str, snapshot: &Snapshot) {
    let of_channel = format!("channel={channel}");
    let get = |name| all.get(name, &of_channel);
    if let Some(capacity) = snapshot.capacity {
        assert_eq!(get("bandq_queue_capacity"), capacity as f64);
        let load = snapshot.used as f64 / capacity as f64;
        assert_eq!(get("bandq_load_ratio"), load);
    }
    assert_eq!(
        get("bandq_senders_waiting"),
        snapshot.senders_waiting as f64
    );
    assert_eq!(
        get("bandq_receivers_waiting"),
        snapshot.receivers_waiting as f64
    );
    for band in &snapshot.bands {
        let labels = format!("band={},channel={channel}", band.band);
        let get = |name: &str| all.get(name, &labels);
        assert_eq!(get("bandq_queue_length"), band.len as f64);
        assert_eq!(get("bandq_running"), band.running as f64);
        assert_eq!(get("bandq_sent_total"), band.sent as f64);
        assert_eq!(get("bandq_received_total"), band.received as f64);
        let reason = |reason| all.get("bandq_dropped_total", &format!("{labels},reason={reason}"));
        assert_eq!(reason("evicted"), band.evicted as f64);
        assert_eq!(reason("expired"), band.expired as f64);
        assert_eq!(reason("shed"), band.refused_late as f64);
        assert_eq!(reason("full"), band.refused_full as f64);
        let others = band.refused - band.refused_full - band.refused_late;
        assert_eq!(reason("closed"), (others + band.dropped) as f64);
        for (name, times) in [("get", &band.get), ("put", &band.put)] {
            let of = |suffix: &str| get(&format!("bandq_{name}_latency_seconds_{suffix}"));
            assert_eq!(of("count"), times.count() as f64);
            assert!((of("sum") - times.sum().as_secs_f64()).abs() < 1e-9);
            assert_buckets(all, name, &labels, times.count() as f64);
            // The quantile lies in the bucket that has it.
            if let Some(median) = times.quantile(0.5) {
                let half = (times.count() as f64 / 2.0).ceil();
                let buckets = buckets(all, name, &labels);
                let found = buckets.iter().find(|(_, count)| *count >= half);
                let up_to = found.expect("the last has all").0;
                let median = median.as_secs_f64();
                assert!(median <= up_to && median >= up_to / 2.1 || up_to == 1e-6);
            }
        }
    }
}

/// The buckets of a band's times, the shortest first: up to what, and how many.
fn buckets(all: &Exposition, name: &str, labels: &str) -> Vec<(f64, f64)> {
    let series = &all.series[&format!("bandq_{name}_latency_seconds_bucket")];
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for (of, count) in series {
        let (le, others): (Vec<_>, Vec<_>) = of.iter().partition(|(name, _)| name == "le");
        let others: Vec<_> = others.iter().map(|(n, v)| format!("{n}={v}")).collect();
        if others.join(",") == labels {
            buckets.push((le[0].1.parse().expect("a number"), *count));
        }
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    buckets
}

/// They are those promised, never fewer up to more, and all in the last.
#[track_caller]
fn assert_buckets(all: &Exposition, name: &str, labels: &str, count: f64) {
    let buckets = buckets(all, name, labels);
    assert_eq!(buckets.len(), 25, "24 and one for all");
    for (power, (le, _)) in buckets[..24].iter().enumerate() {
        assert_eq!(*le, f64::powi(2.0, power as i32) / 1e6);
    }
    assert_eq!(buckets[24], (f64::INFINITY, count));
    assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1));
}

#[test]
fn every_number_is_the_snapshots() {
    let _watchdog = Watchdog::new("every_number_is_the_snapshots");
    let (sender, receiver) = eventful();
    let _working = receiver.working(b(1));
    let snapshot = receiver.snapshot();
    let all = scrape(&Collector::new("jobs", &receiver));
    assert_same(&all, "jobs", &snapshot);

    // None of them is 0 for the reason that nothing happened.
    let dropped = |band: u8, reason: &str| {
        let labels = format!("band={band},channel=jobs,reason={reason}");
        all.get("bandq_dropped_total", &labels)
    };
    assert_eq!(dropped(1, "expired"), 1.0);
    assert_eq!(dropped(2, "evicted"), 2.0);
    assert_eq!(dropped(2, "full"), 5.0);
    assert_eq!(all.get("bandq_sent_total", "band=2,channel=jobs"), 4.0);
    assert_eq!(all.get("bandq_received_total", "band=0,channel=jobs"), 2.0);
    assert_eq!(all.get("bandq_running", "band=1,channel=jobs"), 1.0);
    assert_eq!(all.get("bandq_load_ratio", "channel=jobs"), 0.75);
    assert!(all.get("bandq_oldest_age_seconds", "band=0,channel=jobs") > 0.0);
    assert_eq!(
        all.get("bandq_oldest_age_seconds", "band=1,channel=jobs"),
        0.0
    );
    assert!(all.get("bandq_put_latency_seconds_sum", "band=2,channel=jobs") > 0.0);
    drop(sender);
}

#[test]
fn inversion_is_exported_and_never_goes_down() {
    let (sender, receiver) = Builder::new(2).observe().build().unwrap();
    let collector = Collector::new("jobs", &receiver);
    let inversion =
        || scrape(&collector).get("bandq_inversion_seconds_total", "band=0,channel=jobs");
    assert_eq!(inversion(), 0.0);
    let working = receiver.working(b(1));
    sender.try_send(b(0), ()).unwrap();
    thread::sleep(Duration::from_millis(2));
    let during = inversion();
    assert!(during >= 0.002, "{during}");
    drop(working);
    let after = inversion();
    assert!(after >= during);
    assert_eq!(after, receiver.snapshot().bands[0].inversion.as_secs_f64());
}

#[test]
fn both_formats_say_units_types_and_totals() {
    let _watchdog = Watchdog::new("both_formats_say_units_types_and_totals");
    let (_sender, receiver) = eventful();
    let registry = registry(&Collector::new("jobs", &receiver));
    let mut open = String::new();
    text::encode(&mut open, &registry).unwrap();
    assert!(open.ends_with("# EOF\n"));
    let open = Exposition::parse(&open);
    assert_eq!(open.types["bandq_sent"], "counter");
    assert_eq!(open.types["bandq_dropped"], "counter");
    assert_eq!(open.types["bandq_get_latency_seconds"], "histogram");
    assert_eq!(open.units["bandq_get_latency_seconds"], "seconds");
    assert_eq!(open.units["bandq_put_latency_seconds"], "seconds");
    assert_eq!(open.units["bandq_oldest_age_seconds"], "seconds");
    assert_eq!(open.units["bandq_inversion_seconds"], "seconds");
    assert_eq!(open.units["bandq_load_ratio"], "ratio");

    let old = Exposition::parse(&scrape_text(&registry));
    let names: Vec<_> = old
        .types
        .iter()
        .map(|(n, t)| (n.as_str(), t.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("bandq_dropped_total", "counter"),
            ("bandq_get_latency_seconds", "histogram"),
            ("bandq_inversion_seconds_total", "counter"),
            ("bandq_load_ratio", "gauge"),
            ("bandq_oldest_age_seconds", "gauge"),
            ("bandq_put_latency_seconds", "histogram"),
            ("bandq_queue_capacity", "gauge"),
            ("bandq_queue_length", "gauge"),
            ("bandq_received_total", "counter"),
            ("bandq_receivers_waiting", "gauge"),
            ("bandq_running", "gauge"),
            ("bandq_senders_waiting", "gauge"),
            ("bandq_sent_total", "counter"),
        ]
    );
    // Only the bounds of buckets are written differently.
    let counts = |all: &Exposition| -> Vec<(String, usize)> {
        let series = all.series.iter();
        series
            .map(|(name, series)| (name.clone(), series.len()))
            .collect()
    };
    assert_eq!(counts(&open), counts(&old));
}

#[test]
fn several_channels_are_one_exposition() {
    let _watchdog = Watchdog::new("several_channels_are_one_exposition");
    let (_sender, first) = eventful();
    let (sender, second) = Builder::new(1).observe().build().unwrap();
    let collector = Collector::new("first", &first);
    let registry = registry(&collector);
    collector.add("second", &second); // when it is registered already
    sender.try_send(b(0), "another type").unwrap();
    let all = Exposition::parse(&scrape_text(&registry));
    assert_same(&all, "first", &first.snapshot());
    assert_same(&all, "second", &second.snapshot());
    assert_eq!(all.get("bandq_queue_length", "band=0,channel=second"), 1.0);
    assert_eq!(all.series["bandq_queue_length"].len(), 3 + 1);
    assert_eq!(
        all.series["bandq_queue_capacity"].len(),
        1,
        "only one has a bound"
    );
}

#[test]
fn a_name_is_of_the_channel_that_had_it_last() {
    let (sender, first) = Builder::new(2).observe().build().unwrap();
    let (_sender, second) = Builder::<u8>::new(1).observe().build().unwrap();
    sender.try_send(b(1), 'x').unwrap();
    let collector = Collector::new("jobs", &first);
    collector.add("jobs", &second);
    let all = scrape(&collector);
    assert_eq!(all.series["bandq_sent_total"].len(), 1);
    assert_eq!(all.get("bandq_sent_total", "band=0,channel=jobs"), 0.0);
    assert_eq!(first.weak_count(), 0, "it is not looked at any more");
}

#[test]
fn odd_names_of_channels_are_escaped() {
    let names = [
        "a \"quoted\" one",
        "back\\slash",
        "two\nlines",
        "{},= ",
        "größer ☃",
        "",
    ];
    let collector = Collector::default();
    let channels = names.map(|name| {
        let channel = Builder::<()>::new(1).observe().build().unwrap();
        collector.add(name, &channel.1);
        channel
    });
    let registry = registry(&collector);
    let mut open = String::new();
    text::encode(&mut open, &registry).unwrap();
    for text in [open, scrape_text(&registry)] {
        let all = Exposition::parse(&text);
        let lengths = &all.series["bandq_queue_length"];
        assert_eq!(lengths.len(), channels.len());
        for name in names {
            let labels = [("band", "0"), ("channel", name)];
            let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert!(lengths.contains_key(labels.as_slice()), "{name:?}");
        }
    }
}

#[test]
fn a_closed_channel_is_exported_while_it_has_a_handle() {
    let (sender, receiver) = Builder::new(1).observe().build().unwrap();
    let collector = Collector::new("jobs", &receiver);
    sender.try_send_many(b(0), 1..=3).unwrap();
    receiver.close();
    for _ in 0..2 {
        assert!(sender.try_send(b(0), 4).is_err());
    }
    let all = scrape(&collector);
    assert_same(&all, "jobs", &receiver.snapshot());
    let closed = "band=0,channel=jobs,reason=closed";
    assert_eq!(all.get("bandq_dropped_total", closed), 2.0);
    assert_eq!(all.get("bandq_queue_length", "band=0,channel=jobs"), 3.0);

    drop(receiver); // the last one
    let all = scrape(&collector);
    assert_same(&all, "jobs", &sender.snapshot());
    assert_eq!(all.get("bandq_dropped_total", closed), 2.0 + 3.0);
    assert_eq!(all.get("bandq_queue_length", "band=0,channel=jobs"), 0.0);

    drop(sender);
    assert_eq!(scrape_text(&registry(&collector)), "");
    assert_eq!(format!("{collector:?}"), "{}", "it is forgotten");
}

#[test]
fn a_collector_keeps_no_channel_open() {
    let (sender, receiver) = Builder::new(1).observe().build().unwrap();
    let collector = Collector::new("jobs", &receiver);
    drop(receiver);
    assert!(sender.is_closed());
    assert!(sender.try_send(b(0), ()).is_err());

    let (sender, receiver) = Builder::<()>::new(1).observe().build().unwrap();
    collector.add("jobs", &receiver);
    drop(sender);
    assert!(receiver.is_closed());
}

#[test]
fn a_channel_that_is_not_observed_has_no_zeros_for_what_nobody_counts() {
    let (sender, receiver) = Builder::new(2).capacity(8).build().unwrap();
    sender.try_send_many(b(1), 0..4).unwrap();
    let collector = Collector::new("plain", &receiver);
    let all = scrape(&collector);
    assert_eq!(all.get("bandq_queue_length", "band=1,channel=plain"), 4.0);
    assert_eq!(all.get("bandq_queue_capacity", "channel=plain"), 8.0);
    assert_eq!(all.get("bandq_load_ratio", "channel=plain"), 0.5);
    let names: Vec<_> = all.types.into_keys().collect();
    let few = [
        "bandq_load_ratio",
        "bandq_queue_capacity",
        "bandq_queue_length",
        "bandq_receivers_waiting",
        "bandq_senders_waiting",
    ];
    assert_eq!(names, few);

    // Beside one that is.
    let (_sender, receiver) = Builder::<u8>::new(1).observe().build().unwrap();
    collector.add("observed", &receiver);
    let all = scrape(&collector);
    assert_eq!(all.series["bandq_sent_total"].len(), 1);
    assert!(!all.has("bandq_sent"));
}

#[test]
fn waits_that_sent_nothing_take_nothing_from_those_of_nothing() {
    let _watchdog = Watchdog::new("waits_that_sent_nothing_take_nothing_from_those_of_nothing");
    let (sender, receiver) = Builder::new(1).capacity(1).observe().build().unwrap();
    let collector = Collector::new("jobs", &receiver);
    let labels = "band=0,channel=jobs";
    let puts = || {
        let all = scrape(&collector);
        let shortest = buckets(&all, "put", labels)[0].1;
        (shortest, all.get("bandq_put_latency_seconds_count", labels))
    };
    sender.try_send(b(0), ()).unwrap();
    assert_eq!(puts(), (1.0, 1.0));
    thread::scope(|scope| {
        // A permit that was waited for, and is not used.
        scope.spawn(|| drop(block_on(sender.reserve(b(0))).expect("it is open")));
        while receiver.snapshot().senders_waiting == 0 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(1));
        receiver.try_recv().unwrap();
    });
    assert_eq!(puts(), (1.0, 2.0));
    sender.try_send(b(0), ()).unwrap();
    sender.try_send(b(0), ()).unwrap_err();
    assert_eq!(puts(), (2.0, 3.0), "what was refused is no put");
}

#[test]
fn an_inversion_that_is_forgotten_was_exported_for_good() {
    let (sender, receiver) = Builder::new(2).observe().build().unwrap();
    let collector = Collector::new("jobs", &receiver);
    let inversion =
        || scrape(&collector).get("bandq_inversion_seconds_total", "band=0,channel=jobs");
    let idle = receiver.clone(); // never said to work, so it does not count
    let _working = receiver.working(b(1));
    sender.try_send(b(0), ()).unwrap();
    thread::sleep(Duration::from_millis(2));
    let during = inversion();
    assert!(during >= 0.002, "{during}");
    idle.try_recv().unwrap();
    assert!(inversion() >= during);
}

#[test]
fn no_counter_goes_down_while_threads_send_and_wait() {
    const ITEMS: u32 = 3000;
    let _watchdog = Watchdog::new("no_counter_goes_down_while_threads_send_and_wait");
    let (sender, receiver) = Builder::new(2).capacity(2).observe().build().unwrap();
    let collector = Collector::new("jobs", &receiver);
    let is_counter = |name: &str| name.ends_with("_total") || name.contains("_latency_seconds_");
    let counters = || {
        let mut all = scrape(&collector).series;
        all.retain(|name, _| is_counter(name));
        all
    };
    thread::scope(|scope| {
        for band in 0..2 {
            let sender = sender.clone();
            scope.spawn(move || {
                for item in 0..ITEMS {
                    sender.send_blocking(b(band), item).expect("it is open");
                    if item % 7 == 0 {
                        // A wait that sends nothing: the room goes back.
                        _ = block_on(sender.reserve(b(band)));
                    }
                }
            });
        }
        drop(sender);
        let worker = scope.spawn(|| {
            while let Ok((band, _)) = receiver.recv_blocking() {
                drop(receiver.working(band));
            }
        });
        let mut before = counters();
        while !worker.is_finished() {
            let now = counters();
            for (name, series) in &before {
                for (labels, number) in series {
                    let then = now[name][labels];
                    assert!(then >= *number, "{name}{labels:?}: {number}, then {then}");
                }
            }
            before = now;
        }
    });
    let all = scrape(&collector);
    for band in ["band=0,channel=jobs", "band=1,channel=jobs"] {
        assert_eq!(all.get("bandq_sent_total", band), ITEMS as f64);
        assert_eq!(all.get("bandq_received_total", band), ITEMS as f64);
        assert_eq!(
            all.get("bandq_get_latency_seconds_count", band),
            ITEMS as f64
        );
        assert!(all.get("bandq_put_latency_seconds_count", band) >= ITEMS as f64);
    }
}
