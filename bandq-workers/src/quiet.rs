//! Panics of foreign code that end here, and locks that a panic does not poison.

use crate::sync::{Mutex, MutexGuard};
use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::PoisonError,
};

/// Runs foreign code. `None` if it panicked: the panic hook has reported it.
#[inline]
pub(crate) fn quietly<R>(f: impl FnOnce() -> R) -> Option<R> {
    catching(f).ok()
}

/// Drops what is the user's.
#[inline]
pub(crate) fn discard<V>(value: V) {
    if mem::needs_drop::<V>() {
        quietly(|| drop(value));
    }
}

/// Runs foreign code; the text of its panic, if it panicked with one.
#[inline]
pub(crate) fn catching<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let text = message(&*payload);
        // To drop it may panic as well; then it is forgotten.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(payload);
        }
        text
    })
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        String::new()
    }
}

/// No foreign code runs under any of our locks, so there is nothing half done behind a poisoned
/// one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
