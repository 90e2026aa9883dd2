//! Conversions to a band that panic, or use the channel.

use bandq::{Band, BandQueue, bounded};

use crate::support::{Ledger, Task, b};
use crate::{ids, must_panic};

struct BadBand<'a>(&'a dyn Fn());

impl From<BadBand<'_>> for Band {
    fn from(bad: BadBand<'_>) -> Band {
        (bad.0)();
        b(0)
    }
}

#[test]
fn a_band_conversion_may_panic_or_use_the_channel() {
    let ledger = Ledger::new(9);
    let (tx, rx) = bounded(1, 4);
    let queue = BandQueue::new(1);
    let bomb = || panic!("a conversion that panics");
    must_panic(|| tx.try_send(BadBand(&bomb), ledger.token(0)));
    must_panic(|| tx.send_blocking(BadBand(&bomb), ledger.token(1)));
    must_panic(|| {
        Task::new(tx.send(BadBand(&bomb), ledger.token(2)))
            .poll()
            .is_ready()
    });
    must_panic(|| tx.try_reserve(BadBand(&bomb)).is_ok());
    must_panic(|| queue.push(BadBand(&bomb), ledger.token(3)));
    must_panic(|| queue.push_many(BadBand(&bomb), [ledger.token(4)]));
    must_panic(|| tx.band_len(BadBand(&bomb)));
    assert!(queue.is_empty() && rx.is_empty());
    for id in 0..5 {
        assert_eq!(ledger.drops(id), 1);
    }
    let reenter = || {
        let id = 6 + tx.len();
        tx.try_send(b(0), ledger.token(id)).unwrap();
    };
    tx.try_send(BadBand(&reenter), ledger.token(5)).unwrap();
    tx.try_reserve(BadBand(&reenter))
        .unwrap()
        .send(ledger.token(7))
        .unwrap();
    assert_eq!(rx.len(), 4);
    assert_eq!(ids(rx.try_iter()), [6, 5, 8, 7]);
    ledger.assert_each_dropped_once();
}
