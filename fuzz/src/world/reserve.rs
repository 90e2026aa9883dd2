//! Room that is reserved, and what becomes of it.

use bandq::Band;

use super::job::{Held, Job, Lent, Reserved};
use super::verdict::Verdict;
use super::{MOST_PERMITS, World, pick};
use crate::item::Item;
use crate::loan::forget;

/// Which of the calls that reserve.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `reserve`: one unit.
    One,
    /// `reserve_owned`: one unit.
    Owned,
    /// `reserve_many`: so many units.
    Many(usize),
}

impl<const PAD: usize> World<PAD> {
    /// Begins a call that reserves.
    pub fn begin_reserve(&mut self, sender: u8, band: u8, kind: Kind, poll: bool) {
        if self.permits.len() == MOST_PERMITS {
            return;
        }
        let band = self.band(band);
        let Some((sender, lent)) = self.lend_sender(sender) else {
            return;
        };
        let job = match kind {
            Kind::One => {
                let future = Box::pin(sender.reserve(band));
                Job::Reserve { future, band }
            }
            Kind::Owned => {
                let future = Box::pin(sender.reserve_owned(band));
                Job::ReserveOwned { future, band }
            }
            Kind::Many(units) => {
                let future = Box::pin(sender.reserve_many(band, units));
                Job::ReserveMany {
                    future,
                    band,
                    units,
                }
            }
        };
        self.begin(job, lent, poll);
    }

    /// Reserves without waiting.
    pub fn try_reserve(&mut self, sender: u8, band: u8, kind: Kind) {
        if self.permits.len() == MOST_PERMITS {
            return;
        }
        let band = self.band(band);
        let Some((sender, lent)) = self.lend_sender(sender) else {
            return;
        };
        let (units, reserved) = match kind {
            Kind::One => (1, sender.try_reserve(band).map(Reserved::One)),
            Kind::Owned => (1, sender.try_reserve_owned(band).map(Reserved::Owned)),
            Kind::Many(units) => {
                let reserved = sender.try_reserve_many(band, units);
                (units, reserved.map(Reserved::Many))
            }
        };
        let expected = self.reserve_verdict(band, units);
        match reserved {
            Ok(reserved) => {
                assert_eq!(expected, Verdict::Ok, "try_reserve");
                self.reserved += units;
                self.settle();
                self.hold(reserved, band, units, lent);
            }
            Err(error) => {
                let (verdict, _) = Verdict::of::<(), _>(Err(error));
                assert_eq!(verdict, expected, "try_reserve");
                self.give_back(lent);
            }
        }
    }

    /// Keeps what was reserved, and what it borrows.
    pub(super) fn hold(
        &mut self,
        reserved: Reserved<PAD>,
        band: Band,
        units: usize,
        lent: Lent<PAD>,
    ) {
        let (of, lent, spare) = match &reserved {
            Reserved::One(permit) => (permit.band(), Some(lent), None),
            Reserved::Owned(permit) => (permit.band(), None, Some(lent)),
            Reserved::Many(permits) => {
                assert_eq!(permits.len(), units, "how many were reserved");
                (permits.band(), Some(lent), None)
            }
        };
        assert_eq!(of, band, "the band that was reserved");
        self.permits.push(Held {
            reserved,
            lent,
            band,
            units,
        });
        if let Some(lent) = spare {
            self.give_back(lent);
        }
    }

    fn take_permit(&mut self, permit: u8) -> Option<Held<PAD>> {
        let at = pick(permit, self.permits.len())?;
        self.reserved -= self.permits[at].units;
        Some(self.permits.remove(at))
    }

    fn give_back_what_was_lent(&mut self, lent: Option<Lent<PAD>>) {
        if let Some(lent) = lent {
            self.give_back(lent);
        }
    }

    /// Uses a permit, or the next one of many, the rest of which stay.
    pub fn permit_send(&mut self, permit: u8) {
        let Some(held) = self.take_permit(permit) else {
            return;
        };
        let Held {
            reserved,
            lent,
            band,
            units,
        } = held;
        let item = Item::new();
        let id = item.id();
        let (sent, rest) = match reserved {
            Reserved::One(permit) => (permit.send(item), None),
            Reserved::Owned(permit) => (permit.send(item), None),
            Reserved::Many(mut permits) => match permits.next() {
                Some(permit) => (permit.send(item), Some(permits)),
                None => {
                    assert_eq!(units, 0, "a permit is missing");
                    drop((item, permits));
                    self.settle();
                    return self.give_back_what_was_lent(lent);
                }
            },
        };
        let (verdict, back) = Verdict::of_waiting(sent);
        let expected = match self.closed {
            true => Verdict::Closed,
            false => Verdict::Ok,
        };
        assert_eq!(verdict, expected, "a permit's send");
        match back {
            Some(item) => {
                assert_eq!(item.id(), id, "gave back another item");
                self.done.room += 1;
            }
            None => self.accept(band, id),
        }
        match rest {
            Some(permits) => {
                assert_eq!(permits.len(), units - 1, "how many are left");
                self.reserved += units - 1;
                self.permits.push(Held {
                    reserved: Reserved::Many(permits),
                    lent,
                    band,
                    units: units - 1,
                });
                self.settle();
            }
            None => {
                self.settle();
                self.give_back_what_was_lent(lent);
            }
        }
    }

    /// Drops what was reserved.
    pub fn permit_drop(&mut self, permit: u8) {
        let Some(held) = self.take_permit(permit) else {
            return;
        };
        drop(held.reserved);
        self.done.room += held.units;
        self.settle();
        self.give_back_what_was_lent(held.lent);
    }

    /// Forgets what was reserved: its units of room are gone for good.
    pub fn permit_forget(&mut self, permit: u8) {
        let Some(held) = self.take_permit(permit) else {
            return;
        };
        // What owns a handle's share of the channel leaks it.
        forget(held.reserved);
        self.reserved += held.units;
        self.settle();
        self.give_back_what_was_lent(held.lent);
    }
}
