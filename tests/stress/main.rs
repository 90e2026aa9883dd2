//! Stress: unique items through channels of every shape, on threads, tokio, smol and async-std,
//! with futures cancelled at random and channels closed at random. Each item is accounted for, and
//! each receiver sees each sender's items of a band in order.
//!
//! `BANDQ_STRESS` is the number of items for each of the four; small by default. A failing round
//! prints its seed; `BANDQ_STRESS_SEED` starts there.

mod item;
mod round;
#[path = "../support/rt.rs"]
mod rt;
#[path = "../support/mod.rs"]
mod support;
mod tasks;
mod threads;
