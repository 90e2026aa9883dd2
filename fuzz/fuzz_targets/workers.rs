//! The `workers` target; what it does is in `bandq_fuzz::workers`.

#![no_main]

use bandq_fuzz::program::Program;
use bandq_fuzz::workers::{Op, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|program: Program<Op>| run(&program));
