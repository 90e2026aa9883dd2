//! The items, and what is known of each.

use std::sync::atomic::{AtomicU8, Ordering};

/// Items of one round at the most.
pub(crate) const ROUND: usize = 1 << 14;
pub(crate) const SENDERS: usize = 8;

// What is known of an item, in one byte; the low bits count its drops.
pub(crate) const CREATED: u8 = 0x04;
/// Its send returned `Ok`.
pub(crate) const ACCEPTED: u8 = 0x08;
/// It was in a batch that was cancelled: sent or not.
pub(crate) const MAYBE: u8 = 0x10;
pub(crate) const RECEIVED: u8 = 0x20;

/// One table for each of the four tests.
pub(crate) static TABLES: [[AtomicU8; ROUND]; 4] =
    [const { [const { AtomicU8::new(0) }; ROUND] }; 4];

/// Table in the top two bits, then the sender, then the number in the sender's order.
pub(crate) struct Item(u32);

impl Item {
    pub(crate) fn new(table: usize, sender: usize, n: usize) -> Self {
        let item = Item((table << 30 | sender << 20 | n) as u32);
        let before = item.cell().swap(CREATED, Ordering::Relaxed);
        assert_eq!(before, 0, "made twice");
        item
    }

    pub(crate) fn sender(&self) -> usize {
        (self.0 >> 20 & 0x3FF) as usize
    }

    pub(crate) fn number(&self) -> u32 {
        self.0 & 0xF_FFFF
    }

    pub(crate) fn cell(&self) -> &'static AtomicU8 {
        cell(
            (self.0 >> 30) as usize,
            self.sender(),
            self.number() as usize,
        )
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.cell().fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn cell(table: usize, sender: usize, n: usize) -> &'static AtomicU8 {
    assert!(n < ROUND / SENDERS);
    &TABLES[table][sender * (ROUND / SENDERS) + n]
}

pub(crate) fn mark(table: usize, sender: usize, n: usize, flag: u8) {
    cell(table, sender, n).fetch_or(flag, Ordering::Relaxed);
}
