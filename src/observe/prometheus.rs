//! A collector for the `prometheus-client` crate.
