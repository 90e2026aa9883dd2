//! The committed seeds, run once each on any toolchain:
//! `cargo test --manifest-path fuzz/Cargo.toml`.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use arbitrary::Arbitrary;
use bandq_fuzz::program::Program;
use bandq_fuzz::{capacity, channel, overload, queue, threads, workers};

/// At most so many seeds a target, and so many bytes each.
const MOST: usize = 60;
const LONGEST: usize = 194;

fn seeds<Op>(target: &str, run: fn(&Program<Op>))
where
    Op: for<'a> Arbitrary<'a> + Debug,
{
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the seeds' folder") {
        let path = entry.expect("a seed").path();
        let bytes = fs::read(&path).expect("a seed's bytes");
        assert!(bytes.len() <= LONGEST, "{} is too long", path.display());
        let program = Program::decode(&bytes).expect("a program");
        // Shown where the run fails.
        println!("{}\n{program:?}", path.display());
        run(&program);
        count += 1;
    }
    assert!((1..=MOST).contains(&count), "{count} seeds for {target}");
}

#[test]
fn queue_seeds() {
    seeds("queue", queue::run);
}

#[test]
fn channel_seeds() {
    seeds("channel", channel::run);
}

#[test]
fn capacity_seeds() {
    seeds("capacity", capacity::run);
}

#[test]
fn overload_seeds() {
    seeds("overload", overload::run);
}

#[test]
fn threads_seeds() {
    seeds("threads", threads::run);
}

#[test]
fn workers_seeds() {
    seeds("workers", workers::run);
}
