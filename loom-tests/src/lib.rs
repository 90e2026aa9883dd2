//! Shared parts of the models.
