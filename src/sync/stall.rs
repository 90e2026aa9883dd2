//! Stall points: a hook before every atomic access, told where in the source the access stands.
//!
//! Only in builds with `cfg(bandq_stall)`; elsewhere `sync` passes `core`'s atomics on as they are.
//! Nobody places a point by hand: the wrappers below are `#[track_caller]`, so the compiler hands
//! each call its own file, line and column, and those name the site. What happens there is up to
//! the thread's hook; a thread without one goes on at once.

use core::panic::Location;
use std::cell::{Cell, RefCell};

/// What a thread runs before each of its atomic accesses.
pub(crate) type Hook = Box<dyn FnMut(&'static Location<'static>)>;

thread_local! {
    /// Whether there is a hook: the quick test, which still works while the thread is torn down.
    static HOOKED: Cell<bool> = const { Cell::new(false) };
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Gives this thread a hook, or takes it away.
///
/// A hook that makes an atomic access itself is not run for that one.
#[cfg(feature = "__internals")]
pub(crate) fn set_hook(hook: Option<Hook>) {
    HOOKED.set(hook.is_some());
    HOOK.set(hook);
}

/// The stall point.
#[inline]
#[track_caller]
fn point() {
    if HOOKED.get() {
        run(Location::caller());
    }
}

#[cold]
fn run(site: &'static Location<'static>) {
    let _ = HOOK.try_with(|hook| {
        if let Ok(mut hook) = hook.try_borrow_mut() {
            if let Some(hook) = hook.as_mut() {
                hook(site);
            }
        }
    });
}

/// `core::sync::atomic`, as far as it is used, with a stall point before each access.
pub(crate) mod atomic {
    #![allow(dead_code, reason = "each type has the methods that some type needs")]

    use super::point;
    use core::sync::atomic as plain;
    pub(crate) use core::sync::atomic::Ordering;

    #[inline]
    #[track_caller]
    pub(crate) fn fence(order: Ordering) {
        point();
        plain::fence(order);
    }

    /// The methods of one type: name, arguments, result.
    macro_rules! accesses {
        ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {$(
            #[inline]
            #[track_caller]
            pub(crate) fn $name(&self, $($argument: $type),*) $(-> $result)? {
                point();
                self.0.$name($($argument),*)
            }
        )*};
    }

    /// What every type has.
    macro_rules! common {
        ($value:ty) => {
            accesses! {
                load(order: Ordering) -> $value;
                store(value: $value, order: Ordering);
                swap(value: $value, order: Ordering) -> $value;
                compare_exchange(old: $value, new: $value, success: Ordering, failure: Ordering)
                    -> Result<$value, $value>;
                compare_exchange_weak(
                    old: $value, new: $value, success: Ordering, failure: Ordering
                ) -> Result<$value, $value>;
            }

            /// A point before the load and one before each try; both have the caller's place.
            #[inline]
            #[track_caller]
            pub(crate) fn fetch_update(
                &self,
                success: Ordering,
                failure: Ordering,
                mut change: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut old = self.load(failure);
                while let Some(new) = change(old) {
                    match self.compare_exchange_weak(old, new, success, failure) {
                        Ok(old) => return Ok(old),
                        Err(now) => old = now,
                    }
                }
                Err(old)
            }
        };
    }

    macro_rules! number {
        ($name:ident, $value:ty) => {
            #[derive(Debug, Default)]
            #[repr(transparent)]
            pub(crate) struct $name(plain::$name);

            impl $name {
                pub(crate) const fn new(value: $value) -> Self {
                    Self(plain::$name::new(value))
                }

                common!($value);

                accesses! {
                    fetch_add(value: $value, order: Ordering) -> $value;
                    fetch_sub(value: $value, order: Ordering) -> $value;
                    fetch_and(value: $value, order: Ordering) -> $value;
                    fetch_or(value: $value, order: Ordering) -> $value;
                    fetch_max(value: $value, order: Ordering) -> $value;
                }
            }
        };
    }

    number!(AtomicU8, u8);
    number!(AtomicU64, u64);
    number!(AtomicUsize, usize);

    #[derive(Debug, Default)]
    #[repr(transparent)]
    pub(crate) struct AtomicBool(plain::AtomicBool);

    impl AtomicBool {
        pub(crate) const fn new(value: bool) -> Self {
            Self(plain::AtomicBool::new(value))
        }

        common!(bool);

        accesses! {
            fetch_and(value: bool, order: Ordering) -> bool;
            fetch_or(value: bool, order: Ordering) -> bool;
        }
    }

    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct AtomicPtr<T>(plain::AtomicPtr<T>);

    impl<T> AtomicPtr<T> {
        pub(crate) const fn new(value: *mut T) -> Self {
            Self(plain::AtomicPtr::new(value))
        }

        common!(*mut T);
    }
}
