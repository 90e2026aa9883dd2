//! Events for the `tracing` crate.

use crate::report::Stuck;
use bandq::Band;
use std::collections::BTreeMap;

/// What the end of a pool cut short: one event for each job that was interrupted, or is stuck, and
/// one a band for the items that nobody worked on.
pub(crate) fn cut_short(returned: &[(Band, u32, bool)], stuck: &[Stuck]) {
    let mut unstarted = BTreeMap::<Band, usize>::new();
    for (band, attempts, interrupted) in returned {
        if *interrupted {
            let band = band.index();
            tracing::warn!(target: "bandq", band, attempts, "interrupted");
        } else {
            *unstarted.entry(*band).or_default() += 1;
        }
    }
    for (band, items) in unstarted {
        tracing::warn!(target: "bandq", band = band.index(), items, "returned");
    }
    for stuck in stuck {
        tracing::warn!(target: "bandq", band = stuck.band.index(), id = stuck.id, "{stuck}");
    }
}
