//! The runtimes: how each starts a task, waits for time to pass, and how fine its timer is.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Serialize, Serializer};

/// The runtimes that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeName {
    /// tokio, with a worker thread per core
    Tokio,
    /// smol, with its global executor
    Smol,
    /// async-std, with a worker thread per core
    AsyncStd,
    /// no runtime: a thread per worker, and blocking calls
    Threads,
}

impl RuntimeName {
    /// The finest steps in which its timer can hold a worker.
    ///
    /// tokio's timer counts whole milliseconds. The others leave deadlines to the operating system,
    /// and with the wake-up counted in, 0.2 ms is about what can be told apart.
    pub(crate) fn grain(self) -> Duration {
        match self {
            RuntimeName::Tokio => Duration::from_millis(1),
            RuntimeName::Smol | RuntimeName::AsyncStd | RuntimeName::Threads => {
                Duration::from_micros(200)
            }
        }
    }

    /// The sleep to ask for, so that it takes `time` (one grain or more) on average.
    ///
    /// No timer is early. tokio's is late by a whole grain, as good as always: it rounds a deadline
    /// up, and then waits whole milliseconds from wherever it is between two. The others are late
    /// by the time it takes to wake up, about half a grain. With run times of a few grains it would
    /// add up: too few workers would have been counted.
    pub(crate) fn sleep_for(self, time: Duration) -> Duration {
        let late = match self {
            RuntimeName::Tokio => self.grain(),
            RuntimeName::Smol | RuntimeName::AsyncStd | RuntimeName::Threads => self.grain() / 2,
        };
        // A sleep of no time at all would not even let others run.
        time.saturating_sub(late).max(Duration::from_micros(1))
    }
}

impl fmt::Display for RuntimeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            RuntimeName::Tokio => "tokio",
            RuntimeName::Smol => "smol",
            RuntimeName::AsyncStd => "async-std",
            RuntimeName::Threads => "threads",
        })
    }
}

impl Serialize for RuntimeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a replay needs of an async runtime.
pub(crate) trait Runtime: Send + 'static {
    /// Runs a future to its end, on this thread and with the runtime around it.
    fn block_on<F: Future>(future: F) -> io::Result<F::Output>;

    /// Starts a task, and gives a future that waits for it. A panic in the task goes on in there.
    fn spawn<F>(future: F) -> Joining<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Waits, by the runtime's own timer.
    fn sleep(time: Duration) -> impl Future<Output = ()> + Send;
}

/// Waits for the end of a task.
pub(crate) type Joining<T> = Pin<Box<dyn Future<Output = T> + Send>>;

#[derive(Debug)]
pub(crate) struct Tokio;

impl Runtime for Tokio {
    fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
        Ok(tokio::runtime::Runtime::new()?.block_on(future))
    }

    fn spawn<F>(future: F) -> Joining<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = tokio::spawn(future);
        Box::pin(async {
            match task.await {
                Ok(output) => output,
                Err(error) => resume_unwind(error.into_panic()),
            }
        })
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }
}

#[derive(Debug)]
pub(crate) struct Smol;

impl Runtime for Smol {
    fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
        Ok(smol::block_on(future))
    }

    fn spawn<F>(future: F) -> Joining<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Box::pin(smol::spawn(future))
    }

    async fn sleep(time: Duration) {
        smol::Timer::after(time).await;
    }
}

#[derive(Debug)]
pub(crate) struct AsyncStd;

impl Runtime for AsyncStd {
    fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
        Ok(async_std::task::block_on(future))
    }

    fn spawn<F>(future: F) -> Joining<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Box::pin(async_std::task::spawn(future))
    }

    fn sleep(time: Duration) -> impl Future<Output = ()> + Send {
        async_std::task::sleep(time)
    }
}
