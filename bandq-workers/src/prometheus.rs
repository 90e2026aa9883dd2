//! A [`Collector`] for the `prometheus-client` crate (feature `prometheus`): pools, beside the
//! channels of [`bandq::observe::prometheus`].
//!
//! ```
//! use bandq::{Band, Builder, observe};
//! use bandq_workers::{Job, Workers, prometheus::Collector};
//! use prometheus_client::{encoding::prometheus_text::encode, registry::Registry};
//!
//! # futures_lite::future::block_on(async {
//! let (sender, receiver) = Builder::new(2).capacity(100).observe().build()?;
//! let mut registry = Registry::default();
//! let channels = observe::prometheus::Collector::new("jobs", &receiver);
//! registry.register_collector(Box::new(channels));
//! let workers = Workers::new(receiver).concurrency(8);
//! let control = workers.control();
//! registry.register_collector(Box::new(Collector::new("jobs", &control)));
//!
//! sender.try_send(Band::new(1), "a report")?;
//! drop(sender);
//! workers.run(|_job: Job<&str>| async {}).await;
//!
//! // At each scrape:
//! let mut text = String::new();
//! encode(&mut text, &registry)?;
//! let has = |line: &str| text.lines().any(|l| l == line);
//! assert!(has("# TYPE bandq_done_total counter"));
//! assert!(has(r#"bandq_done_total{pool="jobs",band="1"} 1"#));
//! assert!(has(r#"bandq_jobs_running{pool="jobs",band="1"} 0"#));
//! assert!(has(r#"bandq_run_seconds_count{pool="jobs",band="1"} 1"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What is exported
//!
//! | name, each with `pool` and `band` | type | in a [report](crate::Report) |
//! |---|---|---|
//! | `bandq_concurrency`, without `band`: workers who are not reserved | gauge | `concurrency` |
//! | `bandq_jobs_running`: being worked on | gauge | `running` |
//! | `bandq_jobs_waiting`: inside the pool, for a retry or a worker | gauge | `waiting` |
//! | `bandq_jobs_stuck`: their handlers did not give way to a stop | gauge | `stuck` |
//! | `bandq_started_total`: attempts | counter | `started` |
//! | `bandq_done_total` | counter | `done` |
//! | `bandq_failures_total`: attempts that failed in any way | counter | `failed` |
//! | `bandq_panics_total`, `bandq_timeouts_total`: those among them | counter | `panicked`, `timed_out` |
//! | `bandq_retries_total` | counter | `retried` |
//! | `bandq_dead_total`: not tried again | counter | `dead` |
//! | `bandq_interrupted_total`: attempts that were cut off | counter | `interrupted` |
//! | `bandq_run_seconds`: how long attempts took | histogram | `times` |
//!
//! `bandq_running`, with `channel` as its label, is the channel's: who holds a
//! [`Working`](bandq::Working), the pool's workers among them.
//!
//! The histogram's buckets are those of the channel's: from 1 µs to 8.4 s, each twice the one
//! before; times at a bucket's bound may be counted in the next one, if they are within 1/32 of it.

use crate::{
    control::Control,
    pool::Pool,
    report::{BandReport, Counts},
    times::RunTimes,
};
use prometheus_client::{
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet},
    metrics::MetricType,
    registry::Unit,
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// Exports pools; encoded at each scrape, so that jobs pay nothing for it.
///
/// One collector for all pools of a registry, beside one for all channels. Clones are the same
/// collector, so that pools can be [added](Self::add) when it is registered.
///
/// A pool is exported as long as it is there, or a [`Control`] of it; then it is left out, and
/// forgotten. A scrape costs a [report](Control::report) of each, and some 35 lines a band.
///
/// ```
/// use bandq_workers::{Workers, prometheus::Collector};
/// use prometheus_client::registry::Registry;
///
/// let collector = Collector::default();
/// let mut registry = Registry::default();
/// registry.register_collector(Box::new(collector.clone()));
///
/// let (_sender, receiver) = bandq::unbounded::<String>(2);
/// let workers: Workers<String> = Workers::new(receiver);
/// collector.add("requests", &workers.control());
/// ```
#[derive(Clone, Default)]
pub struct Collector {
    pools: Arc<Mutex<Vec<Arc<Named>>>>,
}

struct Named {
    name: String,
    /// `None` when it is gone.
    look: Box<dyn Fn() -> Option<Seen> + Send + Sync>,
    /// By band: the attempts that were exported. One that never comes to run is counted no more,
    /// and a counter must not go down.
    started: Mutex<Vec<u64>>,
}

/// What is exported of a pool, at one scrape.
struct Seen {
    concurrency: Option<usize>,
    bands: Vec<BandReport>,
}

impl Collector {
    /// Exports this pool under that name; others can be [added](Self::add).
    ///
    /// ```
    /// # use bandq_workers::{Workers, prometheus::Collector};
    /// let (_sender, receiver) = bandq::unbounded::<String>(2);
    /// let workers: Workers<String> = Workers::new(receiver);
    /// let collector = Collector::new("requests", &workers.control());
    /// ```
    #[must_use]
    pub fn new<T: Send + 'static>(name: impl Into<String>, control: &Control<T>) -> Self {
        let collector = Self::default();
        collector.add(name, control);
        collector
    }

    /// Exports this pool too. The name may have any characters; who has it already is exported no
    /// more.
    ///
    /// ```
    /// # use bandq_workers::{Workers, prometheus::Collector};
    /// # let (_sender, receiver) = bandq::unbounded::<String>(2);
    /// # let workers: Workers<String> = Workers::new(receiver);
    /// # let collector = Collector::default();
    /// collector.add("reports", &workers.control());
    /// ```
    pub fn add<T: Send + 'static>(&self, name: impl Into<String>, control: &Control<T>) {
        let pool: Weak<Pool<T>> = Arc::downgrade(&control.pool);
        let named = Named {
            name: name.into(),
            look: Box::new(move || {
                let report = pool.upgrade()?.report();
                Some(Seen {
                    concurrency: report.concurrency,
                    bands: report.bands,
                })
            }),
            started: Mutex::default(),
        };
        let mut pools = lock(&self.pools);
        pools.retain(|other| other.name != named.name);
        pools.push(Arc::new(named));
    }

    /// Outside of the lock is where it is looked and written: the last look at a pool may drop it,
    /// and so foreign items.
    fn look(&self) -> Vec<(String, Seen)> {
        let pools = lock(&self.pools).clone();
        let mut all_seen = Vec::new();
        for pool in pools {
            if let Some(mut seen) = (pool.look)() {
                pool.raise(&mut seen.bands);
                all_seen.push((pool.name.clone(), seen));
            } else {
                lock(&self.pools).retain(|other| !Arc::ptr_eq(other, &pool));
            }
        }
        all_seen
    }
}

impl Named {
    /// What was exported as started before is not taken back.
    fn raise(&self, bands: &mut [BandReport]) {
        let mut exported = lock(&self.started);
        exported.resize(bands.len(), 0);
        for (band, exported) in bands.iter_mut().zip(exported.iter_mut()) {
            *exported = band.counts.started.max(*exported);
            band.counts.started = *exported;
        }
    }
}

/// Nothing under one of these locks that could panic leaves it half done.
fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All series of one name, which is without its unit, and without what says that it is a counter.
struct Family {
    name: &'static str,
    help: &'static str,
    of: Of,
}

enum Of {
    /// Of the whole pool; `None` where there is none.
    Pool(fn(&Seen) -> Option<usize>),
    Level(fn(&Counts) -> u64),
    Counter(fn(&Counts) -> u64),
    /// In seconds.
    Times,
}

const FAMILIES: &[Family] = &[
    Family {
        name: "bandq_concurrency",
        help: "How many workers there may be now, without those who are reserved.",
        of: Of::Pool(|pool| pool.concurrency),
    },
    Family {
        name: "bandq_jobs_running",
        help: "Items that are being worked on.",
        of: Of::Level(|counts| counts.running),
    },
    Family {
        name: "bandq_jobs_waiting",
        help: "Items that wait inside the pool, for their next attempt or for a worker.",
        of: Of::Level(|counts| counts.waiting),
    },
    Family {
        name: "bandq_jobs_stuck",
        help: "Items whose handler did not give way to a stop.",
        of: Of::Level(|counts| counts.stuck),
    },
    Family {
        name: "bandq_started",
        help: "Attempts that began.",
        of: Of::Counter(|counts| counts.started),
    },
    Family {
        name: "bandq_done",
        help: "Items that are done.",
        of: Of::Counter(|counts| counts.done),
    },
    Family {
        name: "bandq_failures",
        help: "Attempts that failed, in any way.",
        of: Of::Counter(|counts| counts.failed),
    },
    Family {
        name: "bandq_panics",
        help: "Attempts that panicked.",
        of: Of::Counter(|counts| counts.panicked),
    },
    Family {
        name: "bandq_timeouts",
        help: "Attempts that were over their time limit.",
        of: Of::Counter(|counts| counts.timed_out),
    },
    Family {
        name: "bandq_retries",
        help: "Failed items that were put back for another attempt.",
        of: Of::Counter(|counts| counts.retried),
    },
    Family {
        name: "bandq_dead",
        help: "Items that are not tried again.",
        of: Of::Counter(|counts| counts.dead),
    },
    Family {
        name: "bandq_interrupted",
        help: "Attempts that were cut off by a stop.",
        of: Of::Counter(|counts| counts.interrupted),
    },
    Family {
        name: "bandq_run",
        help: "How long attempts took, however they ended.",
        of: Of::Times,
    },
];

impl prometheus_client::collector::Collector for Collector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let seen = self.look();
        if seen.is_empty() {
            return Ok(()); // no name without numbers
        }
        for family in FAMILIES {
            let (metric_type, unit) = match family.of {
                Of::Pool(_) | Of::Level(_) => (MetricType::Gauge, None),
                Of::Counter(_) => (MetricType::Counter, None),
                Of::Times => (MetricType::Histogram, Some(Unit::Seconds)),
            };
            let mut encoder =
                encoder.encode_descriptor(family.name, family.help, unit.as_ref(), metric_type)?;
            for (name, pool) in &seen {
                if let Of::Pool(number) = family.of {
                    if let Some(number) = number(pool) {
                        let labels = [("pool", name.as_str())];
                        let number = number as u64;
                        encoder.encode_family(&labels)?.encode_gauge(&number)?;
                    }
                    continue;
                }
                for band in &pool.bands {
                    encode(&family.of, name, band, &mut encoder)?;
                }
            }
        }
        Ok(())
    }
}

fn encode(of: &Of, pool: &str, band: &BandReport, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
    let number = band.band.index().to_string();
    let labels = [("pool", pool), ("band", number.as_str())];
    let mut encoder = encoder.encode_family(&labels)?;
    match of {
        Of::Pool(_) => Ok(()), // done
        Of::Level(number) => encoder.encode_gauge(&number(&band.counts)),
        Of::Counter(number) => {
            encoder.encode_counter::<NoLabelSet, _, f64>(&number(&band.counts), None)
        }
        Of::Times => encode_times(&band.times, &mut encoder),
    }
}

/// Each is twice the one before; the first is 1 µs. And one for all that is longer.
const BUCKETS: usize = 24;

fn encode_times(times: &RunTimes, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
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

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pools = lock(&self.pools);
        f.debug_set()
            .entries(pools.iter().map(|pool| &pool.name))
            .finish()
    }
}
