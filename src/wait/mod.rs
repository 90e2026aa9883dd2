//! Waiting: the [`EventCount`] between the lock-free queue and `event-listener`.
//!
//! The protocol, its races and its proof are in `wait.md`, shown below. In short: a waiter counts
//! itself, listens, fences, and looks again before it sleeps; a notifier does its deed, and only if
//! the count is not zero takes `event-listener`'s mutex and marks one waiter for each deed. Wakers
//! are cloned, woken and dropped outside of that mutex.
#![doc = include_str!("wait.md")]

mod event_count;
mod group;
mod total;
mod waiter;
mod wakes;

pub(crate) use event_count::{EventCount, Place};
pub(crate) use event_listener::EventListener;
pub(crate) use group::Group;
pub(crate) use total::{Class, Line, Total};
pub(crate) use waiter::Waiter;
pub(crate) use wakes::Wakes;
