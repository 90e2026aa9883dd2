//! Snapshots through the `metrics` facade.
