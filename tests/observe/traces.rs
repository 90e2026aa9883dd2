//! Spans and events.

use crate::support::watchdog::Watchdog as Hang;
use bandq::{Band, Builder, observe::Watchdog};
use std::{
    mem,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Writes down what happens.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "band" || field.name() == "message" || field.name() == "len" {
            self.0 += &format!(" {value:?}");
        }
    }
}

impl Log {
    fn add(&self, line: String) -> u64 {
        let mut lines = self.0.lock().unwrap();
        lines.push(line);
        lines.len() as u64
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "bandq"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(span.metadata().name().to_owned());
        span.record(&mut text);
        Id::from_u64(self.add(text.0))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.add(format!(
            "{} follows {}",
            span.into_u64(),
            follows.into_u64()
        ));
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text("event".to_owned());
        event.record(&mut text);
        self.add(text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn work_follows_from_its_send_and_evictions_and_the_close_are_events() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let (sender, receiver) = Builder::new(2).capacity(1).observe().build().unwrap();
        sender.try_send(Band::new(1), 'a').unwrap();
        let (band, _) = receiver.try_recv().unwrap();
        let working = receiver.working(band);
        assert!(!working.span().is_disabled());
        drop(working);
        sender.try_send(Band::new(1), 'b').unwrap();
        sender.force_send(Band::URGENT, 'c').unwrap();
        sender.close();
    });
    let lines = log.0.lock().unwrap();
    let expected = [
        "bandq.send 1",
        "bandq.run 1",
        "2 follows 1",
        "bandq.send 1",
        "event evicted 1",
        "bandq.send 0",
        "event closed 1",
    ];
    let found: Vec<_> = lines
        .iter()
        .map(|line| {
            let mut words: Vec<_> = line.split(' ').collect();
            if words[0] == "event" {
                words[1..].sort_unstable_by(|a, b| b.cmp(a));
            }
            words.join(" ")
        })
        .collect();
    assert_eq!(found, expected);
}

/// The dump is called on the watchdog's thread, which gets its subscriber there.
#[test]
fn an_alarm_is_an_event() {
    let _hang = Hang::new("an_alarm_is_an_event");
    let log = Log::default();
    let of_the_thread = log.clone();
    let (sender, receiver) = Builder::new(1).observe().build().unwrap();
    let (say, heard) = mpsc::channel();
    let _watchdog = Watchdog::new(&receiver)
        .limit(Band::URGENT, Duration::from_millis(1))
        .dump(move || {
            let subscriber = of_the_thread.clone();
            mem::forget(tracing::subscriber::set_default(subscriber));
            "my tasks".to_owned()
        })
        .spawn(move |alarm| _ = say.send(alarm))
        .unwrap();
    sender.try_send(Band::URGENT, ()).unwrap();
    let alarm = heard.recv().unwrap().to_string();
    let line = log.0.lock().unwrap()[0].clone();
    assert!(line.contains(&alarm) && line.contains(" 0"), "{line}");
}

#[test]
fn a_channel_that_is_not_observed_makes_no_spans() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let (sender, receiver) = bandq::unbounded(1);
        sender.try_send(Band::URGENT, 'a').unwrap();
        receiver.try_recv().unwrap();
        assert!(receiver.working(Band::URGENT).span().is_disabled());
        sender.close();
    });
    assert!(log.0.lock().unwrap().is_empty());
}

/// Panics at everything.
struct Broken;

impl Subscriber for Broken {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "bandq"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        panic!("as it is meant to")
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        panic!("as it is meant to")
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Nothing is lost, and no room.
#[test]
fn a_subscriber_that_panics_disturbs_nothing() {
    tracing::subscriber::with_default(Broken, || {
        let (sender, receiver) = Builder::new(2).capacity(1).observe().build().unwrap();
        sender.try_send(Band::new(1), 'a').unwrap();
        assert_eq!(
            sender.force_send(Band::URGENT, 'b').unwrap(),
            [(Band::new(1), 'a')]
        );
        assert_eq!(receiver.try_recv(), Ok((Band::URGENT, 'b')));
        drop(receiver.working(Band::URGENT));
        assert_eq!(receiver.snapshot().bands[0].running, 0);
        sender.try_reserve(Band::URGENT).unwrap().send('c').unwrap();
        assert_eq!(receiver.snapshot().used, 1);
        drop(receiver);
        assert!(sender.is_closed() && sender.is_empty());
    });
}
