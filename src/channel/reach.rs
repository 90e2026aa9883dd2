//! Receivers that take from some bands only, and where they wait.

use crate::{
    sync::atomic::{AtomicPtr, Ordering},
    wait::Line,
};
use core::ptr;

/// Where those receivers wait that take from the bands of one mask.
pub(super) struct Reach {
    /// A bit a band.
    pub(super) mask: u64,
    pub(super) recv: Line,
    pub(super) stream: Line,
    next: AtomicPtr<Reach>,
}

/// The masks that are in use, those with the fewest bands first.
///
/// A list that only grows, sorted, without a lock: a new one is linked by one compare-exchange
/// between two that are there, and none goes before the list does. There are as many as there were
/// different masks, so it stays short.
///
/// An item's sender looks for the first reach at which somebody waits. It might miss one that is
/// just being linked. Its look is a `SeqCst` load after N1 of `wait.md`, and a reach is linked
/// before the fence W3 of whoever waits there: so where the look misses the link, N1 comes before
/// W3, and who waits finds the item itself (W4). The same holds of whoever passes a wake on: the N1
/// of what it was woken for happened before its look.
pub(super) struct Reaches {
    first: AtomicPtr<Reach>,
}

impl Reaches {
    pub(super) fn new() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.load(Ordering::SeqCst).is_null() // as in `iter`
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Reach> {
        let mut link = &self.first;
        std::iter::from_fn(move || {
            // SeqCst: see `Reaches`; as an acquire it pairs with the link. SAFETY: what is linked
            // came from a box and stays as long as the list does.
            let reach = unsafe { link.load(Ordering::SeqCst).as_ref() }?;
            link = &reach.next;
            Some(reach)
        })
    }

    /// That of a mask, if it was added.
    pub(super) fn get(&self, mask: u64) -> Option<&Reach> {
        self.iter().find(|reach| reach.mask == mask)
    }

    /// Adds one, unless it is there, or is of all bands.
    pub(super) fn add(&self, mask: u64) {
        if mask == u64::MAX || self.get(mask).is_some() {
            return;
        }
        let new = Box::into_raw(Box::new(Reach {
            mask,
            recv: Line::new(),
            stream: Line::new(),
            next: AtomicPtr::new(ptr::null_mut()),
        }));
        let mut link = &self.first;
        loop {
            let there = link.load(Ordering::Acquire); // pairs with the link
            // SAFETY: as in `iter`.
            match unsafe { there.as_ref() } {
                Some(reach) if reach.mask == mask => {
                    // SAFETY: nobody else has seen ours.
                    drop(unsafe { Box::from_raw(new) });
                    return;
                }
                Some(reach) if goes_before(reach.mask, mask) => link = &reach.next,
                _ => {
                    // SAFETY: ours until it is linked. Relaxed: the link releases it.
                    unsafe { (*new).next.store(there, Ordering::Relaxed) };
                    // Release: hands the reach over, and with it the one behind, which the load
                    // acquired. Relaxed on failure: somebody linked one here, so look at this place
                    // again.
                    let linked =
                        link.compare_exchange(there, new, Ordering::Release, Ordering::Relaxed);
                    if linked.is_ok() {
                        return;
                    }
                }
            }
        }
    }
}

/// A total order: by the number of bands, and then somehow.
fn goes_before(one: u64, other: u64) -> bool {
    (one.count_ones(), one) < (other.count_ones(), other)
}

impl Drop for Reaches {
    fn drop(&mut self) {
        let mut first = self.first.load(Ordering::Relaxed); // `&mut self` comes after everything
        while !first.is_null() {
            // SAFETY: it came from a box and is ours alone.
            let reach = unsafe { Box::from_raw(first) };
            first = reach.next.load(Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_bands_come_first_and_each_mask_once() {
        let reaches = Reaches::new();
        reaches.add(u64::MAX);
        assert!(reaches.is_empty(), "all bands are no reach");
        for mask in [0b1111, 0b10, 0b110, 0b10, 0b1, 0b1111, 0] {
            reaches.add(mask);
        }
        let masks: Vec<_> = reaches.iter().map(|reach| reach.mask).collect();
        assert_eq!(masks, [0, 0b1, 0b10, 0b110, 0b1111]);
        assert!(!reaches.is_empty());
        assert!(reaches.get(0b110).is_some() && reaches.get(0b11).is_none());
    }
}
