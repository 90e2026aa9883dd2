//! Every wrong value has an error of its own, which names it and what is allowed.

use bandq::{BuildError, Builder};

use crate::support::b;

#[track_caller]
fn fails(builder: Builder<u8>, error: BuildError, says: &str) {
    assert_eq!(builder.build().unwrap_err(), error);
    assert_eq!(error.to_string(), says);
}

fn new() -> Builder<u8> {
    Builder::new(2)
}

#[test]
fn a_band_that_there_is_not() {
    let error = BuildError::NoSuchBand {
        band: b(2),
        bands: 2,
    };
    let says = "there is no band 2, only bands 0 to 1";
    fails(new().band_capacity(b(2), 1), error, says);
    fails(new().capacity(9).high_water(b(2), 1), error, says);
}

#[test]
fn a_limit_of_nothing() {
    let says = "a capacity of 0 for band 1: it must be at least 1";
    fails(
        new().band_capacity(b(1), 0),
        BuildError::ZeroBandCapacity(b(1)),
        says,
    );
    let says = "a high water of 0 for band 1: it must be at least 1";
    fails(
        new().high_water(b(1), 0),
        BuildError::ZeroHighWater(b(1)),
        says,
    );
    let says = "a capacity of 0: nothing could ever be sent";
    fails(
        new().band_capacity(b(1), 5).capacity(0),
        BuildError::ZeroCapacity,
        says,
    );
}

#[test]
fn a_limit_of_a_band_above_that_of_the_whole() {
    let (band, units, capacity) = (b(1), 8, 7);
    let error = BuildError::BandCapacityAboveCapacity {
        band,
        units,
        capacity,
    };
    let says = "a capacity of 8 for band 1: it must not be above the channel's, 7";
    fails(new().capacity(7).band_capacity(band, 8), error, says);
    let error = BuildError::HighWaterAboveCapacity {
        band,
        units,
        capacity,
    };
    let says = "a high water of 8 for band 1: it must not be above the capacity, 7";
    fails(new().high_water(band, 8).capacity(7), error, says);
    let equal = new().capacity(7).band_capacity(band, 7).high_water(band, 7);
    assert!(equal.build().is_ok());
}

#[test]
fn the_errors_say_what_is_allowed() {
    let says = "a new capacity for a channel without any limit: its room is not counted";
    assert_eq!(BuildError::Unbounded.to_string(), says);
}
