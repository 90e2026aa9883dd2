//! Who works on what, and for how long something waits meanwhile that all of them would rather do:
//! priority inversion as a number.
//!
//! A band is **exposed** while somebody who may take from it works, and all who may take from it
//! are at less urgent work. It is **inverted** while it is exposed and something waits in it.
//!
//! Who may take from a band: each [`Receiver`](crate::Receiver) of it that has said once what it
//! [works on](crate::Receiver::working). One that never did is no worker, and does not count.
//!
//! # What changes, and when it is looked at
//!
//! Which bands are exposed changes with the work only, so an item's path has nothing of this. While
//! a band is exposed nobody takes from it; so at its end, or at any time within it, what is at the
//! band's head has waited since it was sent, and the band was inverted since then or since it is
//! exposed, whichever is the later. Of an item that goes meanwhile (evicted, expired, or taken by
//! somebody who never works) nothing is added up but what was told before.
//!
//! ```text
//! changes     how many changes of the work there were
//! since[b]    0: band b is not exposed; else since when, plus 1
//!
//! K1 change the counters (who is a worker, who works on what)
//! K2 changes += 1
//! K3 look at all counters: which bands are exposed?
//! K4 for each band: exposed? since: 0 → now.   not? since → 0, and add up what it was
//! K5 changes is no longer what it was before K3? again from K3
//! ```
//!
//! *It ends up right.* Whoever does the last K2 looks behind it at all counters: K2 is a chain of
//! read-modify-writes that acquire and release. Another one's K4, by an older look, may come after
//! its K4, or after it has found that there is nothing to change. K2, the look at `since` in K4,
//! its change, and K5 are `SeqCst`: either the last one sees the other's change, and changes it, or
//! the other sees the last K2 in its K5, and looks again.
//!
//! *A time is added up once*: by whoever changed `since`, to 0, or, who looks meanwhile, to now.

use super::last::{self, Channel};
use crate::{
    band::Band,
    clock::Clock,
    entry::Origin,
    once::OnceBox,
    queue::Fronts,
    sync::{
        IS_MODEL,
        atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence},
        model_fence,
    },
};
use core::{fmt, panic::Location, ptr};
use std::{sync::Arc, time::Duration};

/// So many pieces of work are known by name at a time; of more than that, only the number.
const NAMED: usize = if IS_MODEL { 2 } else { 256 };

/// How many badges are looked at for one that is free.
const TRIES: usize = 8;

/// The workers of one mask.
struct Crew {
    mask: u64,
    workers: AtomicUsize,
    /// At work, by band.
    running: Box<[AtomicUsize]>,
    next: OnceBox<Crew>,
}

/// Since when a band is exposed, and for how long it was inverted before.
struct Exposure {
    since: AtomicU64,
    inverted: AtomicU64,
}

/// A piece of work by name.
///
/// ```text
/// state   │ use: 56 │ band: 6 │ kind: 2 │   kind: free, being written, in use
/// ```
struct Badge {
    state: AtomicU64,
    began: AtomicU64,
    location: AtomicPtr<Location<'static>>,
}

const FREE: u64 = 0;
const WRITING: u64 = 1;
const IN_USE: u64 = 2;
const KIND_BITS: u32 = 2;
const BAND_BITS: u32 = 6;
/// One use more.
const USE: u64 = 1 << (KIND_BITS + BAND_BITS);

/// What works, and what waits meanwhile.
pub(crate) struct Work {
    clock: Clock,
    fronts: Fronts,
    crews: OnceBox<Crew>,
    changes: AtomicU64,
    bands: Box<[Exposure]>,
    badges: OnceBox<Box<[Badge]>>,
    /// Where the next one looks for a free badge.
    next_badge: AtomicUsize,
}

impl Work {
    pub(crate) fn new(bands: usize, clock: Clock, fronts: Fronts) -> Self {
        let exposure = |_| Exposure {
            since: AtomicU64::new(0),
            inverted: AtomicU64::new(0),
        };
        Self {
            clock,
            fronts,
            crews: OnceBox::new(),
            changes: AtomicU64::new(0),
            bands: (0..bands).map(exposure).collect(),
            badges: OnceBox::new(),
            next_badge: AtomicUsize::new(0),
        }
    }

    /// Which channel it is of.
    pub(super) fn channel(&self) -> Channel {
        Channel::that_has(self)
    }

    /// A receiver of those bands is a worker from now on.
    pub(crate) fn hire(&self, mask: u64) {
        // Relaxed: K2 releases it.
        self.crew(mask).workers.fetch_add(1, Ordering::Relaxed);
        self.changed();
    }

    /// And no longer.
    pub(crate) fn dismiss(&self, mask: u64) {
        self.crew(mask).workers.fetch_sub(1, Ordering::Relaxed); // as in `hire`
        self.changed();
    }

    /// The crew of a mask, which there is from now on.
    fn crew(&self, mask: u64) -> &Crew {
        let mut link = &self.crews;
        loop {
            let crew = link.get_or_init(|| Crew {
                mask,
                workers: AtomicUsize::new(0),
                running: self.bands.iter().map(|_| AtomicUsize::new(0)).collect(),
                next: OnceBox::new(),
            });
            if crew.mask == mask {
                return crew;
            }
            link = &crew.next;
        }
    }

    fn crews(&self) -> impl Iterator<Item = &Crew> {
        std::iter::successors(self.crews.get(), |crew| crew.next.get())
    }

    /// How many work on items of a band.
    pub(crate) fn running(&self, band: usize) -> usize {
        let crews = self.crews();
        crews
            .map(|crew| crew.running[band].load(Ordering::Relaxed))
            .sum()
    }

    /// K2 to K5.
    fn changed(&self) {
        // SeqCst: K2; as a release K1, and as an acquire that of all before it.
        let mut seen = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        loop {
            self.expose(self.exposed());
            model_fence();
            // SeqCst: K5; as an acquire as above, if somebody was there meanwhile.
            let now = self.changes.load(Ordering::SeqCst);
            if now == seen {
                return;
            }
            seen = now;
        }
    }

    /// K3: the bands of which all who may take from them are at less urgent work, a bit a band.
    fn exposed(&self) -> u64 {
        let load = |count: &AtomicUsize| count.load(Ordering::Relaxed); // as in `hire`
        let mut exposed = 0;
        for band in 0..self.bands.len() {
            let (mut workers, mut others, mut less_urgent) = (0, 0, 0);
            for crew in self.crews().filter(|crew| crew.mask & (1 << band) != 0) {
                workers += load(&crew.workers);
                others += crew.running[..=band].iter().map(load).sum::<usize>();
                less_urgent += crew.running[band + 1..].iter().map(load).sum::<usize>();
            }
            if others == 0 && less_urgent > 0 && less_urgent >= workers {
                exposed |= 1 << band;
            }
        }
        exposed
    }

    /// K4.
    fn expose(&self, exposed: u64) {
        let now = self.clock.now();
        model_fence();
        for (band, exposure) in self.bands.iter().enumerate() {
            let is_exposed = exposed & (1 << band) != 0;
            let to = if is_exposed { now + 1 } else { 0 };
            // SeqCst: K4, and so is the change.
            let mut since = exposure.since.load(Ordering::SeqCst);
            while is_exposed != (since != 0) {
                match exposure.since.compare_exchange(
                    since,
                    to,
                    Ordering::SeqCst,
                    Ordering::Relaxed,
                ) {
                    Ok(_) if is_exposed => break,
                    Ok(_) => {
                        let inverted = self.inverted_since(band, since - 1, now);
                        exposure.inverted.fetch_add(inverted, Ordering::Relaxed); // a number
                        break;
                    }
                    Err(other) => since = other,
                }
            }
        }
    }

    /// For how long what is at a band's head has waited since then, in nanoseconds.
    fn inverted_since(&self, band: usize, since: u64, now: u64) -> u64 {
        let sent = self.fronts.sent(band);
        sent.map_or(0, |sent| now.saturating_sub(sent.max(since)))
    }

    /// For how long a band was inverted, up to now. It never gets less.
    pub(crate) fn inversion(&self, band: usize) -> Duration {
        let exposure = &self.bands[band];
        // Who looks adds up as well, and what comes later counts from now: so nothing is added up
        // twice, and nothing that was told is taken back. Relaxed, all of it: the band stays
        // exposed, and the exchange sees to it that one alone adds it up.
        let since = exposure.since.load(Ordering::Relaxed);
        if since != 0 {
            let now = self.clock.now();
            let inverted = self.inverted_since(band, since - 1, now);
            let is_ours = inverted > 0
                && exposure
                    .since
                    .compare_exchange(since, now + 1, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok();
            if is_ours {
                exposure.inverted.fetch_add(inverted, Ordering::Relaxed); // a number
            }
        }
        Duration::from_nanos(exposure.inverted.load(Ordering::Relaxed))
    }

    /// Whether a band is inverted.
    pub(crate) fn is_inverted(&self, band: usize) -> bool {
        let is_exposed = self.bands[band].since.load(Ordering::Relaxed) != 0; // a hint
        is_exposed && self.fronts.sent(band).is_some()
    }

    /// Whether a band is exposed.
    #[cfg(feature = "__internals")]
    pub(crate) fn is_exposed(&self, band: usize) -> bool {
        self.bands[band].since.load(Ordering::Relaxed) != 0
    }

    /// What works, those that have worked the longest first. Of several hundred, some.
    pub(crate) fn list(&self) -> Vec<Running> {
        let now = self.clock.now();
        let badges = self.badges.get().into_iter().flatten();
        let mut all: Vec<_> = badges.filter_map(|badge| badge.read(now)).collect();
        all.sort_by_key(|running| std::cmp::Reverse(running.since));
        all
    }

    /// Somebody who takes from those bands begins to work on an item of that band.
    pub(crate) fn begin(self: &Arc<Self>, mask: u64, band: Band) -> Working {
        let origin = last::take(self.channel(), band);
        if band.index() >= self.bands.len() {
            return Working { job: None };
        }
        // First, because it is foreign code.
        #[cfg(feature = "tracing")]
        let (origin, span) = match origin {
            Some(mut origin) => {
                let sent = origin.span.take();
                (Some(origin), super::trace::run(band, sent))
            }
            None => (None, super::trace::run(band, None)),
        };
        let named = self.name(band, origin.as_ref());
        let crew = self.crew(mask);
        crew.running[band.index()].fetch_add(1, Ordering::Relaxed); // K1: as in `hire`
        self.changed();
        Working {
            job: Some(Job {
                work: Arc::clone(self),
                mask,
                band,
                named,
                #[cfg(feature = "tracing")]
                span,
            }),
        }
    }

    /// Puts it among those that are known by name.
    fn name(&self, band: Band, origin: Option<&Origin>) -> Option<usize> {
        let badges = self
            .badges
            .get_or_init(|| (0..NAMED).map(|_| Badge::new()).collect());
        let first = self.next_badge.fetch_add(1, Ordering::Relaxed); // only where to begin
        (first..first.wrapping_add(TRIES))
            .map(|badge| badge % NAMED)
            .find(|badge| badges[*badge].take(band, self.clock.now(), origin))
    }
}

impl Badge {
    fn new() -> Self {
        Self {
            state: AtomicU64::new(FREE),
            began: AtomicU64::new(0),
            location: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Takes it, if it is free.
    fn take(&self, band: Band, now: u64, origin: Option<&Origin>) -> bool {
        let state = self.state.load(Ordering::Relaxed); // the exchange sees to it
        if kind(state) != FREE {
            return false;
        }
        let taken = self.state.compare_exchange(
            state,
            state | WRITING,
            Ordering::Relaxed, // the fence below
            Ordering::Relaxed,
        );
        if taken.is_err() {
            return false;
        }
        // Release: pairs with the fence of `read`, which then sees that the badge is written.
        fence(Ordering::Release);
        let location = origin.map_or(ptr::null(), |origin| ptr::from_ref(origin.location));
        self.location.store(location.cast_mut(), Ordering::Relaxed);
        self.began.store(now, Ordering::Relaxed);
        // Release: hands over what was written.
        let band = (band.index() as u64) << KIND_BITS;
        self.state.store(state | band | IN_USE, Ordering::Release);
        true
    }

    fn free(&self) {
        let state = self.state.load(Ordering::Relaxed); // ours
        let free = (state / USE * USE).wrapping_add(USE);
        self.state.store(free, Ordering::Relaxed); // there is nothing to hand over
    }

    /// What is there.
    fn read(&self, now: u64) -> Option<Running> {
        // Acquire: pairs with `take`.
        let state = self.state.load(Ordering::Acquire);
        if kind(state) != IN_USE {
            return None;
        }
        let began = self.began.load(Ordering::Relaxed);
        let location = self.location.load(Ordering::Relaxed);
        // Acquire: pairs with the fence of `take`, if either is of a later use.
        fence(Ordering::Acquire);
        if self.state.load(Ordering::Relaxed) != state {
            return None; // it is over
        }
        Some(Running {
            band: Band::from_index((state >> KIND_BITS) as usize % (1 << BAND_BITS)),
            since: Duration::from_nanos(now.saturating_sub(began)),
            // SAFETY: null, or of a `&'static`.
            sent_from: unsafe { location.as_ref() },
        })
    }
}

fn kind(state: u64) -> u64 {
    state % (1 << KIND_BITS)
}

/// A piece of work that somebody is at; see [`Watchdog`](crate::observe::Watchdog).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Running {
    /// The band of the item that it is about.
    pub band: Band,
    /// For how long.
    pub since: Duration,
    /// The line of the program that sent the item, if the work began on the thread that received
    /// it, before it received another one.
    pub sent_from: Option<&'static Location<'static>>,
}

impl fmt::Display for Running {
    /// `band 3 for 1.5s, sent from src/main.rs:12:5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "band {} for {:.1?}", self.band, self.since)?;
        match self.sent_from {
            Some(location) => write!(f, ", sent from {location}"),
            None => Ok(()),
        }
    }
}

/// Says that its owner works on an item of a band, until it is dropped; made by
/// [`Receiver::working`](crate::Receiver::working).
///
/// ```
/// # use bandq::{Band, Builder};
/// let (sender, receiver) = Builder::new(2).observe().build()?;
/// sender.try_send(Band::new(1), "a report")?;
/// let (band, report) = receiver.try_recv()?;
/// let working = receiver.working(band);
/// assert_eq!(receiver.snapshot().bands[1].running, 1);
/// println!("{report}");
/// drop(working);
/// assert_eq!(receiver.snapshot().bands[1].running, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the work ends when it is dropped"]
pub struct Working {
    /// `None` if the channel is not observed.
    job: Option<Job>,
}

struct Job {
    work: Arc<Work>,
    mask: u64,
    band: Band,
    /// The badge by which it is known.
    named: Option<usize>,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Working {
    /// Of a channel that is not observed.
    pub(crate) fn unobserved() -> Self {
        Self { job: None }
    }

    /// The span of this work, `bandq.run`, which follows from that of the send. Enter it, or
    /// instrument the future that does the work with it. Disabled if the channel is not observed.
    ///
    /// ```
    /// # use bandq::{Band, Builder};
    /// let (sender, receiver) = Builder::new(1).observe().build()?;
    /// sender.try_send(Band::URGENT, "an item")?;
    /// let (band, item) = receiver.try_recv()?;
    /// let working = receiver.working(band);
    /// working.span().in_scope(|| println!("{item}"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tracing")]
    #[must_use]
    pub fn span(&self) -> tracing::Span {
        self.job
            .as_ref()
            .map_or_else(tracing::Span::none, |job| job.span.clone())
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let work = &self.work;
        if let (Some(badges), Some(named)) = (work.badges.get(), self.named) {
            badges[named].free();
        }
        let crew = work.crew(self.mask);
        crew.running[self.band.index()].fetch_sub(1, Ordering::Relaxed); // K1: as in `hire`
        work.changed();
    }
}

impl fmt::Debug for Working {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Working")
            .field("band", &self.job.as_ref().map(|job| job.band))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::StampedQueue;
    use std::collections::BTreeSet;

    #[test]
    fn as_many_as_there_are_badges_are_known_by_name_again_and_again() {
        let queue = StampedQueue::<()>::new(2);
        let work = Arc::new(Work::new(2, Clock::new(), queue.fronts().clone()));
        for _ in 0..5 {
            let mut guards: Vec<_> = (0..NAMED).map(|_| work.begin(1, Band::URGENT)).collect();
            assert_eq!(work.list().len(), NAMED);
            guards.push(work.begin(1, Band::URGENT));
            assert_eq!((work.list().len(), work.running(0)), (NAMED, NAMED + 1));
            drop(guards);
            assert_eq!((work.list().len(), work.running(0)), (0, 0));
        }
    }

    #[test]
    fn each_use_of_a_badge_is_told_from_those_before() {
        let badge = Badge::new();
        let mut states = BTreeSet::new();
        for now in 0..100 {
            assert!(badge.take(Band::new(63), now, None));
            assert!(!badge.take(Band::URGENT, now, None), "it is in use");
            let running = badge.read(now + 5).unwrap();
            let found = (running.band, running.since.as_nanos());
            assert_eq!(found, (Band::new(63), 5));
            assert!(states.insert(badge.state.load(Ordering::Relaxed)));
            badge.free();
            assert!(badge.read(now).is_none());
        }
    }
}
