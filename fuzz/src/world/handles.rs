//! Handles: clones, drops, weak ones, and `close`.

use bandq::Receiver;

use super::job::Tap;
use super::{MOST_HANDLES, World, pick};
use crate::flag::Flag;
use crate::item::Item;

impl<const PAD: usize> World<PAD> {
    /// `close`, on either side.
    pub fn close(&mut self, handle: u8) {
        let tx = pick(handle / 2, self.senders.len());
        let rx = pick(handle / 2, self.taps.len());
        let first = match (handle % 2, tx, rx) {
            (0, Some(at), _) => self.senders[at].close(),
            (1, _, Some(at)) => self.taps[at].receiver.close(),
            _ => return,
        };
        assert_eq!(first, !self.closed, "who closed");
        self.closed = true;
        self.settle();
    }

    /// Clones a sender.
    pub fn clone_sender(&mut self, sender: u8) {
        if let Some(at) = pick(sender, self.senders.len())
            && self.senders.len() < MOST_HANDLES
        {
            let clone = self.senders[at].clone();
            assert!(clone.same_channel(&self.senders[0]));
            self.senders.push(clone);
            self.sender_count += 1;
            self.settle();
        }
    }

    /// Clones a receiver.
    pub fn clone_receiver(&mut self, receiver: u8) {
        if let Some(at) = pick(receiver, self.taps.len())
            && self.taps.len() < MOST_HANDLES
        {
            let clone = self.taps[at].receiver.clone();
            assert!(clone.same_channel(&self.taps[0].receiver));
            self.add_receiver(clone);
        }
    }

    fn add_receiver(&mut self, receiver: Receiver<Item<PAD>>) {
        self.receiver_count += 1;
        self.taps.push(Tap {
            receiver,
            ticket: self.waits.ticket(),
            flag: Flag::new(),
            is_ended: false,
        });
        self.settle();
    }

    /// Drops a sender.
    pub fn drop_sender(&mut self, sender: u8) {
        if let Some(at) = pick(sender, self.senders.len()) {
            drop(self.senders.swap_remove(at));
            self.lose_sender();
            self.settle();
        }
    }

    /// Drops a receiver, which may be waiting as a stream.
    pub fn drop_receiver(&mut self, receiver: u8) {
        if let Some(at) = pick(receiver, self.taps.len()) {
            let tap = self.taps.swap_remove(at);
            self.waits.leave(tap.ticket);
            drop(tap.receiver);
            self.lose_receiver();
            self.settle();
        }
    }

    /// Forgets a sender: the channel never closes by itself.
    pub fn forget_sender(&mut self, sender: u8) {
        if let Some(at) = pick(sender, self.senders.len()) {
            self.aside.senders.push(self.senders.swap_remove(at));
            self.settle();
        }
    }

    /// Forgets a receiver, which may be waiting as a stream.
    pub fn forget_receiver(&mut self, receiver: u8) {
        if let Some(at) = pick(receiver, self.taps.len()) {
            self.aside.taps.push(self.taps.swap_remove(at));
            self.settle();
        }
    }

    /// `downgrade`, on either side.
    pub fn downgrade(&mut self, handle: u8) {
        let weak = self.weak_senders.len() + self.weak_receivers.len();
        if weak >= 2 * MOST_HANDLES {
            return;
        }
        if handle.is_multiple_of(2) {
            if let Some(at) = pick(handle / 2, self.senders.len()) {
                self.weak_senders.push(self.senders[at].downgrade());
            }
        } else if let Some(at) = pick(handle / 2, self.taps.len()) {
            self.weak_receivers.push(self.taps[at].receiver.downgrade());
        }
        self.settle();
    }

    /// `upgrade`, on either side.
    pub fn upgrade(&mut self, handle: u8) {
        if handle.is_multiple_of(2) {
            let Some(at) = pick(handle / 2, self.weak_senders.len()) else {
                return;
            };
            if self.senders.len() == MOST_HANDLES {
                return;
            }
            let strong = self.weak_senders[at].upgrade();
            self.check_upgrade(strong.is_some(), self.sender_count);
            if let Some(sender) = strong {
                self.sender_count += 1;
                self.senders.push(sender);
            }
        } else {
            let Some(at) = pick(handle / 2, self.weak_receivers.len()) else {
                return;
            };
            if self.taps.len() == MOST_HANDLES {
                return;
            }
            let strong = self.weak_receivers[at].upgrade();
            self.check_upgrade(strong.is_some(), self.receiver_count);
            if let Some(receiver) = strong {
                self.add_receiver(receiver);
            }
        }
        self.settle();
    }

    /// A weak handle gives a strong one while there is one on its side; where the channel was
    /// closed by hand it may refuse.
    fn check_upgrade(&self, given: bool, count: usize) {
        assert!(given || count == 0 || self.closed, "upgrade refused");
        assert!(
            !given || count > 0,
            "upgraded after the last one was dropped"
        );
    }

    /// Drops a weak handle.
    pub fn drop_weak(&mut self, handle: u8) {
        if handle.is_multiple_of(2) {
            if let Some(at) = pick(handle / 2, self.weak_senders.len()) {
                self.weak_senders.swap_remove(at);
            }
        } else if let Some(at) = pick(handle / 2, self.weak_receivers.len()) {
            self.weak_receivers.swap_remove(at);
        }
        self.settle();
    }
}
