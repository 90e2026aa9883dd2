//! The `overload` target; what it does is in `bandq_fuzz::overload`.

#![no_main]

use bandq_fuzz::overload::{Op, run};
use bandq_fuzz::program::Program;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|program: Program<Op>| run(&program));
