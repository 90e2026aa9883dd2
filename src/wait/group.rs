//! [`Group`]: waiters of one class that wait for different things, and are looked for all at once.

use super::{
    event_count::{EventCount, Place},
    wakes::{Wakes, collect},
};
use crate::sync::{
    atomic::{AtomicUsize, Ordering},
    model_fence,
};
use event_listener::EventListener;

/// Eventcounts, the members, that share a total: one load tells that nobody waits at any of them.
///
/// Who waits counts itself in the total and at its member, so each of the two words is a `waiting`
/// in the sense of `wait.md`: never too small.
#[derive(Debug)]
pub(crate) struct Group {
    waiting: AtomicUsize,
    members: Box<[EventCount]>,
}

impl Group {
    /// With that many members; one without any allocates nothing, and nobody can wait there.
    pub(crate) fn new(members: usize) -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            members: (0..members).map(|_| EventCount::new()).collect(),
        }
    }

    pub(crate) fn members(&self) -> usize {
        self.members.len()
    }

    /// How many wait.
    #[cfg(feature = "observe")]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed) // a number
    }

    /// As [`EventCount::is_idle`], for all members.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        model_fence();
        // SeqCst: N2 in `wait.md`, after the deed; pairs with the waiter's count and fence.
        self.waiting.load(Ordering::SeqCst) == 0
    }

    /// Wakes waiters, member by member. For each at which somebody waits that has not been woken,
    /// `share` is asked how many of them to wake at the most; it is given the number of the member
    /// and how many were woken before. As for [`EventCount::notify`], the deed is done, and tasks
    /// are woken when the result is dropped.
    pub(crate) fn notify(&self, mut share: impl FnMut(usize, usize) -> usize) -> Wakes {
        if self.is_idle() {
            return Wakes::none();
        }
        let mark_all = || {
            let mut woken = 0;
            for (number, member) in self.members.iter().enumerate() {
                if !member.is_idle() {
                    let most = share(number, woken);
                    if most > 0 {
                        woken += member.mark(most);
                    }
                }
            }
            if woken > 0 {
                self.waiting.fetch_sub(woken, Ordering::Relaxed); // as in `EventCount::mark`
            }
        };
        collect(mark_all).1
    }

    /// Wakes everybody.
    pub(crate) fn notify_all(&self) -> Wakes {
        self.notify(|_, _| usize::MAX)
    }

    /// W1 and W2, at a member that there is.
    pub(crate) fn listen(&self, member: usize) -> EventListener {
        self.waiting.fetch_add(1, Ordering::Relaxed); // as in `EventCount::listen`
        self.members[member].listen()
    }

    /// [`Place::left_unwoken`] of a member.
    pub(crate) fn left_unwoken(&self, member: usize) {
        self.members[member].left_unwoken();
        self.waiting.fetch_sub(1, Ordering::Relaxed); // as in `EventCount::mark`
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;

    fn waiting(group: &Group) -> (usize, Vec<usize>) {
        let members = group.members.iter().map(EventCount::waiting).collect();
        (group.waiting.load(Ordering::Relaxed), members)
    }

    #[test]
    fn the_total_is_the_sum_of_the_members() {
        let group = Group::new(3);
        let first = group.listen(2);
        let second = group.listen(0);
        let third = group.listen(2);
        assert_eq!(waiting(&group), (3, vec![1, 0, 2]));
        drop(group.notify(|member, _| usize::from(member == 2)));
        assert_eq!(waiting(&group), (2, vec![1, 0, 1]));
        drop(second);
        group.left_unwoken(0);
        assert_eq!(waiting(&group), (1, vec![0, 0, 1]));
        drop(group.notify_all());
        assert!(group.is_idle());
        drop((first, third));
    }

    #[test]
    fn a_share_is_asked_for_in_order_and_only_where_somebody_waits() {
        let group = Group::new(4);
        let listeners = [3, 1, 3].map(|member| group.listen(member));
        let mut asked = Vec::new();
        drop(group.notify(|member, woken| {
            asked.push((member, woken));
            2
        }));
        assert_eq!(asked, [(1, 0), (3, 1)]);
        assert!(group.is_idle());
        drop(listeners);
    }
}
