//! What `publish` tells a recorder of the `metrics` facade.

use crate::support::b;
use bandq::{
    Builder,
    observe::metrics::{describe, publish},
};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Remembers what it is told.
#[derive(Default)]
struct Notes {
    counters: Arc<Mutex<BTreeMap<String, u64>>>,
    gauges: Arc<Mutex<BTreeMap<String, f64>>>,
    units: Mutex<BTreeMap<String, Unit>>,
    /// What is described as a counter.
    described: Mutex<BTreeSet<String>>,
}

impl Notes {
    #[track_caller]
    fn counter(&self, key: &str) -> u64 {
        let counters = self.counters.lock().unwrap();
        *counters
            .get(key)
            .unwrap_or_else(|| panic!("no {key} in {counters:#?}"))
    }

    #[track_caller]
    fn gauge(&self, key: &str) -> f64 {
        let gauges = self.gauges.lock().unwrap();
        *gauges
            .get(key)
            .unwrap_or_else(|| panic!("no {key} in {gauges:#?}"))
    }

    /// Of the counters that were published.
    fn names_of_counters(&self) -> BTreeSet<String> {
        let counters = self.counters.lock().unwrap();
        counters.keys().map(|key| name(key)).collect()
    }

    fn names(&self) -> BTreeSet<String> {
        let gauges = self.gauges.lock().unwrap();
        let gauges = gauges.keys().map(|key| name(key));
        gauges.chain(self.names_of_counters()).collect()
    }
}

fn name(key: &str) -> String {
    key.split('{').next().unwrap().to_owned()
}

/// `name{label=value,...}`
fn text(key: &Key) -> String {
    let labels: Vec<_> = key
        .labels()
        .map(|l| format!("{}={}", l.key(), l.value()))
        .collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

struct CounterNote(String, Arc<Mutex<BTreeMap<String, u64>>>);

impl CounterFn for CounterNote {
    fn increment(&self, _: u64) {
        panic!("they are absolute");
    }

    fn absolute(&self, value: u64) {
        self.1.lock().unwrap().insert(self.0.clone(), value);
    }
}

struct GaugeNote(String, Arc<Mutex<BTreeMap<String, f64>>>);

impl GaugeFn for GaugeNote {
    fn increment(&self, _: f64) {
        panic!("they are set");
    }

    fn decrement(&self, _: f64) {
        panic!("they are set");
    }

    fn set(&self, value: f64) {
        self.1.lock().unwrap().insert(self.0.clone(), value);
    }
}

impl Recorder for Notes {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        let mut described = self.described.lock().unwrap();
        described.insert(key.as_str().to_owned());
        self.describe_gauge(key, unit, text);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        assert!(text.ends_with('.'));
        let unit = unit.expect("each has one");
        self.units
            .lock()
            .unwrap()
            .insert(key.as_str().to_owned(), unit);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("there is none");
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(CounterNote(text(key), Arc::clone(&self.counters))))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(GaugeNote(text(key), Arc::clone(&self.gauges))))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("there is none");
    }
}

#[test]
fn a_recorder_is_told_what_the_snapshot_says() {
    let (sender, receiver) = Builder::new(2).capacity(4).observe().build().unwrap();
    sender.try_send_many(b(1), 0..4).unwrap();
    sender.force_send(b(0), 4).unwrap(); // one of band 1 goes
    assert!(sender.try_send(b(1), 5).is_err());
    let working = receiver.working(b(1));
    thread::sleep(Duration::from_millis(2));
    drop(working);
    receiver.try_recv().unwrap();
    let _working = receiver.working(b(1));

    let notes = Notes::default();
    let snapshot = receiver.snapshot();
    metrics::with_local_recorder(&notes, || publish("jobs", &snapshot));
    assert_eq!(notes.counter("bandq_sent_total{channel=jobs,band=1}"), 4);
    assert_eq!(
        notes.counter("bandq_received_total{channel=jobs,band=0}"),
        1
    );
    let dropped = |reason: &str| {
        notes.counter(&format!(
            "bandq_dropped_total{{channel=jobs,band=1,reason={reason}}}"
        ))
    };
    assert_eq!(
        ["evicted", "full", "expired", "shed", "closed"].map(dropped),
        [1, 1, 0, 0, 0]
    );
    assert_eq!(notes.gauge("bandq_queue_length{channel=jobs,band=1}"), 3.0);
    assert_eq!(notes.gauge("bandq_queue_capacity{channel=jobs}"), 4.0);
    assert_eq!(notes.gauge("bandq_load_ratio{channel=jobs}"), 0.75);
    assert_eq!(notes.gauge("bandq_running{channel=jobs,band=1}"), 1.0);
    assert_eq!(notes.gauge("bandq_senders_waiting{channel=jobs}"), 0.0);
    assert_eq!(notes.gauge("bandq_receivers_waiting{channel=jobs}"), 0.0);
    let urgent = &snapshot.bands[0];
    let inversion = notes.gauge("bandq_inversion_seconds_total{channel=jobs,band=0}");
    assert!(inversion >= 0.002);
    assert_eq!(inversion, urgent.inversion.as_secs_f64());
    let oldest = snapshot.bands[1].oldest.unwrap().as_secs_f64();
    assert_eq!(
        notes.gauge("bandq_oldest_age_seconds{channel=jobs,band=1}"),
        oldest
    );
    for quantile in [0.5, 0.99] {
        let key = format!("bandq_get_latency_seconds{{channel=jobs,band=0,quantile={quantile}}}");
        let time = urgent.get.quantile(quantile).unwrap();
        assert_eq!(notes.gauge(&key), time.as_secs_f64());
    }
    let none = "bandq_get_latency_seconds{channel=jobs,band=1,quantile=0.5}";
    assert!(
        !notes.gauges.lock().unwrap().contains_key(none),
        "nothing was received"
    );
}

#[test]
fn what_is_described_is_what_is_published() {
    let (sender, receiver) = Builder::new(1).capacity(1).observe().build().unwrap();
    sender.try_send(b(0), ()).unwrap();
    receiver.try_recv().unwrap();
    let notes = Notes::default();
    metrics::with_local_recorder(&notes, || {
        describe();
        publish("jobs", &receiver.snapshot());
    });
    let units = notes.units.lock().unwrap();
    assert_eq!(
        units.keys().cloned().collect::<BTreeSet<_>>(),
        notes.names()
    );
    let counters = notes.described.lock().unwrap();
    assert_eq!(*counters, notes.names_of_counters());
    for (name, unit) in &*units {
        let is_time = name.contains("_seconds");
        assert_eq!(*unit == Unit::Seconds, is_time, "{name}: {unit:?}");
    }
}

#[test]
fn nothing_is_said_of_what_nobody_counts() {
    let (sender, receiver) = Builder::new(1).build().unwrap();
    sender.try_send(b(0), ()).unwrap();
    let notes = Notes::default();
    metrics::with_local_recorder(&notes, || publish("plain", &receiver.snapshot()));
    assert_eq!(notes.gauge("bandq_queue_length{channel=plain,band=0}"), 1.0);
    assert!(notes.counters.lock().unwrap().is_empty());
    let names = [
        "bandq_queue_length",
        "bandq_receivers_waiting",
        "bandq_senders_waiting",
    ];
    assert_eq!(notes.names(), names.map(str::to_owned).into());
}
