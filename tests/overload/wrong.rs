//! Every wrong value has an error of its own, which names it and what is allowed.

use std::time::Duration;

use bandq::{BuildError, Builder, Policy};

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
fn a_life_of_no_time() {
    let says = "a life of no time for band 1: it must be above 0";
    let error = BuildError::ZeroTtl(b(1));
    fails(new().ttl(b(1), Duration::ZERO), error, says);
    let twice = new().ttl(b(1), Duration::ZERO).ttl(b(1), Duration::MAX);
    assert!(
        twice.clone().build().is_err(),
        "a wrong value is wrong even if another follows"
    );
    let lives = new()
        .ttl(b(1), Duration::MAX)
        .ttl(b(0), Duration::from_nanos(1));
    assert!(lives.build().is_ok());
}

#[test]
fn a_life_for_a_band_that_there_is_not() {
    let (band, bands) = (b(2), 2);
    let error = BuildError::NoSuchBand { band, bands };
    let says = "there is no band 2, only bands 0 to 1";
    fails(new().ttl(band, Duration::MAX), error, says);
}

#[test]
fn weights_that_are_not_as_many_as_the_bands() {
    let (strict, weights, bands) = (0, 3, 2);
    let error = BuildError::Weights {
        strict,
        weights,
        bands,
    };
    let says = "3 weights for 2 bands: each band needs one";
    fails(new().policy(Policy::weighted([1, 2, 3])), error, says);
    let (strict, weights) = (1, 2);
    let error = BuildError::Weights {
        strict,
        weights,
        bands,
    };
    let says = "1 strict bands and 2 weights are not 2 bands";
    fails(
        new().policy(Policy::strict_then_weighted(1, [1, 2])),
        error,
        says,
    );
}

#[test]
fn a_weight_or_a_step_of_nothing() {
    let says = "a weight of 0 for band 1: it must be at least 1";
    let error = BuildError::ZeroWeight(b(1));
    fails(new().policy(Policy::weighted([1, 0])), error, says);
    let says = "a step of ageing of no time: it must be above 0";
    let error = BuildError::ZeroStep;
    fails(new().policy(Policy::ageing(Duration::ZERO)), error, says);
}

#[test]
fn a_wrong_number_of_bands_is_said_first() {
    let builder = Builder::<u8>::new(65).ttl(b(2), Duration::ZERO).capacity(0);
    fails(
        builder,
        BuildError::Bands(65),
        "a channel has 1 to 64 bands, not 65",
    );
}
