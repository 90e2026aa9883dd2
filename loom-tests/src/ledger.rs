//! [`Ledger`]: who was made must be dropped, once.

use std::{
    mem::ManuallyDrop,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The items of one execution.
///
/// Plain atomics and a plain `Arc`: keeping the books is no part of a model.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Books>);

#[derive(Debug, Default)]
struct Books {
    made: AtomicUsize,
    /// One bit an item.
    dropped: AtomicUsize,
}

/// An item that notes its drop. Dropping it twice panics.
#[derive(Debug)]
pub struct Item {
    id: usize,
    // By hand, so that a second drop does not touch it.
    books: ManuallyDrop<Arc<Books>>,
}

impl Ledger {
    /// Empty books.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next item; they are numbered from 0 on.
    #[must_use]
    pub fn item(&self) -> Item {
        let id = self.0.made.fetch_add(1, Ordering::Relaxed);
        assert!(id < usize::BITS as usize);
        Item {
            id,
            books: ManuallyDrop::new(Arc::clone(&self.0)),
        }
    }

    /// Whether an item has been dropped.
    #[must_use]
    pub fn is_dropped(&self, id: usize) -> bool {
        self.0.dropped.load(Ordering::Relaxed) & (1 << id) != 0
    }

    /// At the end: every item is gone.
    #[track_caller]
    pub fn settle(&self) {
        for id in 0..self.0.made.load(Ordering::Relaxed) {
            assert!(self.is_dropped(id), "item {id} was never dropped");
        }
    }
}

impl Item {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> usize {
        self.id
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        let before = self.books.dropped.fetch_or(1 << self.id, Ordering::Relaxed);
        assert!(
            before & (1 << self.id) == 0,
            "item {} was dropped twice",
            self.id
        );
        // SAFETY: this is the first drop.
        unsafe { ManuallyDrop::drop(&mut self.books) };
    }
}
