//! Delays without waiting for them.

use crate::support::{Watchdog, check_all};
use bandq::Band;
use bandq_workers::{Job, Retry, Workers};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

#[test]
fn r09_a_thousand_that_fail_at_one_instant_come_back_spread() {
    let retry = Retry::<&str>::exponential(Duration::from_secs(60)).cap(Duration::from_secs(300));
    for failed in 1..5 {
        let window = retry.backoff(failed);
        let mut tenths = [0; 10];
        for _ in 0..1000 {
            let delay = retry.delay(failed);
            assert!(delay <= window);
            tenths[(delay.as_secs_f64() / window.as_secs_f64() * 10.0).min(9.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|n| (1..=200).contains(n)), "{tenths:?}");
    }
}

/// Through a real pool. It is enough that the machine lets the pool run now and then.
#[test]
fn r09_a_thousand_that_fail_in_a_pool_come_back_spread() {
    let _watchdog = Watchdog::new("r09");
    let (sender, receiver) = bandq::unbounded(1);
    sender.try_send_many(Band::URGENT, vec![(); 1000]).unwrap();
    drop(sender);
    let window = Duration::from_millis(500);
    let times = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&times);
    let report = futures_lite::future::block_on(
        Workers::new(receiver)
            .concurrency(1000)
            .retry(Retry::exponential(window).attempts(2))
            .run(move |job: Job<()>| {
                if job.attempt() == 2 {
                    list.lock().unwrap().push(Instant::now());
                }
                async move {
                    if job.attempt() == 1 {
                        Err("all")
                    } else {
                        Ok(())
                    }
                }
            }),
    );
    check_all(&report, 1000);
    let times = times.lock().unwrap();
    let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(*last - *first >= window / 2, "all at once");
}
