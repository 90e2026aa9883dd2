//! Wakers whose clone, wake and drop do something of the test's.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

type Hook = Box<dyn Fn() + Send + Sync>;

/// What a waker does in each of its duties. It owns what the hooks own.
pub(crate) struct Hooks {
    pub(crate) clone: Hook,
    pub(crate) wake: Hook,
    pub(crate) drop: Hook,
}

/// A waker with the hooks that `set` sets; the others do nothing.
pub(crate) fn waker(set: impl FnOnce(&mut Hooks)) -> Waker {
    let mut hooks = Hooks {
        clone: Box::new(|| {}),
        wake: Box::new(|| {}),
        drop: Box::new(|| {}),
    };
    set(&mut hooks);
    let data = Arc::into_raw(Arc::new(hooks));
    // SAFETY: the data is a count of an `Arc` of `Sync` hooks, and each function of the table does
    // with that count what a waker must.
    unsafe { Waker::new(data.cast(), &VTABLE) }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        let hooks = ManuallyDrop::new(owned(data));
        (hooks.clone)();
        RawWaker::new(Arc::into_raw(Arc::clone(&hooks)).cast(), &VTABLE)
    },
    |data| (owned(data).wake)(),
    |data| (ManuallyDrop::new(owned(data)).wake)(),
    |data| (owned(data).drop)(),
);

/// The waker's count of its hooks.
fn owned(data: *const ()) -> Arc<Hooks> {
    // SAFETY: the data of such a waker comes from `Arc::into_raw`; those of the functions above
    // that do not end the waker keep what they get here from being dropped.
    unsafe { Arc::from_raw(data.cast()) }
}
