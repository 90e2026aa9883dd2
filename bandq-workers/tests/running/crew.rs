//! Who works on what.

use crate::support::{LONG, Runtime, check_all, on_each_runtime, reaches, spawn, until};
use bandq::{Band, Builder, Policy};
use bandq_workers::{Job, Workers};
use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

on_each_runtime! {
    r15_concurrency_is_a_hard_cap
    a_worker_has_one_job_at_a_time_and_each_band_in_order
    r16_urgent_items_start_while_long_low_ones_run_by_reserved_workers
    r16_urgent_items_start_while_long_low_ones_run_by_a_cap_for_their_band
    urgent_waiting_tells_a_long_handler
    under_weights_a_share_is_one_of_time
    replaced_workers_begin_again
}

/// How many are inside at a time.
#[derive(Default)]
struct Peak {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Peak {
    async fn inside(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        smol::future::yield_now().await;
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Some jobs wait and others do not, so that workers go on alone and stop doing so all the time.
async fn a_worker_has_one_job_at_a_time_and_each_band_in_order(rt: impl Runtime) {
    const WORKERS: usize = 4;
    const JOBS: u32 = 20_000;
    #[derive(Default)]
    struct Worker {
        is_busy: AtomicBool,
        /// By band, the last item and one.
        last: [AtomicU32; 2],
    }
    let (sender, receiver) = bandq::unbounded(2);
    for n in 1..=JOBS {
        sender.try_send(Band::new((n % 2) as u8), n).unwrap();
    }
    drop(sender);
    let workers: Arc<[Worker; WORKERS]> = Arc::default();
    let pool = Workers::new(receiver).concurrency(WORKERS);
    let pool = pool.run_on(
        move |task| rt.go(task),
        move |job: Job<u32>| {
            let workers = Arc::clone(&workers);
            async move {
                let worker = &workers[job.worker()];
                assert!(!worker.is_busy.swap(true, Ordering::SeqCst));
                let last = worker.last[job.band().index()].swap(*job, Ordering::SeqCst);
                assert!(last < *job, "{last} before {}", *job);
                if *job % 97 == 0 {
                    smol::future::yield_now().await;
                }
                worker.is_busy.store(false, Ordering::SeqCst);
            }
        },
    );
    let report = spawn(rt, pool).await;
    check_all(&report, u64::from(JOBS));
    assert_eq!(report.done, u64::from(JOBS), "none has panicked");
}

async fn r15_concurrency_is_a_hard_cap(rt: impl Runtime) {
    for outside in [false, true] {
        let (sender, receiver) = bandq::unbounded(4);
        for n in 0..1000_u16 {
            sender.try_send(Band::new((n % 4) as u8), n / 4).unwrap();
        }
        drop(sender);
        let (all, low) = (Arc::new(Peak::default()), Arc::new(Peak::default()));
        let (peak, low_peak) = (Arc::clone(&all), Arc::clone(&low));
        let workers = Workers::new(receiver)
            .concurrency(5)
            .band_concurrency(Band::new(3), 2);
        let handler = move |job: Job<u16>| {
            let (peak, low) = (Arc::clone(&peak), Arc::clone(&low_peak));
            async move {
                let result = if job.attempt() == 1 && *job % 7 == 0 {
                    Err("again")
                } else {
                    Ok(())
                };
                if job.band() == Band::new(3) {
                    futures_lite::future::zip(peak.inside(), low.inside()).await;
                } else {
                    peak.inside().await;
                }
                result
            }
        };
        let report = if outside {
            spawn(rt, workers.run_on(move |task| rt.go(task), handler)).await
        } else {
            spawn(rt, workers.run(handler)).await
        };
        check_all(&report, 1000);
        assert_eq!(report.done, 1000);
        assert!(all.most.load(Ordering::SeqCst) <= 5);
        assert!(low.most.load(Ordering::SeqCst) <= 2);
    }
}

/// A pool whose low handlers wait for the end; sends urgent items when all of those run that may,
/// and waits for the urgent ones.
async fn urgent_beside_low(
    rt: impl Runtime,
    low: usize,
    set: impl FnOnce(Workers<u32>) -> Workers<u32>,
) {
    let (sender, receiver) = bandq::unbounded(4);
    sender.try_send_many(Band::new(3), vec![0; 20]).unwrap();
    let workers = set(Workers::new(receiver).concurrency(4));
    let control = workers.control();
    let (running, urgent) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let open = Arc::new(Semaphore::new(0));
    let (count, done, gate) = (Arc::clone(&running), Arc::clone(&urgent), Arc::clone(&open));
    let pool = spawn(
        rt,
        workers.run(move |job: Job<u32>| {
            let (count, done, gate) = (Arc::clone(&count), Arc::clone(&done), Arc::clone(&gate));
            async move {
                if job.band() == Band::new(3) {
                    count.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                } else {
                    done.fetch_add(1, Ordering::SeqCst);
                }
            }
        }),
    );
    reaches(&running, low).await;
    for n in 0..100 {
        sender.try_send(Band::new(n % 2), 1).unwrap();
    }
    // They end although none of the low ones does.
    reaches(&urgent, 100).await;
    assert_eq!(running.load(Ordering::SeqCst), low);
    open.add_permits(1000);
    let report = control.drain(LONG).await;
    pool.await;
    check_all(&report, 120);
    assert_eq!(report.done, 120);
}

async fn r16_urgent_items_start_while_long_low_ones_run_by_reserved_workers(rt: impl Runtime) {
    urgent_beside_low(rt, 4, |workers| {
        workers.reserved(Band::URGENT..=Band::new(1), 1)
    })
    .await;
}

async fn r16_urgent_items_start_while_long_low_ones_run_by_a_cap_for_their_band(rt: impl Runtime) {
    urgent_beside_low(rt, 3, |workers| workers.band_concurrency(Band::new(3), 3)).await;
}

async fn urgent_waiting_tells_a_long_handler(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(2);
    sender.try_send(Band::new(1), "long").unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let (list, started) = (Arc::clone(&order), Arc::new(AtomicUsize::new(0)));
    let begun = Arc::clone(&started);
    let workers = Workers::new(receiver);
    let pool = spawn(
        rt,
        workers.run(move |job: Job<&str>| {
            let (list, begun) = (Arc::clone(&list), Arc::clone(&begun));
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                if *job == "long" && list.lock().unwrap().is_empty() {
                    until(|| job.urgent_waiting()).await;
                    return bandq_workers::Outcome::<&str>::Requeue;
                }
                list.lock().unwrap().push(*job);
                bandq_workers::Outcome::Done
            }
        }),
    );
    reaches(&started, 1).await;
    sender.try_send(Band::URGENT, "urgent").unwrap();
    drop(sender);
    check_all(&pool.await, 2);
    assert_eq!(*order.lock().unwrap(), ["urgent", "long"]);
}

async fn under_weights_a_share_is_one_of_time(rt: impl Runtime) {
    let (sender, receiver) = Builder::new(2)
        .policy(Policy::weighted([1, 1]))
        .build()
        .unwrap();
    sender.try_send_many(Band::new(0), vec![(); 400]).unwrap();
    sender
        .try_send_many(Band::new(1), vec![(); 40_000])
        .unwrap();
    let workers = Workers::new(receiver);
    let control = workers.control();
    let pool = spawn(
        rt,
        workers.run(move |job: Job<()>| async move {
            if job.band() == Band::URGENT {
                // At least so long, and so it is charged at least so much.
                std::thread::sleep(Duration::from_millis(2));
            }
        }),
    );
    until(|| control.report().bands[0].done >= 5).await;
    let report = control.pause().await;
    assert_eq!(report.running, 0);
    // By number it would be one for one.
    assert!(
        report.bands[1].done > 10 * report.bands[0].done,
        "{:?}",
        report.bands
    );
    let report = control.stop(LONG).await;
    pool.await;
    check_all(&report, 40_400);
}

async fn replaced_workers_begin_again(rt: impl Runtime) {
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![(); 1000]).unwrap();
    drop(sender);
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let workers = Workers::new(receiver).replace_stuck(Duration::from_millis(1), |_| true);
    let pool = workers.run(move |job: Job<()>| {
        seen.fetch_max(job.worker(), Ordering::SeqCst);
        async { crate::support::sleep(Duration::from_millis(10)).await }
    });
    check_all(&spawn(rt, pool).await, 1000);
    // Ten or so hang at a time; on a busy machine more, but not all.
    assert!(most.load(Ordering::SeqCst) < 600, "{most:?}");
}

#[test]
fn no_number_of_workers_is_too_large() {
    for adapts in [false, true] {
        let (sender, receiver) = bandq::unbounded(1);
        sender.try_send(Band::URGENT, ()).unwrap();
        drop(sender);
        let workers = Workers::new(receiver).reserved(Band::URGENT..=Band::URGENT, usize::MAX);
        let workers = if adapts {
            workers.adaptive(1..=usize::MAX)
        } else {
            workers.concurrency(usize::MAX)
        };
        let report = futures_lite::future::block_on(workers.run(|_job: Job<()>| async {}));
        check_all(&report, 1);
    }
}
