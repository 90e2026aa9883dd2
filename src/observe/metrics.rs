//! Snapshots through the `metrics` facade (feature `metrics`): [`publish`].

use super::{
    Snapshot,
    families::{FAMILIES, Family, Number, Of},
};
use ::metrics::{Label, SharedString, Unit, counter, describe_counter, describe_gauge, gauge};

/// The parts of all for which the time is said that they took at the most.
const QUANTILES: [(&str, f64); 2] = [("0.5", 0.5), ("0.99", 0.99)];

/// Tells the recorder of the `metrics` facade what a channel is like: call it every few seconds.
/// `name` is the label `channel`.
///
/// The names and the labels are those of the collector for Prometheus, in the module `prometheus`,
/// with two differences, because of what the facade can say. A counter of it has whole numbers, so
/// `bandq_inversion_seconds_total` is a gauge. A histogram of it takes times one by one, so the
/// times are gauges with a label `quantile`, `0.5` and `0.99`; there is none as long as there is no
/// time.
///
/// ```
/// # use bandq::{Band, Builder, observe::metrics::publish};
/// # use std::{thread, time::Duration};
/// let (sender, receiver) = Builder::new(2).capacity(100).observe().build()?;
/// let sight = receiver.downgrade(); // which does not keep the channel open
/// let publisher = thread::spawn(move || {
///     while let Some(receiver) = sight.upgrade() {
///         publish("requests", &receiver.snapshot());
///         drop(receiver);
///         thread::sleep(Duration::from_millis(10));
///     }
/// });
/// sender.try_send(Band::URGENT, "an item")?;
/// receiver.try_recv()?;
/// drop(receiver);
/// publisher.join().unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn publish(name: impl Into<String>, snapshot: &Snapshot) {
    let channel: SharedString = name.into().into();
    for family in FAMILIES {
        family.publish(&channel, snapshot);
    }
}

/// Tells the recorder of the `metrics` facade what the names of [`publish`] mean, and their units.
/// Once, after the recorder is installed.
///
/// ```
/// bandq::observe::metrics::describe();
/// ```
pub fn describe() {
    for family in FAMILIES {
        let unit = match family.unit {
            Some("seconds") => Unit::Seconds,
            _ => Unit::Count,
        };
        if family.is_counter() {
            describe_counter!(family.full_name(), unit, family.help);
        } else {
            describe_gauge!(family.full_name(), unit, family.help);
        }
    }
}

impl Family {
    /// As it is exported, with the unit.
    fn full_name(&self) -> String {
        let unit = self.unit.map(|unit| format!("_{unit}"));
        let total = matches!(self.of, Of::Counter(_) | Of::Reasons(_)).then_some("_total");
        format!(
            "{}{}{}",
            self.name,
            unit.unwrap_or_default(),
            total.unwrap_or_default()
        )
    }

    /// Whether it is one to the facade.
    fn is_counter(&self) -> bool {
        matches!(self.of, Of::Counter(_) | Of::Reasons(_)) && self.unit.is_none()
    }

    fn publish(&self, channel: &SharedString, snapshot: &Snapshot) {
        let name: SharedString = self.full_name().into();
        let of_channel = vec![Label::new("channel", channel.clone())];
        if let Of::Channel(number) = self.of {
            if let Some(number) = number(snapshot) {
                gauge!(name, of_channel).set(number.as_f64());
            }
            return;
        }
        for band in &snapshot.bands {
            let mut labels = of_channel.clone();
            labels.push(Label::new("band", band.band.index().to_string()));
            let with = |key, value| [labels.as_slice(), &[Label::new(key, value)]].concat();
            match self.of {
                Of::Band(number) => gauge!(name.clone(), labels).set(number(band).as_f64()),
                _ if snapshot.observed_for.is_none() => return,
                Of::Channel(_) => {} // done
                Of::Observed(number) => gauge!(name.clone(), labels).set(number(band).as_f64()),
                Of::Counter(number) => match number(band) {
                    Number::Whole(number) => counter!(name.clone(), labels).absolute(number),
                    Number::Part(number) => gauge!(name.clone(), labels).set(number),
                },
                Of::Reasons(reasons) => {
                    for &(reason, count) in reasons {
                        counter!(name.clone(), with("reason", reason)).absolute(count(band));
                    }
                }
                Of::Times(times) => {
                    for (label, part) in QUANTILES {
                        let time = times(band).quantile(part).map(|time| time.as_secs_f64());
                        if let Some(time) = time {
                            gauge!(name.clone(), with("quantile", label)).set(time);
                        }
                    }
                }
            }
        }
    }
}

impl Number {
    fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Part(number) => number,
        }
    }
}
