//! Workers: the driver, the handlers and the controls of a pool beside each other. The clock stands
//! still unless a model lets time pass.

use bandq::{Band, Sender};
use bandq_workers::{Control, Job, Jobs, Outcome, Report, Task, Workers};
use loom_tests::{Bound, Item, Ledger, Seen, block_on, model, thread};
use std::{
    future::{Future, pending, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

const BAND: Band = Band::new(0);
/// No execution gets there.
const LONG: Duration = Duration::from_secs(1000);
const LATER: Duration = Duration::from_millis(1);

type Pool = Pin<Box<dyn Future<Output = Report<Item>> + Send>>;

/// A pool of one worker, with so many items in its channel.
struct Set {
    ledger: Ledger,
    sender: Sender<Item>,
    control: Control<Item>,
    pool: Pool,
}

fn setup<P>(items: usize, run: impl FnOnce(Workers<Item, ()>) -> P) -> Set
where
    P: Future<Output = Report<Item>> + Send + 'static,
{
    let ledger = Ledger::new();
    let (sender, receiver) = bandq::unbounded(1);
    for _ in 0..items {
        assert!(sender.try_send(BAND, ledger.item()).is_ok());
    }
    let workers = Workers::new(receiver);
    let control = workers.control();
    let pool = Box::pin(run(workers));
    Set {
        ledger,
        sender,
        control,
        pool,
    }
}

/// The same, with a handler that has begun as a task and was not polled. Its worker goes on alone.
fn with_task<F>(
    items: usize,
    handler: impl Fn(Job<Item>) -> F + Send + Sync + 'static,
) -> (Set, Task)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks = Arc::<Mutex<Vec<Task>>>::default();
    let spawned = Arc::clone(&tasks);
    let spawn = move |task| spawned.lock().unwrap().push(task);
    let handler = move |job| {
        let end = handler(job);
        async move {
            end.await;
            Outcome::<()>::Done
        }
    };
    let mut set = setup(items, |workers| workers.run_on(spawn, handler));
    assert!(poll_once(&mut set.pool).is_pending());
    let task = tasks.lock().unwrap().pop().expect("it has begun");
    (set, task)
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets time pass.
fn sleep(time: Duration) {
    #[cfg(loom)]
    bandq_workers::sleep(time);
    #[cfg(not(loom))]
    thread::sleep(time);
}

/// Runs what waits for the time too.
fn run_with_the_clock<F: Future + Unpin>(mut future: F) -> F::Output {
    loop {
        if let Poll::Ready(output) = poll_once(&mut future) {
            return output;
        }
        sleep(LATER);
        thread::yield_now();
    }
}

/// Each accepted item is in one place, and none is on its way.
#[track_caller]
fn settled(report: &Report<Item>, accepted: usize) {
    assert_eq!(report.accepted, accepted as u64, "{report:?}");
    assert_eq!((report.running, report.waiting), (0, 0), "{report:?}");
    assert!(report.adds_up() && report.stuck.is_empty(), "{report:?}");
}

/// A drain beside a send and the driver: what was sent is worked on before the pool ends, and what
/// was not is not.
#[test]
fn drain_send() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(1).or_in_full(Bound::Preemptions(2));
    model("workers/drain_send", 3, bound, |cast| {
        let set = setup(0, |workers| {
            workers.run(|_job| async { Outcome::<()>::Done })
        });
        let (sender, item) = (set.sender, set.ledger.item());
        let (control, mut pool) = (set.control.clone(), set.pool);
        let (sent, (), (report, pool)) = cast.three(
            move || sender.try_send(BAND, item).is_ok(),
            move || drop(control.drain(LONG)),
            move || (block_on(&mut pool), pool),
        );
        SEEN.mark(if sent { "sent" } else { "closed" });
        settled(&report, sent.into());
        assert_eq!(report.done, u64::from(sent));
        drop((pool, set.control));
        set.ledger.settle();
    });
    SEEN.expect(["sent", "closed"]);
}

/// A stop beside a send and a second stop, which may be the one that closes the channel and not be
/// through with that: what was sent is given back before the pool ends.
#[test]
fn stop_send() {
    static SEEN: Seen = Seen::new();
    model("workers/stop_send", 3, Bound::Preemptions(2), |cast| {
        let set = setup(0, |workers| {
            workers.run(|_job| async { Outcome::<()>::Done })
        });
        let (sender, item) = (set.sender, set.ledger.item());
        let (control, other, pool) = (set.control.clone(), set.control.clone(), set.pool);
        let (sent, (), report) = cast.three(
            move || sender.try_send(BAND, item).is_ok(),
            move || drop(other.stop(LONG)),
            move || run_with_the_clock(control.stop(LONG)),
        );
        SEEN.mark(if sent { "sent" } else { "closed" });
        settled(&report, sent.into());
        assert_eq!(report.returned.len(), usize::from(sent));
        drop((pool, report, set.control));
        set.ledger.settle();
    });
    SEEN.expect(["sent", "closed"]);
}

/// A stop beside a pool that begins on what is due: it is worked on or given back, and is not on
/// its way any more when the stop is over.
#[test]
fn stop_retry_due() {
    static SEEN: Seen = Seen::new();
    model("workers/stop_retry_due", 2, Bound::Preemptions(3), |cast| {
        let again = |job: Job<Item>| async move {
            if job.age() < LATER {
                Outcome::Snooze(LATER)
            } else {
                Outcome::<()>::Done
            }
        };
        let mut set = setup(1, |workers| workers.run(again));
        assert!(poll_once(&mut set.pool).is_pending());
        assert_eq!(set.control.report().waiting, 1);
        sleep(LATER);
        let (control, mut pool) = (set.control.clone(), set.pool);
        let (report, (last, pool)) = cast.two(
            move || block_on(control.stop(LONG)),
            move || (block_on(&mut pool), pool),
        );
        settled(&report, 1);
        settled(&last, 1);
        let is_done = report.done == 1;
        SEEN.mark(if is_done { "done" } else { "given back" });
        let back = report.returned.len() + last.returned.len();
        assert_eq!(back, usize::from(!is_done));
        assert_eq!(set.ledger.is_dropped(0), is_done);
        drop((pool, report, last, set.sender, set.control));
        set.ledger.settle();
    });
    SEEN.expect(["done", "given back"]);
}

/// A join beside the pool that receives and does so many items: it waits for them, and not for
/// ever.
fn join_beside_pool(name: &'static str, items: usize, bound: Bound) {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    let seen = &SEEN[items - 1];
    model(name, 2, bound, move |cast| {
        let set = setup(items, |workers| {
            workers.run(|_job| async { Outcome::<()>::Done })
        });
        let (joining, control, mut pool) = (set.control.clone(), set.control.clone(), set.pool);
        let items = items as u64;
        let (waited, pool) = cast.two(
            move || {
                let mut join = joining.join();
                let waits = poll_once(&mut join).is_pending();
                if waits {
                    block_on(join);
                }
                assert_eq!(joining.report().done, items);
                waits
            },
            move || {
                block_on(poll_fn(|context| {
                    assert!(pool.as_mut().poll(context).is_pending());
                    if control.report().done == items {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                }));
                pool
            },
        );
        seen.mark(if waited { "waited" } else { "done before" });
        drop((pool, set.sender, set.control));
        set.ledger.settle();
    });
    seen.expect(["waited", "done before"]);
}

/// A join beside the last item.
#[test]
fn join_done() {
    join_beside_pool("workers/join_done", 1, Bound::Preemptions(3));
}

/// The same beside a worker that goes on alone to the second item.
#[test]
fn alone_join() {
    join_beside_pool("workers/alone_join", 2, Bound::Preemptions(2));
}

/// A stop beside a worker that goes on alone: what was begun before is done, the rest given back.
#[test]
fn alone_stop() {
    static SEEN: Seen = Seen::new();
    model("workers/alone_stop", 2, Bound::Preemptions(3), |cast| {
        let (set, mut task) = with_task(2, |job| async move { drop(job) });
        let control = set.control.clone();
        let (report, task) = cast.two(
            move || block_on(control.stop(LONG)),
            move || {
                block_on(&mut task);
                task
            },
        );
        settled(&report, 2);
        assert_eq!(report.done as usize + report.returned.len(), 2);
        SEEN.mark(["none done", "one done", "both done"][report.done as usize]);
        drop((task, report, set.pool, set.sender, set.control));
        set.ledger.settle();
    });
    SEEN.expect(["none done", "one done", "both done"]);
}

/// A pause beside a worker that goes on alone: once nothing runs, nothing begins.
#[test]
fn alone_pause() {
    static SEEN: Seen = Seen::new();
    model("workers/alone_pause", 2, Bound::Preemptions(3), |cast| {
        let (set, mut task) = with_task(2, |job| async move { drop(job) });
        let control = set.control.clone();
        let (quiet, task) = cast.two(
            move || block_on(control.pause()),
            move || {
                block_on(&mut task);
                task
            },
        );
        let after = set.control.report();
        assert_eq!((quiet.running, after.running), (0, 0));
        assert_eq!((quiet.started, quiet.done), (after.started, after.done));
        assert!(after.adds_up());
        SEEN.mark(if after.done == 2 {
            "both done"
        } else {
            "one done"
        });
        drop((task, set.pool, set.sender, set.control));
        set.ledger.settle();
    });
    SEEN.expect(["both done", "one done"]);
}

/// A stop with no time to lose beside a handler that completes: a result that a poll returned
/// counts, and else the item is given back.
#[test]
fn cancel_complete() {
    static SEEN: Seen = Seen::new();
    model(
        "workers/cancel_complete",
        2,
        Bound::Preemptions(3),
        |cast| {
            let (polls, ends) = [false; 2].map(AtomicBool::new).into();
            let flags = Arc::new((polls, ends));
            let seen = Arc::clone(&flags);
            let (set, mut task) = with_task(1, move |job| {
                let flags = Arc::clone(&seen);
                let mut is_first = true;
                poll_fn(move |context| {
                    let _job = &job;
                    if is_first {
                        is_first = false;
                        flags.0.store(true, Ordering::Relaxed);
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    flags.1.store(true, Ordering::Relaxed);
                    Poll::Ready(())
                })
            });
            let control = set.control.clone();
            let (report, task) = cast.two(
                move || block_on(control.stop(Duration::ZERO)),
                move || {
                    block_on(&mut task);
                    task
                },
            );
            settled(&report, 1);
            let (began, ended) = (
                flags.0.load(Ordering::Relaxed),
                flags.1.load(Ordering::Relaxed),
            );
            assert_eq!(report.done, u64::from(ended));
            assert_eq!(report.interrupted, u64::from(began && !ended));
            assert_eq!(report.returned.len(), usize::from(!ended));
            assert_eq!(set.ledger.is_dropped(0), ended);
            SEEN.mark(match (began, ended) {
                (true, true) => "done",
                (true, false) => "interrupted",
                _ => "not begun",
            });
            drop((task, report, set.pool, set.sender, set.control));
            set.ledger.settle();
        },
    );
    SEEN.expect(["done", "interrupted", "not begun"]);
}

/// A stop beside a handler that begins to wait for it: it hears it.
#[test]
fn stop_cancelled() {
    static SEEN: Seen = Seen::new();
    model("workers/stop_cancelled", 2, Bound::Preemptions(3), |cast| {
        let (set, mut task) = with_task(1, |job| async move { job.cancelled().await });
        let control = set.control.clone();
        let (report, task) = cast.two(
            move || block_on(control.stop(LONG)),
            move || {
                block_on(&mut task);
                task
            },
        );
        settled(&report, 1);
        SEEN.mark(if report.done == 1 {
            "heard"
        } else {
            "not begun"
        });
        drop((task, report, set.pool, set.sender, set.control));
        set.ledger.settle();
    });
    SEEN.expect(["heard", "not begun"]);
}

/// The same where another task waits for it in the handler's place.
#[test]
fn stop_cancelled_elsewhere() {
    model(
        "workers/stop_cancelled_elsewhere",
        2,
        Bound::Preemptions(3),
        |cast| {
            let waits = Arc::new(Mutex::new(None));
            let slot = Arc::clone(&waits);
            let (set, mut task) = with_task(1, move |job| {
                *slot.lock().unwrap() = Some(job.cancelled());
                async move { drop((job, pending::<()>().await)) }
            });
            assert!(poll_once(&mut task).is_pending());
            let cancelled = waits.lock().unwrap().take().expect("it has begun");
            let control = set.control.clone();
            let ((), ending) = cast.two(move || block_on(cancelled), move || control.stop(LONG));
            drop((task, ending, set.pool, set.sender));
            assert_eq!(set.control.report().interrupted, 1);
            drop(set.control.take_returned());
            drop(set.control);
            set.ledger.settle();
        },
    );
}

/// A deadline beside a handler that begins to wait for something that never comes: it is dropped.
#[test]
fn cut_pending() {
    static SEEN: Seen = Seen::new();
    model("workers/cut_pending", 2, Bound::Preemptions(3), |cast| {
        let (set, mut task) = with_task(1, |job| async move { drop((job, pending::<()>().await)) });
        let control = set.control.clone();
        let (report, task) = cast.two(
            move || block_on(control.stop(Duration::ZERO)),
            move || {
                block_on(&mut task);
                task
            },
        );
        settled(&report, 1);
        let has_begun = report.interrupted == 1;
        SEEN.mark(if has_begun {
            "interrupted"
        } else {
            "not begun"
        });
        assert_eq!(report.returned.len(), 1);
        drop((task, report, set.pool, set.sender, set.control));
        set.ledger.settle();
    });
    SEEN.expect(["interrupted", "not begun"]);
}

/// The last handler of a closed channel completes beside the driver: the pool ends.
#[test]
fn complete_end() {
    model("workers/complete_end", 2, Bound::Preemptions(3), |cast| {
        let (set, mut task) = with_task(1, |job| async move { drop(job) });
        drop(set.sender);
        let mut pool = set.pool;
        let (task, (report, pool)) = cast.two(
            move || {
                block_on(&mut task);
                task
            },
            move || (block_on(&mut pool), pool),
        );
        settled(&report, 1);
        assert_eq!(report.done, 1);
        drop((task, pool, set.control));
        set.ledger.settle();
    });
}

/// A stop beside the driver and a handler that completes: whoever sees the end, there is one, and
/// the item is done or given back.
#[test]
fn stop_complete_driver() {
    static SEEN: Seen = Seen::new();
    let bound = Bound::Preemptions(1).or_in_full(Bound::Preemptions(2));
    model("workers/stop_complete_driver", 3, bound, |cast| {
        let (set, mut task) = with_task(1, |job| async move { drop(job) });
        let (control, mut pool) = (set.control.clone(), set.pool);
        let (report, task, (last, pool)) = cast.three(
            move || block_on(control.stop(LONG)),
            move || {
                block_on(&mut task);
                task
            },
            move || (block_on(&mut pool), pool),
        );
        settled(&report, 1);
        settled(&last, 1);
        SEEN.mark(if report.done == 1 {
            "done"
        } else {
            "not begun"
        });
        let back = report.returned.len() + last.returned.len();
        assert_eq!(back as u64 + report.done, 1);
        drop((task, pool, report, last, set.sender, set.control));
        set.ledger.settle();
    });
    SEEN.expect(["done", "not begun"]);
}

/// A pause beside the last handler, before it has begun or until its end: who has paused hears that
/// nothing runs, and the item is done or waits.
#[test]
fn pause_complete() {
    static SEEN: Seen = Seen::new();
    model("workers/pause_complete", 2, Bound::Preemptions(3), |cast| {
        let (set, mut task) = with_task(1, |job| async move { drop(job) });
        let control = set.control.clone();
        let (report, task) = cast.two(
            move || block_on(control.pause()),
            move || {
                block_on(&mut task);
                task
            },
        );
        assert_eq!((report.running, report.done + report.waiting), (0, 1));
        assert_eq!(report.started, report.done);
        SEEN.mark(if report.done == 1 { "done" } else { "put back" });
        drop((task, set.pool, set.sender));
        drop((set.control.take_returned(), set.control));
        set.ledger.settle();
    });
    SEEN.expect(["done", "put back"]);
}

/// A job by hand is put back beside one who begins to wait for the next: that one gets it.
#[test]
fn requeue_recv() {
    model("workers/requeue_recv", 2, Bound::Preemptions(3), |cast| {
        let ledger = Ledger::new();
        let (sender, receiver) = bandq::unbounded(1);
        assert!(sender.try_send(BAND, ledger.item()).is_ok());
        let jobs = Jobs::new(receiver);
        let job = jobs.try_recv().unwrap();
        let taker = jobs.clone();
        let ((), job) = cast.two(
            move || job.requeue(),
            move || block_on(pin!(taker.recv())).unwrap(),
        );
        assert_eq!((job.id(), job.attempt()), (1, 1));
        drop(job);
        assert_eq!(jobs.report().done, 1);
        drop((jobs, sender));
        ledger.settle();
    });
}
