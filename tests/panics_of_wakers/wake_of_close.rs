//! Calls that wake everybody, because the channel closes.

use std::future::{Future, poll_fn};
use std::pin::Pin;

use bandq::{Receiver, SendError, Sender, bounded};
use futures_core::Stream;

use crate::sleeper::{CAPACITY, Panics, Sleeper, calm, for_each};
use crate::support::{Ledger, Token, b};

/// Ends with whether the channel said that it is closed.
type Wait<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

type Handles = (Option<Sender<Token>>, Option<Receiver<Token>>);

type Close = fn(&mut Handles);

const CLOSES: [(&str, Close); 2] = [
    ("Sender::close", |(tx, _)| {
        assert!(tx.as_ref().unwrap().close())
    }),
    ("Receiver::close", |(_, rx)| {
        assert!(rx.as_ref().unwrap().close())
    }),
];

fn receivers(rx: &Receiver<Token>) -> [Wait<'static>; 4] {
    let [recv, many, mut stream, closed] = [0; 4].map(|_| rx.clone());
    [
        Box::pin(async move { recv.recv().await.is_err() }),
        Box::pin(async move { many.recv_many(&mut Vec::new(), 2).await == 0 }),
        Box::pin(async move {
            poll_fn(|context| Pin::new(&mut stream).poll_next(context))
                .await
                .is_none()
        }),
        Box::pin(async move {
            closed.closed().await;
            true
        }),
    ]
}

fn senders(tx: &Sender<Token>, ledger: &Ledger) -> [Wait<'static>; 4] {
    let [send, many, reserve, closed] = [0; 4].map(|_| tx.clone());
    let (one, two) = (ledger.token(3), ledger.token(4));
    [
        Box::pin(async move { matches!(send.send(b(0), one).await, Err(SendError::Closed(_))) }),
        Box::pin(async move {
            let error = many.send_many(b(0), [two]).await.unwrap_err();
            error.sent == 0 && error.error.is_closed()
        }),
        Box::pin(async move { reserve.reserve(b(0)).await.is_err() }),
        Box::pin(async move {
            closed.closed().await;
            true
        }),
    ]
}

/// Every third of them panics, by `panics`.
fn sleep(
    waits: impl IntoIterator<Item = Wait<'static>>,
    panics: Panics,
) -> Vec<Sleeper<Wait<'static>>> {
    let mut panics = panics.into_iter().cycle();
    let sleep = |wait| Sleeper::new(wait, panics.next().unwrap());
    waits.into_iter().map(sleep).collect()
}

fn assert_all_know(waiting: Vec<Sleeper<Wait<'static>>>) {
    for sleeper in waiting {
        assert!(sleeper.ready());
    }
}

#[test]
fn a_close_that_meets_wakes_that_panic_wakes_every_receiver() {
    let last: (&str, Close) = ("drop of the last sender", |(tx, _)| *tx = None);
    let calls = [CLOSES[0], CLOSES[1], last];
    for_each(&calls, |close: Close, panics: Panics| {
        let (tx, rx) = bounded(1, CAPACITY);
        let waiting = [0; 3].map(|_| receivers(&rx)).into_iter().flatten();
        let waiting = sleep(waiting, panics);
        let mut handles = (Some(tx), Some(rx));
        calm(|| close(&mut handles));
        let rx = handles.1.unwrap();
        assert!(rx.is_closed());
        assert_all_know(waiting);
    });
}

#[test]
fn a_close_that_meets_wakes_that_panic_wakes_every_sender() {
    let last: (&str, Close) = ("drop of the last receiver", |(_, rx)| *rx = None);
    let calls = [CLOSES[0], CLOSES[1], last];
    for_each(&calls, |close: Close, panics: Panics| {
        let (tx, rx) = bounded(1, CAPACITY);
        let ledger = Ledger::new(5);
        for id in 0..CAPACITY {
            tx.try_send(b(0), ledger.token(id)).unwrap();
        }
        let waiting = sleep(senders(&tx, &ledger), panics);
        let mut handles = (Some(tx), Some(rx));
        calm(|| close(&mut handles));
        let (tx, rx) = handles;
        assert!(tx.unwrap().is_closed());
        assert_all_know(waiting);
        if let Some(rx) = rx {
            assert_eq!(rx.drain().count(), CAPACITY);
        }
        // The last receiver dropped what was inside then and there.
        ledger.assert_each_dropped_once();
    });
}
