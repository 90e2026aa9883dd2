//! stub
use crate::program::Program;
use arbitrary::Arbitrary;
/// stub
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Op {
    /// x
    A,
}
/// stub
pub fn run(_: &Program<Op>) {}
