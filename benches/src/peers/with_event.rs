//! Any [`Queue`] made async by an `event_listener::Event` for items and one for room: how one adds
//! waiting to a queue by hand. Look, listen, look again, wait.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_listener::Event;

use super::{MutexDeques, MutexHeap, SegQueues};
use crate::queue::{AsyncQueue, Kind, Peer, Queue};

/// A queue, and its name once it can be waited for.
pub trait Waitable: Queue {
    /// Who it is then.
    const WAITING: Peer;
}

impl Waitable for MutexHeap {
    const WAITING: Peer = Peer::new("Mutex<BinaryHeap> + Event", Kind::Priority);
}

impl Waitable for MutexDeques {
    const WAITING: Peer = Peer::new("Mutex<[VecDeque; N]> + Event", Kind::Priority);
}

impl Waitable for SegQueues {
    const WAITING: Peer = Peer::new("N SegQueue + bitmap + Event", Kind::Priority);
}

/// What both ends share.
struct Shared<Q> {
    queue: Q,
    items: Event,
    /// Of the senders that wait for room; used only where there is a capacity.
    room: Event,
    capacity: Option<usize>,
    /// Units of the capacity in use.
    used: AtomicUsize,
    senders: AtomicUsize,
}

impl<Q: Queue> Shared<Q> {
    fn try_send(&self, band: u8, item: u64) -> bool {
        if let Some(capacity) = self.capacity {
            let taken = self
                .used
                .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
                    (used < capacity).then_some(used + 1)
                });
            if taken.is_err() {
                return false;
            }
        }
        self.queue.push(band, item);
        self.items.notify_additional(1);
        true
    }

    fn try_recv(&self) -> Option<u64> {
        let item = self.queue.pop()?;
        if self.capacity.is_some() {
            self.used.fetch_sub(1, Ordering::AcqRel);
            self.room.notify_additional(1);
        }
        Some(item)
    }
}

/// The sending end.
pub struct EventSender<Q>(Arc<Shared<Q>>);

impl<Q> Clone for EventSender<Q> {
    fn clone(&self) -> Self {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        EventSender(Arc::clone(&self.0))
    }
}

impl<Q> Drop for EventSender<Q> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.items.notify(usize::MAX);
        }
    }
}

impl<Q> fmt::Debug for EventSender<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSender").finish_non_exhaustive()
    }
}

/// The receiving end.
pub struct EventReceiver<Q>(Arc<Shared<Q>>);

impl<Q> Clone for EventReceiver<Q> {
    fn clone(&self) -> Self {
        EventReceiver(Arc::clone(&self.0))
    }
}

impl<Q> fmt::Debug for EventReceiver<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventReceiver").finish_non_exhaustive()
    }
}

/// A queue with waiting added.
#[derive(Debug)]
pub struct WithEvent<Q>(PhantomData<Q>);

impl<Q: Waitable> AsyncQueue for WithEvent<Q> {
    const PEER: Peer = Q::WAITING;
    type Sender = EventSender<Q>;
    type Receiver = EventReceiver<Q>;

    fn channel(bands: usize, capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        let shared = Arc::new(Shared {
            queue: Q::new(bands),
            items: Event::new(),
            room: Event::new(),
            capacity,
            used: AtomicUsize::new(0),
            senders: AtomicUsize::new(1),
        });
        (EventSender(Arc::clone(&shared)), EventReceiver(shared))
    }

    #[inline]
    async fn send(EventSender(shared): &Self::Sender, band: u8, item: u64) {
        while !shared.try_send(band, item) {
            let room = shared.room.listen();
            if shared.try_send(band, item) {
                break;
            }
            room.await;
        }
    }

    #[inline]
    async fn recv(EventReceiver(shared): &Self::Receiver) -> Option<u64> {
        loop {
            if let Some(item) = shared.try_recv() {
                return Some(item);
            }
            let items = shared.items.listen();
            // Before the look, so that what the last sender sent is seen.
            let ended = shared.senders.load(Ordering::Acquire) == 0;
            if let Some(item) = shared.try_recv() {
                return Some(item);
            }
            if ended {
                return None;
            }
            items.await;
        }
    }
}
