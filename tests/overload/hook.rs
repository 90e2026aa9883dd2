//! What the hook of expired items may do: use the channel, and panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use bandq::{
    Band, Builder, Receiver, Sender, TryRecvError, TrySendError, WeakReceiver, WeakSender,
};

use crate::support::{Ledger, Task, Token, Watchdog, b, ends};

/// What a hook knows of its channel; weak, so that it keeps nothing open.
type Handles = Arc<OnceLock<(WeakSender<u8>, WeakReceiver<u8>)>>;

/// A channel of 2 bands whose hook is given its handles, and a handle whose items expire at once.
fn channel(
    capacity: usize,
    hook: impl Fn(&Sender<u8>, &Receiver<u8>, u8) + Send + Sync + 'static,
) -> (Sender<u8>, Sender<u8>, Receiver<u8>) {
    let handles = Handles::default();
    let of_hook = Arc::clone(&handles);
    let (tx, rx) = Builder::new(2)
        .capacity(capacity)
        .on_expired(move |_, item| {
            let (tx, rx) = of_hook.get().unwrap();
            hook(&tx.upgrade().unwrap(), &rx.upgrade().unwrap(), item);
        })
        .build()
        .unwrap();
    assert!(handles.set((tx.downgrade(), rx.downgrade())).is_ok());
    (tx.clone(), tx.with_ttl(Duration::ZERO), rx)
}

#[test]
fn it_may_send_to_the_channel_the_room_of_the_item_is_free_by_then() {
    ends("a hook that sends", || {
        let (_tx, fleeting, rx) = channel(1, |tx, _, item| {
            tx.try_send(b(1), item + 100).unwrap();
        });
        fleeting.try_send(b(0), 1).unwrap();
        assert_eq!(rx.try_recv(), Ok((b(1), 101)), "in the same receive");
        // And under a send that finds no room; then there is none again.
        let error = [2, 3].map(|item| fleeting.try_send(b(0), item));
        assert_eq!(error, [Ok(()), Err(TrySendError::Full(3))]);
        assert_eq!(rx.try_recv(), Ok((b(1), 102)));
    });
}

#[test]
fn it_may_receive_from_the_channel() {
    ends("a hook that receives", || {
        static GOT: AtomicUsize = AtomicUsize::new(0);
        let (tx, fleeting, rx) = channel(5, |_, rx, _| {
            if let Ok((_, item)) = rx.try_recv() {
                GOT.fetch_add(item.into(), Ordering::SeqCst);
            }
        });
        fleeting.try_send(b(0), 1).unwrap();
        fleeting.try_send(b(0), 2).unwrap(); // which the hook finds, for the hook
        tx.try_send(b(0), 4).unwrap();
        tx.try_send(b(1), 8).unwrap();
        assert_eq!(
            rx.try_recv(),
            Err(TryRecvError::Empty),
            "all went to the hook"
        );
        assert_eq!(GOT.load(Ordering::SeqCst), 12);
        assert_eq!((rx.len(), rx.available()), (0, Some(5)));
    });
}

#[test]
fn it_may_close_the_channel() {
    ends("a hook that closes", || {
        let (tx, fleeting, rx) = channel(3, |tx, rx, _| {
            assert!(tx.close() || rx.is_closed());
        });
        fleeting.try_send(b(0), 1).unwrap();
        tx.try_send(b(1), 2).unwrap();
        fleeting.try_send(b(1), 3).unwrap();
        // A send that finds no room has it closed, and is told.
        assert_eq!(tx.try_send(b(1), 4), Err(TrySendError::Closed(4)));
        assert_eq!(rx.try_recv(), Ok((b(1), 2)));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(rx.available(), Some(3));
    });
}

#[test]
fn it_may_force_others_out_and_change_what_there_is_to_change() {
    ends("a hook that forces", || {
        let (tx, fleeting, rx) = channel(2, |tx, rx, item| {
            tx.set_capacity(1).unwrap();
            rx.set_policy(bandq::Policy::weighted([1, 1])).unwrap();
            let gone = tx.with_ttl(Duration::MAX).force_send(b(0), item).unwrap();
            assert_eq!(gone, [(b(1), 2)]);
        });
        fleeting.try_send(b(0), 1).unwrap();
        tx.try_send(b(1), 2).unwrap();
        assert_eq!(rx.try_recv(), Ok((b(0), 1)));
        assert_eq!((rx.len(), rx.available()), (0, Some(1)));
    });
}

#[test]
fn it_may_wake_whom_it_likes() {
    ends("a hook beside those who wait", || {
        let (tx, fleeting, rx) = channel(1, |tx, _, item| {
            tx.try_send(b(1), item).unwrap();
        });
        let urgent = rx.within(b(0)..=b(0));
        let mut of_low = Task::waiting(rx.recv());
        fleeting.try_send(b(0), 1).unwrap();
        assert_eq!(urgent.try_recv(), Err(TryRecvError::Empty));
        assert!(of_low.woken(), "for what the hook sent");
        assert_eq!(of_low.ready(), Ok((b(1), 1)));
        drop(tx);
    });
}

/// A channel whose hook, or else whose items' drop, panics.
fn panicking<T: Send + 'static>(hook: Option<fn(Band, T)>) -> (Sender<T>, Receiver<T>) {
    let builder = Builder::new(2).capacity(4);
    let builder = match hook {
        Some(hook) => builder.on_expired(hook),
        None => builder.ttl(b(1), Duration::MAX),
    };
    builder.build().unwrap()
}

#[test]
fn its_panic_ends_in_the_receive_or_send_that_ran_it() {
    let ledger = Ledger::new(8);
    let mut items = ledger.tokens();
    let mut next = || items.next().unwrap();
    let (tx, rx) = panicking(Some(|_, _: Token| panic!("the hook was told to panic")));
    let fleeting = tx.with_ttl(Duration::ZERO);
    fleeting.try_send(b(0), next()).unwrap();
    fleeting.try_send(b(0), next()).unwrap();
    tx.try_send(b(1), next()).unwrap();
    assert_eq!(rx.try_recv().unwrap().1.id(), 2);
    assert_eq!(rx.available(), Some(4));
    for _ in 0..4 {
        fleeting.try_send(b(0), next()).unwrap();
    }
    tx.try_send(b(1), next()).unwrap();
    assert_eq!(rx.available(), Some(3));
    assert_eq!(rx.try_recv().unwrap().1.id(), 7);
    drop((tx, fleeting, rx));
    ledger.assert_each_dropped_once();
}

#[test]
fn a_panic_of_an_items_drop_ends_there_as_well() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    struct Bad(bool);
    impl Drop for Bad {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::SeqCst);
            assert!(!self.0, "the drop was told to panic");
        }
    }
    let (tx, rx) = panicking(None);
    let fleeting = tx.with_ttl(Duration::ZERO);
    for _ in 0..3 {
        fleeting.try_send(b(0), Bad(true)).unwrap();
    }
    tx.try_send(b(1), Bad(false)).unwrap();
    let sent = catch_unwind(AssertUnwindSafe(|| tx.try_send(b(1), Bad(false)).is_ok()));
    assert!(sent.unwrap());
    assert_eq!((DROPS.load(Ordering::SeqCst), rx.len()), (3, 2));
    fleeting.try_send(b(0), Bad(true)).unwrap();
    let got = catch_unwind(AssertUnwindSafe(|| rx.try_recv()));
    assert!(!got.unwrap().unwrap().1.0);
    assert_eq!(rx.available(), Some(3));
}

#[test]
fn it_runs_beside_itself_on_several_threads_once_for_each_item() {
    let _watchdog = Watchdog::new("a hook beside itself");
    const ITEMS: usize = 8_000;
    let ledger = Ledger::new(ITEMS);
    let late = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&late);
    let (tx, rx) = Builder::new(2)
        .capacity(4)
        .on_expired(move |_, _: Token| {
            count.fetch_add(1, Ordering::SeqCst);
        })
        .build()
        .unwrap();
    let received: usize = thread::scope(|scope| {
        for producer in 0..3 {
            let (tx, ledger) = (tx.clone(), &ledger);
            scope.spawn(move || {
                let fleeting = tx.with_ttl(Duration::ZERO);
                for id in (producer..ITEMS).step_by(3) {
                    let tx = if id % 2 == 0 { &tx } else { &fleeting };
                    tx.send_blocking(b(id as u8 / 2 % 2), ledger.token(id))
                        .unwrap();
                }
            });
        }
        drop(tx);
        let receivers = [rx.clone(), rx.clone()].map(|rx| {
            scope.spawn(move || {
                // An expired one would count double.
                let counts = rx.iter().map(|(_, item)| 1 + item.id() % 2);
                counts.sum::<usize>()
            })
        });
        let received = receivers.into_iter().map(|rx| rx.join().unwrap());
        received.sum()
    });
    assert_eq!(
        (received, late.load(Ordering::SeqCst)),
        (ITEMS / 2, ITEMS / 2)
    );
    assert_eq!(rx.available(), Some(4));
    ledger.assert_each_dropped_once();
}
