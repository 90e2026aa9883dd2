//! The failures of items that are tried again: of each a chain, from the last one back.

use crate::{
    outcome::Failure,
    slab::{Key, Slab},
};

/// The last failure of an item, and by it all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Past(Key);

struct Link<E> {
    failure: Failure<E>,
    before: Option<Past>,
}

pub(crate) struct Histories<E>(Slab<Link<E>>);

impl<E> Default for Histories<E> {
    fn default() -> Self {
        Self(Slab::default())
    }
}

impl<E> Histories<E> {
    pub(crate) fn add(&mut self, before: Option<Past>, failure: Failure<E>) -> Past {
        Past(self.0.add(Link { failure, before }))
    }

    /// All of an item, the oldest first.
    pub(crate) fn take(&mut self, last: Past) -> Vec<Failure<E>> {
        let mut failures = Vec::new();
        let mut next = Some(last);
        while let Some(link) = next.and_then(|past| self.0.take(past.0)) {
            failures.push(link.failure);
            next = link.before;
        }
        failures.reverse();
        failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_has_its_own_failures_in_their_order() {
        let mut histories = Histories::default();
        let (mut one, mut other) = (None, None);
        for n in 0..3 {
            one = Some(histories.add(one, Failure::Error(n)));
            other = Some(histories.add(other, Failure::Error(10 + n)));
        }
        let errors = |numbers: [i32; 3]| numbers.map(Failure::Error).to_vec();
        assert_eq!(histories.take(other.unwrap()), errors([10, 11, 12]));
        assert_eq!(histories.take(one.unwrap()), errors([0, 1, 2]));
    }
}
