//! The end of a run.

use std::mem;

use super::World;
use super::job::Aside;
use crate::program::MOST_STEPS;

impl<const PAD: usize> World<PAD> {
    /// Lets everybody run who was woken, drops all there is, and then what was put aside. No item
    /// is left but those that went with a future that was really forgotten.
    pub fn finish(mut self) {
        self.run_woken();
        self.drop_all();
        let Aside {
            tasks,
            senders,
            taps,
        } = mem::take(&mut self.aside);
        for task in &tasks {
            self.forgotten -= task.job.items();
        }
        self.tasks = tasks;
        self.senders = senders;
        self.taps = taps;
        self.drop_all();
        assert_eq!(self.ledger.living(), self.forgotten, "items left");
    }

    fn drop_all(&mut self) {
        while !self.tasks.is_empty() {
            self.cancel(0);
        }
        while !self.permits.is_empty() {
            self.permit_drop(0);
        }
        while !self.senders.is_empty() {
            self.drop_sender(0);
        }
        while !self.band_senders.is_empty() {
            self.bound(0, 3);
        }
        while !self.taps.is_empty() {
            self.drop_receiver(0);
        }
    }

    /// Checks that no unit of room was lost or made: with all futures and permits gone and all
    /// items taken, there is room for the capacity, less what was forgotten.
    pub fn audit(&mut self) {
        while !self.tasks.is_empty() {
            self.cancel(0);
        }
        while !self.permits.is_empty() {
            self.permit_drop(0);
        }
        let capacity = self.capacity.filter(|&capacity| capacity <= MOST_STEPS);
        let (Some(capacity), false) = (capacity, self.closed || self.taps.is_empty()) else {
            return;
        };
        while !self.bands.is_empty() {
            self.recv_now(0, 0);
        }
        for _ in self.reserved..capacity {
            self.send_now(0, 0, 0);
        }
        self.send_now(0, 0, 0);
        assert_eq!(self.bands.len(), capacity - self.reserved);
    }
}
