//! An executor whose run queue is a bandq channel.

use async_task::Runnable;
use bandq::{Receiver, Sender, unbounded};

use crate::support::{Case, all_end, b};

/// Starts a task that receives from `work` until it is closed, and lets it wait. Its wakes put it
/// into the run queue, or drop it when that is closed.
fn start(run_queue: &Sender<Runnable>, runnables: &Receiver<Runnable>, work: Receiver<u32>) {
    let run_queue = run_queue.clone();
    let schedule = move |runnable| {
        let _ = run_queue.try_send(b(0), runnable);
    };
    let (runnable, task) =
        async_task::spawn(async move { while work.recv().await.is_ok() {} }, schedule);
    task.detach();
    runnable.schedule();
    runnables.try_recv().unwrap().1.run();
}

#[test]
fn an_executor_whose_closed_run_queue_is_a_channel_ends_with_its_work() {
    type Act = fn(Sender<u32>, Receiver<u32>);
    let acts: [(&str, Act); 4] = [
        ("drop of the last sender", |tx, _rx| drop(tx)),
        ("close", |tx, _rx| assert!(tx.close())),
        ("try_send", |tx, _rx| tx.try_send(b(0), 1).unwrap()),
        (
            "drop of the last sender, the task has the only receiver",
            |tx, rx| {
                drop(rx);
                drop(tx);
            },
        ),
    ];
    let mut cases: Vec<Case> = Vec::new();
    for (name, act) in acts {
        for tasks in [1, 3] {
            for drop_queue in [false, true] {
                let body = move || {
                    let (run_queue, runnables) = unbounded(1);
                    let (tx, rx) = unbounded(1);
                    for _ in 0..tasks {
                        start(&run_queue, &runnables, rx.clone());
                    }
                    let runnables = (!drop_queue).then(|| {
                        runnables.close();
                        runnables
                    });
                    act(tx, rx);
                    assert!(runnables.is_none_or(|queue| queue.is_empty()));
                };
                let end = if drop_queue { "dropped" } else { "closed" };
                cases.push((
                    format!("{tasks} tasks, queue {end}, {name}"),
                    Box::new(body),
                ));
            }
        }
    }
    all_end(cases);
}

/// The run queue goes with tasks in it that own the last handles of a channel others wait at.
#[test]
fn a_run_queue_dropped_with_woken_tasks_in_it_ends() {
    let body = || {
        let (run_queue, runnables) = unbounded(1);
        let (tx, rx) = unbounded(1);
        for _ in 0..3 {
            start(&run_queue, &runnables, rx.clone());
        }
        tx.try_send(b(0), 1).unwrap();
        tx.try_send(b(0), 2).unwrap();
        drop(rx);
        assert_eq!(runnables.len(), 2);
        drop(runnables);
        // Two were dropped in the queue and passed their wakes on to the third, which went as well.
        assert!(tx.is_closed());
    };
    all_end(vec![("drop of the run queue".to_owned(), Box::new(body))]);
}
