//! [`Band`]: how urgent an item is.

use core::fmt;
use std::error::Error;

/// A band: 0 is the most urgent, 63 the least.
///
/// A band is a small number that was checked once. Whether a particular queue *has* that band is
/// checked when an item is pushed, and is an error that gives the item back, not a panic.
///
/// ```
/// use bandq::Band;
///
/// const AUDIO: Band = Band::new(0);
/// assert_eq!(AUDIO, Band::URGENT);
/// assert!(Band::new(3) < Band::new(4), "smaller is more urgent");
/// assert_eq!(Band::try_new(64), None);
/// assert_eq!(Band::try_from(7).map(Band::index), Ok(7));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Band(u8);

impl Band {
    /// The most urgent band, number 0.
    ///
    /// ```
    /// # use bandq::Band;
    /// assert_eq!(Band::URGENT, Band::new(0));
    /// ```
    pub const URGENT: Self = Self(0);

    /// How many bands a queue can have at the most: the bits of the word that says which are
    /// non-empty.
    ///
    /// ```
    /// # use bandq::Band;
    /// assert!(bandq::Builder::<u32>::new(Band::MAX_BANDS).build().is_ok());
    /// assert_eq!(Band::try_new(63).map(Band::index), Some(Band::MAX_BANDS - 1));
    /// ```
    pub const MAX_BANDS: usize = 64;

    /// The band with this number.
    ///
    /// # Panics
    ///
    /// If `number` is 64 or above; in a `const` that is an error at compile time. For numbers that
    /// come from outside use [`Band::try_new`].
    ///
    /// ```
    /// # use bandq::Band;
    /// const BULK: Band = Band::new(7);
    /// assert_eq!(BULK.index(), 7);
    /// ```
    #[must_use]
    #[inline]
    pub const fn new(number: u8) -> Self {
        assert!(
            (number as usize) < Self::MAX_BANDS,
            "a band is a number below 64"
        );
        Self(number)
    }

    /// The band with this number, or `None` if it is 64 or above.
    ///
    /// ```
    /// # use bandq::Band;
    /// assert_eq!(Band::try_new(63), Some(Band::new(63)));
    /// assert_eq!(Band::try_new(200), None);
    /// ```
    #[must_use]
    #[inline]
    pub const fn try_new(number: u8) -> Option<Self> {
        if (number as usize) < Self::MAX_BANDS {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The band's number as an index, `0..64`.
    ///
    /// ```
    /// # use bandq::Band;
    /// let names = ["interactive", "batch"];
    /// assert_eq!(names[Band::new(1).index()], "batch");
    /// ```
    #[must_use]
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// For indices that are known to be below 64.
    #[inline]
    pub(crate) fn from_index(index: usize) -> Self {
        debug_assert!(index < Self::MAX_BANDS);
        Self(index as u8)
    }
}

impl fmt::Debug for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Band({})", self.0)
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<Band> for u8 {
    #[inline]
    fn from(band: Band) -> Self {
        band.0
    }
}

impl TryFrom<u8> for Band {
    type Error = InvalidBand;

    #[inline]
    fn try_from(number: u8) -> Result<Self, InvalidBand> {
        Self::try_new(number).ok_or(InvalidBand(()))
    }
}

/// A number that is no [`Band`]: 64 or above.
///
/// ```
/// use bandq::Band;
///
/// let error = Band::try_from(64).unwrap_err();
/// assert_eq!(error.to_string(), "a band is a number below 64");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidBand(());

impl fmt::Display for InvalidBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a band is a number below 64")
    }
}

impl Error for InvalidBand {}
