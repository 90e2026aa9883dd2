//! The futures of a thread, polled by hand, and who of them must be awake.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bandq::{Band, Receiver, RecvError, SendError};
use futures_core::Stream;

use super::actor::{Actor, sent};
use super::task::{Kind, Outcome, Task};
use crate::flag::Flag;
use crate::history::What;
use crate::item::Item;

/// The executor.
impl<const PAD: usize> Actor<PAD> {
    fn begin(
        &mut self,
        future: Pin<Box<dyn Future<Output = Outcome<PAD>> + Send>>,
        kind: Kind,
    ) -> bool {
        self.tasks.push(Task {
            future,
            flag: Flag::new(),
            kind,
        });
        self.poll(self.tasks.len() - 1)
    }

    pub(super) fn begin_send(&mut self, band: Band, item: Item<PAD>) {
        let Some(sender) = self.sender.clone() else {
            return;
        };
        let kind = Kind::Send {
            band: band.index(),
            id: item.id(),
        };
        let future = async move { Outcome::Sent(sender.send(band, item).await) };
        self.begin(Box::pin(future), kind);
    }

    pub(super) fn begin_reserve_two(&mut self, band: Band) {
        let Some(sender) = self.sender.clone() else {
            return;
        };
        let future = async move { Outcome::Held(sender.reserve_many(band, 2).await.map(drop)) };
        self.begin(Box::pin(future), Kind::ReserveTwo);
    }

    /// Whether something was there.
    pub(super) fn begin_recv(&mut self, receiver: Receiver<Item<PAD>>) -> bool {
        let future = async move { Outcome::Got(receiver.recv().await) };
        self.begin(Box::pin(future), Kind::Recv)
    }

    /// Whether something was there.
    pub(super) fn begin_stream(&mut self, mut receiver: Receiver<Item<PAD>>) -> bool {
        let future = async move {
            let next = poll_fn(|context| Pin::new(&mut receiver).poll_next(context));
            Outcome::Got(next.await.ok_or(RecvError))
        };
        self.begin(Box::pin(future), Kind::Stream)
    }

    /// Polls a future; whether it was ready.
    pub(super) fn poll(&mut self, at: usize) -> bool {
        let start = self.tick();
        let mut task = self.tasks.swap_remove(at);
        task.flag.reset();
        let waker = task.flag.waker();
        let polled = task.future.as_mut().poll(&mut Context::from_waker(&waker));
        let ready = polled.is_ready();
        let what = match (polled, task.kind) {
            (Poll::Pending, Kind::Send { .. }) => What::Full(1),
            (Poll::Pending, Kind::ReserveTwo) => What::Full(2),
            (Poll::Pending, _) => What::Nothing,
            (Poll::Ready(Outcome::Sent(Ok(()))), Kind::Send { band, id }) => {
                sent(Band::new(band as u8), id)
            }
            (Poll::Ready(Outcome::Sent(_)), _) => What::Refused(1),
            (Poll::Ready(Outcome::Held(Ok(()))), _) => What::Held(2),
            (Poll::Ready(Outcome::Held(Err(SendError::TooHeavy(())))), _) => {
                self.check_too_heavy(2);
                return true;
            }
            (Poll::Ready(Outcome::Held(Err(_))), _) => What::Refused(2),
            (Poll::Ready(Outcome::Got(Ok((band, item)))), _) => {
                What::Took(vec![(band.index(), item.id())])
            }
            (Poll::Ready(Outcome::Got(Err(RecvError))), _) => What::Ended,
        };
        self.write(start, what);
        if !ready {
            self.tasks.push(task);
        }
        ready
    }

    /// Runs whoever was woken until nobody is.
    pub(super) fn run_woken(&mut self) {
        for _ in 0..1000 {
            match self.tasks.iter().position(|task| task.flag.is_set()) {
                Some(at) => self.poll(at),
                None => return,
            };
        }
        panic!("waiters wake each other for ever");
    }

    /// Checks, while nothing runs, that nobody is asleep beside what it waits for; see
    /// [`waits`](crate::waits).
    pub(super) fn check_waiters(&self, capacity: Option<usize>) {
        let (items, closed) = match (&self.receiver, &self.sender) {
            (Some(receiver), _) => (receiver.len(), receiver.is_closed()),
            (_, Some(sender)) => (sender.len(), sender.is_closed()),
            // A queue, or a channel that nobody has a handle of.
            _ => return,
        };
        let count = |kind: fn(&Kind) -> bool| {
            let all = self.tasks.iter().filter(|task| kind(&task.kind));
            let woken = all.clone().filter(|task| task.flag.is_set());
            (all.count(), woken.count())
        };
        let (recvs, recvs_woken) = count(|kind| *kind == Kind::Recv);
        let (streams, streams_woken) = count(|kind| *kind == Kind::Stream);
        let (sends, sends_woken) = count(|kind| matches!(kind, Kind::Send { .. }));
        let (twos, twos_woken) = count(|kind| *kind == Kind::ReserveTwo);
        let room = capacity.map_or(usize::MAX, |capacity| capacity - items);
        let everybody = |any| if any { usize::MAX } else { 0 };
        for (class, all, woken, owed) in [
            ("receives", recvs, recvs_woken, items),
            ("streams", streams, streams_woken, everybody(items > 0)),
            ("sends", sends, sends_woken, room),
            (
                "reservations of two",
                twos,
                twos_woken,
                everybody(room >= 2),
            ),
        ] {
            let owed = owed.max(everybody(closed));
            assert!(
                woken >= all.min(owed),
                "asleep: {items} items, room for {room}, closed {closed}; {woken} of {all} \
                 {class} are woken"
            );
        }
    }
}
