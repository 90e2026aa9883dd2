//! A [`Collector`] for the `prometheus-client` crate (feature `prometheus`).
//!
//! ```
//! use bandq::{Band, Builder, observe::prometheus::Collector};
//! use prometheus_client::{encoding::prometheus_text::encode, registry::Registry};
//!
//! let (sender, receiver) = Builder::new(2).capacity(100).observe().build()?;
//! let mut registry = Registry::default();
//! registry.register_collector(Box::new(Collector::new("jobs", &receiver)));
//!
//! sender.try_send_many(Band::new(1), ["a", "b", "c"])?;
//! receiver.try_recv()?;
//!
//! // At each scrape:
//! let mut text = String::new();
//! encode(&mut text, &registry)?;
//! let has = |line: &str| text.lines().any(|l| l == line);
//! assert!(has("# TYPE bandq_sent_total counter"));
//! assert!(has(r#"bandq_sent_total{channel="jobs",band="1"} 3"#));
//! assert!(has(r#"bandq_queue_length{channel="jobs",band="1"} 2"#));
//! assert!(has(r#"bandq_queue_capacity{channel="jobs"} 100"#));
//! assert!(has(r#"bandq_get_latency_seconds_count{channel="jobs",band="1"} 1"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is exported
//!
//! | name | type | labels beside `channel` |
//! |---|---|---|
//! | `bandq_queue_length` | gauge | `band` |
//! | `bandq_queue_capacity` | gauge | |
//! | `bandq_load_ratio`: room in use, of the capacity | gauge | |
//! | `bandq_receivers_waiting`, `bandq_senders_waiting` | gauge | |
//! | `bandq_oldest_age_seconds` | gauge | `band` |
//! | `bandq_running`: workers at an item of the band | gauge | `band` |
//! | `bandq_sent_total`, `bandq_received_total` | counter | `band` |
//! | `bandq_dropped_total` | counter | `band`, `reason` |
//! | `bandq_inversion_seconds_total` | counter | `band` |
//! | `bandq_get_latency_seconds`: from send to receive | histogram | `band` |
//! | `bandq_put_latency_seconds`: a sender's wait for room | histogram | `band` |
//!
//! A `reason` is `evicted` or `expired`; `full`, refused for want of room; `shed`, refused because
//! it would have come too late; or `closed`: refused because the channel was closed or could never
//! have had so much room, or left behind by the last receiver.
//!
//! Limits of single bands are not exported: they are constants of the program, and an alarm on them
//! would compare units of weight with a number of items. What has no bound has no
//! `bandq_queue_capacity` and no `bandq_load_ratio`; a channel that is not
//! [observed](crate::Builder::observe) has its lengths, its capacity and who waits.
//!
//! The histograms' buckets go from 1 µs to 8.4 s, each twice the one before; times at a bucket's
//! bound may be counted in the next one, if they are within 1/64 of it. Sums are off by less than
//! 1 %.
//!
//! # By other names
//!
//! | often called | here |
//! |---|---|
//! | `queue_length` | `sum by (channel) (bandq_queue_length)` |
//! | `heap_depth` | the same: the bands are the queue, and there is no heap beside it |
//! | `get_latency_p99` | `histogram_quantile(0.99, rate(bandq_get_latency_seconds_bucket[5m]))` |
//! | `put_latency_p99` | `histogram_quantile(0.99, rate(bandq_put_latency_seconds_bucket[5m]))` |
//! | `dropped_task_count` | `sum by (channel, reason) (bandq_dropped_total)` |
//!
//! The two quantiles are by band; of a whole channel, with
//! `sum by (channel, le) (rate(bandq_get_latency_seconds_bucket[5m]))` inside. Rules for alerts and
//! a dashboard for Grafana are in `docs/prometheus` of the repository.

use super::{
    Latencies, Snapshot,
    families::{FAMILIES, Family, Number, Of},
};
use crate::channel::Receiver;
use core::fmt;
use prometheus_client::{
    encoding::{
        CounterValueEncoder, DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue,
        GaugeValueEncoder, MetricEncoder, NoLabelSet,
    },
    metrics::MetricType,
    registry::Unit,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Exports channels; encoded at each scrape, so that items pay nothing for it.
///
/// One collector for all channels of a registry: a second one would say the names of the first
/// again, which is not allowed in what is exported. Clones are the same collector, so that channels
/// can be [added](Self::add) when it is registered.
///
/// It keeps no channel open. A channel that has no handle any more is left out, and forgotten.
///
/// A scrape costs a [`Snapshot`] of each channel, and a line for each number; of each band that is
/// observed that is some 70 lines. Two scrapes at once take turns.
///
/// ```
/// use bandq::{Builder, observe::prometheus::Collector};
/// use prometheus_client::registry::Registry;
///
/// let collector = Collector::default();
/// let mut registry = Registry::default();
/// registry.register_collector(Box::new(collector.clone()));
///
/// let (_sender, receiver) = Builder::<String>::new(2).observe().build()?;
/// collector.add("requests", &receiver);
/// # Ok::<(), bandq::BuildError>(())
/// ```
#[derive(Clone, Default)]
pub struct Collector {
    channels: Arc<Mutex<Vec<Channel>>>,
}

struct Channel {
    name: String,
    /// `None` when it is gone.
    look: Box<dyn Fn() -> Option<Snapshot> + Send + Sync>,
}

/// What is exported of a channel, at one scrape.
struct Seen {
    name: String,
    snapshot: Snapshot,
}

impl Collector {
    /// Exports this channel under that name; others can be [added](Self::add).
    ///
    /// ```
    /// # use bandq::{Builder, observe::prometheus::Collector};
    /// let (_sender, receiver) = Builder::<String>::new(2).observe().build()?;
    /// let collector = Collector::new("requests", &receiver);
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    #[must_use]
    pub fn new<T: Send + 'static>(name: impl Into<String>, receiver: &Receiver<T>) -> Self {
        let collector = Self::default();
        collector.add(name, receiver);
        collector
    }

    /// Exports this channel too, all of its bands. The name may have any characters; who has it
    /// already is exported no more.
    ///
    /// ```
    /// # use bandq::{Builder, observe::prometheus::Collector};
    /// let (_sender, requests) = Builder::<String>::new(2).observe().build()?;
    /// let (_sender, reports) = Builder::<u32>::new(4).observe().build()?;
    /// let collector = Collector::new("requests", &requests);
    /// collector.add("reports", &reports);
    /// # Ok::<(), bandq::BuildError>(())
    /// ```
    pub fn add<T: Send + 'static>(&self, name: impl Into<String>, receiver: &Receiver<T>) {
        let weak = receiver.downgrade();
        let channel = Channel {
            name: name.into(),
            look: Box::new(move || weak.snapshot()),
        };
        let mut channels = self.lock();
        channels.retain(|other| other.name != channel.name);
        channels.push(channel);
    }

    /// Outside of the lock is where it is written, which may be foreign code.
    fn look(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        self.lock().retain(|channel| {
            let Some(snapshot) = (channel.look)() else {
                return false;
            };
            seen.push(Seen {
                name: channel.name.clone(),
                snapshot,
            });
            true
        });
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Channel>> {
        // Nothing in there that could panic leaves it half done.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl prometheus_client::collector::Collector for Collector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let seen = self.look();
        for family in FAMILIES {
            let mut of_it = seen.iter().filter(|seen| seen.has(family)).peekable();
            if of_it.peek().is_none() {
                continue; // no name without numbers
            }
            let unit = family.unit.map(|unit| Unit::Other(unit.to_owned()));
            let mut encoder = encoder.encode_descriptor(
                family.name,
                family.help,
                unit.as_ref(),
                family.of.metric_type(),
            )?;
            for seen in of_it {
                seen.encode(&family.of, &mut encoder)?;
            }
        }
        Ok(())
    }
}

impl Of {
    fn metric_type(&self) -> MetricType {
        match self {
            Self::Channel(_) | Self::Band(_) | Self::Observed(_) => MetricType::Gauge,
            Self::Counter(_) | Self::Reasons(_) => MetricType::Counter,
            Self::Times(_) => MetricType::Histogram,
        }
    }
}

impl Seen {
    fn has(&self, family: &Family) -> bool {
        match family.of {
            Of::Channel(number) => number(&self.snapshot).is_some(),
            Of::Band(_) => true,
            _ => self.snapshot.observed_for.is_some(),
        }
    }

    fn encode(&self, of: &Of, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        let channel = ("channel", self.name.as_str());
        if let Of::Channel(number) = of {
            let number = number(&self.snapshot);
            return number.map_or(Ok(()), |number| {
                encoder.encode_family(&[channel])?.encode_gauge(&number)
            });
        }
        for band in &self.snapshot.bands {
            let number = band.band.index().to_string();
            let labels = [channel, ("band", number.as_str())];
            if let Of::Reasons(reasons) = of {
                for (reason, count) in *reasons {
                    let labels = [labels[0], labels[1], ("reason", reason)];
                    let mut encoder = encoder.encode_family(&labels)?;
                    encoder.encode_counter::<NoLabelSet, _, f64>(&count(band), None)?;
                }
                continue;
            }
            let mut encoder = encoder.encode_family(&labels)?;
            match of {
                Of::Channel(_) | Of::Reasons(_) => {} // done
                Of::Band(number) | Of::Observed(number) => encoder.encode_gauge(&number(band))?,
                Of::Counter(number) => {
                    encoder.encode_counter::<NoLabelSet, _, f64>(&number(band), None)?;
                }
                Of::Times(times) => encode_times(times(band), &mut encoder)?,
            }
        }
        Ok(())
    }
}

fn encode_times(times: &Latencies, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
    let count = times.count();
    let mut buckets = [(f64::INFINITY, 0); BUCKETS + 1];
    let mut before = 0;
    for (power, bucket) in buckets.iter_mut().take(BUCKETS).enumerate() {
        let micros = 1_u64 << power;
        let up_to = times.count_up_to(micros * 1000);
        *bucket = (micros as f64 / 1e6, up_to - before);
        before = up_to;
    }
    buckets[BUCKETS].1 = count - before;
    encoder.encode_histogram::<NoLabelSet>(times.sum().as_secs_f64(), count, &buckets, None)
}

/// Each is twice the one before; the first is 1 µs. And one for all that is longer.
const BUCKETS: usize = 24;

impl EncodeGaugeValue for Number {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        match *self {
            Self::Whole(number) => EncodeGaugeValue::encode(&number, encoder),
            Self::Part(number) => EncodeGaugeValue::encode(&number, encoder),
        }
    }
}

impl EncodeCounterValue for Number {
    fn encode(&self, encoder: &mut CounterValueEncoder<'_>) -> fmt::Result {
        match *self {
            Self::Whole(number) => EncodeCounterValue::encode(&number, encoder),
            Self::Part(number) => EncodeCounterValue::encode(&number, encoder),
        }
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self.lock();
        let names = channels.iter().map(|channel| &channel.name);
        f.debug_set().entries(names).finish()
    }
}
