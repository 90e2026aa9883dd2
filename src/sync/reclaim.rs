//! Reclamation: when may memory that others might still be looking at be used again?
//!
//! The interface is two calls. [`Domain::pin`] promises that nothing retired from now on goes away
//! while the [`Guard`] lives. [`Guard::retire`] hands over a closure to be run once every guard
//! that was alive at the call is gone.
//!
//! Who pins are the visitors of segments (see `fifo::sweep`): hand-overs, once a segment, and the
//! looks among slots that are not published. Since it is rare, each `retire` also flushes: nothing
//! waits for a thread's own bag of 64 to fill. And while anything retired has not been freed yet,
//! [`Domain::catch_up`], called once a hand-over, lets `crossbeam-epoch` free some, so that what
//! had to wait for a stopped thread goes once it moves on.

#[cfg(not(loom))]
mod imp {
    use crate::sync::atomic::{AtomicUsize, Ordering};
    use crossbeam_epoch::{Collector, LocalHandle};
    use std::{marker::PhantomData, sync::OnceLock};

    /// Closures retired and not yet run, anywhere in the program: whether it is worth while to
    /// help.
    static WAITING: AtomicUsize = AtomicUsize::new(0);

    /// Empty closures that are due after the last one ran, or a thread ended. The collector keeps
    /// notes, about 2 KiB for each `retire`, and each note that it has read is retired in its turn,
    /// eight in one new note. Closures run in the order in which they were retired, so when an
    /// empty one has run, the notes before it are gone, and an eighth as many are left behind it.
    static AFTERWARDS: AtomicUsize = AtomicUsize::new(0);

    /// Enough for 8⁴ notes.
    const EMPTY_CLOSURES: usize = 4;

    // A collector of our own: the default one is shared with every other user of crossbeam-epoch
    // in the program, and a guard held long there would hold our segments too.
    fn collector() -> &'static Collector {
        static COLLECTOR: OnceLock<Collector> = OnceLock::new();
        COLLECTOR.get_or_init(Collector::new)
    }

    /// A thread's part of the collector, with what it has retired and not passed on.
    struct Registered(Option<LocalHandle>);

    impl Drop for Registered {
        fn drop(&mut self) {
            self.0 = None; // passes it on
            AFTERWARDS.store(EMPTY_CLOSURES, Ordering::Relaxed); // as in `catch_up`
        }
    }

    thread_local! {
        static HANDLE: Registered = Registered(Some(collector().register()));
    }

    #[derive(Debug)]
    pub(crate) struct Domain;

    #[derive(Debug)]
    pub(crate) struct Guard<'a>(crossbeam_epoch::Guard, PhantomData<&'a Domain>);

    impl Domain {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn pin(&self) -> Guard<'_> {
            let guard = HANDLE
                .try_with(|registered| registered.0.as_ref().map(LocalHandle::pin))
                .ok()
                .flatten()
                // The thread is being torn down: a handle for this one pin.
                .unwrap_or_else(|| collector().register().pin());
            Guard(guard, PhantomData)
        }

        /// If anything retired waits, lets the collector run a few of the closures that are due.
        #[inline]
        pub(crate) fn catch_up(&self) {
            // Relaxed, throughout: hints; one flush too many or too few does no harm.
            if WAITING.load(Ordering::Relaxed) != 0 {
                self.pin().0.flush();
                return;
            }
            let afterwards = AFTERWARDS.load(Ordering::Relaxed);
            if afterwards != 0 {
                AFTERWARDS.store(afterwards - 1, Ordering::Relaxed);
                // SAFETY: it borrows nothing.
                unsafe { self.pin().retire_counted(|| ()) };
            }
        }
    }

    impl Guard<'_> {
        /// # Safety
        ///
        /// `free` must stay valid to call, on any thread, for as long as the program runs.
        pub(crate) unsafe fn retire(&self, free: impl FnOnce()) {
            let free = || {
                free();
                AFTERWARDS.store(EMPTY_CLOSURES, Ordering::Relaxed); // as in `catch_up`
            };
            // SAFETY: passed on to the caller.
            unsafe { self.retire_counted(free) };
        }

        /// # Safety
        ///
        /// As for `retire`.
        unsafe fn retire_counted(&self, free: impl FnOnce()) {
            // Relaxed, here and below: as in `catch_up`.
            WAITING.fetch_add(1, Ordering::Relaxed);
            let free = || {
                free();
                WAITING.fetch_sub(1, Ordering::Relaxed);
            };
            // SAFETY: passed on to the caller.
            unsafe { self.0.defer_unchecked(free) };
            self.0.flush();
        }
    }
}

#[cfg(all(loom, bandq_loom_epoch))]
mod imp {
    use std::marker::PhantomData;

    #[derive(Debug)]
    pub(crate) struct Domain;

    #[derive(Debug)]
    pub(crate) struct Guard<'a>(crossbeam_epoch::Guard, PhantomData<&'a Domain>);

    impl Domain {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn pin(&self) -> Guard<'_> {
            Guard(crossbeam_epoch::pin(), PhantomData)
        }

        pub(crate) fn catch_up(&self) {}
    }

    impl Guard<'_> {
        /// # Safety
        ///
        /// As in a normal build.
        pub(crate) unsafe fn retire(&self, free: impl FnOnce()) {
            // SAFETY: passed on to the caller.
            unsafe { self.0.defer_unchecked(free) };
            self.0.flush();
        }
    }
}

/// The arena: nothing is freed before the domain goes, with its queue, at the end of the model.
///
/// Epoch's own steps multiply the executions of a model by hundreds; the protocol models leave them
/// out, and reclamation has models of its own.
#[cfg(all(loom, not(bandq_loom_epoch)))]
mod imp {
    use std::{fmt, mem, sync::Mutex};

    #[derive(Default)]
    pub(crate) struct Domain {
        retired: Mutex<Vec<Box<dyn FnOnce()>>>,
    }

    // SAFETY: the closures free memory that nobody uses; loom runs its threads on one OS thread.
    unsafe impl Send for Domain {}
    // SAFETY: as above; the list is behind a mutex.
    unsafe impl Sync for Domain {}

    impl fmt::Debug for Domain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Domain")
        }
    }

    #[derive(Debug)]
    pub(crate) struct Guard<'a>(&'a Domain);

    impl Domain {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn pin(&self) -> Guard<'_> {
            Guard(self)
        }

        pub(crate) fn catch_up(&self) {}
    }

    impl Guard<'_> {
        /// # Safety
        ///
        /// `free` must be valid to call when the domain is dropped.
        pub(crate) unsafe fn retire<'a>(&self, free: impl FnOnce() + 'a) {
            let free: Box<dyn FnOnce() + 'a> = Box::new(free);
            // SAFETY: the caller promises that it may be called until then.
            let free: Box<dyn FnOnce()> = unsafe { mem::transmute(free) };
            self.0.retired.lock().unwrap().push(free);
        }
    }

    impl Drop for Domain {
        fn drop(&mut self) {
            for free in mem::take(self.retired.get_mut().unwrap()) {
                free();
            }
        }
    }
}

pub(crate) use imp::{Domain, Guard};
