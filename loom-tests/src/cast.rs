//! [`Cast`]: which part of a model runs on the main thread.
//!
//! loom 0.7 remembers one last access of each object. When thread A only reads X, and thread B
//! reads X and then writes it, and A's read was tried first, loom takes B's write to depend on B's
//! own read alone, and never tries it before A's. When B was tried first it does see both orders.
//! The main thread is tried first, so each model is explored once with each of its parts there.

use crate::thread;
use std::sync::{Arc, Mutex};

/// One way to hand out a model's parts to its threads.
#[derive(Debug, Clone, Copy)]
pub struct Cast {
    /// The part for the main thread; the others follow in turn.
    first: usize,
}

/// A part of a model that leaves its result somewhere.
type Part = Box<dyn FnOnce() + Send>;

impl Cast {
    /// The casts of a model with this many parts.
    pub(crate) fn all(parts: usize) -> impl Iterator<Item = Self> + Clone {
        (0..parts).map(|first| Self { first })
    }

    /// Runs two parts at once, to their ends.
    pub fn two<A: Send + 'static, B: Send + 'static>(
        self,
        a: impl FnOnce() -> A + Send + 'static,
        b: impl FnOnce() -> B + Send + 'static,
    ) -> (A, B) {
        let ((a, a_result), (b, b_result)) = (part(a), part(b));
        self.run(vec![a, b]);
        (taken(&a_result), taken(&b_result))
    }

    /// Runs three parts at once, to their ends.
    pub fn three<A: Send + 'static, B: Send + 'static, C: Send + 'static>(
        self,
        a: impl FnOnce() -> A + Send + 'static,
        b: impl FnOnce() -> B + Send + 'static,
        c: impl FnOnce() -> C + Send + 'static,
    ) -> (A, B, C) {
        let ((a, a_result), (b, b_result), (c, c_result)) = (part(a), part(b), part(c));
        self.run(vec![a, b, c]);
        (taken(&a_result), taken(&b_result), taken(&c_result))
    }

    fn run(self, mut parts: Vec<Part>) {
        parts.rotate_left(self.first);
        let main = parts.remove(0);
        let spawned: Vec<_> = parts.into_iter().map(thread::spawn).collect();
        main();
        for thread in spawned {
            thread.join().expect("a part of the model panicked");
        }
    }
}

fn part<R: Send + 'static>(
    part: impl FnOnce() -> R + Send + 'static,
) -> (Part, Arc<Mutex<Option<R>>>) {
    let result = Arc::new(Mutex::new(None));
    let into = Arc::clone(&result);
    let part = move || {
        let result = part();
        *into.lock().unwrap() = Some(result);
    };
    (Box::new(part), result)
}

fn taken<R>(result: &Mutex<Option<R>>) -> R {
    result.lock().unwrap().take().expect("every part has ended")
}
