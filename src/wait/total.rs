//! [`Total`] and [`Line`]: lines of waiters of two classes with one count.

use super::wakes::{Wakes, collect};
use crate::sync::{
    atomic::{AtomicU64, Ordering},
    model_fence,
};
use event_listener::{Event, EventListener, IntoNotification};

/// The waiters of two classes, in any number of lines, that nobody has woken yet: two eventcounts'
/// `waiting` in one word, so that one load tells that nobody waits at all.
///
/// ```text
///  63            32 31             0
/// ┌────────────────┬────────────────┐
/// │ second class   │ first class    │   each as `EventCount::waiting`: never too small
/// └────────────────┴────────────────┘
/// ```
#[derive(Debug)]
pub(crate) struct Total(AtomicU64);

/// One waiter of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(u64);

impl Class {
    pub(crate) const FIRST: Self = Self(1);
    pub(crate) const SECOND: Self = Self(1 << 32);
}

/// Waiters of one kind, in the order in which they came, that a [`Total`] counts.
#[derive(Debug)]
pub(crate) struct Line(Event);

impl Line {
    pub(crate) fn new() -> Self {
        Self(Event::new())
    }

    /// N3, within [`Total::notify`]: marks up to `n` waiters and returns how many. Takes no lock if
    /// none waits here.
    pub(crate) fn mark(&self, n: usize) -> usize {
        self.0.notify(n.additional())
    }
}

impl Total {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// As [`EventCount::is_idle`](super::EventCount::is_idle), for both classes.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        model_fence();
        // SeqCst: N2 in `wait.md`, after the deed; pairs with the waiter's count and fence.
        self.0.load(Ordering::SeqCst) == 0
    }

    /// How many wait, of both classes.
    #[cfg(feature = "observe")]
    pub(crate) fn waiting(&self) -> usize {
        let both = self.0.load(Ordering::Relaxed); // a number
        (both as u32) as usize + (both >> 32) as usize
    }

    /// W1 and W2 in a line.
    pub(crate) fn listen(&self, class: Class, line: &Line) -> EventListener {
        self.0.fetch_add(class.0, Ordering::Relaxed); // as in `EventCount::listen`
        line.0.listen()
    }

    /// [`Place::left_unwoken`](super::Place::left_unwoken) of one of that class.
    pub(crate) fn left_unwoken(&self, class: Class) {
        self.0.fetch_sub(class.0, Ordering::Relaxed); // as in `EventCount::mark`
    }

    /// N2 to N4: for each class of which somebody waits, `mark` marks waiters of its lines, and
    /// returns how many.
    pub(crate) fn notify(&self, mut mark: impl FnMut(Class) -> usize) -> Wakes {
        model_fence();
        // SeqCst: as in `is_idle`.
        let waiting = self.0.load(Ordering::SeqCst);
        let mark_all = || {
            let mut woken = 0;
            if waiting as u32 != 0 {
                woken += mark(Class::FIRST) as u64;
            }
            if waiting >> 32 != 0 {
                woken += (mark(Class::SECOND) as u64) << 32;
            }
            woken
        };
        let (woken, wakes) = collect(mark_all);
        if woken > 0 {
            self.0.fetch_sub(woken, Ordering::Relaxed); // as in `EventCount::mark`
        }
        wakes
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_counted_for_itself() {
        let (total, first, second) = (Total::new(), Line::new(), Line::new());
        let listeners = [
            total.listen(Class::FIRST, &first),
            total.listen(Class::SECOND, &second),
            total.listen(Class::FIRST, &first),
        ];
        #[cfg(feature = "observe")]
        assert_eq!(total.waiting(), 3);
        let mut asked = Vec::new();
        drop(total.notify(|class| {
            asked.push(class);
            if class == Class::FIRST {
                first.mark(1)
            } else {
                second.mark(9)
            }
        }));
        assert_eq!(asked, [Class::FIRST, Class::SECOND]);
        asked.clear();
        drop(total.notify(|class| {
            asked.push(class);
            0
        }));
        assert_eq!(asked, [Class::FIRST]);
        total.left_unwoken(Class::FIRST);
        assert!(total.is_idle());
        drop(listeners);
    }
}
