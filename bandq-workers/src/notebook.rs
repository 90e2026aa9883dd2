//! What a worker notes while it goes on alone.
//!
//! A worker whose job is done may take the next one by itself, without the pool's lock: while it
//! has *leave*. All that the pool would know of it, it notes in a notebook of its own, under a lock
//! for which nobody else asks most of the time. Whoever has to know everything (a report, a pause,
//! the end of the pool) takes the leave from everybody, with what they have noted: see `alone` in
//! `pool`, whose lock is always taken before one of these.
//!
//! ```text
//!                   ┌──────────── its job is done, and there is a line left ───────────┐
//!                   ▼                                                                  │
//! no leave ─give─► looking ─begin─► running ───────────────────────────────────────────┤
//!    ▲                │                │                                               │
//!    └──── take ──────┴────────────────┴──────────── idle ◄── it is done, no line left ┘
//! ```

use crate::{
    clock::Moment,
    entry::Meta,
    quiet::lock,
    sync::{Mutex, MutexGuard},
};
use bandq::Band;
use std::{mem, num::NonZeroU64};

/// So many jobs are noted at the most before the pool is told.
pub(crate) const LINES: usize = 128;

/// A job that was begun.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) meta: Meta,
    pub(crate) worker: usize,
    pub(crate) at: Moment,
}

/// A job that a worker took from the channel and has begun at once. All that there is to know of
/// it, in half the size of [`Begun`]: a job has it in its hands several times.
#[derive(Clone, Copy)]
pub(crate) struct Fresh {
    pub(crate) id: NonZeroU64,
    /// As in [`Meta`].
    pub(crate) number: u64,
    pub(crate) at: Moment,
    pub(crate) band: Band,
}

impl Fresh {
    #[inline]
    pub(crate) fn begun(self, worker: usize) -> Begun {
        Begun {
            meta: Meta::new(self.id, self.number, self.band, self.at),
            worker,
            at: self.at,
        }
    }
}

/// A job that is done.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub(crate) band: Band,
    /// How long it ran.
    pub(crate) nanos: u64,
}

/// How it goes on after a job that is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// A look for the next one is under way.
    Looks,
    /// The pool has to be told first.
    Stops,
    /// Nothing was noted: there is no leave.
    Nothing,
}

/// What is taken with the leave.
pub(crate) struct Page {
    has_leave: bool,
    /// A look is under way.
    pub(crate) is_looking: bool,
    pub(crate) running: Option<Fresh>,
    pub(crate) lines: Vec<Line>,
    /// The numbers of the next jobs: from this one on, so many.
    next_id: NonZeroU64,
    ids: usize,
}

/// Of one worker. Aligned, so that no two workers write to one cache line.
#[repr(align(128))]
pub(crate) struct Notebook(Mutex<Page>);

impl Default for Notebook {
    fn default() -> Self {
        Self(Mutex::new(Page {
            has_leave: false,
            is_looking: false,
            running: None,
            lines: Vec::new(),
            next_id: NonZeroU64::MIN,
            ids: 0,
        }))
    }
}

impl Notebook {
    /// The worker may go on alone, and looks for its next job. `ids` is asked for numbers for
    /// so many, if none are left.
    pub(crate) fn give(&self, ids: impl FnOnce(usize) -> NonZeroU64) {
        let mut page = lock(&self.0);
        page.has_leave = true;
        page.is_looking = true;
        if page.ids == 0 {
            page.next_id = ids(LINES);
            page.ids = LINES;
        }
    }

    /// There is no leave any more. With what was noted, if there was; to be emptied.
    pub(crate) fn take(&self) -> Option<MutexGuard<'_, Page>> {
        let mut page = lock(&self.0);
        mem::take(&mut page.has_leave).then_some(page)
    }

    /// The job that was begun last is done, and ran for so many nanoseconds. `may_look`: and the
    /// worker would go on.
    #[inline]
    pub(crate) fn done(&self, begun: &Begun, ran: u64, may_look: bool) -> Noted {
        let mut page = lock(&self.0);
        if !page.has_leave {
            return Noted::Nothing;
        }
        page.running = None;
        page.lines.push(Line {
            band: begun.meta.origin,
            nanos: ran,
        });
        page.is_looking = may_look && page.ids > 0 && page.lines.len() < LINES;
        if page.is_looking {
            Noted::Looks
        } else {
            Noted::Stops
        }
    }

    /// The look is over, with an item of that band. `None`: there is no leave any more.
    #[inline]
    pub(crate) fn begin(&self, band: Band, now: Moment) -> Option<Fresh> {
        let mut page = lock(&self.0);
        if !page.has_leave {
            return None;
        }
        let id = page.next_id;
        page.next_id = id.saturating_add(1);
        page.ids = page.ids.saturating_sub(1);
        let fresh = Fresh {
            id,
            number: 0, // nobody joins, and who does later waits for it
            at: now,
            band,
        };
        page.is_looking = false;
        page.running = Some(fresh);
        Some(fresh)
    }
}
