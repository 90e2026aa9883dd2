//! One face for the runtimes, so that the same async test body runs on each.
#![allow(dead_code)]

use std::future::Future;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

/// A runtime with several threads.
pub(crate) trait Runtime: Copy + Send + Sync + 'static {
    const NAME: &'static str;

    /// Runs a future to its end, and what it spawns beside it.
    fn block_on<F: Future>(self, future: F) -> F::Output;

    /// Starts a task, to be awaited.
    fn spawn<F>(self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// The runtime's own timer.
    fn sleep(self, time: Duration) -> impl Future<Output = ()> + Send;
}

#[derive(Clone, Copy)]
pub(crate) struct Tokio;

impl Tokio {
    fn runtime() -> &'static tokio::runtime::Runtime {
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        RUNTIME.get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(3)
                .enable_time()
                .build()
                .unwrap()
        })
    }
}

impl Runtime for Tokio {
    const NAME: &'static str = "tokio";

    fn block_on<F: Future>(self, future: F) -> F::Output {
        Self::runtime().block_on(future)
    }

    fn spawn<F>(self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = Self::runtime().spawn(future);
        async { task.await.unwrap() }
    }

    fn sleep(self, time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }
}

/// `smol` with three threads: its global executor has one unless the environment says otherwise.
#[derive(Clone, Copy)]
pub(crate) struct Smol;

impl Smol {
    fn executor() -> &'static smol::Executor<'static> {
        static EXECUTOR: OnceLock<smol::Executor<'static>> = OnceLock::new();
        static THREADS: OnceLock<()> = OnceLock::new();
        let executor = EXECUTOR.get_or_init(smol::Executor::new);
        THREADS.get_or_init(|| {
            for _ in 0..3 {
                thread::spawn(|| smol::block_on(executor.run(smol::future::pending::<()>())));
            }
        });
        executor
    }
}

impl Runtime for Smol {
    const NAME: &'static str = "smol";

    fn block_on<F: Future>(self, future: F) -> F::Output {
        smol::block_on(future)
    }

    fn spawn<F>(self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // Each test awaits its tasks; to drop the handle would cancel it.
        Self::executor().spawn(future)
    }

    fn sleep(self, time: Duration) -> impl Future<Output = ()> + Send {
        let timer = smol::Timer::after(time);
        async {
            timer.await;
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct AsyncStd;

impl Runtime for AsyncStd {
    const NAME: &'static str = "async-std";

    fn block_on<F: Future>(self, future: F) -> F::Output {
        async_std::task::block_on(future)
    }

    fn spawn<F>(self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        async_std::task::spawn(future)
    }

    fn sleep(self, time: Duration) -> impl Future<Output = ()> + Send {
        async_std::task::sleep(time)
    }
}

/// `Some(output)`, or `None` if the time was over first: then the future is dropped.
pub(crate) async fn timeout<F: Future>(
    runtime: impl Runtime,
    time: Duration,
    future: F,
) -> Option<F::Output> {
    let timer = async {
        runtime.sleep(time).await;
        None
    };
    futures_lite::future::or(async { Some(future.await) }, timer).await
}
