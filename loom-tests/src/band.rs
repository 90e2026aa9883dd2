//! What the models of one band begin and end with.

use bandq::__internals::Fifo;
use std::sync::Arc;

/// A FIFO with both ends in one segment, behind its first slot.
#[must_use]
pub fn half_way<T>(item: T) -> Arc<Fifo<T>> {
    let fifo = Arc::<Fifo<T>>::default();
    assert!(fifo.push(item).is_ok() && fifo.pop().is_some());
    fifo
}

/// What is left in the FIFO.
#[must_use]
pub fn rest<T>(fifo: &Fifo<T>) -> Vec<T> {
    std::iter::from_fn(|| fifo.pop()).collect()
}
