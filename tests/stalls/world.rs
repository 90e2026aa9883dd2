//! One run: threads at work, some of them stopped on the way.

use std::{
    cell::Cell,
    collections::BTreeMap,
    rc::Rc,
    sync::{
        Arc, Barrier, Condvar, Mutex,
        atomic::{AtomicBool, AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bandq::{__internals::stall, Band, BandQueue};

use crate::{
    account::{Account, Received, Sent},
    item::{self, Item, Shape},
    plan::{Outcome, PRODUCERS, Plan, Stop, Victim, Weather},
    sites::Place,
    subject::{BATCH, Channel, Kind, Subject},
    support::{XorShift, b},
};

/// How many rounds a victim makes at the most before it gives up being stopped.
const ROUNDS: u64 = 2000;
/// How long the others have for their operations.
const PATIENCE: Duration = Duration::from_secs(120);
const CONSUMERS: usize = 2;

/// What the threads share.
struct World<S> {
    subject: S,
    weather: Weather,
    victims: usize,
    start: Barrier,
    end: AtomicBool,
    /// Victims that stand still.
    stopped: AtomicUsize,
    /// The rounds that each victim has made.
    rounds: Vec<AtomicU64>,
    /// Operations since all of them do.
    operations: AtomicU64,
    /// About the number of items in the queue.
    backlog: AtomicIsize,
    /// The most that the victims hold when they are stopped.
    may_be_held: isize,
    sent: Sent,
    released: Mutex<bool>,
    release: Condvar,
}

impl<S> World<S> {
    fn all_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire) == self.victims
    }

    /// Whether a victim was not stopped in all of its rounds.
    fn has_given_up(&self) -> bool {
        let rounds = |rounds: &AtomicU64| rounds.load(Ordering::Relaxed);
        self.rounds
            .iter()
            .map(rounds)
            .any(|rounds| rounds >= ROUNDS)
    }

    fn ended(&self) -> bool {
        self.end.load(Ordering::Acquire)
    }

    /// Stands still until the end of the run.
    fn stand(&self) {
        self.stopped.fetch_add(1, Ordering::AcqRel);
        let mut released = self.released.lock().unwrap();
        while !*released {
            released = self.release.wait(released).unwrap();
        }
    }

    fn release(&self) {
        *self.released.lock().unwrap() = true;
        self.release.notify_all();
    }

    fn completed(&self) {
        if self.all_stopped() {
            self.operations.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// While a victim is on its way the queue is kept as the weather says; after that it is mostly
    /// left to the threads.
    fn is_full(&self) -> bool {
        let sparse_again = (self.operations.load(Ordering::Relaxed) >> 10) % 8 == 0;
        let most = if self.all_stopped() && !sparse_again {
            1000
        } else {
            self.weather.backlog()
        };
        // What stopped threads hold counts as in the queue.
        self.backlog.load(Ordering::Relaxed) >= most + self.may_be_held
    }
}

/// Runs a plan to its end, checks everything, and panics at the first thing that is wrong.
pub(crate) fn run(plan: &Plan) -> Outcome {
    match plan.shape {
        Shape::Small => run_with::<0>(plan),
        Shape::Large => run_with::<{ Shape::LARGE }>(plan),
        Shape::Single => run_with::<{ Shape::SINGLE }>(plan),
    }
}

fn run_with<const PAD: usize>(plan: &Plan) -> Outcome {
    item::count_segments::<PAD>();
    let bands = usize::from(plan.weather.bands());
    let outcome = match plan.victims[0].operation.subject() {
        Kind::Queue => play(plan, BandQueue::<Item<PAD>>::new(bands)),
        kind => play(plan, Channel::<PAD>::new(bands, kind)),
    };
    // The queue is gone: every item was dropped, and every segment goes, once all have moved on.
    assert_eq!(item::items(), 0, "items leaked: {plan:?}");
    let waiting = item::segments();
    for _ in 0..1000 + waiting / 4 {
        if item::segments() == 0 {
            return outcome;
        }
        item::catch_up();
    }
    assert_eq!(
        item::segments(),
        0,
        "of {waiting} segments: leaked: {plan:?}"
    );
    outcome
}

fn play<S: Subject<PAD>, const PAD: usize>(plan: &Plan, subject: S) -> Outcome {
    let victims = plan.victims.len();
    let may_hold: usize = plan
        .victims
        .iter()
        .map(|victim| victim.operation.may_hold())
        .sum();
    let producers = victims + PRODUCERS + 1; // and the main thread
    let world = Arc::new(World {
        subject,
        weather: plan.weather,
        victims,
        start: Barrier::new(victims + PRODUCERS + CONSUMERS),
        end: AtomicBool::new(false),
        stopped: AtomicUsize::new(0),
        rounds: (0..victims).map(|_| AtomicU64::new(0)).collect(),
        operations: AtomicU64::new(0),
        backlog: AtomicIsize::new(0),
        may_be_held: may_hold as isize,
        sent: (0..producers)
            .map(|_| [const { AtomicU32::new(0) }; Band::MAX_BANDS])
            .collect(),
        released: Mutex::new(false),
        release: Condvar::new(),
    });

    let mut rng = XorShift::new(plan.seed);
    let stopped: Vec<_> = (0..victims)
        .map(|id| {
            let (world, victim, seed) = (Arc::clone(&world), plan.victims[id], rng.next());
            let log = Arc::new(Mutex::new(Vec::new()));
            let shared_log = Arc::clone(&log);
            (
                log,
                thread::spawn(move || be_victim(&world, id, victim, seed, &shared_log)),
            )
        })
        .collect();
    let others: Vec<_> = (0..PRODUCERS + CONSUMERS)
        .map(|id| {
            let (world, seed) = (Arc::clone(&world), rng.next());
            thread::spawn(move || be_other(&world, victims, id, seed))
        })
        .collect();

    // Until the victims stand still, and the others have done their work since then.
    let begun = Instant::now();
    while !world.all_stopped() && !world.has_given_up() {
        assert!(begun.elapsed() < PATIENCE, "no progress: {plan:?}");
        thread::sleep(Duration::from_micros(200));
    }
    if world.all_stopped() {
        let begun = Instant::now();
        while world.operations.load(Ordering::Relaxed) < plan.operations {
            assert!(
                begun.elapsed() < PATIENCE && !others.iter().any(thread::JoinHandle::is_finished),
                "{} operations of others, then no more: {plan:?}",
                world.operations.load(Ordering::Relaxed)
            );
            thread::sleep(Duration::from_micros(200));
        }
    }
    let mut outcome = Outcome {
        stopped: world.all_stopped(),
        others: world.operations.load(Ordering::Relaxed),
        ..Outcome::default()
    };
    world.end.store(true, Ordering::Release);
    let logs: Vec<Vec<Received>> = others
        .into_iter()
        .map(|other| other.join().unwrap())
        .collect();

    // The victims still stand. Every band takes and gives items, and nothing is hidden.
    let me = producers - 1;
    let mut drained = Vec::new();
    for round in 0..2 {
        for band in 0..plan.weather.bands() {
            let number = world.sent[me][usize::from(band)].load(Ordering::Relaxed);
            assert!(
                world.subject.push(b(band), Item::new(me, number)),
                "no room: {plan:?}"
            );
            world.sent[me][usize::from(band)].store(number + 1, Ordering::Relaxed);
        }
        drain(&world, &mut drained, round == 1);
    }
    if outcome.stopped {
        let mut account = Account::new(plan);
        account.side_by_side(&logs);
        account.afterwards(&drained);
        for (log, _) in &stopped {
            account.stopped(&log.lock().unwrap());
        }
        let may_hold = plan
            .victims
            .iter()
            .map(|victim| victim.operation.may_hold())
            .sum();
        outcome.held = account.missing(&world.sent);
        assert!(
            outcome.held <= may_hold,
            "{} items hidden: {plan:?}",
            outcome.held
        );
    }

    // They move on: now everything is there, once.
    world.release();
    let mut account = Account::new(plan);
    for (log, victim) in stopped {
        for (place, count) in victim.join().unwrap() {
            *outcome.visits.entry(place).or_default() += count;
        }
        account.stopped(&log.lock().unwrap());
    }
    drain(&world, &mut drained, false);
    account.side_by_side(&logs);
    account.afterwards(&drained);
    assert_eq!(account.missing(&world.sent), 0, "items lost: {plan:?}");
    assert_eq!(
        account.unknown(&world.sent),
        0,
        "items out of nothing: {plan:?}"
    );
    let world = Arc::into_inner(world).expect("all threads have ended");
    drop(world.subject);
    outcome
}

fn drain<S: Subject<PAD>, const PAD: usize>(world: &World<S>, log: &mut Vec<Received>, many: bool) {
    let mut batch = Vec::new();
    loop {
        if many {
            world.subject.pop_many(&mut batch, BATCH);
        } else {
            batch.extend(world.subject.pop());
        }
        if batch.is_empty() {
            return;
        }
        log.extend(batch.drain(..).map(received));
    }
}

fn received<const PAD: usize>((band, item): (Band, Item<PAD>)) -> Received {
    (band.index() as u8, item.from as usize, item.number)
}

/// The thread that is stopped. Returns where it came by.
fn be_victim<S: Subject<PAD>, const PAD: usize>(
    world: &Arc<World<S>>,
    id: usize,
    victim: Victim,
    seed: u64,
    log: &Mutex<Vec<Received>>,
) -> BTreeMap<Place, u64> {
    let visits = Rc::new(Cell::new(BTreeMap::new()));
    let hook = {
        let (world, visits, mut accesses) = (Arc::clone(world), Rc::clone(&visits), 0);
        let (mut rng, mut passed) = (XorShift::new(seed), false);
        move |place: Place| {
            if passed {
                return;
            }
            accesses += 1;
            let mut all = visits.take();
            let visit = all.entry(place).or_default();
            *visit += 1;
            let here = match victim.stop {
                Stop::Never => false,
                Stop::At {
                    place: stop,
                    visit: nth,
                } => place == stop && *visit >= nth,
                Stop::After { accesses: nth } => accesses >= nth,
            };
            visits.set(all);
            if here {
                passed = true;
                world.stand();
            } else {
                stumble(&mut rng, world.weather);
            }
        }
    };
    world.start.wait();
    let mut hook = hook;
    stall::set_hook(Some(Box::new(move |location| hook(location.into()))));
    let mut rng = XorShift::new(seed + 1);
    let mut batch = Vec::new();
    while !world.ended() {
        world.rounds[id].fetch_add(1, Ordering::Relaxed);
        let many = victim.operation.is_other();
        if victim.operation.is_push() {
            if world.is_full() {
                thread::yield_now();
            } else {
                send(world, id, many, &mut rng);
            }
        } else {
            receive(world, many, &mut batch, &mut rng);
            log.lock().unwrap().extend(batch.drain(..).map(received));
        }
    }
    stall::set_hook(None);
    visits.take()
}

/// One of the threads that must not be stopped.
fn be_other<S: Subject<PAD>, const PAD: usize>(
    world: &Arc<World<S>>,
    victims: usize,
    id: usize,
    seed: u64,
) -> Vec<Received> {
    // They stumble as well, until the victims stand still: that is what makes the rare paths
    // common.
    let hook = {
        let (world, mut rng) = (Arc::clone(world), XorShift::new(seed));
        move |_| {
            if !world.all_stopped() {
                stumble(&mut rng, world.weather);
            }
        }
    };
    world.start.wait();
    stall::set_hook(Some(Box::new(hook)));
    let mut rng = XorShift::new(seed + 1);
    let (mut log, mut batch) = (Vec::new(), Vec::new());
    while !world.ended() {
        let many = rng.one_in(8);
        if id < PRODUCERS {
            if world.is_full() {
                thread::yield_now();
            } else {
                send(world, victims + id, many, &mut rng);
            }
        } else {
            receive(world, many, &mut batch, &mut rng);
            log.extend(batch.drain(..).map(received));
        }
    }
    stall::set_hook(None);
    log
}

/// Lets others run, now and then: between any two accesses.
fn stumble(rng: &mut XorShift, weather: Weather) {
    let drawn = rng.below(512);
    if drawn < weather.sleeps() {
        thread::sleep(Duration::from_micros(20));
    } else if drawn < weather.sleeps() + 16 {
        thread::yield_now();
    }
}

fn send<S: Subject<PAD>, const PAD: usize>(
    world: &World<S>,
    from: usize,
    many: bool,
    rng: &mut XorShift,
) {
    let band = rng.below(u64::from(world.weather.bands())) as u8;
    let sent = &world.sent[from][usize::from(band)];
    let first = sent.load(Ordering::Relaxed);
    let count = if many {
        let mut numbers = first..first + 1 + rng.below(40) as u32;
        let count = numbers.len();
        // Not all of them go in when there is no room.
        let mut items = (&mut numbers).map(|number| Item::new(from, number));
        let went = world.subject.push_other(b(band), &mut items);
        assert!(went <= count);
        went
    } else {
        usize::from(world.subject.push(b(band), Item::new(from, first)))
    };
    if count == 0 {
        return thread::yield_now();
    }
    sent.store(first + count as u32, Ordering::Release);
    world.backlog.fetch_add(count as isize, Ordering::Relaxed);
    world.completed();
}

fn receive<S: Subject<PAD>, const PAD: usize>(
    world: &World<S>,
    many: bool,
    batch: &mut Vec<(Band, Item<PAD>)>,
    rng: &mut XorShift,
) {
    if many {
        world
            .subject
            .pop_many(batch, 1 + rng.below(BATCH as u64) as usize);
    } else {
        batch.extend(world.subject.pop());
    }
    if batch.is_empty() {
        return thread::yield_now();
    }
    world
        .backlog
        .fetch_sub(batch.len() as isize, Ordering::Relaxed);
    world.completed();
}
