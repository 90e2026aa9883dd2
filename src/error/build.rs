//! [`BuildError`].

use crate::band::Band;
use core::fmt;
use std::error::Error;

/// A channel cannot be built, or changed, like that.
///
/// ```
/// use bandq::{Band, BuildError, Builder};
///
/// let error = Builder::<u32>::new(2).capacity(0).build().unwrap_err();
/// assert_eq!(error, BuildError::ZeroCapacity);
/// assert_eq!(error.to_string(), "a capacity of 0: nothing could ever be sent");
///
/// let error = Builder::<u32>::new(2).high_water(Band::new(2), 9).build().unwrap_err();
/// assert_eq!(error, BuildError::NoSuchBand { band: Band::new(2), bands: 2 });
/// assert_eq!(error.to_string(), "there is no band 2, only bands 0 to 1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The number of bands is not in `1..=64`.
    Bands(usize),
    /// A capacity of 0: nothing could ever be sent.
    ZeroCapacity,
    /// Something was asked for a band that the channel does not have.
    NoSuchBand {
        /// The band.
        band: Band,
        /// How many bands there are.
        bands: usize,
    },
    /// A policy has not as many weights as there are bands for them.
    Weights {
        /// The bands that go strictly first, which have no weight.
        strict: usize,
        /// The weights that were given.
        weights: usize,
        /// The channel's bands.
        bands: usize,
    },
    /// A band's weight is 0: it would never be served.
    ZeroWeight(Band),
    /// A step of ageing of no time.
    ZeroStep,
    /// A band whose items live for no time: none could ever be received.
    ZeroTtl(Band),
    /// A band with a capacity of 0: nothing could ever be sent to it.
    ZeroBandCapacity(Band),
    /// A band with a high water of 0: nothing could ever be sent to it, nor to a less urgent one.
    ZeroHighWater(Band),
    /// A band's capacity is above that of the channel.
    BandCapacityAboveCapacity {
        /// The band.
        band: Band,
        /// Its capacity.
        units: usize,
        /// The channel's.
        capacity: usize,
    },
    /// A band's high water is above the capacity of the channel.
    HighWaterAboveCapacity {
        /// The band.
        band: Band,
        /// Its high water.
        units: usize,
        /// The channel's capacity.
        capacity: usize,
    },
    /// A new capacity for a channel that was built without any limit: its room is not counted.
    Unbounded,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Bands(bands) => write!(f, "a channel has 1 to 64 bands, not {bands}"),
            Self::ZeroCapacity => f.write_str("a capacity of 0: nothing could ever be sent"),
            Self::NoSuchBand { band, bands } => {
                let last = bands - 1;
                write!(f, "there is no band {band}, only bands 0 to {last}")
            }
            Self::Weights {
                strict: 0,
                weights,
                bands,
            } => write!(
                f,
                "{weights} weights for {bands} bands: each band needs one"
            ),
            Self::Weights {
                strict,
                weights,
                bands,
            } => write!(
                f,
                "{strict} strict bands and {weights} weights are not {bands} bands"
            ),
            Self::ZeroWeight(band) => {
                write!(f, "a weight of 0 for band {band}: it must be at least 1")
            }
            Self::ZeroStep => f.write_str("a step of ageing of no time: it must be above 0"),
            Self::ZeroTtl(band) => {
                write!(f, "a life of no time for band {band}: it must be above 0")
            }
            Self::ZeroBandCapacity(band) => {
                write!(f, "a capacity of 0 for band {band}: it must be at least 1")
            }
            Self::ZeroHighWater(band) => {
                write!(
                    f,
                    "a high water of 0 for band {band}: it must be at least 1"
                )
            }
            Self::BandCapacityAboveCapacity {
                band,
                units,
                capacity,
            } => write!(
                f,
                "a capacity of {units} for band {band}: it must not be above the channel's, \
                 {capacity}"
            ),
            Self::HighWaterAboveCapacity {
                band,
                units,
                capacity,
            } => write!(
                f,
                "a high water of {units} for band {band}: it must not be above the capacity, \
                 {capacity}"
            ),
            Self::Unbounded => f.write_str(
                "a new capacity for a channel without any limit: its room is not counted",
            ),
        }
    }
}

impl Error for BuildError {}
