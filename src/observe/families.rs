//! What is exported of a channel: names, units, and where the numbers come from. The exporters walk
//! this table, each in its own form.

use super::{BandSnapshot, Latencies, Snapshot};

/// All series of one name.
pub(super) struct Family {
    /// Without the unit, and without what says that it is a counter.
    pub(super) name: &'static str,
    pub(super) unit: Option<&'static str>,
    pub(super) help: &'static str,
    pub(super) of: Of,
}

/// Where the numbers come from.
pub(super) enum Of {
    /// A level, of the whole channel; `None` where there is none.
    Channel(fn(&Snapshot) -> Option<Number>),
    /// A level of a band.
    Band(fn(&BandSnapshot) -> Number),
    /// The same, of a channel that is observed.
    Observed(fn(&BandSnapshot) -> Number),
    /// What only grows, of a channel that is observed.
    Counter(fn(&BandSnapshot) -> Number),
    /// The same for each reason why.
    Reasons(&'static [Reason]),
    /// Times, of a channel that is observed.
    Times(fn(&BandSnapshot) -> &Latencies),
}

/// What it is called, and how many there were.
pub(super) type Reason = (&'static str, fn(&BandSnapshot) -> u64);

#[derive(Clone, Copy)]
pub(super) enum Number {
    Whole(u64),
    Part(f64),
}

impl Number {
    fn whole(number: usize) -> Self {
        Self::Whole(number as u64)
    }

    fn or_none(number: Option<usize>) -> Option<Self> {
        number.map(Self::whole)
    }
}

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "bandq_queue_length",
        unit: None,
        help: "Items in the band.",
        of: Of::Band(|band| Number::whole(band.len)),
    },
    Family {
        name: "bandq_queue_capacity",
        unit: None,
        help: "Units of room of the channel, if it has a bound.",
        of: Of::Channel(|channel| Number::or_none(channel.capacity)),
    },
    Family {
        name: "bandq_load",
        unit: Some("ratio"),
        help: "Units of room in use, permits among them, of the capacity.",
        of: Of::Channel(|channel| {
            let capacity = channel.capacity?;
            Some(Number::Part(channel.used as f64 / capacity as f64))
        }),
    },
    Family {
        name: "bandq_receivers_waiting",
        unit: None,
        help: "Receives that wait for an item.",
        of: Of::Channel(|channel| Number::or_none(Some(channel.receivers_waiting))),
    },
    Family {
        name: "bandq_senders_waiting",
        unit: None,
        help: "Senders that wait for room.",
        of: Of::Channel(|channel| Number::or_none(Some(channel.senders_waiting))),
    },
    Family {
        name: "bandq_oldest_age",
        unit: Some("seconds"),
        help: "For how long the oldest item of the band has waited; 0 if there is none.",
        of: Of::Observed(|band| Number::Part(band.oldest.unwrap_or_default().as_secs_f64())),
    },
    Family {
        name: "bandq_running",
        unit: None,
        help: "Workers at an item of the band.",
        of: Of::Observed(|band| Number::whole(band.running)),
    },
    Family {
        name: "bandq_sent",
        unit: None,
        help: "Items that were accepted.",
        of: Of::Counter(|band| Number::Whole(band.sent)),
    },
    Family {
        name: "bandq_received",
        unit: None,
        help: "Items that were received.",
        of: Of::Counter(|band| Number::Whole(band.received)),
    },
    Family {
        name: "bandq_dropped",
        unit: None,
        help: "Items that were not received, nor will be, by the reason why.",
        of: Of::Reasons(&[
            ("evicted", |band| band.evicted),
            ("expired", |band| band.expired),
            ("shed", |band| band.refused_late),
            ("full", |band| band.refused_full),
            ("closed", |band| {
                let refused = band.refused_full + band.refused_late;
                band.refused.saturating_sub(refused) + band.dropped
            }),
        ]),
    },
    Family {
        name: "bandq_inversion",
        unit: Some("seconds"),
        help: "For how long items waited while all who could take them did less urgent work.",
        of: Of::Counter(|band| Number::Part(band.inversion.as_secs_f64())),
    },
    Family {
        name: "bandq_get_latency",
        unit: Some("seconds"),
        help: "From send to receive.",
        of: Of::Times(|band| &band.get),
    },
    Family {
        name: "bandq_put_latency",
        unit: Some("seconds"),
        help: "For how long senders waited for room, those among them that did not.",
        of: Of::Times(|band| &band.put),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::band::Band;

    #[test]
    fn each_item_that_is_not_received_has_one_reason() {
        let band = BandSnapshot {
            evicted: 1,
            expired: 2,
            refused: 100,
            refused_full: 7,
            refused_late: 5,
            dropped: 3,
            ..BandSnapshot::unobserved(Band::URGENT, 0)
        };
        let reasons = FAMILIES.iter().find_map(|family| match family.of {
            Of::Reasons(reasons) => Some(reasons),
            _ => None,
        });
        let counts = reasons
            .unwrap()
            .iter()
            .map(|(why, count)| (*why, count(&band)));
        let expected = [
            ("evicted", 1),
            ("expired", 2),
            ("shed", 5),
            ("full", 7),
            ("closed", 100 - 7 - 5 + 3),
        ];
        assert_eq!(counts.collect::<Vec<_>>(), expected);
    }
}
