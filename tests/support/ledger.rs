//! Items with an id each, and a ledger that knows how often each was dropped.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the drops of items `0..n`.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<[AtomicUsize]>);

/// An item. Its drop is noted in the ledger.
pub(crate) struct Token {
    id: usize,
    ledger: Ledger,
}

impl Ledger {
    pub(crate) fn new(n: usize) -> Self {
        Ledger((0..n).map(|_| AtomicUsize::new(0)).collect())
    }

    pub(crate) fn token(&self, id: usize) -> Token {
        assert!(id < self.0.len());
        Token {
            id,
            ledger: self.clone(),
        }
    }

    /// All the tokens, in order.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> + use<> {
        let ledger = self.clone();
        (0..self.0.len()).map(move |id| ledger.token(id))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How often item `id` was dropped.
    pub(crate) fn drops(&self, id: usize) -> usize {
        self.0[id].load(Ordering::SeqCst)
    }

    /// How many drops there were in all.
    pub(crate) fn total(&self) -> usize {
        self.0.iter().map(|n| n.load(Ordering::SeqCst)).sum()
    }

    #[track_caller]
    pub(crate) fn assert_each_dropped_once(&self) {
        for id in 0..self.len() {
            assert_eq!(self.drops(id), 1, "drops of item {id}");
        }
    }

    #[track_caller]
    pub(crate) fn assert_none_dropped(&self) {
        for id in 0..self.len() {
            assert_eq!(self.drops(id), 0, "drops of item {id}");
        }
    }
}

impl Token {
    pub(crate) fn id(&self) -> usize {
        self.id
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.ledger.0[self.id].fetch_add(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.id)
    }
}
