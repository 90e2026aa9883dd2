//! Where the item came from that a thread received last: from a receive to the
//! [`Receiver::working`](crate::Receiver::working) that follows it.

use crate::{band::Band, entry::Origin, quiet::quietly};
use std::{cell::RefCell, mem};

/// Tells channels apart: the address of something that each has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Channel(usize);

impl Channel {
    pub(super) fn that_has<T>(part: &T) -> Self {
        Self(std::ptr::from_ref(part).addr())
    }
}

/// What was received last.
struct Last {
    channel: Channel,
    band: Band,
    origin: Origin,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// An item was received on this thread.
pub(super) fn note(channel: Channel, band: Band, origin: &mut Origin) {
    let last = Last {
        channel,
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
    quietly(|| drop(before)); // outside: it may run foreign code
}

/// Nobody is to know of what this thread received last.
pub(super) fn forget() {
    let before = LAST.try_with(|place| place.try_borrow_mut().ok().and_then(|mut p| p.take()));
    quietly(|| drop(before)); // as above
}

/// The origin of what this thread received last, if that was from that band of that channel, and
/// nobody has asked since.
pub(super) fn take(channel: Channel, band: Band) -> Option<Origin> {
    let last = LAST.try_with(|place| {
        place
            .try_borrow_mut()
            .ok()
            .and_then(|mut place| mem::take(&mut *place))
    });
    let last = last.ok().flatten()?;
    (last.channel == channel && last.band == band).then_some(last.origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_told_once_and_only_of_that_band_of_that_channel() {
        let [here, there] = [Channel(1), Channel(2)];
        let [low, urgent] = [Band::new(1), Band::URGENT];
        note(here, low, &mut Origin::here());
        assert!(take(here, low).is_some());
        assert!(take(here, low).is_none());
        for (channel, band) in [(there, low), (here, urgent)] {
            note(here, low, &mut Origin::here());
            assert!(take(channel, band).is_none());
            assert!(take(here, low).is_none(), "somebody has asked");
        }
        note(here, low, &mut Origin::here());
        forget();
        assert!(take(here, low).is_none());
    }
}
