//! The model of waiting: who waits, and who must have been woken.
//!
//! The promise is that of design §3, point 5, taken one call at a time, which is exact where one
//! thread makes all calls:
//!
//! * an accepted item wakes one `recv` or `recv_many` that was not woken yet; only when there is
//!   none, a stream. What holds an earlier wake and has not looked does not count: it may be kept
//!   for ever, and holds that one wake only;
//! * a unit of room that comes back does the same for those who wait to send;
//! * whoever is dropped with a wake it did not use passes it on while there is something to have;
//! * closing wakes everybody;
//! * in each class the one that came first is woken first.
//!
//! And, as a state that holds between any two calls: with `n` items there are `n` receivers that
//! were woken and did not look, or nobody else waits. The same for room.
//!
//! More wakes than these are allowed.

use std::sync::Arc;

use crate::flag::Flag;

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An item, in `recv` or `recv_many`.
    Recv,
    /// An item, as a stream.
    Stream,
    /// Room, in `send`, `send_many` or `reserve`.
    Room,
    /// The end, in `closed`.
    Closed,
}

/// Names a waiter; made by [`Waits::ticket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

struct Wait {
    ticket: Ticket,
    class: Class,
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
    /// Waiters that left in the call under check with a wake they did not use: `recv`s, streams,
    /// senders.
    left_woken: [usize; 3],
}

impl Waits {
    /// A name for a new waiter.
    pub fn ticket(&mut self) -> Ticket {
        self.clock += 1;
        Ticket(self.clock)
    }

    /// A waiter was polled and is pending; `flag` is that of the waker it was polled with.
    /// `moved` says that it took a part of what it wants, so that its place may be a new one.
    pub fn park(&mut self, ticket: Ticket, class: Class, flag: &Arc<Flag>, moved: bool) {
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
            match wait.class {
                Class::Recv => self.left_woken[0] += 1,
                Class::Stream => self.left_woken[1] += 1,
                Class::Room => self.left_woken[2] += 1,
                Class::Closed => {}
            }
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
        let left = std::mem::take(&mut self.left_woken);
        if now.closed {
            for wait in &mut self.all {
                wait.woken |= wait.flag.is_set();
                wait.fresh = false;
                assert!(wait.woken, "closed, and a {:?} was not woken", wait.class);
            }
            return;
        }
        let asleep = |waits: &Self, class| waits.count(class, |wait| !wait.woken && !wait.fresh);
        let recvs = asleep(self, Class::Recv);
        let streams = asleep(self, Class::Stream);
        let senders = asleep(self, Class::Room);
        let new = self.wake();

        let owed = done.items + if now.items > 0 { left[0] } else { 0 };
        let to_recvs = owed.min(recvs);
        assert!(
            new.recvs >= to_recvs,
            "lost wake: {owed} owed to items, {recvs} receives asleep, {} woken",
            new.recvs
        );
        let woken = |waits: &Self, class| waits.count(class, |wait| wait.woken);
        let covered = woken(self, Class::Recv);
        let owed = owed - to_recvs + if now.items > covered { left[1] } else { 0 };
        assert!(
            new.streams >= owed.min(streams),
            "lost wake: {owed} owed to items, {streams} streams asleep, {} woken",
            new.streams
        );
        let owed = done.room + if now.room > 0 { left[2] } else { 0 };
        assert!(
            new.senders >= owed.min(senders),
            "lost wake: {owed} owed to room, {senders} senders asleep, {} woken",
            new.senders
        );

        let all = |waits: &Self, class| waits.count(class, |_| true);
        assert!(
            covered >= now.items.min(all(self, Class::Recv)),
            "{} items, a receive asleep, and only {covered} woken",
            now.items
        );
        assert!(
            woken(self, Class::Stream)
                >= now
                    .items
                    .saturating_sub(covered)
                    .min(all(self, Class::Stream)),
            "{} items, {covered} receives woken, and a stream asleep",
            now.items
        );
        assert!(
            woken(self, Class::Room) >= now.room.min(all(self, Class::Room)),
            "room for {}, and a sender asleep",
            now.room
        );
    }

    fn count(&self, class: Class, which: impl Fn(&Wait) -> bool) -> usize {
        self.all
            .iter()
            .filter(|wait| wait.class == class && which(wait))
            .count()
    }

    /// Looks at the flags: who was woken in this call, and whether that was in order of arrival.
    fn wake(&mut self) -> New {
        let mut new = New::default();
        let mut latest = [0; 3];
        for wait in &mut self.all {
            let slot = match wait.class {
                Class::Recv => 0,
                Class::Stream => 1,
                Class::Room => 2,
                Class::Closed => {
                    wait.woken |= wait.flag.is_set();
                    wait.fresh = false;
                    continue;
                }
            };
            if wait.woken || !wait.flag.is_set() {
                continue;
            }
            wait.woken = true;
            if !wait.fresh {
                [&mut new.recvs, &mut new.streams, &mut new.senders][slot].add(1);
                latest[slot] = latest[slot].max(wait.first);
            }
        }
        for wait in &mut self.all {
            let latest = match wait.class {
                Class::Recv => latest[0],
                Class::Stream => latest[1],
                Class::Room => latest[2],
                Class::Closed => continue,
            };
            assert!(
                wait.woken || wait.fresh || wait.last >= latest,
                "a {:?} was passed over by one that came later",
                wait.class
            );
            wait.fresh = false;
        }
        new
    }
}

/// How many were woken in a call.
#[derive(Default)]
struct New {
    recvs: usize,
    streams: usize,
    senders: usize,
}
