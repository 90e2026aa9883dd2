//! Who goes when there is no room for somebody more urgent.

/// The bands whose oldest item may go for an item of band `newcomer`, the first to be asked first:
/// from the least urgent to those that are just less urgent than the newcomer, and none that is
/// more urgent than `evictable_from`.
pub(crate) fn candidates(
    newcomer: usize,
    evictable_from: usize,
    bands: usize,
) -> impl Iterator<Item = usize> {
    (evictable_from.max(newcomer + 1)..bands).rev()
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn what_goes_is_strictly_less_urgent_and_the_least_urgent_first() {
        assert_eq!(candidates(1, 0, 5).collect::<Vec<_>>(), [4, 3, 2]);
        assert_eq!(candidates(4, 0, 5).count(), 0);
    }

    #[test]
    fn nothing_goes_that_is_more_urgent_than_the_first_evictable_band() {
        assert_eq!(candidates(0, 3, 5).collect::<Vec<_>>(), [4, 3]);
        assert_eq!(candidates(0, 5, 5).count(), 0);
    }
}
