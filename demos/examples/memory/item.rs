//! What is queued: the item types, one line each.

use crate::peers;
use crate::profile::{self, Figures, Load};

/// The item types: a name, what it is, and how the n-th item is made. What that allocates is
/// counted apart.
pub(crate) fn items() -> Vec<ItemType> {
    vec![
        ItemType::new("u64", "a number", |n| n),
        ItemType::new("struct64", "a struct of 64 bytes", |n| [n; 8]),
        ItemType::new("string", "a String of 100 characters", |_| "x".repeat(100)),
    ]
}

/// From a peer's name to what its queue takes of such items, if there is such a peer.
type Measure = dyn Fn(&str, Load) -> Option<Figures>;

/// An item type, so that they all fit into one list.
pub(crate) struct ItemType {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    measure: Box<Measure>,
}

impl ItemType {
    fn new<T: Send + 'static>(
        name: &'static str,
        what: &'static str,
        make: impl Fn(u64) -> T + 'static,
    ) -> Self {
        let measure = move |peer: &str, load| {
            let peer = peers::peers()
                .into_iter()
                .find(|known| known.name == peer)?;
            Some(profile::measure(peer.queue, load, &make))
        };
        Self {
            name,
            what,
            measure: Box::new(measure),
        }
    }

    /// Such items in the queue of this name; `None` if there is none of it.
    pub(crate) fn measure(&self, peer: &str, load: Load) -> Option<Figures> {
        (self.measure)(peer, load)
    }
}
