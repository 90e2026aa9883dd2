//! The public names and signatures, spelled out: a change of any of them fails to compile here.
//! And what crosses threads or a panic: `Send`, `Sync`, `Unpin` and `UnwindSafe`.
#![allow(clippy::type_complexity)] // signatures are the subject

mod support;

use std::cell::Cell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::hash::Hash;
use std::iter::FusedIterator;
use std::marker::PhantomPinned;
use std::ops::RangeInclusive;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bandq::{
    Band, BandQueue, BandSender, BuildError, Builder, Drain, Estimate, ForceSendError, HeldRoom,
    IntoIter, InvalidBand, Iter, NoSuchBand, OwnedPermit, Permit, Permits, Policy, Receiver,
    RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, Sender, TryIter,
    TryRecvError, TrySendError, TrySendManyError, WeakReceiver, WeakSender, bounded, futures,
    unbounded,
};
use futures_core::{FusedFuture, FusedStream, Stream};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use support::{Task, Watchdog};

type Item = String;
type Received = (Band, Item);

#[test]
fn band() {
    const NEW: Band = Band::new(63);
    const TRY: Option<Band> = Band::try_new(64);
    const URGENT: Band = Band::URGENT;
    const MAX: usize = Band::MAX_BANDS;
    assert_eq!((NEW.index(), TRY, URGENT.index(), MAX), (63, None, 0, 64));
    let _: fn(u8) -> Band = Band::new;
    let _: fn(u8) -> Option<Band> = Band::try_new;
    let _: usize = NEW.index();
    let _: u8 = NEW.into();
    let _: Result<Band, InvalidBand> = Band::try_from(3u8);
    let mut names: HashMap<Band, &str> = HashMap::new();
    names.insert(URGENT, "urgent");
    let mut bands = vec![NEW, URGENT];
    bands.sort();
    assert_eq!(bands, [URGENT, NEW]);
}

assert_impl_all!(Band: Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Debug, Send, Sync, Unpin);
assert_impl_all!(Band: Into<u8>, TryFrom<u8>);

#[test]
fn queue() {
    let _: fn(usize) -> BandQueue<Item> = BandQueue::new;
    let _: fn(&BandQueue<Item>, Band, Item) -> Result<(), NoSuchBand<Item>> = BandQueue::push;
    let _: fn(&BandQueue<Item>) -> Option<Received> = BandQueue::pop;
    let _: fn(&BandQueue<Item>, Band, Vec<Item>) -> Result<usize, NoSuchBand<()>> =
        BandQueue::push_many;
    let _: fn(&BandQueue<Item>, &mut Vec<Received>, usize) -> usize = BandQueue::pop_many;
    let _: fn(&BandQueue<Item>) -> usize = BandQueue::len;
    let _: fn(&BandQueue<Item>, Band) -> usize = BandQueue::band_len;
    let _: fn(&BandQueue<Item>) -> bool = BandQueue::is_empty;
    let _: fn(&BandQueue<Item>) -> usize = BandQueue::bands;
}

#[test]
fn constructors() {
    let _: fn(usize) -> (Sender<Item>, Receiver<Item>) = unbounded;
    let _: fn(usize, usize) -> (Sender<Item>, Receiver<Item>) = bounded;
    let builder: Builder<Item> = Builder::<Item>::new(3);
    let builder: Builder<Item> = builder.capacity(3);
    let built: Result<(Sender<Item>, Receiver<Item>), BuildError> = builder.build();
    assert!(built.is_ok());
}

#[test]
fn policy() {
    let _: fn() -> Policy = Policy::strict;
    let _: fn([u32; 3]) -> Policy = Policy::weighted;
    let _: fn(usize, Vec<u32>) -> Policy = Policy::strict_then_weighted;
    let _: fn(Duration) -> Policy = Policy::ageing;
    assert_eq!(Policy::default(), Policy::strict());
    type R = Receiver<Item>;
    let _: fn(&R, Policy) -> Result<(), BuildError> = R::set_policy;
    let _: fn(&R) -> Policy = R::policy;
    let _: fn(&R, Band, u64) = R::charge;
    let _: fn(&R, RangeInclusive<Band>) -> R = R::within;
    let _: fn(&R, Band) -> bool = R::urgent_waiting;
}

assert_impl_all!(Policy: Clone, Debug, PartialEq, Eq, Default, Send, Sync, Unpin);

#[test]
fn builder() {
    type B = Builder<Item>;
    let _: fn(usize) -> B = B::new;
    let _: fn(B, usize) -> B = B::capacity;
    let _: fn(B, Band, usize) -> B = B::band_capacity;
    let _: fn(B, Band, usize) -> B = B::high_water;
    let _: fn(B, Policy) -> B = B::policy;
    let _: fn(B, fn(&Item) -> usize) -> B = B::weigher;
    let _: fn(B, Band) -> B = B::evictable_from;
    let _: fn(B, Band, Duration) -> B = B::ttl;
    let _: fn(B, fn(Band, Item)) -> B = B::on_expired;
    let _: fn(B) -> B = B::refuse_late;
    let _: fn(B) -> Result<(Sender<Item>, Receiver<Item>), BuildError> = B::build;
    // A hook may hold what may cross threads; a weigher that holds nothing may be a closure.
    let expired = std::sync::Mutex::new(Vec::new());
    let _ = B::new(1)
        .on_expired(move |band: Band, item: Item| expired.lock().unwrap().push((band, item)))
        .weigher(|item| item.len());
}

#[test]
fn overload() {
    type S = Sender<Item>;
    let _: fn(&S, Band, Item) -> Result<Vec<Received>, ForceSendError<Item>> = S::force_send;
    let _: fn(&S, Duration) -> S = S::with_ttl;
    let _: fn(&S, Band) -> Estimate = S::estimate;
    let _: for<'a> fn(&'a S, Band, usize) -> Result<Permit<'a, Item>, TrySendError<()>> =
        S::try_reserve_units;
    let (tx, _rx) = unbounded::<Item>(1);
    future::<Result<Permit<'_, Item>, SendError<()>>>(&tx.reserve_units(Band::URGENT, 2));

    let Estimate { ahead, wait } = tx.estimate(Band::URGENT);
    let _: (usize, Option<Duration>) = (ahead, wait);
    let _: fn(ForceSendError<Item>) -> Item = ForceSendError::into_inner;
    let _ = |refused: ForceSendError<Item>| {
        let ForceSendError { error, evicted } = refused;
        let _: (TrySendError<Item>, Vec<Received>) = (error, evicted);
    };

    type B = BandSender<Item>;
    let _: fn(&B, Item) -> Result<Vec<Received>, ForceSendError<Item>> = B::force_send;
    let _: fn(&B, Duration) -> B = B::with_ttl;
    let _: fn(&B) -> Estimate = B::estimate;
    let _: for<'a> fn(&'a B, usize) -> Result<Permit<'a, Item>, TrySendError<()>> =
        B::try_reserve_units;
    let bound = tx.to(Band::URGENT).unwrap();
    future::<Result<Permit<'_, Item>, SendError<()>>>(&bound.reserve_units(2));
}

assert_impl_all!(Estimate: Copy, Debug, PartialEq, Eq, Send, Sync, Unpin);

#[cfg(feature = "observe")]
#[test]
fn sight() {
    use bandq::{
        BandSnapshot, Latencies, Snapshot, Working,
        observe::{Alarm, Watchdog},
        suggest_capacity,
    };
    let (sender, receiver): (Sender<u32>, Receiver<u32>) =
        Builder::new(2).capacity(2).observe().build().unwrap();
    let snapshot: Snapshot = sender.snapshot();
    let bands: &Vec<BandSnapshot> = &snapshot.bands;
    let (_, _): (usize, Option<usize>) = (snapshot.used, snapshot.capacity);
    let _: [usize; 4] = [
        snapshot.senders,
        snapshot.receivers,
        snapshot.senders_waiting,
        snapshot.receivers_waiting,
    ];
    let band = &bands[0];
    let (_, _, _): (Band, usize, Option<Duration>) = (band.band, band.len, band.oldest);
    let _: [u64; 5] = [
        band.sent,
        band.received,
        band.evicted,
        band.expired,
        band.refused,
    ];
    let (_, _): (usize, Duration) = (band.running, band.inversion);
    let [get, put]: [&Latencies; 2] = [&band.get, &band.put];
    let _: [u64; 2] = [get.count(), put.count()];
    let _: [Option<Duration>; 3] = [get.mean(), get.max(), get.quantile(0.99)];
    let _: usize = suggest_capacity(&receiver.snapshot(), Duration::from_secs(1));
    let working: Working = receiver.working(Band::URGENT);
    std::thread::spawn(move || drop(working)).join().unwrap();
    let watchdog: std::io::Result<Watchdog> = Watchdog::new(&receiver)
        .limit(Band::URGENT, Duration::from_secs(1))
        .every(Duration::from_secs(1))
        .spawn(|_: Alarm| {});
    drop(watchdog.unwrap());
    let _ = (format!("{snapshot} {snapshot:?}"), snapshot.clone());
}

fn future<O>(_: &(impl FusedFuture<Output = O> + Unpin + Send + Debug)) {}

#[test]
fn sender() {
    type S = Sender<Item>;
    let _: fn(&S) -> S = S::clone;
    let _: fn(&S, Band, Item) -> Result<(), TrySendError<Item>> = S::try_send;
    let _: fn(&S, Band, Item) -> Result<(), SendError<Item>> = S::send_blocking;
    let _: fn(&S, Band, Item, Duration) -> Result<(), SendTimeoutError<Item>> = S::send_timeout;
    let _: fn(&S, Band, Item, Instant) -> Result<(), SendTimeoutError<Item>> = S::send_deadline;
    let _: for<'a> fn(&'a S, Band) -> Result<Permit<'a, Item>, TrySendError<()>> = S::try_reserve;
    let _: fn(&S) -> bool = S::close;
    let _: fn(&S) -> bool = S::is_closed;
    let _: fn(&S) -> usize = S::len;
    let _: fn(&S, Band) -> usize = S::band_len;
    let _: fn(&S) -> bool = S::is_empty;
    let _: fn(&S) -> bool = S::is_full;
    let _: fn(&S) -> Option<usize> = S::capacity;
    let _: fn(&S) -> usize = S::sender_count;
    let _: fn(&S) -> usize = S::receiver_count;
    let _: fn(&S) -> usize = S::weak_count;
    let _: fn(&S) -> usize = S::bands;
    let _: fn(&S) -> Option<usize> = S::available;
    let _: fn(&S) -> WeakSender<Item> = S::downgrade;
    let _: fn(&WeakSender<Item>) -> Option<S> = WeakSender::upgrade;
    let _: fn(&S, &S) -> bool = S::same_channel;

    let (tx, _rx) = unbounded::<Item>(1);
    let band = Band::URGENT;
    future::<Result<(), SendError<Item>>>(&tx.send(band, Item::new()));
    future::<Result<usize, SendManyError<Item>>>(&tx.send_many(band, [Item::new()]));
    let mut items = vec![Item::new()].into_iter();
    future::<Result<usize, SendManyError<Item>>>(&tx.send_many(band, &mut items));
    future::<Result<Permit<'_, Item>, SendError<()>>>(&tx.reserve(band));
    future::<()>(&tx.closed());
    let permit: Permit<'_, Item> = tx.try_reserve(band).unwrap();
    let sent: Result<(), SendError<Item>> = permit.send(Item::new());
    sent.unwrap();
}

#[test]
fn batch_sends() {
    type S = Sender<Item>;
    let _: fn(&S, Band, Vec<Item>) -> Result<usize, SendManyError<Item>> = S::send_many_blocking;
    let _: fn(&S, Band, Vec<Item>) -> Result<usize, TrySendManyError<Item>> = S::try_send_many;
    let TrySendManyError { sent, error } = TrySendManyError {
        sent: 1usize,
        error: TrySendError::Full(Item::new()),
    };
    let _: (usize, TrySendError<Item>) = (sent, error);
    let _: fn(TrySendManyError<Item>) -> Item = TrySendManyError::into_inner;
    let _: fn(&TrySendManyError<Item>) -> bool = TrySendManyError::is_full;
    let _: fn(&TrySendManyError<Item>) -> bool = TrySendManyError::is_closed;
    let _: fn(SendManyError<Item>) -> Item = SendManyError::into_inner;
    let _: fn(&SendManyError<Item>) -> bool = SendManyError::is_closed;
}

#[test]
fn permits() {
    type S = Sender<Item>;
    let _: fn(&S, Band) -> Result<OwnedPermit<Item>, TrySendError<()>> = S::try_reserve_owned;
    let _: for<'a> fn(&'a S, Band, usize) -> Result<Permits<'a, Item>, TrySendError<()>> =
        S::try_reserve_many;
    let _: fn(OwnedPermit<Item>, Item) -> Result<(), SendError<Item>> = OwnedPermit::send;
    let _: fn(&OwnedPermit<Item>) -> Band = OwnedPermit::band;
    let _: fn(&Permit<'static, Item>) -> Band = Permit::band;
    let _: fn(&Receiver<Item>, Band, &Item) -> HeldRoom<Item> = Receiver::<Item>::hold_room;
    let _: fn(&HeldRoom<Item>) -> Band = HeldRoom::band;
    let _: fn(&HeldRoom<Item>) -> usize = HeldRoom::units;
    let _: fn(&mut HeldRoom<Item>, HeldRoom<Item>) -> Result<(), HeldRoom<Item>> = HeldRoom::merge;
    let _: fn(&mut HeldRoom<Item>, usize) -> Option<HeldRoom<Item>> = HeldRoom::split;
    let _: fn(&Permits<'static, Item>) -> Band = Permits::band;

    let (tx, _rx) = unbounded::<Item>(1);
    future::<Result<OwnedPermit<Item>, SendError<()>>>(&tx.reserve_owned(Band::URGENT));
    future::<Result<Permits<'_, Item>, SendError<()>>>(&tx.reserve_many(Band::URGENT, 2));
    let several: Permits<'_, Item> = tx.try_reserve_many(Band::URGENT, 2).unwrap();
    let _: Vec<Permit<'_, Item>> = several.collect();
}

#[test]
fn sender_bound_to_a_band() {
    type S = BandSender<Item>;
    let _: fn(&Sender<Item>, Band) -> Result<S, NoSuchBand<()>> = Sender::to;
    let _: fn(&S) -> S = S::clone;
    let _: fn(&S) -> Band = S::band;
    let _: fn(&S) -> &Sender<Item> = S::sender;
    let _: fn(&S, Item) -> Result<(), TrySendError<Item>> = S::try_send;
    let _: fn(&S, Item) -> Result<(), SendError<Item>> = S::send_blocking;
    let _: fn(&S, Item, Duration) -> Result<(), SendTimeoutError<Item>> = S::send_timeout;
    let _: fn(&S, Item, Instant) -> Result<(), SendTimeoutError<Item>> = S::send_deadline;
    let _: fn(&S, Vec<Item>) -> Result<usize, SendManyError<Item>> = S::send_many_blocking;
    let _: fn(&S, Vec<Item>) -> Result<usize, TrySendManyError<Item>> = S::try_send_many;
    let _: for<'a> fn(&'a S) -> Result<Permit<'a, Item>, TrySendError<()>> = S::try_reserve;
    let _: fn(&S) -> Result<OwnedPermit<Item>, TrySendError<()>> = S::try_reserve_owned;
    let _: for<'a> fn(&'a S, usize) -> Result<Permits<'a, Item>, TrySendError<()>> =
        S::try_reserve_many;
    let _: fn(&S) -> bool = S::close;
    let _: fn(&S) -> bool = S::is_closed;
    let _: fn(&S) -> usize = S::len;
    let _: fn(&S, Band) -> usize = S::band_len;
    let _: fn(&S) -> bool = S::is_empty;
    let _: fn(&S) -> bool = S::is_full;
    let _: fn(&S) -> Option<usize> = S::capacity;
    let _: fn(&S) -> Option<usize> = S::available;
    let _: fn(&S) -> usize = S::bands;
    let _: fn(&S) -> usize = S::sender_count;
    let _: fn(&S) -> usize = S::receiver_count;
    let _: fn(&S) -> usize = S::weak_count;
    let _: fn(&S, &S) -> bool = S::same_channel;

    let (tx, _rx) = unbounded::<Item>(1);
    let tx = tx.to(Band::URGENT).unwrap();
    future::<Result<(), SendError<Item>>>(&tx.send(Item::new()));
    future::<Result<usize, SendManyError<Item>>>(&tx.send_many([Item::new()]));
    future::<Result<Permit<'_, Item>, SendError<()>>>(&tx.reserve());
    future::<Result<OwnedPermit<Item>, SendError<()>>>(&tx.reserve_owned());
    future::<Result<Permits<'_, Item>, SendError<()>>>(&tx.reserve_many(2));
    future::<()>(&tx.closed());
}

#[cfg(feature = "sink")]
#[test]
fn sink() {
    fn sink<E: Error>(_: &(impl ::futures::Sink<Item, Error = E> + Unpin)) {}
    let (tx, _rx) = unbounded::<Item>(1);
    sink::<SendError<Option<Item>>>(&tx.to(Band::URGENT).unwrap());
}

#[test]
fn receiver() {
    type R = Receiver<Item>;
    let _: fn(&R) -> R = R::clone;
    let _: fn(&R) -> Result<Received, TryRecvError> = R::try_recv;
    let _: fn(&R) -> Result<Received, RecvError> = R::recv_blocking;
    let _: fn(&R, Duration) -> Result<Received, RecvTimeoutError> = R::recv_timeout;
    let _: fn(&R, Instant) -> Result<Received, RecvTimeoutError> = R::recv_deadline;
    let _: fn(&R) -> bool = R::close;
    let _: fn(&R) -> bool = R::is_closed;
    let _: fn(&R) -> usize = R::len;
    let _: fn(&R, Band) -> usize = R::band_len;
    let _: fn(&R) -> bool = R::is_empty;
    let _: fn(&R) -> bool = R::is_full;
    let _: fn(&R) -> Option<usize> = R::capacity;
    let _: fn(&R) -> usize = R::sender_count;
    let _: fn(&R) -> usize = R::receiver_count;
    let _: fn(&R) -> usize = R::weak_count;
    let _: fn(&R) -> usize = R::bands;
    let _: fn(&R) -> Option<usize> = R::available;
    let _: fn(&R) -> WeakReceiver<Item> = R::downgrade;
    let _: fn(&WeakReceiver<Item>) -> Option<R> = WeakReceiver::upgrade;
    let _: fn(&R, &R) -> bool = R::same_channel;
    let _: fn(&R, &mut Vec<Received>, usize) -> Result<usize, TryRecvError> = R::try_recv_many;

    let (tx, rx) = unbounded::<Item>(1);
    future::<Result<Received, RecvError>>(&rx.recv());
    let mut buffer: Vec<Received> = Vec::new();
    future::<usize>(&rx.recv_many(&mut buffer, 3));
    future::<()>(&rx.closed());
    let _: Vec<Received> = rx.try_iter().collect();
    let _: Vec<Received> = rx.drain().collect();
    fn stream(_: &(impl FusedStream<Item = Received> + Unpin)) {}
    stream(&rx);
    drop(tx);
}

#[test]
fn batch_receives_and_iterators() {
    type R = Receiver<Item>;
    let _: fn(&R, &mut Vec<Received>, usize) -> usize = R::recv_many_blocking;
    let _: fn(&R, &mut Vec<Received>, usize, Duration) -> Result<usize, RecvTimeoutError> =
        R::recv_many_timeout;
    let _: fn(&mut R, &mut Context<'_>, &mut Vec<Received>, usize) -> Poll<usize> =
        R::poll_recv_many;
    let _: for<'a> fn(&'a R) -> Iter<'a, Item> = R::iter;
    let _: fn(&'static R) -> Iter<'static, Item> = <&R>::into_iter;
    let _: fn(R) -> IntoIter<Item> = R::into_iter;
    fn items(_: &(impl FusedIterator<Item = Received> + Send + Debug)) {}
    let (_, rx) = unbounded::<Item>(1);
    items(&rx.iter());
    items(&rx.into_iter());
}

#[test]
fn errors() {
    fn with_item<E: Error + Display + Debug + Clone + PartialEq + Eq>(errors: &[E]) {
        assert_eq!(errors.to_vec(), errors);
    }
    with_item(&[
        SendError::Closed(1),
        SendError::NoSuchBand(1),
        SendError::TooHeavy(1),
        SendError::Late(1),
    ]);
    with_item(&[
        TrySendError::Full(1),
        TrySendError::Closed(1),
        TrySendError::NoSuchBand(1),
        TrySendError::TooHeavy(1),
        TrySendError::Late(1),
    ]);
    with_item(&[
        SendTimeoutError::Timeout(1),
        SendTimeoutError::Closed(1),
        SendTimeoutError::NoSuchBand(1),
        SendTimeoutError::TooHeavy(1),
        SendTimeoutError::Late(1),
    ]);
    with_item::<ForceSendError<u8>>(&[]);
    with_item(&[TrySendManyError {
        sent: 0,
        error: TrySendError::Full(1),
    }]);
    with_item(&[NoSuchBand(1)]);
    with_item(&[SendManyError {
        sent: 0,
        error: SendError::Closed(1),
    }]);
    fn without<E: Error + Display + Debug + Copy + PartialEq + Eq + Send + Sync>(_: &[E]) {}
    without(&[RecvError]);
    without(&[TryRecvError::Empty, TryRecvError::Closed]);
    without(&[RecvTimeoutError::Timeout, RecvTimeoutError::Closed]);
    without::<InvalidBand>(&[]);
    without::<BuildError>(&[]);
    let SendManyError { sent, error } = SendManyError {
        sent: 1usize,
        error: SendError::Closed(Item::new()),
    };
    let _: (usize, SendError<Item>) = (sent, error);
}

/// Converts as `?` would, for each variant.
#[test]
fn errors_convert_to_those_that_can_say_more() {
    let no_band = || NoSuchBand(1);
    assert_eq!(SendError::from(no_band()), SendError::NoSuchBand(1));
    assert_eq!(TrySendError::from(no_band()), TrySendError::NoSuchBand(1));
    let timeout = SendTimeoutError::from(no_band());
    assert_eq!(timeout, SendTimeoutError::NoSuchBand(1));
    for (error, to_try, to_timeout) in [
        (
            SendError::Closed(1),
            TrySendError::Closed(1),
            SendTimeoutError::Closed(1),
        ),
        (
            SendError::NoSuchBand(1),
            TrySendError::NoSuchBand(1),
            SendTimeoutError::NoSuchBand(1),
        ),
        (
            SendError::TooHeavy(1),
            TrySendError::TooHeavy(1),
            SendTimeoutError::TooHeavy(1),
        ),
        (
            SendError::Late(1),
            TrySendError::Late(1),
            SendTimeoutError::Late(1),
        ),
    ] {
        assert_eq!(TrySendError::from(error), to_try);
        assert_eq!(SendTimeoutError::from(error), to_timeout);
    }
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Closed);
    assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Closed);
}

/// The last arm of each match can be reached only because the enum may grow: else it is an error.
#[test]
#[deny(unreachable_patterns)]
fn errors_may_grow() {
    let _ = |error: SendError<Item>| match error {
        SendError::Closed(_) | SendError::NoSuchBand(_) => {}
        SendError::TooHeavy(_) | SendError::Late(_) => {}
        _ => {}
    };
    let _ = |error: TrySendError<Item>| match error {
        TrySendError::Full(_) | TrySendError::Closed(_) => {}
        TrySendError::NoSuchBand(_) | TrySendError::TooHeavy(_) | TrySendError::Late(_) => {}
        _ => {}
    };
    let _ = |error: SendTimeoutError<Item>| match error {
        SendTimeoutError::Timeout(_) | SendTimeoutError::Closed(_) => {}
        SendTimeoutError::NoSuchBand(_) => {}
        SendTimeoutError::TooHeavy(_) | SendTimeoutError::Late(_) => {}
        _ => {}
    };
    let _ = |error: TryRecvError| match error {
        TryRecvError::Empty | TryRecvError::Closed => {}
        _ => {}
    };
    let _ = |error: RecvTimeoutError| match error {
        RecvTimeoutError::Timeout | RecvTimeoutError::Closed => {}
        _ => {}
    };
    let _ = |error: BuildError| match error {
        BuildError::Bands(_) | BuildError::ZeroCapacity => {}
        _ => {}
    };
}

/// Neither `Debug` nor anything else.
struct Plain;
assert_impl_all!(SendError<Plain>: Error, Send, Sync, Unpin);
assert_impl_all!(TrySendError<Plain>: Error, Send, Sync, Unpin);
assert_impl_all!(SendTimeoutError<Plain>: Error, Send, Sync, Unpin);
assert_impl_all!(SendManyError<Plain>: Error, Send, Sync, Unpin);
assert_impl_all!(ForceSendError<Plain>: Error, Send, Sync, Unpin);
assert_impl_all!(TrySendManyError<Plain>: Error, Send, Sync, Unpin);
assert_impl_all!(NoSuchBand<Plain>: Error, Send, Sync, Unpin);
assert_not_impl_any!(SendError<Plain>: Clone, PartialEq);
assert_not_impl_any!(SendError<Rc<()>>: Send);

// An item that may move to another thread, but not be shared: enough for all handles.
type Movable = Cell<u8>;
assert_impl_all!(BandQueue<Movable>: Send, Sync, Unpin, Debug);
assert_impl_all!(Sender<Movable>: Send, Sync, Unpin, Debug, Clone);
assert_impl_all!(BandSender<Movable>: Send, Sync, Unpin, Debug, Clone);
assert_impl_all!(Receiver<Movable>: Send, Sync, Unpin, Debug, Clone, Stream, FusedStream);
assert_impl_all!(WeakSender<Movable>: Send, Sync, Unpin, Debug, Clone);
assert_impl_all!(WeakReceiver<Movable>: Send, Sync, Unpin, Debug, Clone);
assert_impl_all!(Permit<'static, Movable>: Send, Sync, Unpin, Debug);
assert_impl_all!(OwnedPermit<Movable>: Send, Sync, Unpin, Debug);
assert_impl_all!(HeldRoom<Movable>: Send, Sync, Unpin, Debug);
assert_impl_all!(
    Permits<'static, Movable>: Send, Sync, Unpin, Debug, ExactSizeIterator, FusedIterator
);
assert_impl_all!(Builder<Movable>: Send, Sync, Unpin, Debug);
assert_impl_all!(TryIter<'static, Movable>: Send, Unpin, Debug, Iterator);
assert_impl_all!(Drain<'static, Movable>: Send, Unpin, Debug, Iterator);
assert_impl_all!(Iter<'static, Movable>: Send, Unpin, Debug, FusedIterator);
assert_impl_all!(IntoIter<Movable>: Send, Unpin, Debug, FusedIterator);
assert_impl_all!(futures::Send<'static, Movable>: Send, Unpin, Debug, FusedFuture);
assert_impl_all!(
    futures::SendMany<'static, Movable, std::vec::IntoIter<Movable>>:
        Send, Unpin, Debug, FusedFuture
);
assert_impl_all!(futures::Reserve<'static, Movable>: Send, Unpin, Debug, FusedFuture);
assert_impl_all!(futures::ReserveOwned<'static, Movable>: Send, Unpin, Debug, FusedFuture);
assert_impl_all!(futures::ReserveMany<'static, Movable>: Send, Unpin, Debug, FusedFuture);
assert_impl_all!(futures::Recv<'static, Movable>: Send, Unpin, Debug, FusedFuture);
assert_impl_all!(futures::RecvMany<'static, Movable>: Send, Unpin, Debug, FusedFuture);
assert_impl_all!(futures::Closed<'static, Movable>: Send, Unpin, Debug, FusedFuture);

// A panic of foreign code leaves them in order, whatever the item is.
type Unsettled = &'static Cell<u8>;
assert_not_impl_any!(Unsettled: UnwindSafe);
assert_impl_all!(BandQueue<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Sender<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(BandSender<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Receiver<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(WeakSender<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(WeakReceiver<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(TryIter<'static, Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Drain<'static, Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Iter<'static, Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(IntoIter<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Permit<'static, Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(OwnedPermit<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(HeldRoom<Unsettled>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Permits<'static, Unsettled>: UnwindSafe, RefUnwindSafe);

// An item that must stay on its thread: no handle may leave.
type Bound = Rc<()>;
assert_not_impl_any!(BandQueue<Bound>: Send, Sync);
assert_not_impl_any!(Sender<Bound>: Send, Sync);
assert_not_impl_any!(Receiver<Bound>: Send, Sync);
assert_not_impl_any!(WeakSender<Bound>: Send, Sync);
assert_not_impl_any!(WeakReceiver<Bound>: Send, Sync);
assert_not_impl_any!(BandSender<Bound>: Send, Sync);
assert_not_impl_any!(Permit<'static, Bound>: Send, Sync);
assert_not_impl_any!(OwnedPermit<Bound>: Send, Sync);
assert_not_impl_any!(HeldRoom<Bound>: Send, Sync);
assert_not_impl_any!(Permits<'static, Bound>: Send, Sync);
assert_not_impl_any!(TryIter<'static, Bound>: Send, Sync);
assert_not_impl_any!(Drain<'static, Bound>: Send, Sync);
assert_not_impl_any!(Iter<'static, Bound>: Send, Sync);
assert_not_impl_any!(IntoIter<Bound>: Send, Sync);
assert_not_impl_any!(futures::Send<'static, Bound>: Send, Sync);
assert_not_impl_any!(
    futures::SendMany<'static, Bound, std::vec::IntoIter<Bound>>: Send, Sync
);
// The iterator counts as well.
assert_not_impl_any!(
    futures::SendMany<'static, u8, std::iter::FromFn<Box<dyn FnMut() -> Option<u8>>>>: Send, Sync
);
assert_not_impl_any!(futures::Reserve<'static, Bound>: Send, Sync);
assert_not_impl_any!(futures::ReserveOwned<'static, Bound>: Send, Sync);
assert_not_impl_any!(futures::ReserveMany<'static, Bound>: Send, Sync);
assert_not_impl_any!(futures::Recv<'static, Bound>: Send, Sync);
assert_not_impl_any!(futures::RecvMany<'static, Bound>: Send, Sync);
assert_not_impl_any!(futures::Closed<'static, Bound>: Send, Sync);

// An item that cannot be moved once pinned does not pin the handles or the futures.
assert_impl_all!(BandQueue<PhantomPinned>: Unpin);
assert_impl_all!(Sender<PhantomPinned>: Unpin);
assert_impl_all!(BandSender<PhantomPinned>: Unpin);
assert_impl_all!(Receiver<PhantomPinned>: Unpin);

/// An item that is not `Send` may still be used on one thread.
#[test]
fn items_bound_to_a_thread_can_be_used_on_it() {
    let (tx, rx) = bounded(2, 2);
    let item = Rc::new(5);
    tx.try_send(Band::URGENT, item.clone()).unwrap();
    let got = Task::new(rx.recv()).ready().unwrap();
    assert!(Rc::ptr_eq(&got.1, &item));
}

/// Handles are shared by reference and by clone, and futures move to other threads.
#[test]
fn handles_and_futures_cross_threads() {
    let _watchdog = Watchdog::new("handles_and_futures_cross_threads");
    let (tx, rx) = bounded(1, 4);
    std::thread::scope(|s| {
        s.spawn(|| tx.try_send(Band::URGENT, Cell::new(1)).unwrap());
        s.spawn(|| assert_eq!(rx.recv_blocking().unwrap().1.get(), 1));
    });
    let mut send = tx.send(Band::URGENT, Cell::new(2));
    let mut recv = Box::pin(rx.recv());
    std::thread::scope(|s| {
        s.spawn(move || {
            let waker = std::task::Waker::noop();
            let mut cx = std::task::Context::from_waker(waker);
            assert!(recv.as_mut().poll(&mut cx).is_pending());
            assert!(std::pin::Pin::new(&mut send).poll(&mut cx).is_ready());
            assert!(recv.as_mut().poll(&mut cx).is_ready());
        });
    });
}

mod a_glob_import_leaves_the_prelude_alone {
    use bandq::*;

    pub(super) fn needs_send<T: Send + Sync>(_: &T) -> Option<Result<usize, ()>> {
        None
    }

    #[test]
    fn compiles() {
        let (tx, _rx) = unbounded::<u8>(1);
        assert!(needs_send(&tx).is_none());
    }
}
