//! Benchmarks of bandq.
