//! [`Seen`]: proof that the exploration reached what a model is about.

use std::{collections::BTreeSet, sync::Mutex};

/// The outcomes that came up in some execution of a model. Lives in a `static`.
#[derive(Debug, Default)]
pub struct Seen(Mutex<BTreeSet<&'static str>>);

impl Seen {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeSet::new()))
    }

    /// Notes an outcome.
    pub fn mark(&self, outcome: &'static str) {
        self.0.lock().unwrap().insert(outcome);
    }

    /// After the model: under loom each of these has come up, and nothing else. On plain threads
    /// rare outcomes may have stayed away.
    #[track_caller]
    pub fn expect<const N: usize>(&self, outcomes: [&'static str; N]) {
        let seen = self.0.lock().unwrap();
        let expected = BTreeSet::from(outcomes);
        if cfg!(loom) {
            assert_eq!(
                *seen, expected,
                "what the model reached is not what it is about"
            );
        } else {
            assert!(
                seen.is_subset(&expected),
                "{seen:?} is more than {expected:?}"
            );
        }
    }
}
