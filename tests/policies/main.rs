//! Who is next, under each policy; promise 7.

mod ageing;
mod change;
#[path = "../support/mod.rs"]
mod support;
mod weighted;
