//! One face for the runtimes.

use bandq_workers::Task;
use std::{future::Future, sync::OnceLock, thread, time::Duration};

pub(crate) trait Runtime: Copy + Send + Sync + 'static {
    fn block_on<F: Future>(self, future: F) -> F::Output;

    /// Starts a task; nobody waits for it.
    fn go(self, task: Task);
}

/// Starts a task, to be awaited.
pub(crate) fn spawn<F>(runtime: impl Runtime, future: F) -> impl Future<Output = F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (sender, receiver) = bandq::bounded(1, 1);
    runtime.go(Box::pin(async move {
        let _ = sender.try_send(bandq::Band::URGENT, future.await);
    }));
    async move { receiver.recv().await.expect("the task ends").1 }
}

/// A timer that works everywhere.
pub(crate) async fn sleep(time: Duration) {
    smol::Timer::after(time).await;
}

#[derive(Clone, Copy)]
pub(crate) struct Tokio;

impl Tokio {
    fn runtime() -> &'static tokio::runtime::Runtime {
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        RUNTIME.get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(8)
                .enable_all()
                .build()
                .unwrap()
        })
    }
}

impl Runtime for Tokio {
    fn block_on<F: Future>(self, future: F) -> F::Output {
        Self::runtime().block_on(future)
    }

    fn go(self, task: Task) {
        Self::runtime().spawn(task);
    }
}

/// With eight threads: its global executor has one unless the environment says otherwise.
#[derive(Clone, Copy)]
pub(crate) struct Smol;

impl Runtime for Smol {
    fn block_on<F: Future>(self, future: F) -> F::Output {
        smol::block_on(future)
    }

    fn go(self, task: Task) {
        static EXECUTOR: smol::Executor<'static> = smol::Executor::new();
        static THREADS: OnceLock<()> = OnceLock::new();
        THREADS.get_or_init(|| {
            for _ in 0..8 {
                thread::spawn(|| smol::block_on(EXECUTOR.run(smol::future::pending::<()>())));
            }
        });
        EXECUTOR.spawn(task).detach();
    }
}

#[derive(Clone, Copy)]
pub(crate) struct AsyncStd;

impl Runtime for AsyncStd {
    fn block_on<F: Future>(self, future: F) -> F::Output {
        async_std::task::block_on(future)
    }

    fn go(self, task: Task) {
        async_std::task::spawn(task);
    }
}

/// No runtime: a thread for each task.
#[derive(Clone, Copy)]
pub(crate) struct Threads;

impl Runtime for Threads {
    fn block_on<F: Future>(self, future: F) -> F::Output {
        futures_lite::future::block_on(future)
    }

    fn go(self, task: Task) {
        thread::spawn(|| futures_lite::future::block_on(task));
    }
}
