//! What failed, and what becomes of it.

#[path = "../support/mod.rs"]
mod support;

mod again;
mod dead;
mod delays;
