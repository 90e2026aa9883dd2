//! On tokio, smol and async-std.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bandq::{Receiver, Sender, TrySendError};
use futures_lite::StreamExt;
use futures_lite::future::{or, yield_now};

use crate::item::{ACCEPTED, Item, MAYBE, mark};
use crate::round::{End, Figures, Seen, Shape, count, rounds};
use crate::rt::{AsyncStd, Runtime, Smol, Tokio};
use crate::support::XorShift;

/// The loser of a select is dropped: a future against a few turns, or against the timer.
async fn cut_off<F: Future>(
    runtime: impl Runtime,
    rng: &mut XorShift,
    future: F,
) -> Option<F::Output> {
    let turns = rng.below(3);
    let timer = rng
        .one_in(32)
        .then(|| Duration::from_micros(rng.below(100)));
    let give_up = async {
        match timer {
            Some(time) => runtime.sleep(time).await,
            None => {
                for _ in 0..turns {
                    yield_now().await;
                }
            }
        }
        None
    };
    // As often the one first as the other.
    if rng.one_in(2) {
        or(async { Some(future.await) }, give_up).await
    } else {
        or(give_up, async { Some(future.await) }).await
    }
}

async fn task_sender(
    runtime: impl Runtime,
    shape: Shape,
    i: usize,
    tx: Sender<Item>,
    figures: Arc<Figures>,
) {
    let mut rng = shape.rng(0, i);
    let mut n = 0;
    let mut tx = tx;
    while n < shape.each {
        if shape.end == End::SenderCloses && i == 0 && n >= shape.end_after {
            tx.close();
        }
        if rng.one_in(16) {
            yield_now().await;
        }
        let item = || Item::new(shape.table, i, n);
        let accepted = |n| mark(shape.table, i, n, ACCEPTED);
        let band = shape.band(&mut rng);
        let cut = rng.one_in(shape.cut);
        match rng.below(8) {
            0..4 => {
                let send = tx.send(band, item());
                let sent = if cut {
                    cut_off(runtime, &mut rng, send).await
                } else {
                    Some(send.await)
                };
                match sent {
                    Some(Ok(())) => accepted(n),
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_sends),
                }
                n += 1;
            }
            4 => {
                let reserve = tx.reserve(band);
                let reserved = if cut {
                    cut_off(runtime, &mut rng, reserve).await
                } else {
                    Some(reserve.await)
                };
                match reserved {
                    Some(Ok(permit)) if rng.one_in(4) => drop(permit),
                    Some(Ok(permit)) => {
                        match permit.send(item()) {
                            Ok(()) => accepted(n),
                            Err(_) => return,
                        }
                        n += 1;
                    }
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_sends),
                }
            }
            5 => {
                let end = shape.each.min(n + rng.below(40) as usize);
                let mut items = (n..end).map(|n| (n, Item::new(shape.table, i, n)));
                let mut made = n;
                let batch = (&mut items).map(|(n, item)| {
                    made = n + 1;
                    item
                });
                let send = tx.send_many(band, batch);
                let sent = if cut {
                    cut_off(runtime, &mut rng, send).await
                } else {
                    Some(send.await)
                };
                match sent {
                    Some(Ok(sent)) => {
                        assert_eq!(sent, end - n);
                        (n..end).for_each(accepted);
                        n = end;
                    }
                    Some(Err(error)) => {
                        (n..n + error.sent).for_each(accepted);
                        return;
                    }
                    None => {
                        count(&figures.cancelled_sends);
                        for n in n..made {
                            mark(shape.table, i, n, MAYBE);
                        }
                        n = made;
                    }
                }
            }
            6 if rng.one_in(16) => tx = tx.clone(),
            _ => {
                match tx.try_send(band, item()) {
                    Ok(()) => accepted(n),
                    Err(TrySendError::Full(_)) => yield_now().await,
                    Err(_) => return,
                }
                n += 1;
            }
        }
    }
}

async fn task_receiver(
    runtime: impl Runtime,
    shape: Shape,
    i: usize,
    rx: Receiver<Item>,
    figures: Arc<Figures>,
) {
    let mut rng = shape.rng(1, i);
    let mut seen = Seen::new(&shape);
    let mut rx = rx;
    let mut buffer = Vec::new();
    loop {
        if shape.end == End::ReceiverCloses && i == 0 && seen.taken >= shape.end_after {
            rx.close();
        }
        if shape.end == End::ReceiversGo && seen.taken >= shape.end_after {
            return;
        }
        if rng.one_in(16) {
            yield_now().await;
        }
        let cut = rng.one_in(shape.cut);
        match rng.below(8) {
            0..3 => {
                let recv = rx.recv();
                let got = if cut {
                    cut_off(runtime, &mut rng, recv).await
                } else {
                    Some(recv.await)
                };
                match got {
                    Some(Ok(item)) => seen.take(item),
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_receives),
                }
            }
            3 => {
                let next = rx.next();
                let got = if cut {
                    cut_off(runtime, &mut rng, next).await
                } else {
                    Some(next.await)
                };
                match got {
                    Some(Some(item)) => seen.take(item),
                    Some(None) => return,
                    None => {
                        count(&figures.cancelled_receives);
                        // It waits as a stream until it is polled again: give the place up, or
                        // keep it, which must not take a wake from a `recv`.
                        if rng.one_in(2) {
                            rx = rx.clone();
                        }
                    }
                }
            }
            4 => {
                let limit = rng.below(20) as usize + 1;
                let recv = rx.recv_many(&mut buffer, limit);
                let got = if cut {
                    cut_off(runtime, &mut rng, recv).await
                } else {
                    Some(recv.await)
                };
                match got {
                    Some(0) => return,
                    Some(got) => assert!(got == buffer.len() && got <= limit),
                    None => {
                        assert!(buffer.is_empty());
                        count(&figures.cancelled_receives);
                    }
                }
                buffer.drain(..).for_each(|item| seen.take(item));
            }
            5 => rx.drain().for_each(|item| seen.take(item)),
            6 if rng.one_in(16) => rx = rx.clone(),
            _ => match rx.try_recv() {
                Ok(item) => seen.take(item),
                Err(error) if error.is_closed() => return,
                Err(_) => yield_now().await,
            },
        }
    }
}

fn tasks<R: Runtime>(table: usize, runtime: R) {
    rounds(table, R::NAME, |shape, figures| {
        let (tx, rx) = shape.channel();
        runtime.block_on(async {
            let mut senders = Vec::new();
            for i in 0..shape.senders {
                let task = task_sender(runtime, shape, i, tx.clone(), figures.clone());
                senders.push(runtime.spawn(task));
            }
            let mut receivers = Vec::new();
            for i in 0..shape.receivers {
                let task = task_receiver(runtime, shape, i, rx.clone(), figures.clone());
                receivers.push(runtime.spawn(task));
            }
            drop((tx, rx));
            for sender in senders {
                sender.await;
            }
            for receiver in receivers {
                receiver.await;
            }
        });
    });
}

#[test]
fn tokio() {
    tasks(1, Tokio);
}

#[test]
fn smol() {
    tasks(2, Smol);
}

#[test]
fn async_std() {
    tasks(3, AsyncStd);
}
