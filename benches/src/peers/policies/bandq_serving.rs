//! bandq's channel by a policy.

use std::fmt;
use std::marker::PhantomData;

use bandq::{Band, Builder, Policy, Receiver, Sender};

use super::{STEP, weights};
use crate::peers::Bandq;
use crate::queue::{Peer, Queue};

/// A policy as a type.
pub trait Serving: fmt::Debug + Send + Sync + 'static {
    /// For that many bands.
    fn policy(bands: usize) -> Policy;
}

/// The most urgent band first.
#[derive(Debug)]
pub struct Strict;

/// The first `STRICT` bands strictly, the others by [`weights`].
#[derive(Debug)]
pub struct Weighted<const STRICT: usize>;

/// What is due first, by [`STEP`].
#[derive(Debug)]
pub struct Ageing;

impl Serving for Strict {
    fn policy(_: usize) -> Policy {
        Policy::strict()
    }
}

impl<const STRICT: usize> Serving for Weighted<STRICT> {
    fn policy(bands: usize) -> Policy {
        Policy::strict_then_weighted(STRICT, weights(bands, STRICT))
    }
}

impl Serving for Ageing {
    fn policy(_: usize) -> Policy {
        Policy::ageing(STEP)
    }
}

/// A channel without a bound that serves by the policy.
#[derive(Debug)]
pub struct BandqServing<P>(Sender<u64>, Receiver<u64>, PhantomData<P>);

impl<P: Serving> Queue for BandqServing<P> {
    const PEER: Peer = <Bandq as Queue>::PEER;
    type Scratch = ();

    fn new(bands: usize) -> Self {
        let channel = Builder::new(bands).policy(P::policy(bands)).build();
        let (sender, receiver) = channel.expect("the policy fits the bands");
        BandqServing(sender, receiver, PhantomData)
    }

    #[inline]
    fn push(&self, band: u8, item: u64) {
        let sent = self.0.try_send(Band::new(band), item);
        sent.expect("the channel is open and without a bound");
    }

    #[inline]
    fn pop(&self) -> Option<u64> {
        self.1.try_recv().ok().map(|(_, item)| item)
    }
}
