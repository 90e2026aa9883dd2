//! The last waker owns the task, the task owns a handle of the channel that it waits at, and its
//! executor is gone: so the wake drops the task, and with it the future and the handle. Whatever
//! it is that wakes must end, and the task be gone then.

use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bandq::{Receiver, Sender, bounded};
use futures_lite::future::block_on;

use crate::support::{Case, Task, all_end, b};
use crate::waits::{FOR_ITEMS, FOR_ROOM, Wait, closed_of_receiver, closed_of_sender};

/// A task whose executor is gone.
struct Orphan(Mutex<Option<Wait>>);

impl Wake for Orphan {
    fn wake(self: Arc<Self>) {}
}

impl Orphan {
    /// Polls the wait once; from then on only the waker owns it.
    fn wait(wait: Wait) -> Weak<Orphan> {
        let orphan = Arc::new(Orphan(Mutex::new(Some(wait))));
        let waker = Waker::from(orphan.clone());
        let mut wait = orphan.0.lock().unwrap();
        let polled = wait
            .as_mut()
            .unwrap()
            .as_mut()
            .poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending(), "should wait");
        drop(wait);
        Arc::downgrade(&orphan)
    }
}

/// A channel with room for one item, and a task that will wait there.
struct Scene {
    tx: Option<Sender<u32>>,
    rx: Option<Receiver<u32>>,
    wait: Option<Wait>,
    orphan: Weak<Orphan>,
}

impl Scene {
    fn new(wait: impl FnOnce(&Sender<u32>, &Receiver<u32>) -> Wait) -> Self {
        let (tx, rx) = bounded(1, 1);
        Scene {
            wait: Some(wait(&tx, &rx)),
            tx: Some(tx),
            rx: Some(rx),
            orphan: Weak::new(),
        }
    }

    fn wait(&mut self) {
        self.orphan = Orphan::wait(self.wait.take().unwrap());
    }

    fn fill_and_wait(&mut self) {
        self.tx().try_send(b(0), 0).unwrap();
        self.wait();
    }

    fn tx(&self) -> &Sender<u32> {
        self.tx.as_ref().unwrap()
    }

    fn rx(&self) -> &Receiver<u32> {
        self.rx.as_ref().unwrap()
    }
}

type Act = (&'static str, fn(&mut Scene));

const SENDS: [Act; 7] = [
    ("try_send", |s| {
        s.wait();
        s.tx().try_send(b(0), 1).unwrap();
    }),
    ("send", |s| {
        s.wait();
        block_on(s.tx().send(b(0), 1)).unwrap();
    }),
    ("send_many", |s| {
        s.wait();
        assert_eq!(block_on(s.tx().send_many(b(0), [1])), Ok(1));
    }),
    ("send_blocking", |s| {
        s.wait();
        s.tx().send_blocking(b(0), 1).unwrap();
    }),
    ("send_timeout", |s| {
        s.wait();
        s.tx()
            .send_timeout(b(0), 1, Duration::from_secs(5))
            .unwrap();
    }),
    ("Permit::send", |s| {
        s.wait();
        s.tx().try_reserve(b(0)).unwrap().send(1).unwrap();
    }),
    ("drop of a woken recv", |s| {
        let rx = s.rx().clone();
        let first = Task::waiting(rx.recv());
        s.wait();
        s.tx().try_send(b(0), 1).unwrap();
        drop(first);
    }),
];

const RECEIVES: [Act; 10] = [
    ("try_recv", |s| {
        s.fill_and_wait();
        s.rx().try_recv().unwrap();
    }),
    ("recv", |s| {
        s.fill_and_wait();
        block_on(s.rx().recv()).unwrap();
    }),
    ("recv_blocking", |s| {
        s.fill_and_wait();
        s.rx().recv_blocking().unwrap();
    }),
    ("recv_many", |s| {
        s.fill_and_wait();
        assert_eq!(block_on(s.rx().recv_many(&mut Vec::new(), 1)), 1);
    }),
    ("try_recv_many", |s| {
        s.fill_and_wait();
        assert_eq!(s.rx().try_recv_many(&mut Vec::new(), 1), Ok(1));
    }),
    ("stream", |s| {
        s.fill_and_wait();
        let mut stream = s.rx().clone();
        let next = block_on(futures_lite::StreamExt::next(&mut stream));
        assert_eq!(next, Some((b(0), 0)));
    }),
    ("try_iter", |s| {
        s.fill_and_wait();
        assert_eq!(s.rx().try_iter().next(), Some((b(0), 0)));
    }),
    ("drain", |s| {
        s.fill_and_wait();
        assert_eq!(s.rx().drain().count(), 1);
    }),
    ("drop of a permit", |s| {
        let tx = s.tx().clone();
        let permit = tx.try_reserve(b(0)).unwrap();
        s.wait();
        drop(permit);
    }),
    ("drop of a woken send", |s| {
        let tx = s.tx().clone();
        tx.try_send(b(0), 0).unwrap();
        let first = Task::waiting(tx.send(b(0), 1));
        s.wait();
        s.rx().try_recv().unwrap();
        drop(first);
    }),
];

const CLOSES: [Act; 2] = [
    ("Sender::close", |s| {
        s.wait();
        assert!(s.tx().close());
    }),
    ("Receiver::close", |s| {
        s.wait();
        assert!(s.rx().close());
    }),
];

const LAST_SENDER: [Act; 2] = [
    ("drop of the last sender", |s| {
        s.wait();
        s.tx = None;
    }),
    (
        "drop of the last sender, the task has the only receiver",
        |s| {
            s.rx = None;
            s.wait();
            s.tx = None;
        },
    ),
];

const LAST_RECEIVER: [Act; 2] = [
    ("drop of the last receiver", |s| {
        s.wait();
        s.rx = None;
    }),
    (
        "drop of the last receiver, the task has the only sender",
        |s| {
            s.tx = None;
            s.wait();
            s.rx = None;
        },
    ),
];

/// The acts on a full channel.
const FULL: [Act; 4] = [
    ("Sender::close", |s| {
        s.fill_and_wait();
        assert!(s.tx().close());
    }),
    ("Receiver::close", |s| {
        s.fill_and_wait();
        assert!(s.rx().close());
    }),
    ("drop of the last receiver", |s| {
        s.fill_and_wait();
        s.rx = None;
    }),
    (
        "drop of the last receiver, the task has the only sender",
        |s| {
            s.fill_and_wait();
            s.tx = None;
            s.rx = None;
        },
    ),
];

/// Each act wakes the task, which is gone when the act has returned.
fn each_ends<'a>(
    waiter: &str,
    scene: impl Fn() -> Scene,
    acts: impl IntoIterator<Item = &'a Act>,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for &(name, act) in acts {
        let mut scene = scene();
        let body = move || {
            act(&mut scene);
            assert_eq!(scene.orphan.strong_count(), 0, "the task is still there");
        };
        let case: Case = (format!("{waiter} woken by {name}"), Box::new(body));
        cases.push(case);
    }
    cases
}

#[test]
fn a_wake_may_drop_a_task_that_waits_for_an_item() {
    let mut cases = Vec::new();
    for (name, wait) in FOR_ITEMS {
        let scene = || Scene::new(|_, rx| wait(rx.clone()));
        let acts = SENDS.iter().chain(&CLOSES).chain(&LAST_SENDER);
        // A woken `recv` passes its wake on to a `recv`, not to a stream.
        let acts = acts.filter(|act| name != "stream" || act.0 != "drop of a woken recv");
        cases.extend(each_ends(name, scene, acts));
    }
    all_end(cases);
}

#[test]
fn a_wake_may_drop_a_task_that_waits_for_room() {
    let mut cases = Vec::new();
    for (name, wait) in FOR_ROOM {
        let scene = || Scene::new(|tx, _| wait(tx.clone()));
        cases.extend(each_ends(name, scene, RECEIVES.iter().chain(&FULL)));
    }
    all_end(cases);
}

#[test]
fn a_wake_may_drop_a_task_that_waits_for_the_close() {
    let of_sender = || Scene::new(|tx, _| closed_of_sender(tx.clone()));
    let of_receiver = || Scene::new(|_, rx| closed_of_receiver(rx.clone()));
    let acts = CLOSES.iter().chain(&LAST_RECEIVER);
    let mut cases = each_ends("Sender::closed", of_sender, acts);
    let acts = CLOSES.iter().chain(&LAST_SENDER);
    cases.extend(each_ends("Receiver::closed", of_receiver, acts));
    all_end(cases);
}

/// One wake for all: each of the tasks goes while the others are still to be woken.
#[test]
fn a_close_may_drop_many_tasks_that_wait_in_every_way() {
    let body = || {
        let (tx, rx) = bounded(1, 1);
        let permit = tx.try_reserve(b(0)).unwrap();
        let mut orphans = Vec::new();
        for _ in 0..3 {
            orphans.extend(FOR_ITEMS.map(|(_, wait)| Orphan::wait(wait(rx.clone()))));
            orphans.extend(FOR_ROOM.map(|(_, wait)| Orphan::wait(wait(tx.clone()))));
            orphans.push(Orphan::wait(closed_of_sender(tx.clone())));
            orphans.push(Orphan::wait(closed_of_receiver(rx.clone())));
        }
        assert!(tx.close());
        assert!(orphans.iter().all(|orphan| orphan.strong_count() == 0));
        assert_eq!((tx.sender_count(), rx.receiver_count()), (1, 1));
        drop(permit);
    };
    all_end(vec![("close".to_owned(), Box::new(body))]);
}

/// The task owns an item as well, whose drop uses the channel that dropped the task.
#[test]
fn a_wake_may_drop_an_item_whose_drop_uses_the_channel() {
    struct Reenters(Option<(Sender<Reenters>, Receiver<Reenters>)>);

    impl Drop for Reenters {
        fn drop(&mut self) {
            if let Some((tx, rx)) = self.0.take() {
                let _ = (tx.len(), rx.is_empty());
                let _ = tx.try_send(b(0), Reenters(None));
                let _ = Task::new(rx.recv()).poll();
                let _ = Task::new(tx.send(b(0), Reenters(None))).poll();
                tx.close();
            }
        }
    }

    let act = |close: bool| {
        move || {
            let (tx, rx) = bounded(1, 1);
            tx.try_send(b(0), Reenters(None)).ok().unwrap();
            let item = Reenters(Some((tx.clone(), rx.clone())));
            let sender = tx.clone();
            let orphan = Orphan::wait(Box::pin(async move {
                let _ = sender.send(b(0), item).await;
            }));
            if close {
                tx.close();
            } else {
                drop(rx.try_recv());
            }
            assert_eq!(orphan.strong_count(), 0);
            assert!(rx.is_closed());
        }
    };
    all_end(vec![
        ("try_recv".to_owned(), Box::new(act(false))),
        ("close".to_owned(), Box::new(act(true))),
    ]);
}
