//! What a user sees of a channel (feature `observe`).

use super::{
    band_sender::BandSender, builder::Builder, core::Core, managed::Managed, receiver::Receiver,
    sender::Sender, weak::WeakReceiver,
};
use crate::{
    band::Band,
    record::{BandSnapshot, Record, Running, Snapshot, Working},
    sync::atomic::Ordering,
};
use core::time::Duration;

impl<T> Core<T> {
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            bands: (0..self.bands()).map(|n| self.band_snapshot(n)).collect(),
            used: self.room().map_or_else(|| self.len(), |room| room.used()),
            capacity: self.capacity(),
            senders: self.senders.count(),
            receivers: self.receivers.count(),
            senders_waiting: self.waits.senders_waiting(),
            receivers_waiting: self.waits.receivers_waiting(),
            observed_for: self.now().map(Duration::from_nanos),
        }
    }

    fn band_snapshot(&self, number: usize) -> BandSnapshot {
        let band = Band::from_index(number);
        let len = self.band_len(band);
        let entries = self.managed().and_then(Managed::entries);
        let Some((entries, record)) = entries.and_then(|e| Some((e, e.record.as_ref()?))) else {
            return BandSnapshot::unobserved(band, len);
        };
        let now = entries.clock.now(); // before the look, so that it is not said to be older
        let oldest = entries
            .queue
            .first_sent(number)
            .map(|sent| Duration::from_nanos(now.saturating_sub(sent)));
        let counted = record.counted(number);
        BandSnapshot {
            oldest,
            sent: counted.sent,
            received: counted.received,
            evicted: counted.evicted,
            expired: counted.expired,
            dropped: counted.dropped,
            refused: counted.refused_full + counted.refused_late + counted.refused_otherwise,
            refused_full: counted.refused_full,
            refused_late: counted.refused_late,
            running: record.work().running(number),
            inversion: record.work().inversion(number),
            get: counted.get,
            put: counted.put,
            gone: counted.gone,
            ..BandSnapshot::unobserved(band, len)
        }
    }
}

impl<T> WeakReceiver<T> {
    /// What the channel is like now, unless the last receiver is gone; and what is inverted, a bit
    /// a band, and what works. It does not become a receiver for it.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn look(&self) -> Option<(Snapshot, u64, Vec<Running>)> {
        if self.core.receivers.count() == 0 {
            return None;
        }
        let snapshot = self.core.snapshot();
        let work = self.core.record().map(Record::work);
        let inverted = work.map_or(0, |work| {
            let is_inverted = |band: &usize| work.is_inverted(*band);
            let bands = (0..self.core.bands()).filter(is_inverted);
            bands.fold(0, |mask, band| mask | 1 << band)
        });
        let running = work.map_or_else(Vec::new, |work| work.list());
        Some((snapshot, inverted, running))
    }
}

macro_rules! snapshot {
    ($handle:ident, $($core:ident).+) => {
        /// # Sight
        impl<T> $handle<T> {
            /// What the channel is like now: lengths, counts, waiting times. Without
            /// [`observe`](Builder::observe) it has the lengths and the counts of handles only.
            ///
            /// It adds up when no operation runs; while some do, each number is right for a moment
            /// within the call. Looks at each band, and of one that was observed copies up to three
            /// histograms of 20 KiB.
            ///
            /// ```
            /// # use bandq::{Band, Builder};
            /// let (sender, receiver) = Builder::new(2).observe().build()?;
            /// sender.try_send(Band::new(1), "an item")?;
            /// let band = &sender.snapshot().bands[1];
            /// assert_eq!((band.len, band.sent, band.received), (1, 1, 0));
            /// assert!(band.oldest.is_some());
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub fn snapshot(&self) -> Snapshot {
                self.$($core).+.snapshot()
            }
        }
    };
}

snapshot!(Sender, core);
snapshot!(BandSender, sender.core);
snapshot!(Receiver, core);

impl<T> WeakReceiver<T> {
    /// `None` once the channel has no handle any more that could send or receive. It is no receiver
    /// for the moment, so it keeps the channel from nothing.
    #[cfg(feature = "prometheus")]
    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        let has_handles = self.core.senders.count() + self.core.receivers.count() > 0;
        has_handles.then(|| self.core.snapshot())
    }
}

/// # Sight
impl<T> Receiver<T> {
    /// Says that its owner works on an item of that band, until the guard is dropped. So it is
    /// known how many work on what, and for how long something more urgent waited meanwhile:
    /// [`BandSnapshot::inversion`].
    ///
    /// A receiver that has said so once is a worker, until it is dropped: it counts among those who
    /// could take what waits. Give each worker a clone of its own, one guard at a time, and drop
    /// the guard before the next receive: it is guards that are counted against workers. Call it
    /// right after the receive of one item, on the same thread, so that it is known where that was
    /// sent from. (`let _ = …` drops the guard at once; `let _working = …` keeps it.)
    ///
    /// Without [`observe`](Builder::observe), and for a band that the channel does not have, it
    /// does nothing. Else it looks at each pair of bands.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// # use std::{thread::sleep, time::Duration};
    /// let (sender, receiver) = Builder::new(2).observe().build()?;
    /// sender.try_send(Band::new(1), "a long report")?;
    /// let (band, _report) = receiver.try_recv()?;
    /// let working = receiver.working(band);
    /// sender.try_send(Band::URGENT, "an alarm")?;
    /// sleep(Duration::from_millis(10)); // the work
    /// drop(working);
    /// let urgent = &receiver.snapshot().bands[0];
    /// assert!(urgent.inversion >= Duration::from_millis(10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn working(&self, band: impl Into<Band>) -> Working {
        let Some(record) = self.core.record() else {
            return Working::unobserved();
        };
        let band = band.into();
        if !self.core.has_band(band) {
            return Working::unobserved();
        }
        if !self.is_worker.swap(true, Ordering::Relaxed) {
            record.work().hire(self.mask); // ours alone: the drop comes after it
        }
        record.work().begin(self.mask, band)
    }

    /// The handle is dropped.
    pub(super) fn retire(&self) {
        if self.is_worker.load(Ordering::Relaxed) {
            if let Some(record) = self.core.record() {
                record.work().dismiss(self.mask);
            }
        }
    }
}

/// # Sight
impl<T> Builder<T> {
    /// The channel is observed: it counts and times what goes through it, by band. See
    /// [`snapshot`](Receiver::snapshot), and [`observe`](crate::observe) for more ways to see it.
    ///
    /// It costs two looks at the clock an item and two additions, 32 bytes an item, and 20 KiB for
    /// each histogram that is used, of which a band has up to three. A channel that is not observed
    /// pays nothing.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// let (sender, receiver) = Builder::new(2).observe().build()?;
    /// sender.try_send(Band::URGENT, "an item")?;
    /// receiver.try_recv()?;
    /// let urgent = &receiver.snapshot().bands[0];
    /// assert_eq!((urgent.sent, urgent.received), (1, 1));
    /// println!("waited for {:?}", urgent.get.max());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe(mut self) -> Self {
        self.is_observed = true;
        self
    }
}
