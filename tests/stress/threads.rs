//! On threads.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bandq::{Receiver, SendTimeoutError, Sender, TrySendError};

use crate::item::{ACCEPTED, Item, mark};
use crate::round::{End, Figures, Seen, Shape, count, rounds};

/// Polls a future a few times, with time for others in between, and drops it.
fn poll_a_little<F: Future>(times: u64, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => thread::yield_now(),
        }
    }
    None
}

fn thread_sender(shape: Shape, i: usize, tx: Sender<Item>, figures: &Figures) {
    let mut rng = shape.rng(0, i);
    let mut n = 0;
    let mut tx = tx;
    while n < shape.each {
        if shape.end == End::SenderCloses && i == 0 && n >= shape.end_after {
            tx.close();
        }
        let item = || Item::new(shape.table, i, n);
        let accepted = |n| mark(shape.table, i, n, ACCEPTED);
        let band = shape.band(&mut rng);
        if rng.one_in(shape.cut) {
            if rng.one_in(8) {
                let wait = Duration::from_micros(rng.below(30));
                match tx.send_timeout(band, item(), wait) {
                    Ok(()) => accepted(n),
                    Err(SendTimeoutError::Timeout(_)) => count(&figures.cancelled_sends),
                    Err(_) => return,
                }
            } else {
                match poll_a_little(rng.below(3), tx.send(band, item())) {
                    Some(Ok(())) => accepted(n),
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_sends),
                }
            }
        } else {
            match rng.below(6) {
                0 | 1 => match tx.send_blocking(band, item()) {
                    Ok(()) => accepted(n),
                    Err(_) => return,
                },
                2 => match tx.send_timeout(band, item(), Duration::from_secs(600)) {
                    Ok(()) => accepted(n),
                    Err(_) => return,
                },
                3 => match tx.try_reserve(band) {
                    Ok(permit) => match permit.send(item()) {
                        Ok(()) => accepted(n),
                        Err(_) => return,
                    },
                    Err(TrySendError::Full(())) => thread::yield_now(),
                    Err(_) => return,
                },
                4 if rng.one_in(16) => tx = tx.clone(),
                _ => match tx.try_send(band, item()) {
                    Ok(()) => accepted(n),
                    Err(TrySendError::Full(_)) => thread::yield_now(),
                    Err(_) => return,
                },
            }
        }
        n += 1;
    }
}

fn thread_receiver(shape: Shape, i: usize, rx: Receiver<Item>, figures: &Figures) {
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
        if rng.one_in(shape.cut) {
            if rng.one_in(8) {
                match rx.recv_timeout(Duration::from_micros(rng.below(30))) {
                    Ok(item) => seen.take(item),
                    Err(error) if error.is_closed() => return,
                    Err(_) => count(&figures.cancelled_receives),
                }
            } else {
                match poll_a_little(rng.below(3), rx.recv()) {
                    Some(Ok(item)) => seen.take(item),
                    Some(Err(_)) => return,
                    None => count(&figures.cancelled_receives),
                }
            }
            continue;
        }
        match rng.below(6) {
            0 | 1 => match rx.recv_blocking() {
                Ok(item) => seen.take(item),
                Err(_) => return,
            },
            2 => match rx.recv_timeout(Duration::from_secs(600)) {
                Ok(item) => seen.take(item),
                Err(_) => return,
            },
            3 => {
                let _ = rx.try_recv_many(&mut buffer, rng.below(20) as usize);
                buffer.drain(..).for_each(|item| seen.take(item));
            }
            4 if rng.one_in(16) => rx = rx.clone(),
            _ => match rx.try_recv() {
                Ok(item) => seen.take(item),
                Err(error) if error.is_closed() => return,
                Err(_) => thread::yield_now(),
            },
        }
    }
}

#[test]
fn threads() {
    rounds(0, "threads", |shape, figures| {
        let (tx, rx) = shape.channel();
        thread::scope(|s| {
            let figures = &figures;
            for i in 0..shape.senders {
                let tx = tx.clone();
                s.spawn(move || thread_sender(shape, i, tx, figures));
            }
            for i in 0..shape.receivers {
                let rx = rx.clone();
                s.spawn(move || thread_receiver(shape, i, rx, figures));
            }
            drop((tx, rx));
        });
    });
}
