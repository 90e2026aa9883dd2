//! Long runs: at every step somebody who may act has been woken.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bandq::{bounded, unbounded};

use crate::support::hand::woken;
use crate::support::{Task, Watchdog, XorShift, b};

/// The state of promise 5 after each step of a long random walk: when items are there and
/// receivers wait, a woken one that has not looked is among them; the same for room and senders.
#[test]
fn at_every_step_someone_who_may_act_has_been_woken() {
    for seed in 0..30 {
        let (tx, rx) = bounded(3, 4);
        let mut rng = XorShift::new(seed);
        let mut sends = Vec::new();
        let mut recvs = Vec::new();
        for _ in 0..600 {
            match rng.below(9) {
                0 => {
                    let mut send = Task::new(tx.send(b(rng.below(3) as u8), 0));
                    if send.poll().is_pending() {
                        sends.push(send);
                    }
                }
                1 => {
                    let mut recv = Task::new(rx.recv());
                    if recv.poll().is_pending() {
                        recvs.push(recv);
                    }
                }
                2 => drop(tx.try_send(b(rng.below(3) as u8), 0)),
                3 => drop(rx.try_recv()),
                4 if !sends.is_empty() => {
                    let i = rng.below(sends.len() as u64) as usize;
                    if sends[i].poll().is_ready() {
                        sends.remove(i);
                    }
                }
                5 if !recvs.is_empty() => {
                    let i = rng.below(recvs.len() as u64) as usize;
                    if recvs[i].poll().is_ready() {
                        recvs.remove(i);
                    }
                }
                6 if !sends.is_empty() => {
                    sends.remove(rng.below(sends.len() as u64) as usize);
                }
                7 if !recvs.is_empty() => {
                    recvs.remove(rng.below(recvs.len() as u64) as usize);
                }
                8 => drop(tx.try_reserve(b(0))),
                _ => {}
            }
            if !rx.is_empty() && !recvs.is_empty() {
                assert!(woken(&recvs) > 0, "an item is there, nobody was told");
                assert!(woken(&recvs) >= rx.len().min(recvs.len()));
            }
            if !tx.is_full() && !sends.is_empty() {
                assert!(woken(&sends) > 0, "room is there, nobody was told");
                assert!(woken(&sends) >= (4 - rx.len()).min(sends.len()));
            }
        }
    }
}

/// Tasks on two threads, waking each other: a lost wakeup ends in the watchdog.
#[test]
fn ping_pong_never_stalls() {
    let _watchdog = Watchdog::new("ping_pong_never_stalls");
    const ROUNDS: u32 = 10_000;
    let (ping, pinged) = bounded(2, 1);
    let (pong, ponged) = bounded(2, 1);
    thread::scope(|s| {
        s.spawn(move || {
            futures_lite::future::block_on(async {
                while let Ok((band, n)) = pinged.recv().await {
                    pong.send(band, n).await.unwrap();
                }
            });
        });
        for n in 0..ROUNDS {
            let band = b((n % 2) as u8);
            ping.send_blocking(band, n).unwrap();
            assert_eq!(ponged.recv_blocking(), Ok((band, n)));
        }
        drop(ping);
    });
}

/// As many tokens as receivers go round among more threads than cores; each thread holds one
/// for a moment and passes it on.
#[test]
fn tokens_go_round_among_many_threads() {
    let _watchdog = Watchdog::new("tokens_go_round_among_many_threads");
    const PASSES: usize = 20_000;
    let (tx, rx) = unbounded(4);
    let passes = AtomicUsize::new(0);
    let ended = Mutex::new(0);
    thread::scope(|s| {
        for i in 0..6 {
            let (tx, rx) = (tx.clone(), rx.clone());
            let (passes, ended) = (&passes, &ended);
            s.spawn(move || {
                let mut rng = XorShift::new(i);
                while let Ok((_, token)) = rx.recv_blocking() {
                    if passes.fetch_add(1, Ordering::SeqCst) >= PASSES {
                        rx.close();
                        break;
                    }
                    if tx.try_send(b(rng.below(4) as u8), token).is_err() {
                        break;
                    }
                }
                *ended.lock().unwrap() += 1;
            });
        }
        for token in 0..3 {
            tx.try_send(b(0), token).unwrap();
        }
    });
    assert_eq!(ended.into_inner().unwrap(), 6);
}
