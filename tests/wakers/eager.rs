//! Wakers that poll at once, on the thread that wakes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use bandq::{bounded, unbounded};

use crate::support::{Task, b, ends};
use crate::waits::Wait;

/// A task that runs wherever it is woken. A wake from inside its own poll makes it poll again.
struct Eager {
    future: Mutex<Option<Wait>>,
    wakes: AtomicUsize,
}

impl Eager {
    fn start(future: Wait) -> Arc<Eager> {
        let eager = Arc::new(Eager {
            future: Mutex::new(Some(future)),
            wakes: AtomicUsize::new(0),
        });
        eager.wake_by_ref();
        eager
    }

    fn is_done(&self) -> bool {
        self.future.lock().unwrap().is_none()
    }
}

impl Wake for Eager {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.wakes.fetch_add(1, Ordering::SeqCst) != 0 {
            return; // it is polled now, and will be once more
        }
        loop {
            let seen = self.wakes.load(Ordering::SeqCst);
            let mut future = self.future.lock().unwrap();
            if let Some(wait) = &mut *future {
                let waker = Waker::from(self.clone());
                if wait
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_ready()
                {
                    *future = None;
                }
            }
            drop(future);
            if self.wakes.fetch_sub(seen, Ordering::SeqCst) == seen {
                return;
            }
        }
    }
}

const ITEMS: u32 = 100;

#[test]
fn receivers_may_poll_inside_the_wake_of_a_send() {
    ends("an eager recv", || {
        let (tx, rx) = unbounded(2);
        let got = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let (rx, got) = (rx.clone(), got.clone());
                Eager::start(Box::pin(async move {
                    while rx.recv().await.is_ok() {
                        got.fetch_add(1, Ordering::SeqCst);
                    }
                }))
            })
            .collect();
        for n in 0..ITEMS {
            tx.try_send(b((n % 2) as u8), n).unwrap();
            assert_eq!(got.load(Ordering::SeqCst), n as usize + 1);
        }
        drop(tx);
        assert!(tasks.iter().all(|task| task.is_done()));
    });
}

#[test]
fn a_stream_may_poll_inside_the_wake_of_a_send() {
    ends("an eager stream", || {
        let (tx, rx) = unbounded(2);
        let got = Arc::new(AtomicUsize::new(0));
        let task = {
            let got = got.clone();
            let mut rx = rx.clone();
            Eager::start(Box::pin(async move {
                while futures_lite::StreamExt::next(&mut rx).await.is_some() {
                    got.fetch_add(1, Ordering::SeqCst);
                }
            }))
        };
        for n in 0..ITEMS {
            tx.try_send(b((n % 2) as u8), n).unwrap();
            assert_eq!(got.load(Ordering::SeqCst), n as usize + 1);
        }
        rx.close();
        assert!(task.is_done());
    });
}

#[test]
fn senders_may_poll_inside_the_wake_of_a_receive() {
    ends("an eager send", || {
        let (tx, rx) = bounded(1, 1);
        tx.try_send(b(0), 0).unwrap();
        let many = {
            let tx = tx.clone();
            Eager::start(Box::pin(async move {
                assert_eq!(tx.send_many(b(0), 1..=ITEMS).await, Ok(ITEMS as usize));
            }))
        };
        for n in 0..=ITEMS {
            assert_eq!(rx.try_recv(), Ok((b(0), n)));
        }
        assert!(many.is_done());

        tx.try_send(b(0), 0).unwrap();
        let one = {
            let tx = tx.clone();
            Eager::start(Box::pin(async move {
                tx.reserve(b(0)).await.unwrap().send(1).unwrap();
                tx.send(b(0), 2).await.unwrap();
            }))
        };
        for n in 0..3 {
            assert_eq!(rx.try_recv(), Ok((b(0), n)));
        }
        assert!(one.is_done());
    });
}

/// Each of the two wakes the other from inside its own poll.
#[test]
fn an_eager_sender_and_an_eager_receiver_run_each_other() {
    ends("eager tasks on both sides", || {
        let (tx, rx) = bounded(1, 1);
        let sum = Arc::new(AtomicUsize::new(0));
        let receiver = {
            let sum = sum.clone();
            Eager::start(Box::pin(async move {
                while let Ok((_, n)) = rx.recv().await {
                    sum.fetch_add(n as usize, Ordering::SeqCst);
                }
            }))
        };
        let sender = Eager::start(Box::pin(async move {
            for n in 1..=ITEMS {
                tx.send(b(0), n).await.unwrap();
            }
        }));
        assert!(sender.is_done() && receiver.is_done());
        let all = (ITEMS * (ITEMS + 1) / 2) as usize;
        assert_eq!(sum.load(Ordering::SeqCst), all);
    });
}

#[test]
fn closed_may_poll_inside_the_wake_of_a_close() {
    ends("an eager closed()", || {
        let (tx, rx) = unbounded::<u32>(1);
        let others = [Task::waiting(tx.closed()), Task::waiting(tx.closed())];
        let task = {
            let rx = rx.clone();
            Eager::start(Box::pin(async move {
                rx.closed().await;
                rx.closed().await;
            }))
        };
        tx.close();
        assert!(task.is_done());
        assert!(others.iter().all(|other| other.woken()));
    });
}
