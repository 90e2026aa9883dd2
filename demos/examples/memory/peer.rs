//! What is asked of a peer.

/// A queue under measurement.
pub(crate) trait Peer<T> {
    /// Puts an item into a band; 0 is the most urgent. A peer without bands ignores it.
    fn push(&self, band: u8, item: T);

    /// Takes the next item.
    fn pop(&self) -> Option<T>;
}
