//! The workers as a pool of `bandq-workers`, with a handler for each job. Each worker gets its jobs
//! in order, so there is an order for each, and none over all.

use std::future::Future;
use std::io;
use std::mem;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bandq::{Receiver, Sender};
use bandq_workers::{Control, Job, Task, Workers};
use futures_lite::future::block_on;

use crate::discipline::Ticket;
use crate::loops::too_many;
use crate::runtime::{Joining, Runtime};
use crate::shared::{Receipt, Shared, produce_blocking};

/// Starts it on a runtime. The notes of what was handled, by worker in the order of receiving, and
/// then of what was given back.
pub(crate) fn on_tasks<R: Runtime>(
    shared: &Arc<Shared>,
    receiver: Receiver<Ticket>,
) -> Joining<Vec<Vec<Receipt>>> {
    R::spawn(pool(shared.clone(), receiver, R::spawn, R::sleep))
}

/// The run without a runtime: a thread per worker, which a handler blocks.
pub(crate) fn on_threads(
    shared: &Arc<Shared>,
    sender: Sender<Ticket>,
    receiver: Receiver<Ticket>,
) -> io::Result<(usize, Vec<Vec<Receipt>>)> {
    thread::scope(|scope| {
        let (tasks, queue) = flume::unbounded::<Task>();
        for count in 0..shared.plan.workers {
            let queue = queue.clone();
            thread::Builder::new()
                .spawn_scoped(scope, move || queue.iter().for_each(block_on))
                // The queue has no sender any more then, so the other threads end.
                .map_err(|error| too_many(count, &error))?;
        }
        let spawn = move |task| drop(tasks.send(task)); // its threads outlive the pool
        let sleep = |time| async move { thread::sleep(time) };
        let pool = pool(shared.clone(), receiver, spawn, sleep);
        let pool = scope.spawn(|| block_on(pool));
        let accepted = produce_blocking(shared, sender);
        let receipts = pool.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((accepted, receipts))
    })
}

/// The pool itself; `sleep` holds a worker.
fn pool<R, S>(
    shared: Arc<Shared>,
    receiver: Receiver<Ticket>,
    spawn: impl FnMut(Task) -> R,
    sleep: impl Fn(Duration) -> S + Copy + Send + Sync + 'static,
) -> impl Future<Output = Vec<Vec<Receipt>>>
where
    S: Future<Output = ()> + Send,
{
    let workers = Workers::new(receiver).concurrency(shared.plan.workers);
    let control = workers.control();
    stop_with(&shared, control.clone());
    let notes = Arc::new(Notes::default());
    let (shared_by_jobs, notes_of_jobs) = (shared.clone(), notes.clone());
    let pool = workers.run_on(spawn, move |job: Job<Ticket>| {
        let (shared, notes) = (shared_by_jobs.clone(), notes_of_jobs.clone());
        async move {
            let mut receipt = shared.receipt(job.band(), *job);
            sleep(shared.hold(*job)).await;
            receipt.ended = Some(shared.start.elapsed());
            notes.add(job.worker(), receipt);
        }
    });
    async move {
        let mut report = pool.await;
        report.returned.extend(control.take_returned());
        let returned = report.returned.into_iter();
        let mut left: Vec<_> = returned
            .map(|job| shared.receipt(job.band, job.item))
            .collect();
        left.sort_by_key(|receipt| receipt.number); // they come back in no order
        let mut receipts = notes.take();
        receipts.push(left);
        receipts
    }
}

/// After Ctrl-C no job is begun, those in hand are finished, and the others are given back.
fn stop_with(shared: &Shared, control: Control<Ticket>) {
    let stop = move || drop(control.stop(Duration::MAX)); // the pool's own future has the report
    shared.stop.watch(stop);
}

/// The notes of handlers, by worker. A worker has one job at a time, so its notes are in order.
#[derive(Default)]
struct Notes(Mutex<Vec<Vec<Receipt>>>);

impl Notes {
    fn add(&self, worker: usize, receipt: Receipt) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() <= worker {
            notes.resize_with(worker + 1, Vec::new);
        }
        notes[worker].push(receipt);
    }

    fn take(&self) -> Vec<Vec<Receipt>> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
