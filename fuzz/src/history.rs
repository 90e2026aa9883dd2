//! What the threads of a run did and when, and whether the promises allow it.
//!
//! Times are those of one counter, read before and after each call, so "before" means that a call
//! had ended when the other began.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// The clock of a run.
#[derive(Default)]
pub struct Clock(AtomicU64);

impl Clock {
    /// The next moment.
    pub fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// What a call did.
#[derive(Debug)]
pub enum What {
    /// Sent an item.
    Sent {
        /// The band's index.
        band: usize,
        /// The item's number.
        id: u32,
        /// Whether it was certainly accepted, or only perhaps: the batch was cancelled.
        sure: bool,
    },
    /// Held units of room without an item for the length of the call.
    Held(usize),
    /// Found no room for so many units.
    Full(usize),
    /// A send that was refused, as the channel is closed; it may have held so many units.
    Refused(usize),
    /// Took items: bands and numbers.
    Took(Vec<(usize, u32)>),
    /// Looked for items, and found none.
    Nothing,
    /// Looked for items, and found none and the channel closed.
    Ended,
    /// Was told that nothing is there, and would not have taken it.
    Empty,
    /// Read the length.
    Len(usize),
    /// Read how many units of room are left.
    Available(usize),
    /// Closed the channel.
    Close,
}

/// A call.
#[derive(Debug)]
pub struct Call {
    /// The thread.
    pub thread: usize,
    /// When it began.
    pub start: u64,
    /// When it had ended.
    pub end: u64,
    /// What it did.
    pub what: What,
}

impl Call {
    /// Whether it took items, or looked for some to take.
    fn is_receive(&self) -> bool {
        matches!(self.what, What::Took(_) | What::Nothing | What::Ended)
    }
}

/// An item's life.
#[derive(Debug)]
struct Life {
    id: u32,
    band: usize,
    sender: usize,
    /// The send.
    sent: (u64, u64),
    sure: bool,
    /// The taking call's times, its index among all calls, and the place in its batch.
    taken: Option<((u64, u64), (usize, usize))>,
}

impl Life {
    /// Whether the item was in the queue from `start` to `end`, whatever the order of what ran at
    /// the same time.
    fn is_there(&self, start: u64, end: u64) -> bool {
        self.sure && self.sent.1 < start && self.taken.is_none_or(|((taken, _), _)| taken > end)
    }
}

/// Checks a whole run. `capacity` is that of the channel; `emptied` says that all items that were
/// left have been taken by calls of the history, so that an item without a taker is lost;
/// `is_strict`, that the more urgent band is always first.
pub fn check(calls: &[Call], capacity: Option<usize>, emptied: bool, is_strict: bool) {
    let lives = lives(calls);
    if emptied {
        for life in &lives {
            assert!(!life.sure || life.taken.is_some(), "lost: {life:?}");
        }
    }
    fifo(&lives);
    for (index, call) in calls.iter().enumerate() {
        match &call.what {
            What::Took(_) if is_strict => priority(&lives, calls, index),
            What::Nothing | What::Ended | What::Empty => empty(&lives, call, emptied),
            What::Len(len) => length(&lives, calls, call, *len, emptied),
            What::Full(units) => {
                let least = in_use(&lives, calls, call);
                let capacity = capacity.expect("an unbounded channel is never full");
                assert!(
                    least + units > capacity,
                    "{call:?}, and at most {least} units were in use"
                );
            }
            What::Available(available) if emptied => {
                let capacity = capacity.expect("an unbounded channel says no number");
                let (least, most) = (there(&lives, call), in_use(&lives, calls, call));
                let left = capacity.saturating_sub(most)..=capacity - least;
                assert!(left.contains(available), "{call:?}, and it is {left:?}");
            }
            _ => {}
        }
    }
    closed(calls);
}

/// A call that was told that nothing is there: there was a moment in it at which no item was there
/// for certain, in any band.
///
/// The times in which items are there for certain, each from the return of its send to the begin of
/// the call that took it, must not cover the whole call, one after the other.
fn empty(lives: &[Life], call: &Call, emptied: bool) {
    let mut there: Vec<_> = lives
        .iter()
        // What nobody took, the last receiver dropped at some time; a sender may still ask.
        .filter(|life| life.sure && (emptied || life.taken.is_some() || call.is_receive()))
        .map(|life| {
            let gone = life.taken.map_or(u64::MAX, |((start, _), _)| start);
            (life.sent.1, gone, life)
        })
        .collect();
    there.sort_by_key(|&(from, _, _)| from);
    // Up to here something was there at any time of the call, and this is what it was.
    let mut until = call.start;
    let mut cover = Vec::new();
    for (from, gone, life) in there {
        if from > until {
            break;
        }
        if gone > until {
            until = gone;
            cover.push(life);
        }
        assert!(
            until <= call.end,
            "{call:?} found nothing, and something was there throughout: {cover:#?}"
        );
    }
}

/// Matches what was taken with what was sent: each at most once.
fn lives(calls: &[Call]) -> Vec<Life> {
    let mut lives = Vec::new();
    let mut places = HashMap::new();
    for call in calls {
        if let What::Sent { band, id, sure } = call.what {
            let before = places.insert(id, lives.len());
            assert!(before.is_none(), "item {id} was sent twice");
            lives.push(Life {
                id,
                band,
                sender: call.thread,
                sent: (call.start, call.end),
                sure,
                taken: None,
            });
        }
    }
    for (index, call) in calls.iter().enumerate() {
        if let What::Took(items) = &call.what {
            for (place, (band, id)) in items.iter().enumerate() {
                let life = places.get(id).map(|&place| &mut lives[place]);
                let life = life.unwrap_or_else(|| panic!("took {id}, which was never sent"));
                assert_eq!(life.band, *band, "{life:?} came out of another band");
                assert!(life.taken.is_none(), "{life:?} was taken twice");
                assert!(
                    life.sent.0 < call.end,
                    "{life:?} was taken before it was sent"
                );
                life.taken = Some(((call.start, call.end), (index, place)));
            }
        }
    }
    lives
}

/// First in, first out within each band, as far as the times decide it.
fn fifo(lives: &[Life]) {
    for later in lives {
        let Some(((_, later_end), (later_call, later_place))) = later.taken else {
            continue;
        };
        for earlier in lives {
            let same_call = earlier.sent == later.sent && earlier.sender == later.sender;
            let before = earlier.sent.1 < later.sent.0 || same_call && earlier.id < later.id;
            if earlier.band != later.band || !before {
                continue;
            }
            match earlier.taken {
                Some(((_, _), (call, place))) if call == later_call => {
                    assert!(place < later_place, "{later:?} overtook {earlier:?}");
                }
                Some(((start, _), _)) => {
                    assert!(later_end >= start, "{later:?} overtook {earlier:?}");
                }
                // What was accepted of a batch is its beginning.
                None => assert!(
                    !earlier.sure && !same_call,
                    "{later:?} overtook {earlier:?}, which is still there"
                ),
            }
        }
    }
}

/// No item is taken while a more urgent one is there, sent before the receive began; unless another
/// receive, which began before that item was sent, found the band empty and has not returned.
fn priority(lives: &[Life], calls: &[Call], index: usize) {
    let call = &calls[index];
    let What::Took(items) = &call.what else {
        return;
    };
    for urgent in lives {
        if !urgent.sure || urgent.sent.1 >= call.start {
            continue;
        }
        // The items of this batch that were taken while the urgent one was certainly there.
        let until = match urgent.taken {
            None => items.len(),
            Some((_, (taker, place))) if taker == index => place,
            Some(((start, _), _)) if start > call.end => items.len(),
            Some(_) => 0,
        };
        let passed = items[..until].iter().find(|&&(band, _)| band > urgent.band);
        let Some(passed) = passed else {
            continue;
        };
        let excused = calls.iter().enumerate().any(|(other, receive)| {
            other != index
                && receive.is_receive()
                && receive.start < urgent.sent.1
                && receive.end > call.start
        });
        assert!(excused, "{call:?} took {passed:?}, and {urgent:?} is there");
    }
}

/// Items that were there all through a call, for certain.
fn there(lives: &[Life], call: &Call) -> usize {
    lives
        .iter()
        .filter(|life| life.is_there(call.start, call.end))
        .count()
}

/// Items that may have been there at some time of a call.
fn perhaps_there(lives: &[Life], call: &Call) -> usize {
    lives
        .iter()
        .filter(|life| {
            let gone = life.taken.is_some_and(|((_, end), _)| end < call.start);
            life.sent.0 < call.end && !gone
        })
        .count()
}

/// The length counts what is certainly there, and nothing that certainly is not.
fn length(lives: &[Life], calls: &[Call], call: &Call, len: usize, emptied: bool) {
    // Nobody could take the items that were left, so the last receiver dropped them at some time.
    let least = if emptied { there(lives, call) } else { 0 };
    let most = perhaps_there(lives, call);
    let most = if gave_up(calls, call) {
        usize::MAX
    } else {
        most
    };
    assert!(
        (least..=most).contains(&len),
        "{call:?}, and it is from {least} to {most}"
    );
}

/// Whether a receive that runs may have given up on the slot of a send that runs, and not passed it
/// yet: the send takes another slot, and the first one counts until then. A send that is refused
/// has a slot while it runs.
fn gave_up(calls: &[Call], call: &Call) -> bool {
    let together = |one: &Call, other: &Call| one.start < other.end && other.start < one.end;
    calls.iter().any(|send| match send.what {
        What::Refused(_) if together(send, call) => true,
        What::Sent { .. } | What::Refused(_) => calls.iter().any(|receive| {
            receive.is_receive() && together(receive, call) && together(send, receive)
        }),
        _ => false,
    })
}

/// Units of room that may all have been in use at one moment of a call.
fn in_use(lives: &[Life], calls: &[Call], call: &Call) -> usize {
    // A send that is refused may hold its units until it knows.
    let held = calls.iter().map(|other| match other.what {
        What::Held(units) | What::Refused(units)
            if other.start < call.end && other.end > call.start =>
        {
            units
        }
        _ => 0,
    });
    perhaps_there(lives, call) + held.sum::<usize>()
}

/// Closing is final, for sends and for receives.
fn closed(calls: &[Call]) {
    let first = |which: fn(&What) -> bool| {
        let ends = calls.iter().filter(|call| which(&call.what));
        ends.map(|call| call.end).min().unwrap_or(u64::MAX)
    };
    let told = first(|what| matches!(what, What::Close | What::Refused(_) | What::Ended));
    let ended = first(|what| matches!(what, What::Ended));
    for call in calls {
        match &call.what {
            What::Sent { sure: true, .. } => {
                assert!(call.start < told, "{call:?} sent after the end");
            }
            What::Full(_) | What::Held(_) => {
                assert!(call.start < told, "{call:?}, and the channel was closed");
            }
            What::Took(_) => assert!(call.start < ended, "{call:?} took after the end"),
            _ => {}
        }
    }
}
