//! What a handle says about its channel.

use super::World;
use super::job::Tap;

/// All that a handle says without a call that changes anything.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    bands: usize,
    len: usize,
    is_empty: bool,
    is_closed: bool,
    capacity: Option<usize>,
    handles: (usize, usize),
    weak: usize,
    /// `is_full` and `available`; nothing is said once the last receiver is gone.
    room: Option<(bool, Option<usize>)>,
}

/// The counts as a handle of any kind says them.
macro_rules! counts {
    ($handle:expr) => {{
        let handle = $handle;
        Counts {
            bands: handle.bands(),
            len: handle.len(),
            is_empty: handle.is_empty(),
            is_closed: handle.is_closed(),
            capacity: handle.capacity(),
            handles: (handle.sender_count(), handle.receiver_count()),
            weak: handle.weak_count(),
            room: (handle.receiver_count() > 0).then(|| (handle.is_full(), handle.available())),
        }
    }};
}

impl<const PAD: usize> World<PAD> {
    /// Checks what one handle of each kind says.
    pub(super) fn check_counts(&self) {
        let room = self.room();
        let expected = Counts {
            bands: self.bands.count(),
            len: self.bands.len(),
            is_empty: self.bands.is_empty(),
            is_closed: self.closed,
            capacity: self.capacity,
            handles: (self.sender_count, self.receiver_count),
            weak: self.weak_senders.len() + self.weak_receivers.len(),
            room: (self.receiver_count > 0).then(|| (room == 0, self.capacity.map(|_| room))),
        };
        if let Some(sender) = self.senders.first() {
            assert_eq!(counts!(sender), expected, "a sender says");
        } else if let Some(sender) = self.band_senders.first() {
            assert_eq!(counts!(sender), expected, "a band's sender says");
        } else if let Some(Tap { receiver, .. }) = self.taps.first() {
            assert_eq!(counts!(receiver), expected, "a receiver says");
        }
    }
}
