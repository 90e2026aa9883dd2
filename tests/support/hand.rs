//! A hand-driven executor: the test polls each future itself and counts its wakes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;

/// Counts the wakes of one waker.
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker and the count of its wakes.
pub(crate) fn counting_waker() -> (Waker, Arc<Count>) {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    (Waker::from(count.clone()), count)
}

/// A future, its waker, and how often that was woken.
pub(crate) struct Task<F> {
    future: Pin<Box<F>>,
    waker: Waker,
    count: Arc<Count>,
    seen: usize,
}

impl<F: Future> Task<F> {
    pub(crate) fn new(future: F) -> Self {
        let (waker, count) = counting_waker();
        Task {
            future: Box::pin(future),
            waker,
            count,
            seen: 0,
        }
    }

    /// A task that has been polled once and waits.
    #[track_caller]
    pub(crate) fn waiting(future: F) -> Self {
        let mut task = Self::new(future);
        assert!(task.poll().is_pending(), "should wait");
        task
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        self.seen = self.count.get();
        self.future
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker))
    }

    /// Polls, and must be ready.
    #[track_caller]
    pub(crate) fn ready(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("should be ready"),
        }
    }

    /// All wakes so far.
    pub(crate) fn wakes(&self) -> usize {
        self.count.get()
    }

    /// Woken since the last poll.
    pub(crate) fn woken(&self) -> bool {
        self.count.get() > self.seen
    }

    /// Leaks the future, as `mem::forget` on a future of one's own does. The box stays
    /// reachable from a static, so that leak checkers stay silent.
    pub(crate) fn forget(self) {
        keep(self.future);
    }
}

/// Polls a stream once with `waker`.
pub(crate) fn poll_stream<S: Stream + Unpin>(
    stream: &mut S,
    waker: &Waker,
) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(waker))
}

/// How many of the tasks were woken since their last poll.
pub(crate) fn woken<F: Future>(tasks: &[Task<F>]) -> usize {
    tasks.iter().filter(|task| task.woken()).count()
}

/// Polls the woken tasks, and only those, until none is left, as an executor would. Tasks that
/// end are removed, their outputs returned.
pub(crate) fn settle<F: Future>(tasks: &mut Vec<Task<F>>) -> Vec<F::Output> {
    let mut outputs = Vec::new();
    while let Some(i) = tasks.iter().position(|task| task.woken()) {
        if let Poll::Ready(output) = tasks[i].poll() {
            outputs.push(output);
            tasks.remove(i);
        }
    }
    outputs
}

/// Keeps a value for ever without dropping it: forgotten, but not lost to a leak checker.
pub(crate) fn keep<T>(value: T) {
    use std::sync::Mutex;
    struct Kept(#[allow(dead_code)] *mut ());
    // SAFETY: the pointer is only kept, never read or freed.
    unsafe impl Send for Kept {}
    static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());
    let kept = Kept(Box::into_raw(Box::new(value)).cast());
    KEPT.lock().unwrap().push(kept);
}
