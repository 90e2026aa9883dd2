//! The `threads` target; what it does is in `bandq_fuzz::threads`.

#![no_main]

use bandq_fuzz::program::Program;
use bandq_fuzz::threads::{Op, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|program: Program<Op>| run(&program));
