//! Is a recorded history of concurrent pushes and pops one of a FIFO queue?
//!
//! The search of Wing and Gong with Lowe's memory: take any operation that no other one wholly
//! precedes, apply it to a model queue if its result fits, and go on; on a dead end go back. A
//! pair of (operations applied, contents of the model) that led to a dead end is remembered and
//! not entered again. Each band is checked alone, since a set of queues is linearizable exactly
//! if each one is.

use std::collections::{HashSet, VecDeque};

/// What an operation did to the band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    Push(u32),
    Pop(u32),
    /// A pop that found nothing.
    SawEmpty,
}

/// An operation and when it ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub(crate) did: Did,
    /// A moment before it began.
    pub(crate) begin: u64,
    /// A moment after it returned.
    pub(crate) end: u64,
    /// The operation of the same batch that comes before it, as an index.
    pub(crate) after: Option<usize>,
}

impl Op {
    pub(crate) fn new(did: Did, begin: u64, end: u64) -> Self {
        assert!(begin < end);
        Op {
            did,
            begin,
            end,
            after: None,
        }
    }

    pub(crate) fn overlaps(&self, other: &Op) -> bool {
        self.begin < other.end && other.begin < self.end
    }
}

/// Whether the operations of one band, begun with the band empty, fit a FIFO queue.
pub(crate) fn is_fifo(ops: &[Op]) -> bool {
    assert!(ops.len() <= 128, "a history is at most 128 operations long");
    let mut search = Search {
        ops,
        done: 0,
        queue: VecDeque::new(),
        dead: HashSet::new(),
    };
    search.run()
}

struct Search<'a> {
    ops: &'a [Op],
    /// One bit for each operation that is applied.
    done: u128,
    queue: VecDeque<u32>,
    dead: HashSet<(u128, Vec<u32>)>,
}

impl Search<'_> {
    fn is_done(&self, i: usize) -> bool {
        self.done >> i & 1 == 1
    }

    fn run(&mut self) -> bool {
        let ops = self.ops;
        let left = || (0..ops.len()).filter(|i| self.done >> i & 1 == 0);
        // Whatever begins after this has an operation wholly before it.
        let Some(first_end) = left().map(|i| ops[i].end).min() else {
            return true;
        };
        if self.dead.contains(&(self.done, self.contents())) {
            return false;
        }
        let candidates: Vec<usize> = left()
            .filter(|&i| ops[i].begin < first_end && ops[i].after.is_none_or(|a| self.is_done(a)))
            .collect();
        for i in candidates {
            match ops[i].did {
                Did::Push(item) => self.queue.push_back(item),
                Did::Pop(item) if self.queue.front() == Some(&item) => {
                    self.queue.pop_front();
                }
                Did::SawEmpty if self.queue.is_empty() => {}
                _ => continue,
            }
            self.done |= 1 << i;
            if self.run() {
                return true;
            }
            self.done &= !(1 << i);
            match ops[i].did {
                Did::Push(_) => drop(self.queue.pop_back()),
                Did::Pop(item) => self.queue.push_front(item),
                Did::SawEmpty => {}
            }
        }
        self.dead.insert((self.done, self.contents()));
        false
    }

    fn contents(&self) -> Vec<u32> {
        self.queue.iter().copied().collect()
    }
}
