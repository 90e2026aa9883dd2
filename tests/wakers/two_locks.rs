//! An executor keeps its tasks under a lock that its wakers take as well.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;

use bandq::{Receiver, Sender, bounded, unbounded};

use crate::support::{all_end, b, env_number};
use crate::waits::Wait;

/// Tasks under a lock, and how often one was woken.
struct Executor {
    tasks: Mutex<Vec<Wait>>,
    wakes: AtomicUsize,
}

impl Wake for Executor {
    fn wake(self: Arc<Self>) {
        let _tasks = self.tasks.lock().unwrap();
        self.wakes.fetch_add(1, Ordering::SeqCst);
    }
}

impl Executor {
    /// Polls each task once; all of them wait.
    fn start(tasks: Vec<Wait>) -> Arc<Self> {
        let executor = Arc::new(Executor {
            tasks: Mutex::new(tasks),
            wakes: AtomicUsize::new(0),
        });
        executor.poll(|| {});
        executor
    }

    /// Polls under the lock; when it has that, it waits for whoever works beside it.
    fn poll(self: &Arc<Self>, ready: impl FnOnce()) {
        // A new one each time, so that the one before it is replaced.
        let waker = Waker::from(Arc::new(Relay(self.clone())));
        let mut context = Context::from_waker(&waker);
        let mut tasks = self.tasks.lock().unwrap();
        ready();
        tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
    }
}

struct Relay(Arc<Executor>);

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.0.clone().wake();
    }
}

/// A deadlock needs far fewer.
fn lock_rounds() -> u64 {
    env_number("BANDQ_LOCK_ROUNDS", 1_000)
}

/// Whether `under_lock` and `beside` end when they run at the same time, many times over.
fn rounds(
    tasks: fn(&Sender<u32>, &Receiver<u32>) -> Vec<Wait>,
    under_lock: fn(&Arc<Executor>, &Barrier),
    beside: fn(&Sender<u32>, &Receiver<u32>),
) {
    for _ in 0..lock_rounds() {
        let (tx, rx) = unbounded(1);
        let executor = Executor::start(tasks(&tx, &rx));
        let barrier = Barrier::new(2);
        thread::scope(|s| {
            s.spawn(|| under_lock(&executor, &barrier));
            barrier.wait();
            beside(&tx, &rx);
        });
        executor.tasks.lock().unwrap().clear();
    }
}

/// Ends all tasks under the lock.
fn end(executor: &Arc<Executor>, barrier: &Barrier) {
    let mut tasks = executor.tasks.lock().unwrap();
    barrier.wait();
    tasks.clear();
}

fn receiving(_: &Sender<u32>, rx: &Receiver<u32>) -> Vec<Wait> {
    let one = |rx: Receiver<u32>| -> Wait {
        Box::pin(async move {
            let _ = rx.recv().await;
        })
    };
    (0..4).map(|_| one(rx.clone())).collect()
}

#[test]
fn tasks_that_end_under_their_executors_lock_do_not_block_a_close() {
    fn closing(tx: &Sender<u32>, rx: &Receiver<u32>) -> Vec<Wait> {
        let mut tasks = receiving(tx, rx);
        let handle = tx.clone();
        tasks.push(Box::pin(async move { handle.closed().await }));
        tasks
    }
    all_end(vec![
        (
            "recv".to_owned(),
            Box::new(|| rounds(receiving, end, |tx, _| assert!(tx.close()))),
        ),
        (
            "recv and closed".to_owned(),
            Box::new(|| rounds(closing, end, |_, rx| assert!(rx.close()))),
        ),
    ]);
}

/// One task alone, so that its end has no wake to pass on: that would wake under the lock too.
#[test]
fn a_task_polled_under_its_executors_lock_does_not_block_a_send_or_a_close() {
    fn alone(tx: &Sender<u32>, rx: &Receiver<u32>) -> Vec<Wait> {
        receiving(tx, rx).split_off(3)
    }
    fn poll(executor: &Arc<Executor>, barrier: &Barrier) {
        executor.poll(|| {
            barrier.wait();
        });
    }
    all_end(vec![
        (
            "send".to_owned(),
            Box::new(|| rounds(alone, poll, |tx, _| tx.try_send(b(0), 1).unwrap())),
        ),
        (
            "close".to_owned(),
            Box::new(|| rounds(alone, poll, |tx, _| assert!(tx.close()))),
        ),
    ]);
}

/// The same on the sending side: the end of a waiting send against a receive.
#[test]
fn a_send_that_ends_under_its_executors_lock_does_not_block_a_receive() {
    let body = || {
        for _ in 0..lock_rounds() {
            let (tx, rx) = bounded(1, 1);
            tx.try_send(b(0), 0).unwrap();
            let sender = tx.clone();
            let executor = Executor::start(vec![Box::pin(async move {
                let _ = sender.send(b(0), 1).await;
            })]);
            let barrier = Barrier::new(2);
            thread::scope(|s| {
                s.spawn(|| end(&executor, &barrier));
                barrier.wait();
                assert_eq!(rx.try_recv(), Ok((b(0), 0)));
            });
            tx.try_send(b(0), 2).unwrap();
        }
    };
    all_end(vec![("try_recv".to_owned(), Box::new(body))]);
}
