//! The workers as loops of this program: each has a receiver of its own.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use bandq::{Receiver, Sender};

use crate::discipline::Ticket;
use crate::runtime::{Joining, Runtime};
use crate::shared::{Receipt, Shared, produce_blocking};

/// Starts them as tasks; the notes of each, in the order of receiving.
pub(crate) fn on_tasks<R: Runtime>(
    shared: &Arc<Shared>,
    receiver: Receiver<Ticket>,
) -> Joining<Vec<Vec<Receipt>>> {
    close_on_stop(shared, &receiver);
    let workers: Vec<_> = (0..shared.plan.workers)
        .map(|_| R::spawn(work::<R>(shared.clone(), receiver.clone())))
        .collect();
    Box::pin(async {
        let mut receipts = Vec::with_capacity(workers.len());
        for worker in workers {
            receipts.push(worker.await);
        }
        receipts
    })
}

/// The channel closes at Ctrl-C; then a loop ends when it is empty.
fn close_on_stop(shared: &Shared, receiver: &Receiver<Ticket>) {
    // Weak, so that it is the workers who have the channel.
    let channel = receiver.downgrade();
    shared.stop.watch(move || {
        if let Some(channel) = channel.upgrade() {
            channel.close();
        }
    });
}

/// Takes jobs, as the policy has them, and is held by each for its run time. After Ctrl-C it only
/// empties the channel.
async fn work<R: Runtime>(shared: Arc<Shared>, receiver: Receiver<Ticket>) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    while let Ok((band, job)) = receiver.recv().await {
        let mut receipt = shared.receipt(band, job);
        if !shared.stop.requested() {
            R::sleep(shared.hold(job)).await;
            receipt.ended = Some(shared.start.elapsed());
        }
        receipts.push(receipt);
    }
    receipts
}

/// The run without a runtime: the same, with a thread per worker and blocking calls.
pub(crate) fn on_threads(
    shared: &Arc<Shared>,
    sender: Sender<Ticket>,
    receiver: Receiver<Ticket>,
) -> io::Result<(usize, Vec<Vec<Receipt>>)> {
    close_on_stop(shared, &receiver);
    thread::scope(|scope| {
        let mut workers = Vec::with_capacity(shared.plan.workers);
        for count in 0..shared.plan.workers {
            let receiver = receiver.clone();
            let worker = thread::Builder::new()
                .spawn_scoped(scope, move || work_blocking(shared, receiver))
                // The sender is dropped then, so the channel closes and the other threads end.
                .map_err(|error| too_many(count, &error))?;
            workers.push(worker);
        }
        let accepted = produce_blocking(shared, sender);
        let receipts = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect();
        Ok((accepted, receipts))
    })
}

/// So many worker threads were started, and then this.
pub(crate) fn too_many(count: usize, error: &io::Error) -> io::Error {
    let what = format!("no more than {count} worker threads can be started: {error}");
    io::Error::new(error.kind(), what)
}

fn work_blocking(shared: &Shared, receiver: Receiver<Ticket>) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    while let Ok((band, job)) = receiver.recv_blocking() {
        let mut receipt = shared.receipt(band, job);
        if !shared.stop.requested() {
            thread::sleep(shared.hold(job));
            receipt.ended = Some(shared.start.elapsed());
        }
        receipts.push(receipt);
    }
    receipts
}
