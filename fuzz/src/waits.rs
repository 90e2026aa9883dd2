//! The model of waiting: who waits, and who must have been woken.
//!
//! The promise is that of design §3, point 5, taken one call at a time, which is exact where one
//! thread makes all calls:
//!
//! * an accepted item wakes one `recv` or `recv_many` that was not woken yet, and every stream.
//!   What holds an earlier wake and has not looked does not count: it may be kept for ever, and
//!   holds that one wake only;
//! * a unit of room that comes back wakes one of those who wait for one unit, and everybody who
//!   waits for several;
//! * whoever is dropped with a wake it did not use passes it on while there is something to have;
//! * closing wakes everybody;
//! * in each class the one that came first is woken first; of those who wait for room, the one of
//!   the most urgent band, and within a band the one that came first.
//!
//! And, as a state that holds between any two calls: with `n` items there are `n` receives that
//! were woken and did not look, or nobody else waits; with any item, no stream is asleep. The same
//! for room as for receives.
//!
//! More wakes than these are allowed.

use std::sync::Arc;

use crate::flag::Flag;

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An item, in `recv` or `recv_many`.
    Recv,
    /// An item, as a stream, or in `poll_recv_many`.
    Stream,
    /// One unit of room, in `send`, `send_many`, `reserve` or `reserve_owned`.
    Room,
    /// Room for several items at once, in `reserve_many`.
    MuchRoom,
    /// The end, in `closed`.
    Closed,
}

const CLASSES: usize = 5;

/// Names a waiter; made by [`Waits::ticket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

struct Wait {
    ticket: Ticket,
    class: Class,
    /// Among those who wait for room, the band; else 0.
    line: usize,
    flag: Arc<Flag>,
    /// Woken, as of the last check.
    woken: bool,
    /// Began to wait in the call under check.
    fresh: bool,
    /// Its place in the order of arrival is not before `first` and not after `last`.
    first: u64,
    last: u64,
}

/// What one call did.
#[derive(Clone, Copy, Default)]
pub struct Done {
    /// Items accepted.
    pub items: usize,
    /// Units of room given back.
    pub room: usize,
}

/// What holds after a call.
#[derive(Clone, Copy)]
pub struct Now {
    /// Items there.
    pub items: usize,
    /// Units of room there.
    pub room: usize,
    /// Whether the channel is closed.
    pub closed: bool,
}

/// All waiters, those forgotten too.
#[derive(Default)]
pub struct Waits {
    all: Vec<Wait>,
    clock: u64,
    /// Waiters of each class that left in the call under check with a wake they did not use.
    left_woken: [usize; CLASSES],
}

impl Waits {
    /// A name for a new waiter.
    pub fn ticket(&mut self) -> Ticket {
        self.clock += 1;
        Ticket(self.clock)
    }

    /// A waiter was polled and is pending; `flag` is that of the waker it was polled with.
    /// `moved` says that it took a part of what it wants, so that its place may be a new one.
    pub fn park(
        &mut self,
        ticket: Ticket,
        (class, line): (Class, usize),
        flag: &Arc<Flag>,
        moved: bool,
    ) {
        self.clock += 1;
        let now = self.clock;
        match self.all.iter_mut().find(|wait| wait.ticket == ticket) {
            Some(wait) => {
                if wait.woken || moved {
                    wait.last = now;
                }
                wait.flag = flag.clone();
                wait.woken = false;
                wait.fresh = true;
            }
            None => self.all.push(Wait {
                ticket,
                class,
                line,
                flag: flag.clone(),
                woken: false,
                fresh: true,
                first: now,
                last: now,
            }),
        }
    }

    /// A waiter was polled and is ready.
    pub fn done(&mut self, ticket: Ticket) {
        self.all.retain(|wait| wait.ticket != ticket);
    }

    /// A waiter is dropped.
    pub fn leave(&mut self, ticket: Ticket) {
        let Some(at) = self.all.iter().position(|wait| wait.ticket == ticket) else {
            return;
        };
        let wait = self.all.remove(at);
        if wait.woken {
            self.left_woken[wait.class as usize] += 1;
        }
    }

    /// Whether a waiter was woken and has not looked.
    pub fn is_woken(&self, ticket: Ticket) -> bool {
        self.all
            .iter()
            .any(|wait| wait.ticket == ticket && wait.woken)
    }

    /// Checks the promises after one call.
    pub fn check(&mut self, done: Done, now: Now) {
        let left_woken = std::mem::take(&mut self.left_woken);
        let left = |class: Class, any| if any { left_woken[class as usize] } else { 0 };
        if now.closed {
            for wait in &mut self.all {
                wait.woken |= wait.flag.is_set();
                wait.fresh = false;
                assert!(wait.woken, "closed, and a {:?} was not woken", wait.class);
            }
            return;
        }
        let asleep = |class| self.count(class, |wait| !wait.woken && !wait.fresh);
        let before = [Class::Recv, Class::Stream, Class::Room, Class::MuchRoom].map(asleep);
        let new = self.wake();
        let all = |class| self.count(class, |_| true);
        let woken = |class| self.count(class, |wait| wait.woken);
        let everybody = |any| if any { usize::MAX } else { 0 };

        let owed = [
            (
                Class::Recv,
                done.items + left(Class::Recv, now.items > 0),
                now.items,
            ),
            (
                Class::Stream,
                everybody(done.items > 0),
                everybody(now.items > 0),
            ),
            (
                Class::Room,
                done.room + left(Class::Room, now.room > 0),
                now.room,
            ),
            // One that saw too little room sleeps beside it until more comes.
            (Class::MuchRoom, everybody(done.room > 0), 0),
        ];
        for ((class, owed, there), asleep) in owed.into_iter().zip(before) {
            let new = new[class as usize];
            assert!(
                new >= owed.min(asleep),
                "lost wake: {owed} owed to {class:?}, {asleep} asleep, {new} woken"
            );
            assert!(
                woken(class) >= there.min(all(class)),
                "{there} to have for {class:?}, {} wait and {} are woken",
                all(class),
                woken(class)
            );
        }
    }

    fn count(&self, class: Class, which: impl Fn(&Wait) -> bool) -> usize {
        self.all
            .iter()
            .filter(|wait| wait.class == class && which(wait))
            .count()
    }

    /// Looks at the flags: how many of each class were woken in this call, and whether that was in
    /// order of arrival. Who began to wait in this very call is not counted.
    fn wake(&mut self) -> [usize; CLASSES] {
        let mut new = [0; CLASSES];
        let mut woken = Vec::new();
        for wait in &mut self.all {
            if wait.woken || !wait.flag.is_set() {
                continue;
            }
            wait.woken = true;
            if !wait.fresh {
                new[wait.class as usize] += 1;
                woken.push((wait.class, wait.line, wait.first));
            }
        }
        for wait in &mut self.all {
            let is_passed_over = !wait.woken
                && !wait.fresh
                && woken.iter().any(|&(class, line, first)| {
                    class == wait.class
                        && (line > wait.line || (line == wait.line && first > wait.last))
                });
            assert!(
                !is_passed_over,
                "a {:?} was passed over by one that came later, or is less urgent",
                wait.class
            );
            wait.fresh = false;
        }
        new
    }
}
