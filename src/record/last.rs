//! Where the item came from that a thread received last: from a receive to the
//! [`Receiver::working`](crate::Receiver::working) that follows it.

use super::work::Work;
use crate::{band::Band, entry::Origin};
use std::{cell::RefCell, mem, sync::Arc};

/// What was received last.
struct Last {
    /// The address of the channel's, to tell channels apart; nothing is read there.
    work: *const Work,
    band: Band,
    origin: Origin,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// An item was received on this thread.
pub(super) fn note(work: &Arc<Work>, band: Band, origin: &mut Origin) {
    let last = Last {
        work: Arc::as_ptr(work),
        band,
        origin: origin.take(),
    };
    // A thread that ends has none any more.
    let before = LAST.try_with(|place| {
        place
            .try_borrow_mut()
            .ok()
            .and_then(|mut place| place.replace(last))
    });
    drop(before); // outside: it may run foreign code
}

/// The origin of what this thread received last, if that was from that band of that channel, and
/// nobody has asked since.
pub(super) fn take(work: &Arc<Work>, band: Band) -> Option<Origin> {
    let last = LAST.try_with(|place| {
        place
            .try_borrow_mut()
            .ok()
            .and_then(|mut place| mem::take(&mut *place))
    });
    let last = last.ok().flatten()?;
    (last.work == Arc::as_ptr(work) && last.band == band).then_some(last.origin)
}
